"""Lambda in the sandbox: small uploaded zips that AWS's runtime client runs."""

import base64
import http.client
import io
import json
import os
import platform
import re
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import sandbox
from sandbox import Box
from sandbox.accounts import HUB
from sandbox.functions.environment import runtime_name

from .conftest import Client, document, runs, wait_until_gone, zipped

TRUST_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": f"arn:aws:logs:*:{HUB}:log-group:/aws/lambda/*"}
Deploy = Callable[..., str]

# A handler that returns what it sees.
LOOK = """
import json, os, sys
count = 0
def handler(event, context):
    global count
    count += 1
    return {
        "count": count, "pid": os.getpid(), "event": event, "environment": dict(os.environ),
        "path": sys.path, "directory": os.getcwd(), "request": context.aws_request_id,
        "arn": context.invoked_function_arn, "remaining": context.get_remaining_time_in_millis(),
        "name": context.function_name, "client": getattr(context.client_context, "custom", None),
    }
"""


@pytest.fixture(scope="module")
def functions(client: Client) -> Any:
    return client("lambda")


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    """An execution role that may log."""
    name = "cross-account-sandbox-functions"
    arn = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST_LAMBDA))["Role"]["Arn"]
    client("iam").put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=document(LOGS))
    return str(arn)


@pytest.fixture
def deploy(functions: Any, role: str) -> Deploy:
    def create(code: str = LOOK, modules: dict[str, str] | None = None, **options: Any) -> str:
        name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
        arguments = {"Runtime": runtime_name(), "Role": role, "Handler": "app.handler", "Timeout": 20, **options}
        functions.create_function(FunctionName=name, Code={"ZipFile": zipped(app=code, **(modules or {}))}, **arguments)
        return name

    return create


def result_of(functions: Any, name: str, event: Any = None, **options: Any) -> Any:
    """The payload of a successful invocation."""
    response = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
    payload = json.load(response["Payload"])
    assert "FunctionError" not in response, payload
    return payload


def failure_of(functions: Any, name: str, **options: Any) -> Any:
    """The payload of a failed invocation."""
    response = functions.invoke(FunctionName=name, Payload="{}", **options)
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    return json.load(response["Payload"])


def tail_of(functions: Any, name: str, event: Any = None) -> str:
    response = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    return base64.b64decode(response["LogResult"]).decode()


def test_a_function_gets_its_event_and_its_context(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    seen = result_of(functions, name, {"key": "größer"}, ClientContext=context)
    assert seen["event"] == {"key": "größer"}
    assert seen["name"] == name
    assert seen["arn"] == f"arn:aws:lambda:us-east-1:{HUB}:function:{name}"
    assert seen["client"] == {"a": "b"}
    assert 15_000 < seen["remaining"] <= 20_000
    assert uuid.UUID(seen["request"])


def test_a_function_has_only_its_own_variables_and_lambdas(functions: Any, deploy: Deploy, box: Box) -> None:
    variables = {"MINE": "yes", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "of-the-developer"}
    name = deploy(Environment={"Variables": variables}, MemorySize=256)
    seen = result_of(functions, name)["environment"]
    assert seen["MINE"] == "yes"
    assert seen["AWS_ENDPOINT_URL"] == box.endpoint_url
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    assert seen["AWS_ACCESS_KEY_ID"]
    assert "AWS_PROFILE" not in seen
    allowed = {"MINE", "HOME", "LANG", "LC_CTYPE", "PATH", "TZ", "_HANDLER", "_X_AMZN_TRACE_ID"}
    assert {key for key in seen if not key.startswith(("AWS_", "LAMBDA_"))} <= allowed


def test_a_function_runs_as_its_execution_role(functions: Any, deploy: Deploy, client: Client) -> None:
    name = deploy()
    seen = result_of(functions, name)["environment"]
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    credentials = {ours: seen[f"AWS_{theirs}"] for ours, theirs in names.items()}
    me = client("sts", credentials).get_caller_identity()["Arn"]
    assert me == f"arn:aws:sts::{HUB}:assumed-role/cross-account-sandbox-functions/{name}"
    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3", credentials).list_buckets()


def test_only_the_process_itself_reaches_its_runtime_api(functions: Any, deploy: Deploy) -> None:
    address = result_of(functions, deploy())["environment"]["AWS_LAMBDA_RUNTIME_API"]
    host, _, path = address.partition("/")
    assert len(path) > 20
    for prefix in ("", f"/{'x' * len(path)}"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{host}{prefix}/2018-06-01/runtime/invocation/next", timeout=10)
    with closing(http.client.HTTPConnection(host, timeout=10)) as connection:
        connection.putrequest("POST", "/2018-06-01/runtime/init/error")
        connection.putheader("Content-Length", "300000000")
        connection.endheaders()  # and nothing of the body
        assert connection.getresponse().status == 404


def test_a_file_of_a_zip_runs_as_no_other_user(functions: Any, deploy: Deploy) -> None:
    entry = zipfile.ZipInfo("app.py")
    entry.external_attr = 0o107755 << 16  # setuid, setgid and sticky
    code = "import os\ndef handler(event, context): return os.stat(__file__).st_mode"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, code)
    name = deploy()
    functions.update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
    assert stat.S_IMODE(result_of(functions, name)) == 0o755


def test_a_function_cannot_import_the_sandboxs_packages(functions: Any, deploy: Deploy) -> None:
    code = """
import importlib.util
def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    names = ["moto", "chalice", "sandbox", "pytest", "packaging", "awslambdaric", "json"]
    assert result_of(functions, deploy(code), names) == ["awslambdaric", "json"]


def test_a_function_without_boto3_can_import_it(functions: Any, deploy: Deploy) -> None:
    code = """
import boto3
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
    name = deploy(code)
    assert result_of(functions, name) == f"arn:aws:sts::{HUB}:assumed-role/cross-account-sandbox-functions/{name}"


def test_a_function_with_its_own_boto3_uses_it(functions: Any, deploy: Deploy) -> None:
    code = """
import boto3
def handler(event, context):
    return boto3.where
"""
    layer = functions.publish_layer_version(
        LayerName=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}",
        Content={"ZipFile": zipped(python__boto3="where = 'layer'")},
    )
    layers = [layer["LayerVersionArn"]]
    assert result_of(functions, deploy(code, Layers=layers)) == "layer"
    assert result_of(functions, deploy(code, modules={"boto3": "where = 'code'"})) == "code"
    assert result_of(functions, deploy(code, modules={"boto3": "where = 'code'"}, Layers=layers)) == "code"


def test_the_path_has_code_layers_runtime_and_standard_library(functions: Any, deploy: Deploy) -> None:
    seen = result_of(functions, deploy())
    code, packages, plain, runtime, *rest = seen["path"]
    assert (code, runtime) == (seen["environment"]["LAMBDA_TASK_ROOT"], seen["environment"]["LAMBDA_RUNTIME_DIR"])
    assert packages == f"{plain}/lib/{runtime_name()}/site-packages"
    assert os.path.dirname(os.__file__) in rest
    assert not any("site-packages" in folder for folder in rest)


def test_a_function_can_import_from_its_layers(functions: Any, deploy: Deploy) -> None:
    version = runtime_name()
    folder = f"python__lib__{version}__site-packages__"
    files = {
        f"{folder}layered": "where = 'packages'",
        "python__plain": "where = 'plain'",
        f"{folder}both": "where = 'layer'",
    }
    layer = functions.publish_layer_version(
        LayerName=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}", Content={"ZipFile": zipped(**files)}
    )
    code = """
import layered, plain
def handler(event, context):
    return [layered.where, plain.where]
"""
    assert result_of(functions, deploy(code, Layers=[layer["LayerVersionArn"]])) == ["packages", "plain"]


def test_a_second_invocation_uses_the_warm_process(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    first, second = result_of(functions, name), result_of(functions, name)
    assert first["pid"] == second["pid"]
    assert (first["count"], second["count"]) == (1, 2)
    assert first["request"] != second["request"]


def test_new_code_or_configuration_gets_a_new_process(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    first = result_of(functions, name)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"NEW": "yes"}})
    second = result_of(functions, name)
    assert second["pid"] != first["pid"]
    assert second["environment"]["NEW"] == "yes"
    functions.update_function_code(FunctionName=name, ZipFile=zipped(app="def handler(e, c): return 'new'"))
    assert result_of(functions, name) == "new"


def test_concurrent_invocations_run_in_different_processes(functions: Any, deploy: Deploy) -> None:
    code = """
import os, time
def handler(event, context):
    time.sleep(0.5)
    return os.getpid()
"""
    name = deploy(code)
    with ThreadPoolExecutor(3) as pool:
        processes = set(pool.map(lambda _: result_of(functions, name), range(3)))
    assert len(processes) == 3
    assert result_of(functions, name) in processes


def test_reserved_concurrency_throttles(functions: Any, deploy: Deploy, client: Client) -> None:
    name = deploy()
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as raised:
        functions.invoke(FunctionName=name, Payload="{}")
    assert raised.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_a_timeout_kills_the_process_and_the_next_event_starts_another(functions: Any, deploy: Deploy) -> None:
    code = """
import os, time
def handler(event, context):
    if event.get("sleep"):
        time.sleep(60)
    return os.getpid()
"""
    name = deploy(code, Timeout=1)
    first = result_of(functions, name)
    response = functions.invoke(FunctionName=name, Payload='{"sleep": true}')
    assert response["FunctionError"] == "Unhandled"
    assert json.load(response["Payload"])["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert result_of(functions, name) != first


@pytest.mark.parametrize(
    ("crash", "message"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal: 9"),
        ("sys.exit(0)", "without providing a reason"),
    ],
)
def test_a_crash_is_reported_and_the_next_event_starts_another_process(
    functions: Any, deploy: Deploy, crash: str, message: str
) -> None:
    code = f"""
import os, sys
def handler(event, context):
    if not event:
        {crash}
    return os.getpid()
"""
    name = deploy(code)
    failure = failure_of(functions, name)
    assert failure["errorType"] == "Runtime.ExitError"
    assert message in failure["errorMessage"]
    assert result_of(functions, name, {"stay": True})


def test_an_exception_is_returned_in_lambdas_form(functions: Any, deploy: Deploy) -> None:
    name = deploy("def handler(event, context):\n    raise ValueError('no such thing')\n")
    failure = failure_of(functions, name)
    assert (failure["errorType"], failure["errorMessage"]) == ("ValueError", "no such thing")
    assert "app.py" in failure["stackTrace"][0]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import no_such_module", "Runtime.ImportModuleError"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("other = 1", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('at import')", "RuntimeError"),
        ("import os; os._exit(5)", "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_start_returns_the_reason_each_time(
    functions: Any, deploy: Deploy, code: str, error: str
) -> None:
    name = deploy(code)
    assert failure_of(functions, name)["errorType"] == error
    assert failure_of(functions, name)["errorType"] == error


def test_a_response_that_is_not_json_or_too_large_is_an_error(functions: Any, deploy: Deploy) -> None:
    name = deploy("def handler(event, context):\n    return {1} if event else 'x' * 7_000_000\n")
    assert failure_of(functions, name)["errorType"] == "Function.ResponseSizeTooLarge"
    response = functions.invoke(FunctionName=name, Payload='{"set": true}')
    assert json.load(response["Payload"])["errorType"] == "Runtime.MarshalError"
    almost = deploy("def handler(event, context):\n    return 'x' * 6_200_000\n")
    assert len(result_of(functions, almost)) == 6_200_000


def test_output_and_platform_lines_reach_the_tail_and_cloudwatch(
    functions: Any, deploy: Deploy, client: Client
) -> None:
    code = """
import logging, sys
print("at import")
def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger().warning("through logging")
    sys.stdout.write("without an end")
    if event.get("fail"):
        raise ValueError("out of range")
"""
    name = deploy(code)
    tail = tail_of(functions, name)
    wanted = ["INIT_START", "at import", "START RequestId: ", "to stdout", "to stderr", "through logging"]
    wanted += ["without an end", "END RequestId: ", "REPORT RequestId: ", "Init Duration: "]
    positions = [tail.find(text) for text in wanted]
    assert -1 not in positions
    assert positions == sorted(positions)
    second = tail_of(functions, name, {"fail": True})
    assert "at import" not in second
    assert "Init Duration" not in second
    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    messages = [event["message"] for event in events]
    assert "to stdout" in messages
    assert any("ValueError: out of range\nTraceback" in message for message in messages)
    assert len({event["logStreamName"] for event in events}) == 1


def test_a_role_without_logs_permissions_writes_no_log(functions: Any, deploy: Deploy, client: Client) -> None:
    name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
    iam = client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST_LAMBDA))["Role"]["Arn"]
    function = deploy("def handler(event, context): print('silent')", Role=role)
    assert "silent" in tail_of(functions, function)
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]
    assert groups == []


def test_a_role_that_does_not_trust_lambda_cannot_run_a_function(
    functions: Any, deploy: Deploy, client: Client
) -> None:
    name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    wrong = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        functions.invoke(FunctionName=deploy(Role=wrong), Payload="{}")


def test_a_function_for_another_python_runs_and_its_log_says_so_once(functions: Any, deploy: Deploy) -> None:
    layer = functions.publish_layer_version(
        LayerName=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}",
        Content={"ZipFile": zipped(**{"python__lib__python3.7__site-packages__layered": "where = 'layer'"})},
    )
    code = """
import os, layered
def handler(event, context): print(layered.where, os.environ["AWS_EXECUTION_ENV"])
"""
    name = deploy(code, Runtime="python3.7", Layers=[layer["LayerVersionArn"]])
    first, second = tail_of(functions, name), tail_of(functions, name)
    notice = f"sandbox: python3.7 runs on Python {platform.python_version()} here.\n"
    assert first.splitlines(keepends=True)[1] == notice
    assert "layer AWS_Lambda_python3.7" in second
    assert notice not in second


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"Runtime": "nodejs22.x"}, "runs functions made for python3.x, and {name} is made for nodejs22.x."),
        ({"Runtime": "python2.7"}, "runs functions made for python3.x, and {name} is made for python2.7."),
        ({"PackageType": "Image"}, "runs no container images, and {name} is one: deploy it as a zip"),
    ],
)
def test_what_is_not_python_3_is_refused(
    functions: Any, deploy: Deploy, options: dict[str, str], sentence: str
) -> None:
    name = deploy(**options)
    failure = failure_of(functions, name)
    assert failure["errorType"] == "Runtime.InvalidRuntime"
    assert sentence.format(name=name) in failure["errorMessage"]


@pytest.mark.parametrize("statement", ["import fast.core", "from fast import core"])
def test_an_extension_for_another_python_is_told_as_that(functions: Any, deploy: Deploy, statement: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", statement)
        archive.writestr("fast/__init__.py", "")
        archive.writestr("fast/core.cpython-36m-vax.so", "")
    name = deploy()
    functions.update_function_code(FunctionName=name, ZipFile=buffer.getvalue())
    failure = failure_of(functions, name)
    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert "core.cpython-36m-vax.so was compiled for another Python or another machine" in failure["errorMessage"]


def test_a_log_in_json_is_json_at_its_levels_and_in_its_group(functions: Any, deploy: Deploy, client: Client) -> None:
    code = """
import logging
def handler(event, context):
    logging.getLogger().info("too fine")
    logging.getLogger().warning("kept")
"""
    group = f"/aws/lambda/shared-{uuid.uuid4().hex[:8]}"
    name = deploy(
        code,
        Runtime="python3.7",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": group},
    )
    lines = [json.loads(line) for line in tail_of(functions, name).splitlines()]
    events = client("logs").filter_log_events(logGroupName=group)["events"]
    assert [json.loads(event["message"]) for event in events] == lines
    assert f"/{name}[$LATEST]" in events[0]["logStreamName"]
    started, notice, start, own, report = lines
    assert [one["type"] for one in (started, start, report)] == [
        "platform.initStart",
        "platform.start",
        "platform.report",
    ]
    assert notice["message"].startswith("sandbox: python3.7 runs on")
    assert (own["level"], own["message"], own["requestId"]) == ("WARNING", "kept", start["record"]["requestId"])
    assert report["record"]["status"] == "success"
    assert report["record"]["metrics"]["memorySizeMB"] == 128


def test_a_failure_passes_the_highest_system_log_level(functions: Any, deploy: Deploy) -> None:
    config = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    name = deploy("def handler(event, context): return event['key']", LoggingConfig=config)
    lines = [json.loads(line) for line in tail_of(functions, name).splitlines()]
    records = [line["record"] for line in lines if "record" in line]
    assert [(one["status"], one["errorType"]) for one in records] == [("error", "KeyError")] * 2
    assert tail_of(functions, name, {"key": 1}) == ""


def test_a_group_that_the_role_may_not_write_gets_nothing(functions: Any, deploy: Deploy, client: Client) -> None:
    group = f"/elsewhere/{uuid.uuid4().hex[:8]}"
    name = deploy("def handler(event, context): print('silent')", LoggingConfig={"LogGroup": group})
    assert "silent" in tail_of(functions, name)
    assert client("logs").describe_log_groups(logGroupNamePrefix="/elsewhere")["logGroups"] == []
    assert client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"] == []


def test_a_configuration_is_kept_and_changed_in_part(functions: Any, deploy: Deploy) -> None:
    name = deploy(TracingConfig={"Mode": "Active"}, DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:1:q"})

    def seen(**changes: Any) -> Any:
        if changes:
            functions.update_function_configuration(FunctionName=name, **changes)
        return functions.get_function_configuration(FunctionName=name)

    first = seen()
    group = f"/aws/lambda/{name}"
    assert first["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": group}
    assert first["TracingConfig"] == {"Mode": "Active"}
    assert first["DeadLetterConfig"] == {"TargetArn": "arn:aws:sqs:us-east-1:1:q"}
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    as_json = seen(LoggingConfig={"LogFormat": "JSON"}, TracingConfig={"Mode": "PassThrough"})
    assert as_json["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": group, **levels}
    assert as_json["TracingConfig"] == {"Mode": "PassThrough"}
    last = seen(LoggingConfig={"LogFormat": "Text", "LogGroup": "mine"}, EphemeralStorage={"Size": 1024})
    assert last["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "mine"}
    assert last["EphemeralStorage"] == {"Size": 1024}
    assert "Environment" not in seen(Environment={})


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"LogFormat": "json"}, "'loggingConfig.logFormat' failed to satisfy constraint"),
        ({"LogFormat": "JSON", "SystemLogLevel": "ERROR"}, "enum value set: .DEBUG, INFO, WARN"),
        ({"ApplicationLogLevel": "INFO"}, 'LogLevel is not supported when LogFormat is set to "Text"'),
        ({"LogGroup": "a group"}, "'loggingConfig.logGroup' failed to satisfy constraint"),
    ],
)
def test_a_log_that_lambda_refuses_is_refused(deploy: Deploy, config: dict[str, str], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        deploy(LoggingConfig=config)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"Timeout": 901}, "'901' at 'timeout' failed to satisfy constraint: Member must have value less than"),
        ({"MemorySize": 10241}, "'10241' at 'memorySize' failed to satisfy constraint"),
        ({"Runtime": ""}, "Runtime and Handler are mandatory"),
    ],
)
def test_a_function_that_lambda_refuses_is_refused(deploy: Deploy, options: Any, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        deploy(**options)


def test_a_traced_function_gets_a_sampled_trace(functions: Any, deploy: Deploy) -> None:
    code = """
import os
def handler(event, context): return os.environ["_X_AMZN_TRACE_ID"]
"""
    name = deploy(code, TracingConfig={"Mode": "Active"})
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1", result_of(functions, name))
    functions.update_function_configuration(FunctionName=name, TracingConfig={"Mode": "PassThrough"})
    assert result_of(functions, name).endswith(";Sampled=0")


def test_an_event_invocation_is_accepted_and_runs_later(functions: Any, deploy: Deploy, client: Client) -> None:
    name = deploy("def handler(event, context): print('ran', event)")
    response = functions.invoke(FunctionName=name, InvocationType="Event", Payload='{"later": 1}')
    assert response["StatusCode"] == 202
    # The invocation is asynchronous: wait for its line in the log.
    deadline = time.monotonic() + 15
    messages: list[str] = []
    while "ran {'later': 1}" not in messages and time.monotonic() < deadline:
        threading.Event().wait(0.05)
        groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
        if groups:
            events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
            messages = [event["message"] for event in events]
    assert "ran {'later': 1}" in messages


def test_a_dry_run_runs_nothing(functions: Any, deploy: Deploy) -> None:
    response = functions.invoke(FunctionName=deploy("raise SystemExit"), InvocationType="DryRun", Payload="{}")
    assert response["StatusCode"] == 204


def test_a_published_version_is_a_function_of_its_own(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    version = functions.publish_version(FunctionName=name)["Version"]
    latest, published = result_of(functions, name), result_of(functions, name, Qualifier=version)
    assert latest["pid"] != published["pid"]
    assert published["arn"].endswith(f":{name}:{version}")
    assert published["environment"]["AWS_LAMBDA_FUNCTION_VERSION"] == version
    assert latest["environment"]["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"


def test_an_alias_runs_its_versions_by_their_weights(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    for _ in range(2):
        functions.publish_version(FunctionName=name)
        functions.update_function_configuration(FunctionName=name, Description="new")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    alias = f"arn:aws:lambda:us-east-1:{HUB}:function:{name}:live"
    for named in (name, f"{HUB}:function:{name}"):
        seen = result_of(functions, named, Qualifier="live")
        assert (seen["environment"]["AWS_LAMBDA_FUNCTION_VERSION"], seen["arn"]) == ("1", alias)
    weights = {"AdditionalVersionWeights": {"2": 1.0}}
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
    assert functions.invoke(FunctionName=alias, Payload="{}")["ExecutedVersion"] == "2"


def test_the_number_of_a_version_is_given_once(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    functions.update_function_configuration(FunctionName=name, Description="before the first")

    def publish() -> str:
        return str(functions.publish_version(FunctionName=name)["Version"])

    assert [publish(), publish()] == ["1", "1"]
    functions.update_function_configuration(FunctionName=name, Description="two")
    assert publish() == "2"
    functions.delete_function(FunctionName=name, Qualifier="2")
    functions.update_function_configuration(FunctionName=name, Description="three")
    assert publish() == "3"
    assert functions.get_function_configuration(FunctionName=name, Qualifier="3")["Description"] == "three"


def test_a_layer_of_another_account_is_refused(deploy: Deploy) -> None:
    powertools = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7"
    with pytest.raises(ClientError, match="has no layers of other accounts"):
        deploy(Layers=[powertools])


def test_a_mapping_that_would_filter_is_refused(functions: Any, deploy: Deploy, client: Client) -> None:
    queue = client("sqs").create_queue(QueueName="filtered")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(ClientError, match="does not filter the events of a source"):
        functions.create_event_source_mapping(
            FunctionName=deploy(), EventSourceArn=arn, FilterCriteria={"Filters": [{"Pattern": "{}"}]}
        )


def test_code_that_is_not_there_is_told_as_lambda_tells_it(functions: Any, deploy: Deploy, client: Client) -> None:
    client("s3").create_bucket(Bucket="code-of-functions")
    for bucket, code in (("code-of-functions", "NoSuchKey"), ("no-such-bucket-of-functions", "NoSuchBucket")):
        with pytest.raises(ClientError, match=f"S3 Error Code: {code}"):
            functions.update_function_code(FunctionName=deploy(), S3Bucket=bucket, S3Key="gone")


def test_invoking_needs_permission(deploy: Deploy, client: Client, hub_session: Any) -> None:
    name, other = deploy(), deploy()
    may = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:us-east-1:{HUB}:function:{name}",
    }
    caller = client("lambda", hub_session(may))
    assert result_of(caller, name)["count"] == 1
    with pytest.raises(ClientError) as raised:
        caller.invoke(FunctionName=other, Payload="{}")
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:{HUB}:function:{other}" in str(raised.value)


def test_the_processes_of_a_deleted_function_end(functions: Any, deploy: Deploy) -> None:
    name = deploy()
    pid = result_of(functions, name)["pid"]
    functions.delete_function(FunctionName=name)
    assert not runs(pid)


# Its own program goes on, whatever becomes of the handler.
START_ANOTHER = """
import subprocess, sys
def handler(event, context):
    return [subprocess.Popen(["sleep", "600"]).pid, sys.stdin.read()]
"""


def test_what_a_handler_has_started_ends_with_its_process_and_its_own_input_is_empty(
    functions: Any, deploy: Deploy
) -> None:
    name = deploy(START_ANOTHER)
    started, read = result_of(functions, name)
    assert read == ""
    functions.delete_function(FunctionName=name)
    wait_until_gone(started)


STUCK = """
import subprocess
print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
while True:
    pass
"""


def test_a_process_ends_with_a_sandbox_that_was_killed_whatever_it_does(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(STUCK)
    bootstrap = Path(sandbox.__file__).with_name("functions") / "bootstrap.py"
    packages = Path(boto3.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(bootstrap), tmp_path, tmp_path, packages, runtime_name(), "app.handler"],
        env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "_HANDLER": "app.handler"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout as stdout:
        started = int(stdout.readline())
        process.stdin.close()  # as the system does at the end of the sandbox
        assert process.wait(timeout=20) == -signal.SIGKILL
    wait_until_gone(started)
