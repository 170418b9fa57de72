"""What botocore raises in a check, by kind."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.checks import CHECKS
from chalicelib.checks.aws_errors import check_error
from chalicelib.checks.check import Asked
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


BUCKETS = CHECKS["s3_buckets"].asked({})


def made(raised: Exception, asked: Asked = BUCKETS) -> AwsError:
    return check_error(raised, asked, ACCOUNT)


def denied_by(message: str, check: str = "s3_buckets", **params: Any) -> str:
    """The hint for a denial of which AWS says so much."""
    raised = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "ListBuckets")
    return made(raised, CHECKS[check].asked(params)).hint


@pytest.mark.parametrize(
    ("why", "what"),
    [
        ("because no identity-based policy allows it", "missing"),
        ("with an explicit deny in a service control policy", "denied explicitly"),
    ],
)
def test_a_denied_check_that_judges_names_the_action(why: str, what: str) -> None:
    message = f"User: x is not authorized to perform: s3:ListAllMyBuckets {why}"
    raised = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "ListBuckets")
    found = made(raised, CHECKS["s3_public_buckets"].asked({})).message
    assert found.endswith(f"denied, AccessDenied. The action s3:ListAllMyBuckets is {what}.")


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


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("User: x because no identity-based policy allows the a:B action", "its own policy in the target account"),
        ("because no session policy allows", "the session policy, which has the actions that the check declares, does"),
        ("because no permissions boundary allows", "its permissions boundary does not allow this."),
        (
            "with an explicit deny in a service control policy",
            "a service control policy of the organization denies this",
        ),
        ("with an explicit deny in a resource control policy", "a resource control policy of the organization denies"),
        ("because no resource-based policy allows", "the policy of the resource does not allow this."),
        ("with an explicit deny in a VPC endpoint policy", "the policy of the VPC endpoint denies this explicitly."),
        ("Access Denied", "may not do this: its own policy in the target account"),
    ],
)
def test_a_denial_tells_which_policy_it_was(message: str, sentence: str) -> None:
    assert sentence in denied_by(message)


def test_a_role_that_lacks_an_action_is_to_be_updated() -> None:
    assert "update-stack-set" in denied_by("because no identity-based policy allows")
    assert "update-stack-set" not in denied_by("with an explicit deny in an identity-based policy")


def test_a_role_that_lacks_the_action_of_an_api_call_needs_a_policy_of_the_targets_choice() -> None:
    hint = denied_by("Access Denied", "api_call", operation="ec2:DescribeInstances")
    assert "ViewOnlyAccess" in hint
    assert "SecurityAudit where that is not enough" in hint  # it may be attached already
    assert "update-stack-set" not in hint


def test_nothing_that_aws_wrote_is_passed_on() -> None:
    error = made(client_error("AccessDenied"))
    assert SECRET not in f"{error} {error!r} {error.as_dict()} {error.args} {vars(error)}"


def test_a_denial_has_the_same_hint_for_every_account_and_not_a_copy() -> None:
    first, second = made(client_error("AccessDenied")), made(client_error("AccessDenied"))
    assert first.hint is second.hint
