"""After DurationSeconds a session's calls fail, in the words of each service.

In this process, because no session of the running sandbox is over before 15 minutes; here one can be issued that began
long ago. boto3 signs a request, guard.py sees it, and boto3 reads its response.

Sources: STS, "ExpiredTokenException"; S3, error responses ("ExpiredToken"); EC2, error codes ("RequestExpired").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends
from werkzeug.test import EnvironBuilder

from sandbox.accounts import REGION
from sandbox.callers import PARTITION
from sandbox.guard import Response, refusal_of_a_stranger
from sandbox.sts.sessions import issue

from .conftest import Cloud

# moto warns of error codes that are not in a service's model; sandbox/server.py ignores it too.
pytestmark = pytest.mark.filterwarnings(r"ignore:Exception\(.*does not match an error shape")

ACCOUNT = "222233334444"
ENDPOINT = "http://127.0.0.1:1"
IS_EXPIRED = "The security token included in the request is expired"
CALLS = [
    ("sts", "get_caller_identity", "ExpiredToken", IS_EXPIRED),
    ("iam", "list_users", "ExpiredToken", IS_EXPIRED),
    ("sns", "list_topics", "ExpiredToken", IS_EXPIRED),
    ("route53", "list_hosted_zones", "ExpiredToken", IS_EXPIRED),
    ("s3", "list_buckets", "ExpiredToken", "The provided token has expired."),
    ("ec2", "describe_vpcs", "RequestExpired", "Request has expired."),
    ("organizations", "list_accounts", "ExpiredTokenException", IS_EXPIRED),
    ("logs", "describe_log_groups", "ExpiredTokenException", IS_EXPIRED),
    ("lambda", "list_functions", "ExpiredTokenException", IS_EXPIRED),
]


class LetIn(Exception):
    """The guard has nothing against the request."""


def guarded(method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
    """The guard's response to a request that never leaves this process; raises LetIn."""
    environ = EnvironBuilder(
        urlsplit(url).path, ENDPOINT, urlsplit(url).query, method, headers=headers, data=body
    ).get_environ()
    refusal = refusal_of_a_stranger(environ)
    if refusal is None:
        raise LetIn
    return refusal


class Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def answer(request: Any, **_: Any) -> AWSResponse:
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    status, found, body = guarded(request.method, request.url, headers, request.body or b"")
    return AWSResponse(request.url, int(status.split()[0]), dict(found), Raw(b"".join(body)))


Signed = Callable[[str, int], Any]


@pytest.fixture(scope="module")
def signed() -> Iterator[Signed]:
    """A client of a session of 900 seconds that began so many seconds ago; its requests go to the guard."""
    role = iam_backends[ACCOUNT][PARTITION].create_role("any", "{}", "/", None, "", [], "3600")

    def client(service: str, age: int) -> Any:
        session = issue(role, "tests", 900, issued=time.time() - age)
        made = boto3.client(
            service,
            REGION,
            endpoint_url=ENDPOINT,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=Config(retries={"total_max_attempts": 1}),
        )
        made.meta.events.register("before-send", answer)
        return made

    yield client
    iam_backends.pop(ACCOUNT)


@pytest.mark.parametrize(("service", "operation", "code", "message"), CALLS)
def test_a_session_that_is_over_is_refused_in_the_words_of_the_service(
    signed: Signed, service: str, operation: str, code: str, message: str
) -> None:
    with pytest.raises(LetIn):
        getattr(signed(service, 800), operation)()
    with pytest.raises(ClientError) as raised:
        getattr(signed(service, 901), operation)()
    error = raised.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message)


def test_a_url_that_was_presigned_in_time_is_over_with_its_session(signed: Signed) -> None:
    def asked(age: int) -> Response:
        url = signed("s3", age).generate_presigned_url("get_object", {"Bucket": "any", "Key": "key"}, 3600)
        return guarded("GET", url, {"Host": urlsplit(ENDPOINT).netloc}, b"")

    with pytest.raises(LetIn):
        asked(800)
    _, _, body = asked(901)
    assert b"<Code>ExpiredToken</Code>" in b"".join(body)


def test_a_session_is_over_when_its_expiration_says_so(cloud: Cloud) -> None:
    role = cloud.role()
    short, long = (cloud.enter(role, DurationSeconds=seconds)["Expiration"] for seconds in (900, 3600))
    assert 2700 <= (long - short).total_seconds() < 2800
