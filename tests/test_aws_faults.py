from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws_faults import AWS_EXCEPTIONS, Fault, code_of, fault_of, from_aws, request_id_of
from chalicelib.cross_account import Hub
from chalicelib.errors import CheckDenied
from tests.fake_aws import Answer, FakeAws, Reply, error


def client_error(code: str, request_id: str | None = "r-1") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "a message with a secret-value"}}
    if request_id:
        response["ResponseMetadata"] = {"RequestId": request_id}
    return ClientError(response, "ListBuckets")


CODES = {
    Fault.DENIED: ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"],
    Fault.THROTTLED: ["Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException", "429"],
    Fault.CREDENTIALS: ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"],
    Fault.TIMED_OUT: ["RequestTimeout", "504"],
    Fault.UNAVAILABLE: ["InternalFailure", "ServiceUnavailable", "500", "502", "503"],
    Fault.REFUSED: ["ValidationError", "NoSuchBucket", "RegionDisabledException"],
    Fault.BROKEN_ANSWER: [""],
}
RAISED = [
    (exceptions.ConnectTimeoutError(endpoint_url="http://x"), Fault.TIMED_OUT),
    (exceptions.ReadTimeoutError(endpoint_url="http://x"), Fault.TIMED_OUT),
    (exceptions.EndpointConnectionError(endpoint_url="http://x"), Fault.UNREACHABLE),
    (exceptions.ConnectionClosedError(endpoint_url="http://x"), Fault.UNREACHABLE),
    (exceptions.SSLError(endpoint_url="http://x", error="e"), Fault.UNREACHABLE),
    (exceptions.ProxyConnectionError(proxy_url="http://x"), Fault.UNREACHABLE),
    (exceptions.HTTPClientError(error="e"), Fault.UNREACHABLE),
    (exceptions.NoCredentialsError(), Fault.CREDENTIALS),
    (exceptions.PartialCredentialsError(provider="p", cred_var="v"), Fault.CREDENTIALS),
    (exceptions.TokenRetrievalError(provider="sso", error_msg="e"), Fault.CREDENTIALS),
    (exceptions.UnauthorizedSSOTokenError(), Fault.CREDENTIALS),
    (exceptions.CredentialRetrievalError(provider="p", error_msg="e"), Fault.CREDENTIALS),
    (ResponseParserError("no XML"), Fault.BROKEN_ANSWER),
    (exceptions.ParamValidationError(report="r"), Fault.REFUSED),
    (exceptions.PaginationError(message="the same token twice"), Fault.BROKEN_ANSWER),
    (exceptions.UnknownServiceError(service_name="s", known_service_names="k"), Fault.REFUSED),
]


@pytest.mark.parametrize(("fault", "code"), [(fault, code) for fault, codes in CODES.items() for code in codes])
def test_an_error_code_of_aws_has_its_kind(fault: Fault, code: str) -> None:
    assert fault_of(client_error(code)) is fault


@pytest.mark.parametrize(("raised", "fault"), RAISED, ids=lambda value: type(value).__name__)
def test_what_botocore_raises_by_itself_has_its_kind(raised: Exception, fault: Fault) -> None:
    assert isinstance(raised, AWS_EXCEPTIONS)
    assert fault_of(raised) is fault


# botocore retries this one as well, but no rate is limited: the same write of DynamoDB is still under way.
NO_THROTTLING = {"TransactionInProgressException"}
THROTTLING = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) - NO_THROTTLING


@pytest.mark.parametrize("code", sorted(THROTTLING))
def test_what_botocore_takes_for_throttling_is_throttling(code: str) -> None:
    assert fault_of(client_error(code)) is Fault.THROTTLED


def test_a_failure_without_request_id_has_none() -> None:
    assert request_id_of(client_error("x", None)) is None


JUNK = st.none() | st.text() | st.integers() | st.dictionaries(st.text(), st.text())


@given(code=JUNK, request_id=JUNK)
def test_whatever_stands_where_a_code_should_becomes_short_text_or_nothing(code: Any, request_id: Any) -> None:
    raised = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"RequestId": request_id}}, "Op")
    for found in (code_of(raised), request_id_of(raised)):
        assert found is None or 0 < len(found) <= 100


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (error("AccessDenied", 403), Fault.DENIED),
        (error("ExpiredToken", 400), Fault.CREDENTIALS),
        (error("SlowDown", 503), Fault.THROTTLED),
        (Reply("", 503), Fault.UNAVAILABLE),
        (Reply("", 403), Fault.DENIED),
        (Reply("not XML", 200), Fault.UNAVAILABLE),
        (Reply("<ListAllMyBucketsResult><Buckets>", 200), Fault.UNAVAILABLE),
    ],
    ids=["denied", "expired", "slow down", "503", "403", "text", "truncated"],
)
@pytest.mark.usefixtures("no_backoff")
def test_what_s3_really_sends_is_sorted_through_botocore(hub: Hub, aws: FakeAws, reply: Answer, fault: Fault) -> None:
    aws.tell("ListBuckets", reply, always=True)
    with pytest.raises(AWS_EXCEPTIONS) as caught:
        hub.client("s3").list_buckets()
    assert fault_of(caught.value) is fault


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (error("Throttling", 400), Fault.THROTTLED),
        (error("InvalidClientTokenId", 403), Fault.CREDENTIALS),
        (Reply("", 200), Fault.BROKEN_ANSWER),
        (Reply("not XML", 200), Fault.BROKEN_ANSWER),
        (Reply("<GetAccountSummaryResponse><GetAcc", 200), Fault.BROKEN_ANSWER),
        (Reply("<html><body>Sign in to the proxy</body></html>", 200), Fault.BROKEN_ANSWER),
        (Reply("Service is down", 503), Fault.BROKEN_ANSWER),
        (Reply("<html><body>Forbidden by the proxy</body></html>", 403), Fault.BROKEN_ANSWER),
    ],
    ids=["throttled", "rejected", "empty", "text", "truncated", "page", "503 text", "403 page"],
)
@pytest.mark.usefixtures("no_backoff")
def test_what_iam_really_sends_is_sorted_through_botocore(hub: Hub, aws: FakeAws, reply: Answer, fault: Fault) -> None:
    aws.tell("GetAccountSummary", reply, always=True)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - some are bare KeyErrors
        hub.client("iam").get_account_summary()
    assert from_aws(caught.value)
    assert fault_of(caught.value) is fault


def test_a_key_error_of_a_checks_own_is_not_taken_for_one_of_aws() -> None:
    with pytest.raises(KeyError) as caught:
        {}["missing"]
    assert not from_aws(caught.value)


def test_a_key_error_after_a_call_is_not_taken_for_one_of_aws(hub: Hub) -> None:
    with pytest.raises(KeyError) as caught:
        hub.client("iam").get_account_summary()["missing"]
    assert not from_aws(caught.value)


def test_an_error_of_ours_is_not_taken_for_one_of_aws() -> None:
    with pytest.raises(CheckDenied) as caught:
        raise CheckDenied("denied")
    assert not from_aws(caught.value)
