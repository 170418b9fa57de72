"""Why AssumeRole did not succeed, in words that name the next step."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError

from chalicelib.aws_faults import Fault, code_of, fault_of, request_id_of
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
    "RegionDisabledException": "Enable STS for this region in the hub account (IAM, account settings), or deploy the "
    "function in another region.",
    "ValidationError": "Is the session longer than the role's MaxSessionDuration, or than the hour that role chaining "
    "allows? Set SESSION_SECONDS lower. Otherwise look at ROLE_NAME, ROLE_PATH and EXTERNAL_ID.",
    "PackedPolicyTooLarge": "The check declares more actions than a session policy can hold; declare fewer.",
    "MalformedPolicyDocument": "The check's list of actions makes a session policy that STS does not understand.",
}


def assume_error(error: Exception, role_arn: str, hub_role: Callable[[], str], external_id_set: bool) -> AwsError:
    """Make the error of an AssumeRole that failed.

    Args:
        error: what botocore raised, `from_aws`.
        role_arn: the role that was to be assumed.
        hub_role: gives the name of the role (or user) that asked. It is looked up for a denial alone: a call more
            would only make throttling worse, and a hanging STS hang twice.
        external_id_set: whether an external ID was sent; its value is not needed, and never shown.
    """
    fault = fault_of(error)
    code = code_of(error)
    error_type, hint = _FAULTS[fault]
    if fault is Fault.DENIED:
        hint = _denied(role_arn, hub_role(), external_id_set)
    return error_type(
        f"AssumeRole of {role_arn}: {fault.value}, {code or type(error).__name__}.",
        hint=_HINTS_BY_CODE.get(code or "", hint),
        code=code,
        request_id=request_id_of(error),
    )


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


def _denied(role_arn: str, hub_role: str, external_id_set: bool) -> str:
    account_id = role_arn.split(":")[4]
    external_id = (
        "asks for the same external ID as this stage's EXTERNAL_ID"
        if external_id_set
        else "asks for no external ID, since this stage sets no EXTERNAL_ID"
    )
    return (
        f"STS does not say which side refused. In account {account_id}: does the role exist (deploy role-template.yaml "
        f"there), does its trust policy name this hub account and the role {hub_role}, and is it so that it "
        f"{external_id}? In the hub: does the policy of the role {hub_role} allow sts:AssumeRole on {role_arn}? "
        "A service control policy on either side denies with the same words."
    )
