"""Who is refused: web pages, and everybody without the keys of this sandbox."""

from __future__ import annotations

import os
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import sandbox
from sandbox.accounts import CREDENTIALS, REGION
from sandbox.credentials_file import VARIABLE

from .conftest import TEMPLATE, Client

CALLS = {  # one of each protocol, and services whose names in signatures differ from boto3's
    "s3": "list_buckets",
    "sts": "get_caller_identity",
    "ec2": "describe_vpcs",
    "lambda": "list_functions",
    "organizations": "list_accounts",
    "route53": "list_hosted_zones",
    "cloudwatch": "list_metrics",
    "stepfunctions": "list_state_machines",
    "bedrock": "list_foundation_models",
}
NAMES = ("AccessKeyId", "SecretAccessKey", "SessionToken")
WRONG_SECRET = {"SignatureDoesNotMatch", "InvalidSignatureException"}
UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}
OLD_CONSTANTS = dict(
    zip(
        NAMES,
        ("ASIASANDBOXDEVELOPER", "sandbox-developer-not-a-secret", "sandbox-developer-session"),
        strict=True,
    )
)


def send(box: sandbox.Box, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> int:
    """The status of a request without a signature."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(box.endpoint_url + path, body, named, method=method)
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def developer(box: sandbox.Box) -> dict[str, str]:
    return {ours: box.environment[theirs] for ours, theirs in zip(NAMES, CREDENTIALS, strict=True)}


@pytest.mark.parametrize(("service", "operation"), CALLS.items())
@pytest.mark.parametrize(
    ("changed", "codes"),
    [({"SecretAccessKey": "another"}, WRONG_SECRET), ({"SessionToken": "another"}, UNKNOWN), (OLD_CONSTANTS, UNKNOWN)],
    ids=["secret", "token", "constants of old"],
)
def test_every_service_refuses_what_is_not_signed_with_its_keys(
    box: sandbox.Box, client: Client, service: str, operation: str, changed: dict[str, str], codes: set[str]
) -> None:
    before = len(box.calls())
    with pytest.raises(ClientError) as raised:
        getattr(client(service, {**developer(box), **changed}), operation)()
    assert raised.value.response["Error"]["Code"] in codes
    assert len(box.calls()) == before


@pytest.mark.parametrize(("service", "operation"), CALLS.items())
def test_every_service_refuses_what_is_not_signed(box: sandbox.Box, service: str, operation: str) -> None:
    unsigned = boto3.client(
        service, REGION, endpoint_url=box.endpoint_url, config=Config(signature_version=UNSIGNED, retries={})
    )
    with pytest.raises(ClientError) as raised:
        getattr(unsigned, operation)()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/moto-api/"),
        ("GET", "/moto-api/data.json"),
        ("POST", "/moto-api/reset"),
        ("POST", "/moto-api/recorder/upload-recording"),
        ("POST", "/moto-api/recorder/replay-recording"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("PUT", "/latest/api/token"),
        ("OPTIONS", "/2015-03-31/functions/"),
        ("GET", "/us-east-1_pool/.well-known/jwks.json"),
        ("GET", "/favicon.ico"),
        ("PUT", "/a-new-bucket"),
    ],
)
def test_there_is_no_door_without_a_signature(box: sandbox.Box, method: str, path: str) -> None:
    assert send(box, path, method, b"x" if method in ("POST", "PUT") else None) == 403


@pytest.mark.parametrize("action", ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetCallerIdentity"])
def test_sts_gives_nothing_without_a_signature(box: sandbox.Box, action: str) -> None:
    form = f"Action={action}&Version=2011-06-15&RoleArn=arn:aws:iam::111111111111:role/cross-account-developer"
    assert send(box, "/", "POST", form.encode(), Content_Type="application/x-www-form-urlencoded") == 403


@pytest.mark.parametrize("service", ["iam", "cognito-idp"])
def test_a_public_call_of_cognito_opens_no_door(box: sandbox.Box, service: str) -> None:
    scope = f"Credential={box.environment['AWS_ACCESS_KEY_ID']}/20260101/{REGION}/{service}/aws4_request"
    made_up = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"
    target = "AWSCognitoIdentityProviderService.GetUser"
    assert send(box, "/", "POST", b"{}", X_Amz_Target=target) == 403
    assert send(box, "/", "POST", b"{}", X_Amz_Target=target, Authorization=made_up) == 403


def test_not_even_the_developer_reaches_motos_own_api(box: sandbox.Box) -> None:
    request = AWSRequest("POST", f"{box.endpoint_url}/moto-api/reset", {"Host": urlsplit(box.endpoint_url).netloc}, b"")
    SigV4Auth(Credentials(*developer(box).values()), "s3", REGION).add_auth(request)
    assert send(box, "/moto-api/reset", "POST", b"", **dict(request.headers)) == 403


def test_a_presigned_url_is_refused(box: sandbox.Box, client: Client) -> None:
    url = urlsplit(client("s3").generate_presigned_url("list_buckets"))
    assert send(box, f"{url.path}?{url.query}") == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example:80@127.0.0.1"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
    ids=str,
)
def test_a_web_page_is_refused_even_with_a_signature(box: sandbox.Box, client: Client, headers: dict[str, str]) -> None:
    assert send(box, "/sandbox/calls", **headers) == 403
    s3 = client("s3")

    def add(request: Any, **_: Any) -> None:
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value

    s3.meta.events.register("before-sign", add)
    with pytest.raises(ClientError, match="403"):
        s3.list_buckets()


@pytest.mark.parametrize(
    "headers", [{}, {"Host": "localhost"}, {"Host": "[::1]:4"}, {"Sec_Fetch_Site": "none"}], ids=str
)
def test_the_record_of_calls_is_read_without_a_signature(box: sandbox.Box, headers: dict[str, str]) -> None:
    assert send(box, "/sandbox/calls", **headers) == 200


def test_each_sandbox_has_credentials_of_its_own_which_go_with_it(box: sandbox.Box, client: Client) -> None:
    with sandbox.running(TEMPLATE) as other:
        folder = Path(other.environment[VARIABLE]).parent
        assert folder.exists()
        assert not set(developer(box).values()) & set(developer(other).values())
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            client("sts", developer(other)).get_caller_identity()
    assert not folder.exists()


def test_only_its_user_reads_the_credentials_file(box: sandbox.Box) -> None:
    file = Path(box.environment[VARIABLE])
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (file, file.parent)] == [0o600, 0o700]
