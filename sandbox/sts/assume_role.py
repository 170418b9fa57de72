"""AssumeRole: checks the request's form, then every policy that decides, then the durations, like AWS.

As in AWS, a role that does not exist, a wrong external ID and a missing permission return the same AccessDenied.
"""

import re
from collections.abc import Mapping

from sandbox import organization, regions
from sandbox.authorization import record, refusal
from sandbox.aws_errors import AwsError, Refused, denied
from sandbox.callers import Caller, find_role
from sandbox.case import judge_access
from sandbox.decide import IDENTITY, IMPLICITLY_DENIED, RESOURCE, Judgement, judge
from sandbox.policy_patterns import ContextValue
from sandbox.requested_access import Access
from sandbox.sts.session_parameters import (
    Parameters,
    check_name,
    check_seconds,
    check_session_parameters,
    check_text,
    invalid,
    session_policies,
    session_tags,
)
from sandbox.sts.sessions import Session, issue

CHAINING_SECONDS = 3600
_ROLE_ARN = re.compile(r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL_ID = r"[\w+=,.@:\/-]*"
_KNOWN = (
    *("sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "sts:TransitiveTagKeys"),
    *("sts:AWSServiceName", "sts:TaskPolicyArn", "sts:RequestContext/", "aws:RequestTag/", "aws:TagKeys"),
)
_FOR_A_FUNCTION = 7 * 24 * 3600  # Lambda renews a function's credentials; the sandbox gives them for long enough


def assume_role(caller: Caller, parameters: Parameters, keys: Mapping[str, ContextValue]) -> Session:
    """Returns a new session of the role, or raises the error that AWS would return.

    `keys` are the condition keys of the request itself.
    """
    _check_form(parameters)
    role_arn, seconds = parameters["RoleArn"], int(parameters.get("DurationSeconds") or 3600)
    role = find_role(role_arn)
    # Both accounts must have enabled the region: guard.py has asked the caller's.
    if role and (refused := regions.refusal(role.account_id, str(keys["aws:RequestedRegion"]), "sts")):
        raise refused
    tags, inherited = session_tags(parameters), _inherited_tags(caller)
    source_identity = parameters.get("SourceIdentity") or _source_identity(caller)
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags or inherited else []
    actions += ["sts:SetSourceIdentity"] if source_identity else []
    for action in actions:
        access = Access(action, role_arn, _keys_of(parameters, tags), _KNOWN)
        policy = role.assume_role_policy_document if role else None
        judgement = judge_access(caller, access, role_arn.split(":")[4], policy, keys)
        record(caller, access, judgement)
        if not judgement.allowed:
            raise _refusal(caller, access, judgement)
    assert role  # without a trust policy nothing was allowed
    _check_what_is_kept(caller, source_identity, tags, inherited)
    if caller.is_role and seconds > CHAINING_SECONDS:
        raise invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > int(role.max_session_duration or 3600):
        raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return issue(
        role,
        parameters["RoleSessionName"],
        seconds,
        policies=session_policies(parameters, role.account_id),
        tags={**inherited, **tags},
        transitive=frozenset(name.lower() for name in (*inherited, *(parameters.get("TransitiveTagKeys") or ()))),
        source_identity=source_identity,
    )


def assume_as_service(
    role_arn: str,
    service: str,
    session_name: str,
    account: str,
    function_arn: str = "",
    keys: Mapping[str, ContextValue] | None = None,
) -> Session | None:
    """A session of a role for an AWS service (Lambda, Step Functions) that acts for `account`.

    None if the role does not trust the service, or is in another account: no service takes such a role, whoever it
    trusts. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    role = find_role(role_arn)
    if role is None or role.account_id != account:
        return None
    case = {
        "request": {
            "action": "sts:AssumeRole",
            "principal": service,
            "resource": {"resource": role_arn, "accountId": role.account_id},
            "context": {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": service, **(keys or {})},
        },
        "resourcePolicy": role.assume_role_policy_document,
        "resourceControlPolicies": organization.controls(role.account_id)[1],
    }
    return issue(role, session_name, _FOR_A_FUNCTION, function_arn=function_arn) if judge(case).allowed else None


def _keys_of(parameters: Parameters, tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    sent = {
        "sts:RoleSessionName": parameters["RoleSessionName"],
        "sts:ExternalId": parameters.get("ExternalId"),
        "sts:SourceIdentity": parameters.get("SourceIdentity"),
        "sts:TransitiveTagKeys": parameters.get("TransitiveTagKeys") or None,
        "aws:TagKeys": list(tags) or None,
        **{f"aws:RequestTag/{name}": value for name, value in tags.items()},
    }
    return {name: value for name, value in sent.items() if value is not None}


def _inherited_tags(caller: Caller) -> dict[str, str]:
    session = caller.session
    return (
        {name: value for name, value in session.tags.items() if name.lower() in session.transitive} if session else {}
    )


def _source_identity(caller: Caller) -> str:
    return caller.session.source_identity if caller.session else ""


def _check_what_is_kept(
    caller: Caller, source_identity: str, tags: Mapping[str, str], inherited: Mapping[str, str]
) -> None:
    """A transitive tag and a source identity stay as they were set first.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
    """
    if (kept := _source_identity(caller)) and source_identity != kept:
        raise denied("The source identity of a session cannot be changed when it assumes a role")
    if changed := sorted({name.lower() for name in tags} & {name.lower() for name in inherited}):
        raise AwsError("InvalidParameterValue", f"The transitive session tags cannot be changed: {', '.join(changed)}")


def _refusal(caller: Caller, access: Access, judgement: Judgement) -> Refused:
    """AWS does not tell which of caller and role does not allow it; it tells which policy denies it."""
    role_arn = str(access.resource)
    if judgement.verdict == IMPLICITLY_DENIED and judgement.policy in (IDENTITY, RESOURCE):
        return denied(f"User: {caller.arn} is not authorized to perform: {access.action} on resource: {role_arn}")
    return refusal(caller, access, role_arn.split(":")[4], judgement)


def _check_form(parameters: Parameters) -> None:
    role_arn = parameters.get("RoleArn") or ""
    if not _ROLE_ARN.fullmatch(role_arn):
        raise invalid(f"{role_arn} is invalid" if role_arn else "RoleArn is required")
    check_name("roleSessionName", parameters.get("RoleSessionName") or "")
    if (external_id := parameters.get("ExternalId")) is not None:
        check_text("externalId", external_id, _EXTERNAL_ID, 2, 1224)
    if (source_identity := parameters.get("SourceIdentity")) is not None:
        check_name("sourceIdentity", source_identity)
        if source_identity.lower().startswith("aws:"):
            raise invalid("A source identity cannot begin with aws:")
    seconds = parameters.get("DurationSeconds")
    check_seconds(3600 if seconds is None else int(seconds), 43200)
    check_session_parameters(parameters)
    passed = {name.lower() for name in session_tags(parameters)}
    if not {name.lower() for name in parameters.get("TransitiveTagKeys") or ()} <= passed:
        raise invalid("TransitiveTagKeys must be keys of Tags")
    if parameters.get("SerialNumber") or parameters.get("TokenCode"):
        raise denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
