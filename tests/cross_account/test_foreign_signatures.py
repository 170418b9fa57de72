"""Whatever the environment says of signing and of hosts: a target's session signs its requests, or nothing is sent."""

from __future__ import annotations

import json
import os
import re
import socket
from hashlib import sha1
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore import configprovider
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import BotoCoreError, NoAuthTokenError
from botocore.handlers import get_bearer_auth_supported_services
from botocore.httpsession import URLLib3Session
from botocore.tokens import SSOTokenProvider

from chalicelib.cross_account import Hub
from tests.fake_aws import HUB, HUB_TOKEN, FakeAws, Reply, Request, as_json, session_token

ONE, TWO = "111111111111", "222222222222"
FOREIGN = "foreign"  # in whatever another's credentials would add to a request

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "s3": ("list_buckets", {}),
    "sts": ("get_caller_identity", {}),
    "iam": ("list_account_aliases", {}),
    "bedrock": ("list_foundation_models", {}),
    "bedrock-runtime": ("converse", {"modelId": "m", "messages": []}),
    "dynamodb": ("list_tables", {}),
    "timestream-write": ("list_databases", {}),
}
SIGNATURES = ("bearer", "none", "s3", "v2", "v4a")
DISCOVERED = {"timestream-write": "list_databases", "timestream-query": "list_scheduled_queries"}
HOWS = ("client", "pages", "session", "hub")

BEARERS = {f"AWS_BEARER_TOKEN_{name.upper().replace('-', '_')}": FOREIGN for name in (*CALLS, "codecatalyst")}
ENDPOINTS = {f"AWS_ENDPOINT_URL_{name.upper().replace('-', '_')}": f"https://{name}.example" for name in CALLS}

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "bearer tokens": BEARERS,
    "bearer preferred": {**BEARERS, "AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth"},
    "sigv4a preferred": {"AWS_AUTH_SCHEME_PREFERENCE": "sigv4a", "AWS_SIGV4A_SIGNING_REGION_SET": "*"},
    "no signature preferred": {"AWS_AUTH_SCHEME_PREFERENCE": "noAuth,none"},
    "other credentials": {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": FOREIGN,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/foreign",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/foreign",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/foreign",
        "AWS_CREDENTIAL_EXPIRATION": "2100-01-01T00:00:00Z",
        "AWS_CREDENTIAL_FILE": "/foreign",
        "AWS_ROLE_ARN": "arn:aws:iam::333333333333:role/foreign",
        "AWS_ROLE_SESSION_NAME": FOREIGN,
        "AWS_SECURITY_TOKEN": HUB_TOKEN,  # the older name: it has precedence
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/foreign",
        "BOTO_CONFIG": "/foreign",
        "AWS_LOGIN_CACHE_DIRECTORY": "/foreign",
    },
    "account ids": {"AWS_ACCOUNT_ID": "333333333333", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "preferred"},
    "account ids required": {"AWS_ACCOUNT_ID": "333333333333", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"},
    "discovery": {"AWS_ENDPOINT_DISCOVERY_ENABLED": "true"},
    "no discovery": {"AWS_ENDPOINT_DISCOVERY_ENABLED": "false"},
    "one endpoint": {"AWS_ENDPOINT_URL": "https://all.example"},
    "endpoints": ENDPOINTS,
    "ignored endpoints": {**ENDPOINTS, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "hosts": {
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": "true",
        "AWS_S3_USE_ARN_REGION": "true",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "legacy",
        "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    },
    "regions": {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EXECUTION_ENV": "AWS_Lambda"},
    "defaults": {"AWS_DEFAULTS_MODE": "in-region", "AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "adaptive"},
    "the rest": {
        "AWS_CA_BUNDLE": os.devnull,
        "AWS_DISABLE_REQUEST_COMPRESSION": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6",
        "AWS_EC2_METADATA_V1_DISABLED": "false",
        "AWS_IMDS_USE_IPV6": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1",
        "AWS_METADATA_SERVICE_TIMEOUT": "1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "1",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_supported",
        "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "false",
        "AWS_SDK_UA_APP_ID": "a",
        "BOTOCORE_TCP_KEEPALIVE": "true",
        "BOTO_DISABLE_CRT": "true",
        "BOTO_EXPERIMENTAL__ADD_PROXY_HOST_HEADER": "true",
        "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE": "true",
    },
}
CSM = ("AWS_CSM_CLIENT_ID", "AWS_CSM_ENABLED", "AWS_CSM_HOST", "AWS_CSM_PORT")
ELSEWHERE = {
    **dict.fromkeys(CSM, "the test of monitoring"),
    "AWS_ACCESS_KEY_ID": "the hub's own",
    "AWS_SECRET_ACCESS_KEY": "the hub's own",
    "AWS_SESSION_TOKEN": "the hub's own",
    "AWS_EC2_METADATA_DISABLED": "true in every test",
    "AWS_CONFIG_FILE": "the tests of files",
    "AWS_SHARED_CREDENTIALS_FILE": "the tests of files",
    "AWS_PROFILE": "the tests of files",
    "AWS_DEFAULT_PROFILE": "the tests of files",
    "AWS_DATA_PATH": "another model of a service is another botocore",
    "BOTOCORE_EXPERIMENTAL__PLUGINS": "names code to run in this process, which may do anything",
}

REFUSED = {
    "account ids required": {("dynamodb", "session")},  # the session does not tell its account
    "no discovery": {("timestream-write", how) for how in HOWS},
}


def as_file(environment: dict[str, str]) -> str:
    """The same settings in AWS_CONFIG_FILE, if they may stand there."""
    lines = ["[default]"]
    for table in (configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES, configprovider.DEFAULT_S3_CONFIG_VARS):
        for place, variable, *_ in table.values():
            name = place[0] if isinstance(place, list) else place
            if isinstance(name, str) and isinstance(variable, str) and variable in environment:
                lines.append(f"{name} = {environment[variable]}")
    return "\n".join(lines) if len(lines) > 1 else ""


SERVICES = "\n".join(f"{name} =\n  signature_version = {{}}\n  endpoint_url = https://{name}.example" for name in CALLS)
FILES = {
    **{name: text for name, environment in ENVIRONMENTS.items() if (text := as_file(environment))},
    **{f"signed by {version}": f"[default]\n{SERVICES.format(*[version] * len(CALLS))}" for version in SIGNATURES},
    "one endpoint": "[default]\nendpoint_url = https://all.example",
    "endpoints": f"[default]\nservices = here\n[services here]\n{SERVICES.format(*['v4'] * len(CALLS))}",
    "sso": "[default]\nsso_session = here\nsso_account_id = 333333333333\nsso_role_name = foreign\n"
    "[sso-session here]\nsso_region = eu-west-1\nsso_start_url = https://foreign.example",
    "login": "[default]\nlogin_session = arn:aws:iam::333333333333:user/foreign",
    "role": "[default]\nrole_arn = arn:aws:iam::333333333333:role/foreign\nsource_profile = other\n"
    "[profile other]\naws_access_key_id = foreign\naws_secret_access_key = foreign",
    "keys": "[default]\naws_access_key_id = foreign\naws_secret_access_key = foreign\naws_account_id = 333333333333",
    "process": "[default]\ncredential_process = foreign",
    "of the file alone": "[default]\nparameter_validation = false\nca_bundle = x\nproxy_ca_bundle = x\n"
    "proxy_client_cert = x\nproxy_use_forwarding_for_https = true\napi_versions =\n  s3 = 2006-03-01\n"
    "s3 =\n  addressing_style = virtual\n  use_accelerate_endpoint = true\n  payload_signing_enabled = false\n"
    "  use_dualstack_endpoint = true\n  use_arn_region = true\n  us_east_1_regional_endpoint = legacy\n"
    "  s3_disable_multiregion_access_points = true",
}


@pytest.fixture
def sent(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Request]]:
    """The host of every request and the request, as it is about to leave; whatever its host, `aws` answers it."""
    caught: list[tuple[str, Request]] = []

    def send(_session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {key.lower(): v.decode() if isinstance(v, bytes) else str(v) for key, v in request.headers.items()}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        arrived = Request(request.method, url.path or "/", dict(parse_qsl(url.query)), headers, body)
        caught.append((url.netloc, arrived))
        reply = aws.answer(arrived)
        raw: Any = SimpleNamespace(stream=lambda: iter([reply.content]))
        return AWSResponse(request.url, reply.status, dict(reply.headers), raw)

    def discover(request: Request) -> Reply:
        return as_json({"Endpoints": [{"Address": f"cell-of-{request.signer}", "CachePeriodInMinutes": 60}]})

    aws.tell("POST /", discover, always=True)  # also to DynamoDB's calls, which read nothing of it
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(URLLib3Session, "send", send)  # below all that signs or chooses a host
    return caught


def signer(request: Request) -> str:
    """The account that signed, if key and token are of the same one and there is nothing else to sign with."""
    token = HUB_TOKEN if request.signer == HUB else session_token(request.signer)
    whole = f"{request.query} {request.headers} {request.body!r}"
    return request.signer if request.token == token and FOREIGN not in whole else f"not {request.signer} alone: {whole}"


def signers(hub: Hub, sent: list[tuple[str, Request]], services: Any = CALLS) -> dict[tuple[str, str], set[str]]:
    """Who signs what is sent for each service, in each way to call it; an empty set if it is refused."""
    account = hub.account(ONE)
    found = {("sts", "AssumeRole"): {signer(request) for _, request in sent}}
    session = account.session()
    for service in services:
        operation, arguments = CALLS[service]
        for how in HOWS:
            sent.clear()
            try:
                if how == "pages":
                    list(account.pages(service, operation, **arguments))
                else:
                    maker: Any = {"client": account, "session": session, "hub": hub}[how]
                    getattr(maker.client(service), operation)(**arguments)
            except BotoCoreError:
                pass
            found[service, how] = {signer(request) for _, request in sent}
    return found


def expected(refused: Any = (), services: Any = CALLS) -> dict[tuple[str, str], set[str]]:
    ways = {(service, how): {HUB if how == "hub" else ONE} for service in services for how in HOWS}
    return {("sts", "AssumeRole"): {HUB}, **ways, **{way: set() for way in refused if way[0] in services}}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_variable_makes_another_sign(sent: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable, value in ENVIRONMENTS[name].items():
        monkeypatch.setenv(variable, value)
    assert signers(Hub(), sent) == expected(REFUSED.get(name, ()))


@pytest.mark.parametrize("name", FILES)
def test_no_setting_in_a_file_makes_another_sign(
    sent: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    for variable, text in (("AWS_CONFIG_FILE", FILES[name]), ("AWS_SHARED_CREDENTIALS_FILE", FILES["keys"])):
        (tmp_path / variable).write_text(text)
        monkeypatch.setenv(variable, str(tmp_path / variable))
    some = ("s3", "bedrock", "dynamodb")
    assert signers(Hub(), sent, some) == expected(REFUSED.get(name, ()), some)


def test_every_variable_that_botocore_reads_is_among_these() -> None:
    """A new one: into ENVIRONMENTS with a value that could do harm, or into ELSEWHERE with the reason."""
    read = set()
    for package in ("botocore", "boto3", "s3transfer"):
        for file in Path(next(iter(find_spec(package).submodule_search_locations))).rglob("*.py"):  # type: ignore
            read |= set(re.findall(r"""["']((?:AWS|BOTO|BOTOCORE)_[A-Z0-9_]+)""", file.read_text()))
    known = {*ELSEWHERE, *(name for environment in ENVIRONMENTS.values() for name in environment)}
    known |= {"AWS_BEARER_TOKEN_", "AWS_ENDPOINT_URL_"}  # botocore appends the service
    assert len(read) > 50
    assert read - known == set()


def test_every_setting_that_botocore_reads_from_a_file_is_among_these() -> None:
    tables = [table for name, table in vars(configprovider).items() if re.fullmatch("(BOTOCORE_)?DEFAU.*_VAR.*S", name)]
    assert len(tables) == 3, "a new section of the file"
    names = {place for table in tables for place, *_ in table.values() if isinstance(place, str)}
    names |= {place[1] for place, *_ in tables[1].values() if isinstance(place, tuple)}
    written = set(re.findall(r"^ *(\w+) =", "\n".join(FILES.values()), re.MULTILINE))
    assert names - written == {"data_path", *(name.removeprefix("AWS_").lower() for name in CSM)}  # a test of its own


def test_no_monitor_is_told_of_a_call(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore would tell it the key and the session token."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as monitor:
        monitor.bind(("127.0.0.1", 0))
        monitor.setblocking(False)
        for name, value in zip(CSM, ("x", "true", "127.0.0.1", str(monitor.getsockname()[1])), strict=True):
            monkeypatch.setenv(name, value)
        signers(Hub(), sent, ["s3"])
        with pytest.raises(BlockingIOError):
            monitor.recv(1)


def test_every_service_that_takes_tokens_of_the_environment_is_asked() -> None:
    assert get_bearer_auth_supported_services() == {"bedrock"}


@pytest.fixture
def foreign_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody has signed in with SSO on this machine, and has API keys in the environment."""
    (tmp_path / "config").write_text(FILES["sso"])
    token = {"accessToken": FOREIGN, "expiresAt": "2100-01-01T00:00:00Z"}
    (tmp_path / f"{sha1(b'here').hexdigest()}.json").write_text(json.dumps(token))
    monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for variable, value in BEARERS.items():
        monkeypatch.setenv(variable, value)


@pytest.mark.usefixtures("foreign_token")
def test_a_service_that_takes_only_tokens_is_refused_and_nothing_is_sent(sent: Any) -> None:
    hub = Hub()
    account = hub.account(ONE)
    sent.clear()
    for client in (f("codecatalyst") for f in (account.client, account.session().client, hub.client)):
        with pytest.raises(NoAuthTokenError):
            client.list_spaces()
    assert sent == []


@pytest.mark.usefixtures("foreign_token")
@pytest.mark.parametrize(
    ("service", "operation"), [("bedrock", "list_foundation_models"), ("codecatalyst", "list_spaces")]
)
def test_the_tokens_of_these_tests_are_such_as_botocore_takes(sent: Any, service: str, operation: str) -> None:
    """Without which the tests above would prove nothing."""
    getattr(boto3.Session().client(service), operation)()
    assert [request.headers["authorization"] for _, request in sent] == [f"Bearer {FOREIGN}"]


@pytest.mark.parametrize("service", DISCOVERED)
def test_each_account_is_sent_to_the_endpoint_that_it_discovered_itself(sent: Any, service: str) -> None:
    hub = Hub()
    accounts = [hub.account(account) for account in (ONE, TWO)]
    sent.clear()
    for account in accounts:
        getattr(account.client(service), DISCOVERED[service])()
        list(account.pages(service, DISCOVERED[service]))
    found = [(host, signer(request)) for host, request in sent]
    assert [who for _, who in found] == [ONE] * 4 + [TWO] * 4
    assert [host for host, _ in found if "timestream" not in host] == [f"cell-of-{ONE}"] * 2 + [f"cell-of-{TWO}"] * 2


@pytest.mark.parametrize("service", DISCOVERED)
def test_one_client_discovers_once(sent: Any, service: str) -> None:
    client = Hub().account(ONE).client(service)
    sent.clear()
    for _ in range(3):
        getattr(client, DISCOVERED[service])()
    assert [host for host, _ in sent if "timestream" not in host] == [host for host, _ in sent[1:]]


@pytest.mark.parametrize("value", ["true", "auto", "false"])
def test_a_shared_client_discovers_nothing(sent: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_DISCOVERY_ENABLED", value)
    account = Hub().account(ONE)
    sent.clear()
    account.client("dynamodb").describe_table(TableName="t")
    assert [host for host, _ in sent] == ["dynamodb.eu-west-1.amazonaws.com"]


def test_a_client_of_a_session_may_discover(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_DISCOVERY_ENABLED", "true")
    client = Hub().account(ONE).session().client("dynamodb")
    sent.clear()
    client.describe_table(TableName="t")
    assert [(host, signer(request)) for host, request in sent][1:] == [(f"cell-of-{ONE}", ONE)]


def test_no_variable_turns_on_s3_express_sessions_which_are_kept_by_bucket(
    sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "false")
    hub = Hub()
    accounts = [hub.account(account) for account in (ONE, TWO)]
    sent.clear()
    for account in accounts:
        account.client("s3").head_bucket(Bucket="b--euw1-az1--x-s3")
    assert [(request.method, signer(request)) for _, request in sent] == [("HEAD", ONE), ("HEAD", TWO)]


def test_what_one_hub_was_told_of_hosts_stays_with_it(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore writes into the s3 settings that a client is made with."""
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    Hub().client("s3").list_buckets()
    monkeypatch.delenv("AWS_USE_DUALSTACK_ENDPOINT")
    Hub().client("s3").list_buckets()
    assert [host for host, _ in sent] == ["s3.dualstack.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]


@pytest.mark.parametrize("kind", ["get_object", "post"])
@pytest.mark.parametrize("version", [None, "s3", "s3v4", "none", "bearer"])
def test_whatever_is_presigned_names_the_accounts_own_key(
    sent: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, kind: str
) -> None:
    if version:
        (tmp_path / "config").write_text(f"[default]\ns3 =\n  signature_version = {version}")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    hub = Hub()
    for account_id in (ONE, TWO):
        account = hub.account(account_id)
        for client in (account.client("s3"), account.session().client("s3")):
            if kind == "post":
                made = str(client.generate_presigned_post("b", "k"))
            else:
                made = client.generate_presigned_url(kind, {"Bucket": "b", "Key": "k"})
            assert set(re.findall(r"ASIACANARY(\d{12})", made)) == {account_id}


# ---- whoever listens


METHODS = ("register", "register_first", "register_last", "unregister")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("service", ["s3", "sts"])
def test_a_handler_on_a_shared_client_is_refused_with_the_way_out(hub: Hub, service: str, method: str) -> None:
    for client in (hub.account(ONE).client(service), hub.client(service)):
        with pytest.raises(RuntimeError, match=r"before-send.*shared.*account\.session\(\)"):
            getattr(client.meta.events, method)("before-send", print)


@pytest.mark.parametrize("method", METHODS[:3])
def test_a_handler_on_a_client_of_a_session_sees_that_accounts_requests_alone(
    hub: Hub, aws: FakeAws, method: str
) -> None:
    seen: list[bytes] = []
    one = hub.account(ONE)
    mine = one.session().client("s3")
    getattr(mine.meta.events, method)(
        "before-send.s3", lambda request, **_: seen.append(request.headers["X-Amz-Security-Token"])
    )
    for client in (mine, one.client("s3"), hub.account(TWO).client("s3"), hub.account(TWO).session().client("s3")):
        client.list_buckets()
    assert seen == [session_token(ONE).encode()]
