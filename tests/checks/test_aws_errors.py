"""What botocore raises in a check, by kind."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.checks.aws_errors import check_error
from chalicelib.cross_account import AwsError
from chalicelib.cross_account.aws_errors import ErrorKind
from chalicelib.errors import CheckCallFailed, CheckDenied, CheckThrottled, CheckTimedOut

ACCOUNT = "123456789012"
SECRET = "secret-value"


def client_error(code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"a message with a {SECRET}"},
            "ResponseMetadata": {"RequestId": "r-1"},  # type: ignore[typeddict-item]
        },
        "ListBuckets",
    )


def made(raised: Exception) -> AwsError:
    return check_error(raised, "s3_buckets", ACCOUNT)


@pytest.mark.parametrize(
    ("kind", "raised", "expected"),
    [
        (ErrorKind.DENIED, client_error("AccessDenied"), CheckDenied),
        (ErrorKind.THROTTLED, client_error("Throttling"), CheckThrottled),
        (ErrorKind.TIMED_OUT, client_error("RequestTimeout"), CheckTimedOut),
        (ErrorKind.CREDENTIALS, client_error("ExpiredToken"), CheckCallFailed),
        (ErrorKind.UNREACHABLE, exceptions.EndpointConnectionError(endpoint_url="http://x"), CheckCallFailed),
        (ErrorKind.UNAVAILABLE, client_error("InternalFailure"), CheckCallFailed),
        (ErrorKind.INVALID_RESPONSE, ResponseParserError("no XML"), CheckCallFailed),
        (ErrorKind.REFUSED, client_error("SomethingNew"), CheckCallFailed),
    ],
)
def test_a_failed_call_becomes_the_error_of_its_kind_with_a_next_step(
    kind: ErrorKind, raised: Exception, expected: type[AwsError]
) -> None:
    error = made(raised)
    assert (type(error), error.stage) == (expected, "check")
    assert f": {kind.value}, " in error.message
    assert error.hint.endswith((".", "?"))


@pytest.mark.parametrize(
    "raised",
    [ResponseParserError("x"), exceptions.ReadTimeoutError(endpoint_url="x"), KeyError("AssumeRoleResult")],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_without_a_code_names_its_class_and_claims_no_code(raised: Exception) -> None:
    error = made(raised)
    assert type(raised).__name__ in error.message
    assert (error.code, error.request_id) == (None, None)


def test_the_sentence_names_check_operation_account_kind_and_code() -> None:
    error = made(client_error("AccessDenied"))
    assert error.message == f"The check s3_buckets (ListBuckets) in account {ACCOUNT}: denied, AccessDenied."
    assert (error.code, error.request_id) == ("AccessDenied", "r-1")


def test_nothing_that_aws_wrote_is_passed_on() -> None:
    error = made(client_error("AccessDenied"))
    assert SECRET not in f"{error} {error!r} {error.as_dict()} {error.args} {vars(error)}"
