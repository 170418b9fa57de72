"""What botocore raises for AssumeRole, made an error of ours that names the next step. Denials: see denial.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError

from chalicelib.aws_faults import Fault, code_of, fault_of, request_id_of
from chalicelib.denial import Denial, why
from chalicelib.errors import (
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AssumeRoleTimedOut,
    AwsError,
    CrossAccountError,
    HubCredentialsRejected,
    InvalidSettings,
)

_FAULTS: dict[Fault, tuple[type[AwsError], str]] = {
    Fault.DENIED: (AssumeRoleDenied, ""),
    Fault.THROTTLED: (
        AssumeRoleThrottled,
        "STS limits the rate of requests per hub account and region; ask again later, or fewer accounts at a time.",
    ),
    Fault.TIMED_OUT: (
        AssumeRoleTimedOut,
        "STS did not answer in time; ask again. A function in a VPC needs a way to the regional STS endpoint.",
    ),
    Fault.CREDENTIALS: (
        HubCredentialsRejected,
        "The hub's own credentials do not work. On a laptop: sign in again, and check the clock. In Lambda: does the "
        "execution role still exist?",
    ),
    Fault.UNREACHABLE: (
        AssumeRoleFailed,
        "There was no connection to STS, or it broke off. A function in a VPC needs a way to the regional endpoint.",
    ),
    Fault.UNAVAILABLE: (AssumeRoleFailed, "STS has trouble of its own in this region; ask again."),
    Fault.BROKEN_ANSWER: (
        AssumeRoleFailed,
        "The answer of STS could not be read. Is there a proxy in between? Ask again.",
    ),
    Fault.REFUSED: (AssumeRoleFailed, "STS refused the request itself; see the code."),
}

_HINTS_BY_CODE = {
    # The account whose session it would be has to enable it, and for an opt-in region the hub as well:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    "RegionDisabledException": "STS is switched off for this region in the target account: switch it on there (IAM, "
    "Account settings; an opt-in region in both accounts), or deploy the function in another region.",
    "ValidationError": "Look at ROLE_NAME, ROLE_PATH and EXTERNAL_ID: one of them is not what STS takes.",
    "PackedPolicyTooLarge": "The check declares more actions than a session policy can hold; declare fewer.",
    "MalformedPolicyDocument": "The check's list of actions makes a session policy that STS does not understand.",
}
_TOO_LONG = (
    "SESSION_SECONDS is over the hour that role chaining allows, or over the role's MaxSessionDuration; set it lower."
)


def assume_error(error: Exception, role_arn: str, denial: Callable[[], Denial]) -> AwsError:
    """Make the error of an AssumeRole that failed.

    Args:
        error: what botocore raised, `from_aws`.
        role_arn: the role that was to be assumed.
        denial: gives what is known beside the error. It is looked up for a denial alone: a call more would only make
            throttling worse, and a hanging STS hang twice.
    """
    fault = fault_of(error)
    code = code_of(error)
    message = _message_of(error)
    error_type, hint = _FAULTS[fault]
    if fault is Fault.DENIED:
        hint = why(message, denial())
    elif code == "ValidationError" and "DurationSeconds" in message:
        hint = _TOO_LONG
    else:
        hint = _HINTS_BY_CODE.get(code or "", hint)
    return error_type(
        f"AssumeRole of {role_arn}: {fault.value}, {code or type(error).__name__}.",
        hint=hint,
        code=code,
        request_id=request_id_of(error),
    )


def _message_of(error: Exception) -> str:
    """AWS's own message. It may hold anything, so it is matched and never passed on."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Message", ""))


def hub_error(error: BotoCoreError) -> CrossAccountError:
    """Make the error of a hub that has no credentials to ask with, or a configuration that botocore cannot use."""
    kind = type(error).__name__
    if fault_of(error) is Fault.CREDENTIALS:
        error_type, hint = _FAULTS[Fault.CREDENTIALS]
        return error_type(f"The hub has no credentials to ask with: {kind}.", hint=hint)
    return InvalidSettings(
        f"The AWS configuration of this process cannot be used: {kind}.",
        hint="Look at AWS_PROFILE and AWS_DEFAULT_REGION, and at the files that AWS_CONFIG_FILE and "
        "AWS_SHARED_CREDENTIALS_FILE name, else those in ~/.aws.",
    )
