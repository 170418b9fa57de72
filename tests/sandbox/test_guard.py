"""Who is refused: web pages, and everybody without the keys of this sandbox."""

from __future__ import annotations

import os
import socket
import stat
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zlib import crc32

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto.iam.models import AccessKey
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.moto_random import MotoRandom

import sandbox
from sandbox import moto_patches
from sandbox.accounts import CREDENTIALS, HUB, REGION, TARGETS
from sandbox.credentials_file import VARIABLE
from sandbox.moto_patches import identity

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
BUCKET = "let-in"
NAMES = ("AccessKeyId", "SecretAccessKey", "SessionToken")
WRONG_SECRET = {"AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"}
UNKNOWN = {"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}
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
        ("GET", "/sandbox%2fcalls"),
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


def test_it_is_not_a_public_call_at_another_service_either(client: Client, hub_session: Client) -> None:
    iam = client("iam", hub_session())

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Amz-Target"] = "AWSCognitoIdentityProviderService.GetUser"

    iam.meta.events.register("before-sign", add)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.get_user(UserName="any")


def test_not_even_the_developer_reaches_motos_own_api(box: sandbox.Box) -> None:
    request = AWSRequest("POST", f"{box.endpoint_url}/moto-api/reset", {"Host": urlsplit(box.endpoint_url).netloc}, b"")
    SigV4Auth(Credentials(*developer(box).values()), "s3", REGION).add_auth(request)
    assert send(box, "/moto-api/reset", "POST", b"", **dict(request.headers)) == 403


def upload(s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"content", Metadata={"my_key": "value"})
    found = s3.get_object(Bucket=BUCKET, Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (b"content", {"my_key": "value"})


def upload_in_parts(s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "parts"}
    place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(**place, PartNumber=1, Body=b"content")["ETag"]}
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [part]})


def upload_with_a_trailer(box: sandbox.Box) -> int:
    """As boto3 uploads a stream over TLS."""
    url, trailer = f"{box.endpoint_url}/{BUCKET}/stream", "x-amz-checksum-crc32"
    body = f"7\r\ncontent\r\n0\r\n{trailer}:{b64encode(crc32(b'content').to_bytes(4)).decode()}\r\n\r\n".encode()
    headers = {"Host": urlsplit(url).netloc, "Content-Encoding": "aws-chunked", "X-Amz-Trailer": trailer}
    request = AWSRequest("PUT", url, {**headers, "X-Amz-Decoded-Content-Length": "7"}, body)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(*developer(box).values()), "s3", REGION).add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    return send(box, f"/{BUCKET}/stream", "PUT", body, **dict(request.headers))


def get_table_bucket(tables: Any) -> None:
    arn = tables.create_table_bucket(name="tables")["arn"]
    assert tables.get_table_bucket(tableBucketARN=arn)["arn"] == arn


def key_of_a_user(iam: Any) -> dict[str, Any]:
    iam.create_user(UserName="let-in")
    return {**iam.create_access_key(UserName="let-in")["AccessKey"], "SessionToken": None}


def test_whatever_is_signed_with_its_keys_is_let_in(box: sandbox.Box, client: Client, hub_session: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in ("a b", "a+b", "ü//x", "..", "a%2Fb", "a~b*c"):
        upload(s3, key)
    upload_in_parts(s3)
    assert upload_with_a_trailer(box) == 200
    get_table_bucket(client("s3tables"))
    role = client("lambda")
    with pytest.raises(role.exceptions.ResourceNotFoundException):
        role.list_tags(Resource=f"arn:aws:lambda:{REGION}:{HUB}:function:none")
    for credentials in (key_of_a_user(client("iam")), hub_session()):
        assert client("sts", credentials).get_caller_identity()["Account"] == HUB


def test_names_below_localhost_are_this_machine(
    box: sandbox.Box, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The virtual hosts of S3, and the accounts in those of S3 Control."""
    resolve = socket.getaddrinfo  # not every system resolves these names
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *more, **named: resolve("127.0.0.1", *more, **named))
    endpoint = box.endpoint_url.replace("127.0.0.1", "localhost")
    s3 = client("s3", endpoint_url=endpoint, s3={"addressing_style": "virtual"})
    s3.create_bucket(Bucket="virtual")
    s3.put_object(Bucket="virtual", Key="a b", Body=b"content")
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="virtual")["Contents"]] == ["a b"]
    url = s3.generate_presigned_url("get_object", {"Bucket": "virtual", "Key": "a b"})
    with urllib.request.urlopen(url) as answer:
        assert (urlsplit(url).hostname, answer.read()) == ("virtual.localhost", b"content")
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        client("s3control", endpoint_url=endpoint).get_public_access_block(AccountId=HUB)


def presigned(client: Any, operation: str, **params: Any) -> str:
    expires, method = params.pop("expires", 60), params.pop("method", None)
    url = urlsplit(client.generate_presigned_url(operation, params, expires, method))
    return f"{url.path}?{url.query}"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_acts_as_who_signed_it(
    box: sandbox.Box, client: Client, hub_session: Client, version: str
) -> None:
    def s3(credentials: dict[str, Any] | None = None) -> Any:
        return client("s3", credentials, signature_version=version)

    stranger = {**developer(box), "SecretAccessKey": "another"}
    ours = presigned(s3(), "list_buckets")
    assert ("X-Amz-Signature" in ours) == (version == "s3v4")
    assert send(box, ours) == 200
    assert box.calls("s3", "ListAllMyBuckets")[-1]["caller"].endswith("/developer")
    assert send(box, presigned(s3(), "put_object", Bucket=BUCKET, Key="b c"), "PUT") == 200
    for refused in (
        presigned(s3(), "list_buckets", expires=-1),
        presigned(s3(stranger), "list_buckets"),
        presigned(s3({**developer(box), "SessionToken": "another"}), "list_buckets"),
        presigned(s3(hub_session()), "list_buckets"),
        presigned(s3(), "get_object", Bucket=BUCKET, Key="b").replace("/b?", "/b%20c?"),
        ours.replace("Signature=", "Signature=%C3%BC"),
    ):
        assert send(box, refused) == 403


def test_a_presigned_url_is_good_for_no_header_that_was_not_signed(box: sandbox.Box, client: Client) -> None:
    url = presigned(client("s3", signature_version="s3v4"), "put_object", Bucket=BUCKET, Key="uploaded")
    assert send(box, url, "PUT", x_amz_copy_source=f"{BUCKET}/a") == 403
    assert send(box, url, "PUT") == 200


def test_other_services_presign_too(box: sandbox.Box, client: Client) -> None:
    url = presigned(client("sts"), "get_caller_identity", method="GET")
    assert send(box, url) == 200
    assert send(box, url.replace("GetCallerIdentity", "GetSessionToken")) == 403


def test_a_presigned_post_is_refused(box: sandbox.Box, client: Client) -> None:
    fields = client("s3").generate_presigned_post("any", "key")["fields"]
    assert send(box, "/any", "POST", urlencode(fields).encode()) == 403


def test_a_body_is_what_its_hash_says(box: sandbox.Box, client: Client) -> None:
    s3 = client("s3")

    def exchange(request: Any, **_: Any) -> None:
        request.body = b"other"

    s3.meta.events.register("before-send", exchange)
    with pytest.raises(ClientError, match="XAmzContentSHA256Mismatch"):
        s3.put_object(Bucket="any", Key="key", Body=b"first")


def test_a_service_whose_protocol_moto_does_not_speak_is_refused(box: sandbox.Box) -> None:
    scope = f"Credential=unknown/20260101/{REGION}/arc-region-switch/aws4_request"
    made_up = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"
    assert send(box, "/", "POST", b"", Authorization=made_up, Content_Type="application/cbor") == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.127.0.0.1"},
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
    "headers",
    [{}, {"Host": "localhost"}, {"Host": "[::1]:4"}, {"Host": "123456789012.127.0.0.1"}, {"Sec_Fetch_Site": "none"}],
    ids=str,
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


def test_secrets_cannot_be_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("random", "getrandbits"):  # as they are, so that they are put back
        monkeypatch.setattr(MotoRandom, method, getattr(MotoRandom, method))
    identity.make_secrets_that_cannot_be_predicted()

    def secrets(seed: int) -> list[str]:
        mock_random.seed(seed)
        return [AccessKey("user", "AKIA", HUB).secret_access_key, mock_random.get_random_hex(40)]

    assert not set(secrets(1)) & set(secrets(1))
    assert identity.make_secrets_that_cannot_be_predicted.__name__ in moto_patches.apply.__code__.co_names


def test_only_its_user_reads_the_credentials_file(box: sandbox.Box) -> None:
    file = Path(box.environment[VARIABLE])
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in (file, file.parent)] == [0o600, 0o700]


def test_each_target_has_a_profile_that_acts_inside_it(box: sandbox.Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", box.environment)
    target = TARGETS[-1]
    session = boto3.Session(profile_name=target.name)
    assert {each.name for each in TARGETS} <= {*session.available_profiles}
    identity = session.client("sts").get_caller_identity()
    assert identity["Arn"].startswith(f"arn:aws:sts::{target.id}:assumed-role/OrganizationAccountAccessRole/")
