from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.aws_faults import Fault
from chalicelib.check_faults import check_error
from chalicelib.errors import CheckCallFailed, CheckDenied, CheckThrottled, CheckTimedOut

ACCOUNT = "123456789012"


def client_error(code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "a message with a secret-value"},
            "ResponseMetadata": {"RequestId": "r-1"},  # type: ignore[typeddict-item]
        },
        "ListBuckets",
    )


BY_KIND = {
    Fault.DENIED: client_error("AccessDenied"),
    Fault.THROTTLED: client_error("Throttling"),
    Fault.TIMED_OUT: client_error("RequestTimeout"),
    Fault.CREDENTIALS: client_error("ExpiredToken"),
    Fault.UNREACHABLE: exceptions.EndpointConnectionError(endpoint_url="http://x"),
    Fault.UNAVAILABLE: client_error("InternalFailure"),
    Fault.BROKEN_ANSWER: ResponseParserError("no XML"),
    Fault.REFUSED: client_error("SomethingNew"),
}
ERRORS = {Fault.DENIED: CheckDenied, Fault.THROTTLED: CheckThrottled, Fault.TIMED_OUT: CheckTimedOut}


@pytest.mark.parametrize("fault", Fault)
def test_a_checks_failure_becomes_the_error_of_its_kind_with_a_next_step(fault: Fault) -> None:
    made = check_error(BY_KIND[fault], "s3_buckets", ACCOUNT)
    assert type(made) is ERRORS.get(fault, CheckCallFailed)
    assert made.stage == "check"
    assert made.hint.endswith((".", "?"))


@pytest.mark.parametrize(
    "raised",
    [ResponseParserError("x"), exceptions.ReadTimeoutError(endpoint_url="x"), KeyError("AssumeRoleResult")],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_without_a_code_names_its_class_and_claims_no_code(raised: Exception) -> None:
    made = check_error(raised, "s3_buckets", ACCOUNT)
    assert type(raised).__name__ in made.message
    assert (made.code, made.request_id) == (None, None)


def test_the_sentence_names_check_operation_account_kind_and_code() -> None:
    made = check_error(client_error("AccessDenied"), "s3_buckets", ACCOUNT)
    assert made.message == f"The check s3_buckets (ListBuckets) in account {ACCOUNT}: denied, AccessDenied."
    assert (made.code, made.request_id) == ("AccessDenied", "r-1")


def test_what_aws_wrote_is_not_passed_on() -> None:
    made = check_error(client_error("AccessDenied"), "s3_buckets", ACCOUNT)
    assert "secret-value" not in str(made.as_dict()) + str(made) + repr(made)
