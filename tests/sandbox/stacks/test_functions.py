"""CloudFormation: functions, and what belongs to them, are as the template says, and change and go with their stack."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB

from ..conftest import Client, document, runs, zipped
from ..test_functions import LOGS, TRUST_LAMBDA, result_of, tail_of

ARN = f"arn:aws:lambda:us-east-1:{HUB}"
NAME = "cross-account-sandbox-stack-functions"
BUCKET = "code-of-stack-functions"
CODE = """
import logging, os, layered
def handler(event, context):
    logging.getLogger().info("told")
    return {"code": "%s", "layer": layered.where, "arn": context.invoked_function_arn, "pid": os.getpid(),
            "variables": [os.environ.get(name) for name in ("TEXT", "NUMBER", "TRUTH")]}
"""
Resources = dict[str, dict[str, Any]]


class Stack:
    """A stack of the hub."""

    def __init__(self, client: Client, name: str) -> None:
        self._api, self._name, self._is_there = client("cloudformation"), name, False

    def deploy(self, resources: Resources, outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
        """Returns the values of `outputs`."""
        values = {name: {"Value": value} for name, value in (outputs or {}).items()}
        body = {"Resources": resources, "Outputs": values, **more}
        change = self._api.update_stack if self._is_there else self._api.create_stack
        change(StackName=self._name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_NAMED_IAM"])
        self._is_there = True
        (stack,) = self._api.describe_stacks(StackName=self._name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    def status(self) -> str:
        return str(self._api.describe_stacks(StackName=self._name)["Stacks"][0]["StackStatus"])

    def refusal(self, resources: Resources) -> str:
        """Why these are not made."""
        self.deploy(resources)
        assert self.status() == "ROLLBACK_COMPLETE"
        events = self._api.describe_stack_events(StackName=self._name)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    def delete(self) -> None:
        if self._is_there:
            self._api.delete_stack(StackName=self._name)
            self._is_there = False


@pytest.fixture
def stack(client: Client) -> Iterator[Stack]:
    made = Stack(client, f"functions-{uuid.uuid4().hex[:8]}")
    yield made
    made.delete()


@pytest.fixture(scope="module")
def functions(client: Client) -> Any:
    return client("lambda")


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    arn = client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=document(TRUST_LAMBDA))["Role"]["Arn"]
    client("iam").put_role_policy(RoleName=NAME, PolicyName="logs", PolicyDocument=document(LOGS))
    client("s3").create_bucket(Bucket=BUCKET)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return str(arn)


@pytest.fixture
def upload(client: Client) -> Any:
    def put(**files: str) -> dict[str, str]:
        """Where a zip is. Its newest version is not a zip."""
        s3, key = client("s3"), uuid.uuid4().hex
        version = s3.put_object(Bucket=BUCKET, Key=key, Body=zipped(**files))["VersionId"]
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"no zip")
        return {"S3Bucket": BUCKET, "S3Key": key, "S3ObjectVersion": version}

    return put


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return resource(f"Lambda::{kind}", **properties)


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def attribute(name: str, key: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, key]}


def inline(role: str, code: str = "def handler(event, context): return 'ran'", **properties: Any) -> dict[str, Any]:
    code_of_it = {"ZipFile": code}
    return of("Function", Code=code_of_it, Role=role, Handler="index.handler", Runtime="python3.12", **properties)


def with_layer(role: str, version: str, code: Any, layer: Any, **properties: Any) -> Resources:
    return {
        "Layer": of("LayerVersion", LayerName="of-a-stack", Content=layer),
        "Function": of(
            "Function",
            **{"Code": code, "Role": role, "Handler": "app.handler", "Runtime": "python3.12"},
            **{"Layers": [ref("Layer")], "LoggingConfig": {"LogFormat": "JSON"}, **properties},
        ),
        version: of("Version", FunctionName=ref("Function")) | {"DeletionPolicy": "Retain"},
        "Live": of("Alias", Name="live", FunctionName=ref("Function"), FunctionVersion=attribute(version, "Version")),
    }


def test_a_function_has_what_its_template_says_and_follows_it_until_it_is_deleted(
    stack: Stack, functions: Any, role: str, upload: Any
) -> None:
    variables = {"TEXT": "a", "NUMBER": 1, "TRUTH": True}
    first = with_layer(
        role,
        "One",
        upload(app=CODE % "first"),
        upload(python__layered="where = 'old layer'"),
        Environment={"Variables": variables},
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
        MemorySize="256",
        ReservedConcurrentExecutions=3,
        Architectures=["arm64"],
        DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:1:q"},
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    wanted = {"Layer": ref("Layer"), "Version": ref("One"), "Alias": ref("Live"), "Name": ref("Function")}
    outputs = stack.deploy(first, {**wanted, "Arn": attribute("Function", "Arn")})
    name = outputs["Name"]
    assert outputs == {
        "Layer": f"{ARN}:layer:of-a-stack:1",
        "Version": f"{ARN}:function:{name}:1",
        "Alias": f"{ARN}:function:{name}:live",
        "Name": name,
        "Arn": f"{ARN}:function:{name}",
    }
    config = functions.get_function(FunctionName=name)
    assert config["Tags"]["team"] == "blue"
    assert config["Tags"]["aws:cloudformation:logical-id"] == "Function"
    assert config["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    config = config["Configuration"]
    assert [layer["Arn"] for layer in config["Layers"]] == [outputs["Layer"]]
    assert (config["MemorySize"], config["Architectures"]) == (256, ["arm64"])
    assert (config["TracingConfig"], config["EphemeralStorage"]) == ({"Mode": "Active"}, {"Size": 1024})
    assert config["DeadLetterConfig"] == {"TargetArn": "arn:aws:sqs:us-east-1:1:q"}

    by_alias = result_of(functions, name, Qualifier="live")
    expected = {"code": "first", "layer": "old layer", "variables": ["a", "1", "true"], "pid": by_alias["pid"]}
    assert by_alias == {**expected, "arn": outputs["Alias"]}
    assert '"message": "told"' in tail_of(functions, outputs["Alias"])

    second = with_layer(role, "Two", upload(app=CODE % "second"), upload(python__layered="where = 'new layer'"))
    outputs = stack.deploy(second, {"Layer": ref("Layer"), "Version": attribute("Two", "Version")})
    assert outputs == {"Layer": f"{ARN}:layer:of-a-stack:2", "Version": "2"}
    config = functions.get_function(FunctionName=name)
    assert "Concurrency" not in config
    assert config["Configuration"]["MemorySize"] == 128
    assert config["Configuration"]["TracingConfig"] == {"Mode": "PassThrough"}
    assert "Environment" not in config["Configuration"]
    changed = result_of(functions, f"{name}:live")
    assert (changed["code"], changed["layer"], changed["variables"]) == ("second", "new layer", [None] * 3)
    assert result_of(functions, f"{ARN}:function:{name}:1")["code"] == "first"

    stack.delete()
    assert not runs(by_alias["pid"])
    assert not runs(changed["pid"])
    assert name not in {one["FunctionName"] for one in functions.list_functions()["Functions"]}
    assert "of-a-stack" not in {one["LayerName"] for one in functions.list_layers()["Layers"]}


def test_a_function_follows_a_layer_that_alone_is_changed(stack: Stack, functions: Any, role: str, upload: Any) -> None:
    code, used = upload(app=CODE % "code"), []
    for layer in (upload(python__layered="1"), upload(python__layered="2")):
        outputs = stack.deploy(with_layer(role, "One", code, layer), {"Name": ref("Function"), "Layer": ref("Layer")})
        used += functions.get_function_configuration(FunctionName=outputs["Name"])["Layers"]
        assert used[-1]["Arn"] == outputs["Layer"]
    assert used[0]["Arn"] != used[1]["Arn"]
    kept = functions.list_layer_versions(LayerName="of-a-stack")["LayerVersions"]
    assert [one["LayerVersionArn"] for one in kept] == [outputs["Layer"]]


def test_a_function_comes_and_goes_with_its_condition(stack: Stack, functions: Any, role: str) -> None:
    function = inline(role, FunctionName="cross-account-sandbox-conditional") | {"Condition": "IsWanted"}

    def deploy(wanted: str) -> set[str]:
        stack.deploy({"Function": function}, Conditions={"IsWanted": {"Fn::Equals": [wanted, "yes"]}})
        return {one["FunctionName"] for one in functions.list_functions()["Functions"]}

    assert "cross-account-sandbox-conditional" not in deploy("no")
    assert "cross-account-sandbox-conditional" in deploy("yes")
    assert "cross-account-sandbox-conditional" not in deploy("no")


def test_a_function_and_its_role_come_and_go_with_their_condition(stack: Stack) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = resource("IAM::Role", AssumeRolePolicyDocument={"Statement": [trust]})
    function = inline(attribute("Role", "Arn"))  # type: ignore[arg-type]
    resources = {
        "Function": {**function, "Condition": "IsWanted"},
        "Role": {**role, "Condition": "IsWanted"},
        "Topic": resource("SNS::Topic"),
        "Version": {**of("Version", FunctionName=ref("Function")), "Condition": "IsWanted"},
    }

    def deploy(wanted: str) -> str:
        stack.deploy(resources, Conditions={"IsWanted": {"Fn::Equals": [wanted, "yes"]}})
        return stack.status()

    found = [deploy(wanted) for wanted in ("no", "yes", "no", "yes")]
    assert found == ["CREATE_COMPLETE", *["UPDATE_COMPLETE"] * 3]


def test_a_function_gets_what_its_own_stack_stores(stack: Stack, functions: Any, role: str) -> None:
    parameter = resource("SSM::Parameter", Type="String", Value="a table")
    function = inline(role, Environment={"Variables": {"TABLE": {"Fn::Sub": "prefix-{{resolve:ssm:${Parameter}}}"}}})
    outputs = {"Name": ref("Function"), "Value": attribute("Parameter", "Value")}
    found = stack.deploy({"Parameter": parameter, "Function": function}, outputs)
    environment = functions.get_function_configuration(FunctionName=found["Name"])["Environment"]["Variables"]
    assert (environment, found["Value"]) == ({"TABLE": "prefix-a table"}, "a table")


def test_a_new_function_has_the_role_that_replaces_another(client: Client, stack: Stack, functions: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    def deploy(logical_id: str, role: str) -> str:
        made = resource("IAM::Role", RoleName=role, AssumeRolePolicyDocument={"Statement": [trust]})
        function = inline(attribute("Role", "Arn"))  # type: ignore[arg-type]
        outputs = {"Name": ref(logical_id)}
        name = stack.deploy({logical_id: function, "Role": made}, outputs)["Name"]
        return str(functions.get_function_configuration(FunctionName=name)["Role"])

    assert deploy("First", "cross-account-sandbox-first").endswith("-first")
    assert deploy("Second", "cross-account-sandbox-second").endswith("-second")


def test_inline_code_runs_as_index_and_another_name_is_another_function(
    stack: Stack, functions: Any, role: str
) -> None:
    names = []
    for name in ("cross-account-sandbox-inline-1", "cross-account-sandbox-inline-2"):
        names.append(stack.deploy({"Function": inline(role, FunctionName=name)}, {"Name": ref("Function")})["Name"])
    assert names == ["cross-account-sandbox-inline-1", "cross-account-sandbox-inline-2"]
    assert result_of(functions, names[1]) == "ran"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        functions.get_function(FunctionName=names[0])


def test_what_is_to_be_retained_remains(stack: Stack, functions: Any, upload: Any) -> None:
    layer = of("LayerVersion", LayerName="retained", Content=upload(python__layered=""))
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    stack.deploy({"Layer": layer | retained})
    layer["Properties"] = {**layer["Properties"], "Description": "another"}
    stack.deploy({"Layer": layer | retained})
    stack.delete()
    assert len(functions.list_layer_versions(LayerName="retained")["LayerVersions"]) == 2


def test_a_url_a_mapping_and_a_configuration_of_invocations_change_and_go(
    stack: Stack, functions: Any, role: str, client: Client
) -> None:
    def resources(batch: int | None, retries: int, cors: list[str]) -> Resources:
        size = {"BatchSize": batch} if batch else {}
        return {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-a-stack"}},
            "Function": inline(role),
            "Url": of("Url", TargetFunctionArn=ref("Function"), AuthType="AWS_IAM", Cors={"AllowOrigins": cors}),
            "Mapping": of(
                "EventSourceMapping", FunctionName=ref("Function"), EventSourceArn=attribute("Queue", "Arn"), **size
            ),
            "Invocations": of(
                "EventInvokeConfig", FunctionName=ref("Function"), Qualifier="$LATEST", MaximumRetryAttempts=retries
            ),
        }

    wanted = {"Name": ref("Function"), "Url": attribute("Url", "FunctionUrl"), "Mapping": ref("Mapping")}
    outputs = stack.deploy(resources(5, 1, ["https://a"]), wanted)
    name = outputs["Name"]

    def seen() -> tuple[Any, ...]:
        url = functions.get_function_url_config(FunctionName=name)
        (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        invocations = functions.get_function_event_invoke_config(FunctionName=name)
        return (
            *(url["FunctionUrl"], url["Cors"]["AllowOrigins"]),
            *(mapping["BatchSize"], invocations["MaximumRetryAttempts"]),
        )

    assert seen() == (outputs["Url"], ["https://a"], 5, 1)
    assert stack.deploy(resources(None, 0, ["https://b"]), wanted) == outputs
    assert seen() == (outputs["Url"], ["https://b"], 10, 0)
    stack.deploy({name: one for name, one in resources(None, 0, []).items() if name in ("Queue", "Function")})
    with pytest.raises(ClientError, match="ResourceNotFound"):
        functions.get_function_url_config(FunctionName=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        functions.get_function_event_invoke_config(FunctionName=name)
    queue = client("sqs").get_queue_url(QueueName="of-a-stack")["QueueUrl"]
    client("sqs").send_message(QueueUrl=queue, MessageBody="kept")
    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "kept"


def test_a_second_version_of_the_same_code_is_refused(stack: Stack, role: str) -> None:
    version = of("Version", FunctionName=ref("Function"))
    refusal = stack.refusal({"Function": inline(role), "One": version, "Two": version})
    assert "A version for this Lambda function exists ( 1 )" in refusal


def test_what_belongs_to_a_function_goes_also_after_it(stack: Stack, role: str) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    stack.deploy(
        {
            "Function": inline(role),
            "One": of("Version", FunctionName=ref("Function")),
            "Live": of("Alias", Name="live", FunctionName=ref("Function"), FunctionVersion=attribute("One", "Version")),
            "Url": of("Url", TargetFunctionArn=ref("Live"), AuthType="NONE"),
            "Invocations": of("EventInvokeConfig", FunctionName=ref("Function"), Qualifier="live"),
            "Permission": of("Permission", FunctionName=ref("Live"), Action="lambda:InvokeFunction", Principal="*"),
            **topic,
        }
    )
    stack.deploy(topic)
    assert stack.status() == "UPDATE_COMPLETE"


def test_a_permission_of_an_alias_is_of_that_alias(stack: Stack, functions: Any, role: str) -> None:
    resources = {
        "Function": inline(role),
        "One": of("Version", FunctionName=ref("Function")),
        "Live": of("Alias", Name="live", FunctionName=ref("Function"), FunctionVersion=attribute("One", "Version")),
        "Permission": of(
            "Permission", FunctionName=ref("Live"), Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
        ),
    }
    name = stack.deploy(resources, {"Name": ref("Function")})["Name"]
    (statement,) = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert statement["Resource"] == f"{ARN}:function:{name}:live"


def test_what_a_function_would_miss_is_refused(stack: Stack, role: str) -> None:
    mounted = {"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:1:access-point/fsap-1"}]}
    refusal = stack.refusal({"Function": inline(role, FunctionName="cross-account-sandbox-mounted", **mounted)})
    assert "runs functions without FileSystemConfigs, which cross-account-sandbox-mounted has" in refusal


def test_what_a_template_must_say_is_missed(stack: Stack, role: str) -> None:
    function = inline(role)
    del function["Properties"]["Role"]
    refusal = stack.refusal({"Function": function})
    assert "resource Function with message: #: required key [Role] not found" in refusal


def test_an_update_that_fails_leaves_the_function_as_it_was(stack: Stack, functions: Any, role: str) -> None:
    name = stack.deploy({"Function": inline(role, MemorySize=256)}, {"Name": ref("Function")})["Name"]
    before = functions.get_function_configuration(FunctionName=name)
    stack.deploy({"Function": inline(role, MemorySize=512, Layers=[f"{ARN}:layer:none:1"], Description="new")})
    after = functions.get_function_configuration(FunctionName=name)
    assert {**after, "ResponseMetadata": {}} == {**before, "ResponseMetadata": {}}


def test_a_topic_that_is_changed_keeps_its_subscribers(client: Client, stack: Stack) -> None:
    sns = client("sns")

    def topic(name: str, endpoint: str) -> dict[str, Any]:
        subscription = [{"Protocol": "https", "Endpoint": endpoint}]
        tags = [{"Key": "name", "Value": name}]
        return resource("SNS::Topic", DisplayName=name, Subscription=subscription, Tags=tags)

    def deploy(name: str, endpoint: str) -> str:
        return stack.deploy({"Topic": topic(name, endpoint)}, {"Arn": {"Ref": "Topic"}})["Arn"]

    arn = deploy("first", "https://one.example")
    other = sns.subscribe(TopicArn=arn, Protocol="https", Endpoint="https://other.example", ReturnSubscriptionArn=True)
    assert deploy("second", "https://two.example") == arn
    found = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert {one["Endpoint"] for one in found} == {"https://other.example", "https://two.example"}
    assert other["SubscriptionArn"] in {one["SubscriptionArn"] for one in found}
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "second"
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "name", "Value": "second"}]
    stack.delete()
    assert arn not in [one["TopicArn"] for one in sns.list_topics()["Topics"]]
