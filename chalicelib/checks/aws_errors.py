"""What botocore raises in a check, made an error of ours that names the next step."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError

from chalicelib.checks.check import Asked
from chalicelib.checks.finding import denied_action
from chalicelib.cross_account import AwsError
from chalicelib.cross_account.aws_errors import ErrorKind, ErrorTable, classify, code_of, message_of, request_id_of
from chalicelib.cross_account.denial import denying_policy
from chalicelib.cross_account.region import has_service
from chalicelib.errors import CheckCallFailed, CheckDenied, CheckThrottled, CheckTimedOut, RegionOff, ServiceNotOffered

_CHECK_ERRORS: ErrorTable = {
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
_POLICIES = {
    "identity-based": "its own policy in the target account (role-template.yaml)",
    "session": "the session policy, which has the actions that the check declares,",
    "permissions boundary": "its permissions boundary",
    "service control": "a service control policy of the organization",
    "resource control": "a resource control policy of the organization",
    "resource-based": "the policy of the resource",
    "vpc endpoint": "the policy of the VPC endpoint",
}
"""By the kind that AWS names."""

_ANY_POLICY = (
    "may not do this: its own policy in the target account (role-template.yaml), a permissions boundary, a policy of "
    "the organization or the actions that the check declares do not allow it"
)
_OLD_ROLE = (
    "If the role there is older than the check: aws cloudformation update-stack-set, or deploy (docs/operating-it.md)."
)
_NEEDS_POLICY = (
    "To allow it there: ManagedPolicyArns of role-template.yaml, such as "
    "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess, or arn:aws:iam::aws:policy/SecurityAudit where that is not "
    "enough (docs/operating-it.md)."
)


def check_error(error: BaseException, asked: Asked, account_id: str) -> AwsError:
    """The error for a call of a check that failed.

    Args:
        error: what `is_aws_error`.
        asked: the check.
        account_id: the account it ran in.
    """
    kind = classify(error)
    denied = kind is ErrorKind.DENIED
    error_type, hint = (CheckDenied, _hint_of_denial(error, asked)) if denied else _CHECK_ERRORS[kind]
    operation = getattr(error, "operation_name", "")
    called = f" ({operation})" if operation else ""
    code = code_of(error) or type(error).__name__
    action = denied_action(error) if denied and asked.check.judges else None
    which = f" {action}." if action else ""  # the reason of its finding
    return error_type(
        f"The check {asked.name}{called} in account {account_id}: {kind.value}, {code}.{which}",
        hint=hint,
        code=code_of(error),
        request_id=request_id_of(error),
        operation=operation,
    )


def _hint_of_denial(error: BaseException, asked: Asked) -> str:
    policy, explicitly = denying_policy(message_of(error)) or ("", False)
    return _why_denied(policy, explicitly, asked.needs.access is not None)


@lru_cache(maxsize=64)  # one text for all accounts: a sweep keeps up to 200,000 errors
def _why_denied(kind: str, explicitly: bool, is_api_call: bool) -> str:
    policy = _POLICIES.get(kind)
    why = f"{policy} {'denies this explicitly' if explicitly else 'does not allow this'}" if policy else _ANY_POLICY
    role_lacks_it = kind in ("", "identity-based") and not explicitly
    next_step = (_NEEDS_POLICY if is_api_call else _OLD_ROLE) if role_lacks_it else ""
    return f"The role was assumed, but {why}. {next_step}".rstrip()


def region_off(error: BaseException, account_id: str, region: str) -> RegionOff:
    """The error for a region that rejected a session which other regions accept."""
    return RegionOff(
        f"Account {account_id} has not enabled the region {region}.",
        hint=_how_to_enable(region),
        code=code_of(error),
        request_id=request_id_of(error),
        operation=getattr(error, "operation_name", ""),
    )


def service_not_offered(error: BaseException, region: str) -> ServiceNotOffered | None:
    """The error for a service that a region does not have: its name does not resolve, and botocore does not know it
    there either. None: it is another error."""
    url = str(getattr(error, "kwargs", {}).get("endpoint_url", ""))
    service, dot, _ = (urlsplit(url).hostname or "").partition(f".{region}.")
    if not isinstance(error, EndpointConnectionError) or not dot or has_service(service, region) is not False:
        return None
    return ServiceNotOffered(
        f"AWS does not offer {service} in the region {region}.",
        hint="Leave the region out for this question. A service of one region only is asked with that region.",
    )


@lru_cache(maxsize=64)
def _how_to_enable(region: str) -> str:
    return (
        'Leave it out, or ask with "regions": "all", which asks only where the account is. To enable it there: '
        f"aws account enable-region --region-name {region}"
    )
