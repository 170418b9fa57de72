"""What botocore raises for a check, made an error of ours that names the next step."""

from __future__ import annotations

from chalicelib.aws_faults import Fault, code_of, fault_of, request_id_of
from chalicelib.errors import AwsError, CheckCallFailed, CheckDenied, CheckThrottled, CheckTimedOut

_CHECK_ERRORS: dict[Fault, tuple[type[AwsError], str]] = {
    Fault.DENIED: (
        CheckDenied,
        "The role was assumed, but may not do this: the role's policy in the target account (role-template.yaml), "
        "a permissions boundary, a service control policy or the check's own list of actions leaves it out.",
    ),
    Fault.THROTTLED: (CheckThrottled, "Ask again later, or ask fewer accounts at a time."),
    Fault.TIMED_OUT: (CheckTimedOut, "Ask again; if it lasts, see the service's health in that region."),
    Fault.CREDENTIALS: (
        CheckCallFailed,
        "The session was not accepted; it has been dropped, so asking again assumes the role anew. If it lasts, the "
        "region may have to be enabled in the target account.",
    ),
    Fault.UNREACHABLE: (
        CheckCallFailed,
        "There was no connection to the service, or it broke off: does the service exist in that region, and does the "
        "function's VPC, if it has one, let it out?",
    ),
    Fault.UNAVAILABLE: (CheckCallFailed, "The service has trouble of its own in that region; ask again."),
    Fault.BROKEN_ANSWER: (
        CheckCallFailed,
        "The service's answer could not be used. Is there a proxy in between? Ask again.",
    ),
    Fault.REFUSED: (
        CheckCallFailed,
        "See the code; the check's parameters or the region may not suit the service.",
    ),
}


def check_error(error: Exception, check: str, account_id: str) -> AwsError:
    """Make the error of a check that AWS did not serve.

    Args:
        error: what is `from_aws`.
        check: the check's name.
        account_id: the account it ran in.
    """
    fault = fault_of(error)
    error_type, hint = _CHECK_ERRORS[fault]
    operation = getattr(error, "operation_name", None)
    called = f" ({operation})" if operation else ""
    code = code_of(error) or type(error).__name__
    return error_type(
        f"The check {check}{called} in account {account_id}: {fault.value}, {code}.",
        hint=hint,
        code=code_of(error),
        request_id=request_id_of(error),
    )
