from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from chalicelib.aws_faults import Fault
from chalicelib.denial import assume_error, hub_error
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
HUB_ROLE = "cross-account-dev-switch_account"


def made(error: Exception | str, *, external_id_set: bool = False) -> AwsError:
    if isinstance(error, str):
        response = {
            "Error": {"Code": error, "Message": "User: arn:aws:sts::999999999999:assumed-role/hub/secret-value"},
            "ResponseMetadata": {"RequestId": "r-1"},
        }
        error = ClientError(response, "AssumeRole")  # type: ignore[arg-type]
    return assume_error(error, ARN, lambda: HUB_ROLE, external_id_set)


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


@pytest.mark.parametrize(
    "step",
    [
        "does the role exist (deploy role-template.yaml there)",
        f"name this hub account and the role {HUB_ROLE}",
        f"does the policy of the role {HUB_ROLE} allow sts:AssumeRole on {ARN}?",
        "service control policy",
        "In account 123456789012",
    ],
)
def test_a_denial_names_every_side_that_may_have_refused(step: str) -> None:
    assert step in made("AccessDenied").hint


@pytest.mark.parametrize(("sent", "words"), [(True, "the same external ID"), (False, "no external ID")])
def test_a_denial_says_what_the_trust_policy_should_ask_for(sent: bool, words: str) -> None:
    assert words in made("AccessDenied", external_id_set=sent).hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("RegionDisabledException", "Enable STS for this region"),
        ("ValidationError", "SESSION_SECONDS"),
        ("PackedPolicyTooLarge", "declares more actions"),
        ("MalformedPolicyDocument", "list of actions"),
    ],
)
def test_a_code_with_a_remedy_of_its_own_has_its_own_hint(code: str, words: str) -> None:
    assert words in made(code).hint


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
    def look_up() -> str:
        raise AssertionError("looked up")

    if isinstance(error, str):
        error = ClientError({"Error": {"Code": error, "Message": ""}}, "AssumeRole")
    assert assume_error(error, ARN, look_up, False).hint


def test_a_hub_without_credentials_is_told_to_sign_in() -> None:
    error = hub_error(exceptions.NoCredentialsError())
    assert type(error) is HubCredentialsRejected
    assert "sign in again" in error.hint


def test_a_profile_that_is_not_there_is_a_wrong_setting() -> None:
    error = hub_error(exceptions.ProfileNotFound(profile="gone"))
    assert type(error) is InvalidSettings
    assert "AWS_PROFILE" in error.hint
