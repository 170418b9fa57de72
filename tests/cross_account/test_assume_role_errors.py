"""What botocore raises for AssumeRole, by kind; why a denial was one is in test_denial.py."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.assume_faults import assume_error, hub_error
from chalicelib.aws_faults import Fault
from chalicelib.denial import Denial
from chalicelib.errors import (
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AssumeRoleTimedOut,
    AwsError,
    HubCredentialsRejected,
    InvalidSettings,
)

ARN = "arn:aws:iam::123456789012:role/external-role"


def denial() -> Denial:
    return Denial(ARN, None, external_id_set=False, let_in_elsewhere=False)


def made(error: Exception | str, *, said: str = "") -> AwsError:
    if isinstance(error, str):
        response = {
            "Error": {"Code": error, "Message": f"User: arn:aws:sts::9:assumed-role/hub/secret-value {said}"},
            "ResponseMetadata": {"RequestId": "r-1"},
        }
        error = ClientError(response, "AssumeRole")  # type: ignore[arg-type]
    return assume_error(error, ARN, denial)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("AccessDenied", AssumeRoleDenied),
        ("Throttling", AssumeRoleThrottled),
        (exceptions.ReadTimeoutError(endpoint_url="x"), AssumeRoleTimedOut),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), AssumeRoleTimedOut),
        ("InvalidClientTokenId", HubCredentialsRejected),
        ("ExpiredToken", HubCredentialsRejected),
        ("SignatureDoesNotMatch", HubCredentialsRejected),
        (exceptions.NoCredentialsError(), HubCredentialsRejected),
        (exceptions.EndpointConnectionError(endpoint_url="x"), AssumeRoleFailed),
        ("InternalFailure", AssumeRoleFailed),
        (ResponseParserError("no XML"), AssumeRoleFailed),
        ("RegionDisabledException", AssumeRoleFailed),
        ("ValidationError", AssumeRoleFailed),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__),
)
def test_a_failure_becomes_the_error_of_its_kind(error: Exception | str, expected: type[AwsError]) -> None:
    assert type(made(error)) is expected
    assert made(error).stage == "assume"


def test_the_sentence_names_role_kind_and_code() -> None:
    assert made("AccessDenied").message == f"AssumeRole of {ARN}: denied, AccessDenied."


def test_code_and_request_id_are_kept() -> None:
    assert (made("AccessDenied").code, made("AccessDenied").request_id) == ("AccessDenied", "r-1")


def test_what_aws_wrote_is_not_passed_on() -> None:
    assert "secret-value" not in str(made("AccessDenied")) + str(made("AccessDenied").as_dict())


def test_a_denial_has_the_hint_of_its_own_cause() -> None:
    assert "service control policy" in made("AccessDenied", said="because no service control policy allows").hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("RegionDisabledException", "switched off for this region in the target account"),
        ("ValidationError", "ROLE_NAME, ROLE_PATH and EXTERNAL_ID"),
        ("PackedPolicyTooLarge", "declares more actions"),
        ("MalformedPolicyDocument", "list of actions"),
    ],
)
def test_a_code_with_a_remedy_of_its_own_has_its_own_hint(code: str, words: str) -> None:
    assert words in made(code).hint


@pytest.mark.parametrize(
    "said",
    [
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ],
)
def test_a_session_that_would_be_too_long_is_told_from_other_refused_values(said: str) -> None:
    assert "SESSION_SECONDS" in made("ValidationError", said=said).hint


BY_KIND: dict[Fault, Exception | str] = {
    Fault.DENIED: "AccessDenied",
    Fault.THROTTLED: "Throttling",
    Fault.TIMED_OUT: exceptions.ReadTimeoutError(endpoint_url="x"),
    Fault.CREDENTIALS: "ExpiredToken",
    Fault.UNREACHABLE: exceptions.EndpointConnectionError(endpoint_url="x"),
    Fault.UNAVAILABLE: "InternalFailure",
    Fault.BROKEN_ANSWER: ResponseParserError("x"),
    Fault.REFUSED: "SomethingNew",
}


@pytest.mark.parametrize("fault", Fault)
def test_every_kind_has_a_next_step(fault: Fault) -> None:
    assert len(made(BY_KIND[fault]).hint) > 20


@pytest.mark.parametrize("error", [error for fault, error in BY_KIND.items() if fault is not Fault.DENIED], ids=str)
def test_only_a_denial_looks_up_who_the_hub_is(error: Exception | str) -> None:
    def look_up() -> Denial:
        raise AssertionError("looked up")

    if isinstance(error, str):
        error = ClientError({"Error": {"Code": error, "Message": ""}}, "AssumeRole")
    assert assume_error(error, ARN, look_up).hint


def test_a_hub_without_credentials_is_told_to_sign_in() -> None:
    error = hub_error(exceptions.NoCredentialsError())
    assert type(error) is HubCredentialsRejected
    assert "sign in again" in error.hint


def test_a_profile_that_is_not_there_is_a_wrong_setting() -> None:
    error = hub_error(exceptions.ProfileNotFound(profile="gone"))
    assert type(error) is InvalidSettings
    assert "AWS_PROFILE" in error.hint
