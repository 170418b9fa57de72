"""What botocore raises in a check, made an error of ours that names the next step."""

from __future__ import annotations

from chalicelib.cross_account import AwsError
from chalicelib.cross_account.aws_errors import ErrorKind, ErrorTable, classify, code_of, request_id_of
from chalicelib.errors import CheckCallFailed, CheckDenied, CheckThrottled, CheckTimedOut, RegionOff

_CHECK_ERRORS: ErrorTable = {
    ErrorKind.DENIED: (
        CheckDenied,
        "The role was assumed, but may not do this: the role's policy in the target account (role-template.yaml), "
        "a permissions boundary, a service control policy or the check's own list of actions does not allow it. If the "
        "role there is older than the check: aws cloudformation update-stack-set, or deploy (docs/operating-it.md).",
    ),
    ErrorKind.THROTTLED: (CheckThrottled, "Retry later, or with fewer accounts at a time."),
    ErrorKind.TIMED_OUT: (CheckTimedOut, "Retry; if it persists, see the service's health in that region."),
    ErrorKind.CREDENTIALS: (
        CheckCallFailed,
        "The session was not accepted and has been dropped, so a retry assumes the role again. If it persists, the "
        "region may have to be enabled in the target account.",
    ),
    ErrorKind.UNREACHABLE: (
        CheckCallFailed,
        "There was no connection to the service, or it broke. Does the service exist in that region, and does the "
        "function's VPC, if it has one, have a route to it?",
    ),
    ErrorKind.UNAVAILABLE: (CheckCallFailed, "The service is unavailable in that region. Retry."),
    ErrorKind.INVALID_RESPONSE: (
        CheckCallFailed,
        "The service's response could not be used. Is there a proxy in between? Retry.",
    ),
    ErrorKind.REFUSED: (
        CheckCallFailed,
        "See the code; the check's parameters or the region may not suit the service.",
    ),
}


def check_error(error: BaseException, check: str, account_id: str) -> AwsError:
    """The error for a call of a check that failed.

    Args:
        error: what `is_aws_error`.
        check: the check's name.
        account_id: the account it ran in.
    """
    kind = classify(error)
    error_type, hint = _CHECK_ERRORS[kind]
    operation = getattr(error, "operation_name", "")
    called = f" ({operation})" if operation else ""
    code = code_of(error) or type(error).__name__
    return error_type(
        f"The check {check}{called} in account {account_id}: {kind.value}, {code}.",
        hint=hint,
        code=code_of(error),
        request_id=request_id_of(error),
        operation=operation,
    )


def region_off(error: BaseException, account_id: str, region: str) -> RegionOff:
    """The error for a region that rejected a session which other regions accept."""
    return RegionOff(
        f"Account {account_id} has not enabled the region {region}.",
        hint=f'Leave it out, or ask with "regions": "all", which asks only where the account is. To enable it there: '
        f"aws account enable-region --region-name {region}",
        code=code_of(error),
        request_id=request_id_of(error),
        operation=getattr(error, "operation_name", ""),
    )
