"""AssumeRole: checks the request's form, the caller's policy, the role's trust policy, then the durations, like AWS.

As in AWS, a role that does not exist, a wrong external ID and a missing permission return the same AccessDenied.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.sts.models import AssumedRole

from sandbox.authorization import identity_decision, record, resource_keys
from sandbox.aws_errors import AwsError, denied
from sandbox.callers import Caller, find_role, issue_session
from sandbox.policy_conditions import ContextValue
from sandbox.policy_evaluation import Decision, TrustRequest, evaluate_trust, names_directly

ACTION = "sts:AssumeRole"
CHAINING_SECONDS = 3600
_ROLE_ARN = re.compile(r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_NAME_PATTERN = r"[\w+=,.@-]*"
_NO_KEYS: Mapping[str, ContextValue] = {}
_EXTERNAL_ID_PATTERN = r"[\w+=,.@:\/-]*"


def assume_role(
    caller: Caller,
    role_arn: str,
    session_name: str,
    duration: int,
    external_id: str | None = None,
    policy: str | None = None,
    region: str = "us-east-1",
) -> AssumedRole:
    """Returns new credentials of the role, or raises the error that AWS would return."""
    _check_form(role_arn, session_name, duration, external_id, policy)
    role = find_role(role_arn)
    decision, ending = _decide(caller, role, role_arn, external_id, session_name, region)
    record(caller, ACTION, role_arn, decision)
    if role is None or not decision.allowed:
        message = f"User: {caller.arn} is not authorized to perform: {ACTION} on resource: {role_arn}{ending}"
        raise denied(message)
    if caller.is_session and duration > CHAINING_SECONDS:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if duration > int(role.max_session_duration or 3600):
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return issue_session(role, session_name, duration, policy or "")


def assume_as_service(
    role_arn: str, service: str, session_name: str, function_arn: str = "", keys: Mapping[str, ContextValue] = _NO_KEYS
) -> AssumedRole | None:
    """Credentials of a role for an AWS service (Lambda, Step Functions); None if the role does not trust it."""
    role = find_role(role_arn)
    request = TrustRequest(service=service, keys=keys)
    if role is None or not evaluate_trust(role.assume_role_policy_document, request).allowed:
        return None
    return issue_session(role, session_name, 43200, function_arn=function_arn)


def _decide(
    caller: Caller, role: Any, role_arn: str, external_id: str | None, session_name: str, region: str
) -> tuple[Decision, str]:
    keys = {"sts:RoleSessionName": session_name}
    if external_id is not None:
        keys["sts:ExternalId"] = external_id
    own = identity_decision(caller, ACTION, role_arn, {**keys, **resource_keys(role_arn, caller.account, region)})
    if own is Decision.EXPLICIT_DENY:
        return own, " with an explicit deny in an identity-based policy"
    if role is None:
        return Decision.IMPLICIT_DENY, ""
    request = caller.trust_request(**keys)
    trust = evaluate_trust(role.assume_role_policy_document, request)
    if trust is Decision.EXPLICIT_DENY:
        return trust, " with an explicit deny in a resource-based policy"
    # Within one account a trust policy that names the caller itself is enough; across accounts both must allow.
    one_account = role.account_id == caller.account
    suffices = one_account and names_directly(role.assume_role_policy_document, request)
    agreed = trust.allowed and (own.allowed or suffices)
    return (Decision.ALLOW if agreed else Decision.IMPLICIT_DENY), ""


def _check_form(role_arn: str, session_name: str, duration: int, external_id: str | None, policy: str | None) -> None:
    if not _ROLE_ARN.fullmatch(role_arn or ""):
        raise _invalid(f"{role_arn} is invalid" if role_arn else "RoleArn is required")
    _check_text("roleSessionName", session_name or "", _NAME_PATTERN, 2, 64)
    if external_id is not None:
        _check_text("externalId", external_id, _EXTERNAL_ID_PATTERN, 2, 1224)
    if not 900 <= duration <= 43200:
        bound = "greater than or equal to 900" if duration < 900 else "less than or equal to 43200"
        raise _constraint(str(duration), "durationSeconds", f"Member must have value {bound}")
    if policy is not None:
        _check_policy(policy)


def _check_text(name: str, value: str, pattern: str, shortest: int, longest: int) -> None:
    if len(value) < shortest:
        raise _constraint(value, name, f"Member must have length greater than or equal to {shortest}")
    if len(value) > longest:
        raise _constraint(value, name, f"Member must have length less than or equal to {longest}")
    if not re.fullmatch(pattern, value, re.ASCII):
        raise _constraint(value, name, f"Member must satisfy regular expression pattern: {pattern}")


def _check_policy(policy: str) -> None:
    if not 1 <= len(policy) <= 2048:
        bound = "greater than or equal to 1" if not policy else "less than or equal to 2048"
        raise _constraint(policy, "policy", f"Member must have length {bound}")
    try:
        parsed = json.loads(policy)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json")


def _constraint(value: str, name: str, rule: str) -> AwsError:
    return _invalid(f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
