"""What botocore raises for AssumeRole, by kind; test_denial.py has the reasons of a denial."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.cross_account import (
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AssumeRoleTimedOut,
    AwsError,
    Hub,
    HubCredentialsRejected,
    InvalidSettings,
)
from chalicelib.cross_account.aws_errors import ErrorKind, assume_role_error, code_of, hub_error
from chalicelib.cross_account.denial import CallerIdentity, Denial
from tests.fake_aws import HUB_ARN, FakeAws, denied

ARN = "arn:aws:iam::123456789012:role/external-role"
DENIAL = Denial(ARN, lambda: None, external_id_set=False, assumed_elsewhere=False)
SECRET = "secret-value"


def client_error(code: str, clause: str = "") -> ClientError:
    response = {
        "Error": {"Code": code, "Message": f"User: arn:aws:sts::9:assumed-role/hub/{SECRET} {clause}"},
        "ResponseMetadata": {"RequestId": "r-1"},
    }
    return ClientError(response, "AssumeRole")  # type: ignore[arg-type]


def made(code: str, clause: str = "") -> AwsError:
    """The error for a code of AWS's."""
    return assume_role_error(client_error(code, clause), ARN, DENIAL)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (client_error("AccessDenied"), AssumeRoleDenied),
        (client_error("Throttling"), AssumeRoleThrottled),
        (exceptions.ReadTimeoutError(endpoint_url="x"), AssumeRoleTimedOut),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), AssumeRoleTimedOut),
        (client_error("InvalidClientTokenId"), HubCredentialsRejected),
        (client_error("ExpiredToken"), HubCredentialsRejected),
        (client_error("SignatureDoesNotMatch"), HubCredentialsRejected),
        (exceptions.NoCredentialsError(), HubCredentialsRejected),
        (exceptions.EndpointConnectionError(endpoint_url="x"), AssumeRoleFailed),
        (client_error("InternalFailure"), AssumeRoleFailed),
        (ResponseParserError("no XML"), AssumeRoleFailed),
        (client_error("RegionDisabledException"), AssumeRoleFailed),
        (client_error("ValidationError"), AssumeRoleFailed),
    ],
    ids=lambda value: code_of(value) if isinstance(value, ClientError) else getattr(value, "__name__", None),
)
def test_a_failure_becomes_the_error_of_its_kind(raised: Exception, expected: type[AwsError]) -> None:
    error = assume_role_error(raised, ARN, DENIAL)
    assert (type(error), error.stage) == (expected, "assume")


def test_the_sentence_names_role_kind_and_code() -> None:
    assert made("AccessDenied").message == f"AssumeRole of {ARN}: denied, AccessDenied."


def test_a_failure_without_a_code_names_its_class() -> None:
    error = assume_role_error(exceptions.ReadTimeoutError(endpoint_url="x"), ARN, DENIAL)
    assert error.message == f"AssumeRole of {ARN}: timed out, ReadTimeoutError."
    assert (error.code, error.request_id) == (None, None)


def test_code_and_request_id_are_kept() -> None:
    error = made("AccessDenied")
    assert (error.code, error.request_id) == ("AccessDenied", "r-1")
    assert error.response["Error"]["Code"] == "AccessDenied"


def test_nothing_that_aws_wrote_is_passed_on() -> None:
    error = made("AccessDenied")
    assert SECRET not in f"{error} {error!r} {error.as_dict()} {error.args} {vars(error)}"


def test_a_callers_except_client_error_goes_on_working(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied())
    with pytest.raises(ClientError) as caught:
        hub.assume("123456789012")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.operation_name == "AssumeRole"
    assert HUB_ARN not in f"{caught.value} {vars(caught.value)}"


def test_a_denial_has_the_hint_of_its_own_cause() -> None:
    assert "service control policy" in made("AccessDenied", "because no service control policy allows").hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("RegionDisabledException", "switched off for this region in the target account"),
        ("ValidationError", "ROLE_NAME, ROLE_PATH and EXTERNAL_ID"),
        ("PackedPolicyTooLarge", "declare fewer"),
        ("MalformedPolicyDocument", "list of actions"),
    ],
)
def test_a_code_with_a_remedy_of_its_own_has_its_own_hint(code: str, words: str) -> None:
    assert words in made(code).hint


@pytest.mark.parametrize(
    "clause",
    [
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ],
)
def test_a_session_that_would_be_too_long_is_told_from_other_refused_values(clause: str) -> None:
    assert "SESSION_SECONDS" in made("ValidationError", clause).hint


BY_KIND: dict[ErrorKind, Exception] = {
    ErrorKind.DENIED: client_error("AccessDenied"),
    ErrorKind.THROTTLED: client_error("Throttling"),
    ErrorKind.TIMED_OUT: exceptions.ReadTimeoutError(endpoint_url="x"),
    ErrorKind.CREDENTIALS: client_error("ExpiredToken"),
    ErrorKind.UNREACHABLE: exceptions.EndpointConnectionError(endpoint_url="x"),
    ErrorKind.UNAVAILABLE: client_error("InternalFailure"),
    ErrorKind.INVALID_RESPONSE: ResponseParserError("x"),
    ErrorKind.REFUSED: client_error("SomethingNew"),
}


def test_every_kind_has_a_next_step() -> None:
    for kind in ErrorKind:
        assert len(assume_role_error(BY_KIND[kind], ARN, DENIAL).hint) > 20, kind


def test_only_a_denial_looks_up_who_the_hub_is() -> None:
    def identify() -> CallerIdentity | None:
        raise LookupError

    denial = DENIAL._replace(identify=identify)
    for kind in set(ErrorKind) - {ErrorKind.DENIED}:
        assert assume_role_error(BY_KIND[kind], ARN, denial).hint
    with pytest.raises(LookupError):
        assume_role_error(BY_KIND[ErrorKind.DENIED], ARN, denial)


def test_a_hub_without_credentials_is_told_to_sign_in() -> None:
    error = hub_error(exceptions.NoCredentialsError())
    assert type(error) is HubCredentialsRejected
    assert "sign in again" in error.hint


def test_a_profile_that_does_not_exist_is_a_wrong_setting() -> None:
    error = hub_error(exceptions.ProfileNotFound(profile="gone"))
    assert type(error) is InvalidSettings
    assert "AWS_PROFILE" in error.hint
