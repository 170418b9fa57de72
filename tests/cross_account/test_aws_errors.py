from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cross_account import Hub
from chalicelib.cross_account.aws_errors import (
    AWS_EXCEPTIONS,
    ErrorKind,
    classify,
    code_of,
    is_aws_error,
    request_id_of,
)
from chalicelib.errors import CheckDenied
from tests.fake_aws import Answer, FakeAws, Reply, error


def client_error(code: str, request_id: str | None = "r-1") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "a message with a secret-value"}}
    if request_id:
        response["ResponseMetadata"] = {"RequestId": request_id}
    return ClientError(response, "ListBuckets")


CODES = {
    ErrorKind.DENIED: ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"],
    ErrorKind.THROTTLED: ["Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException", "429"],
    ErrorKind.CREDENTIALS: [
        "ExpiredToken",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ],
    ErrorKind.TIMED_OUT: ["RequestTimeout", "504"],
    ErrorKind.UNAVAILABLE: ["InternalFailure", "ServiceUnavailable", "500", "502", "503"],
    ErrorKind.REFUSED: ["ValidationError", "NoSuchBucket", "RegionDisabledException"],
    ErrorKind.INVALID_RESPONSE: [""],
}
RAISED = [
    (exceptions.ConnectTimeoutError(endpoint_url="http://x"), ErrorKind.TIMED_OUT),
    (exceptions.ReadTimeoutError(endpoint_url="http://x"), ErrorKind.TIMED_OUT),
    (exceptions.EndpointConnectionError(endpoint_url="http://x"), ErrorKind.UNREACHABLE),
    (exceptions.ConnectionClosedError(endpoint_url="http://x"), ErrorKind.UNREACHABLE),
    (exceptions.SSLError(endpoint_url="http://x", error="e"), ErrorKind.UNREACHABLE),
    (exceptions.ProxyConnectionError(proxy_url="http://x"), ErrorKind.UNREACHABLE),
    (exceptions.HTTPClientError(error="e"), ErrorKind.UNREACHABLE),
    (exceptions.NoCredentialsError(), ErrorKind.CREDENTIALS),
    (exceptions.PartialCredentialsError(provider="p", cred_var="v"), ErrorKind.CREDENTIALS),
    (exceptions.TokenRetrievalError(provider="sso", error_msg="e"), ErrorKind.CREDENTIALS),
    (exceptions.UnauthorizedSSOTokenError(), ErrorKind.CREDENTIALS),
    (exceptions.CredentialRetrievalError(provider="p", error_msg="e"), ErrorKind.CREDENTIALS),
    (ResponseParserError("no XML"), ErrorKind.INVALID_RESPONSE),
    (exceptions.ParamValidationError(report="r"), ErrorKind.REFUSED),
    (exceptions.PaginationError(message="the same token twice"), ErrorKind.INVALID_RESPONSE),
    (exceptions.UnknownServiceError(service_name="s", known_service_names="k"), ErrorKind.REFUSED),
]


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_an_error_code_of_aws_has_its_kind(kind: ErrorKind, code: str) -> None:
    assert classify(client_error(code)) is kind


@pytest.mark.parametrize(("raised", "kind"), RAISED, ids=lambda value: type(value).__name__)
def test_what_botocore_raises_by_itself_has_its_kind(raised: Exception, kind: ErrorKind) -> None:
    assert isinstance(raised, AWS_EXCEPTIONS)
    assert classify(raised) is kind


# botocore retries this one as well, but no rate is limited: the same write of DynamoDB is still under way.
NO_THROTTLING = {"TransactionInProgressException"}
THROTTLING = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) - NO_THROTTLING


@pytest.mark.parametrize("code", sorted(THROTTLING))
def test_what_botocore_takes_for_throttling_is_throttling(code: str) -> None:
    assert classify(client_error(code)) is ErrorKind.THROTTLED


def test_a_failure_without_request_id_has_none() -> None:
    assert request_id_of(client_error("x", None)) is None


JUNK = st.none() | st.text() | st.integers() | st.dictionaries(st.text(), st.text())


@given(code=JUNK, request_id=JUNK)
def test_whatever_stands_where_a_code_should_becomes_short_text_or_nothing(code: Any, request_id: Any) -> None:
    raised = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"RequestId": request_id}}, "Op")
    for found in (code_of(raised), request_id_of(raised)):
        assert found is None or 0 < len(found) <= 100


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("AccessDenied", 403), ErrorKind.DENIED),
        (error("ExpiredToken", 400), ErrorKind.CREDENTIALS),
        (error("SlowDown", 503), ErrorKind.THROTTLED),
        (Reply("", 503), ErrorKind.UNAVAILABLE),
        (Reply("", 403), ErrorKind.DENIED),
        (Reply("not XML", 200), ErrorKind.UNAVAILABLE),
        (Reply("<ListAllMyBucketsResult><Buckets>", 200), ErrorKind.UNAVAILABLE),
    ],
    ids=["denied", "expired", "slow down", "503", "403", "text", "truncated"],
)
@pytest.mark.usefixtures("no_backoff")
def test_what_s3_really_sends_is_classified_through_botocore(
    hub: Hub, aws: FakeAws, reply: Answer, kind: ErrorKind
) -> None:
    aws.tell("ListBuckets", reply, always=True)
    with pytest.raises(AWS_EXCEPTIONS) as caught:
        hub.client("s3").list_buckets()
    assert classify(caught.value) is kind


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("Throttling", 400), ErrorKind.THROTTLED),
        (error("InvalidClientTokenId", 403), ErrorKind.CREDENTIALS),
        (Reply("", 200), ErrorKind.INVALID_RESPONSE),
        (Reply("not XML", 200), ErrorKind.INVALID_RESPONSE),
        (Reply("<GetAccountSummaryResponse><GetAcc", 200), ErrorKind.INVALID_RESPONSE),
        (Reply("<html><body>Sign in to the proxy</body></html>", 200), ErrorKind.INVALID_RESPONSE),
        (Reply("Service is down", 503), ErrorKind.INVALID_RESPONSE),
        (Reply("<html><body>Forbidden by the proxy</body></html>", 403), ErrorKind.INVALID_RESPONSE),
    ],
    ids=["throttled", "rejected", "empty", "text", "truncated", "page", "503 text", "403 page"],
)
@pytest.mark.usefixtures("no_backoff")
def test_what_iam_really_sends_is_classified_through_botocore(
    hub: Hub, aws: FakeAws, reply: Answer, kind: ErrorKind
) -> None:
    aws.tell("GetAccountSummary", reply, always=True)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - some are bare KeyErrors
        hub.client("iam").get_account_summary()
    assert is_aws_error(caught.value)
    assert classify(caught.value) is kind


def test_a_key_error_of_a_checks_own_is_not_an_error_of_aws() -> None:
    with pytest.raises(KeyError) as caught:
        {}["missing"]
    assert not is_aws_error(caught.value)


def test_a_key_error_after_a_call_is_not_an_error_of_aws(hub: Hub) -> None:
    with pytest.raises(KeyError) as caught:
        hub.client("iam").get_account_summary()["missing"]
    assert not is_aws_error(caught.value)


def test_an_error_of_ours_is_not_an_error_of_aws() -> None:
    with pytest.raises(CheckDenied) as caught:
        raise CheckDenied("denied")
    assert not is_aws_error(caught.value)
