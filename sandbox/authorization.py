"""Allows or denies every signed request, with AWS's error messages.

moto's own evaluation in 5.2.5 ignores conditions, NotResource and almost every resource. Here each request becomes the
accesses that it needs (requested_access), and each of them a case (case.py) that must be allowed (decide.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from sandbox import organization, resources
from sandbox.aws_errors import Refused, denied, unknown_credentials
from sandbox.call_record import RECORD, Call
from sandbox.callers import Caller
from sandbox.case import judge_access, keys_of_request
from sandbox.decide import EXPLICITLY_DENIED, Judgement
from sandbox.policy_patterns import ContextValue
from sandbox.requested_access import Access, Request, accesses_of

CALLER, SEEN = "sandbox.caller", "sandbox.seen"
"""In the WSGI environment: the caller whose signature guard.py verified, and whether moto brought the request here."""

# The first needs the role's trust policy (sts/assume_role.py); the second needs no permission.
_DECIDED_BY_STS = ("sts:AssumeRole", "sts:GetSessionToken")


def authorize(response: Any, bucket: str = "", key: str = "") -> None:
    """Raise if the caller is denied; else let a resource of another account be looked for there.

    `response` is moto's, of this request. Nothing else in moto decides.
    """
    caller, environ = caller_of(response), response.normalized_request.environ
    environ[SEEN] = True
    _refuse_sessions_of_users(caller, response)
    response.current_account = authorize_request(_request_of(response, caller, bucket, key), caller, environ)


def authorize_request(request: Request, caller: Caller, environ: Mapping[str, Any]) -> str:
    """Raise if the caller is denied. Returns the account that has the resource."""
    keys = keys_of_request(environ, request.region)
    owners = []
    for asked in accesses_of(request):
        access = _in_region(request.region, asked)
        if access.action in _DECIDED_BY_STS:
            continue
        owner, judgement = _judged(caller, access, keys)
        record(caller, access, judgement)
        if not judgement.allowed:
            raise refusal(caller, access, owner, judgement)
        owners.append((access, owner))
    return _account_of_all(owners, caller.account)


def caller_of(response: Any) -> Caller:
    """Who signed the request of moto's `response`."""
    caller: Caller = response.normalized_request.environ[CALLER]
    return caller


def may(caller: Caller, action: str, resource: str, keys: Mapping[str, ContextValue]) -> bool:
    """Whether the caller would be allowed; nothing is recorded."""
    _, judgement = _judged(caller, Access(action, resource), keys)
    return judgement.allowed


def record(caller: Caller, access: Access, judgement: Judgement) -> None:
    """Keep the call for tests that count calls."""
    service, _, name = access.action.partition(":")
    outcome = "allowed" if judgement.allowed else "denied"
    RECORD.add(Call(service, name, caller.account, caller.arn, access.resource or "*", outcome))


def refusal(caller: Caller, access: Access, owner: str, judgement: Judgement) -> Refused:
    """AWS's error. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    is_s3 = access.action.startswith("s3:")
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
    if is_s3 and owner != caller.account and organization.id_of(owner) != organization.id_of(caller.account):
        return denied("Access Denied")
    resource = f'"{access.resource}"' if is_s3 else access.resource or "*"
    return denied(
        f"User: {caller.arn} is not authorized to perform: {access.action} on resource: {resource}"
        f" {_reason(judgement, access.action)}"
    )


def _in_region(region: str, access: Access) -> Access:
    """moto drops the region of some ARNs, and would find what has the same name in the request's."""
    parts = (access.resource or "").split(":")
    is_elsewhere = len(parts) > 3 and parts[3] not in ("", "*", region)
    return replace(access, resource=None) if is_elsewhere else access


def _judged(caller: Caller, access: Access, keys: Mapping[str, ContextValue]) -> tuple[str, Judgement]:
    """The account that has the resource, and the judgement."""
    owner = _owner(caller, access)
    return owner, judge_access(caller, access, owner, _resource_policy(caller, access, owner), keys)


def _owner(caller: Caller, access: Access) -> str:
    if access.resource is None or access.action == "s3:CreateBucket":  # also if another account has that bucket
        return caller.account
    return resources.owner_of(access.resource, caller.account)


def _account_of_all(owners: Sequence[tuple[Access, str]], default: str) -> str:
    """The account in which moto looks for everything that the request is about.

    It can only be one: what a request names without an account would else be found in another account than the one that
    was judged. A copy's source (S3) and a passed role are the exceptions: they are looked for in their own.
    """
    accounts = [owner for access, owner in owners if access.resource != "*" and access.action != "iam:PassRole"]
    if len(set(accounts)) > 1 and not owners[0][0].action.startswith("s3:"):
        raise denied("The sandbox serves no request about resources of several accounts")
    return accounts[0] if accounts else default


def _resource_policy(caller: Caller, access: Access, owner: str) -> object:
    """The resource's policy, or None; None too if the action cannot be given to another account."""
    may_let_in = owner == caller.account or (
        resources.can_be_given(access.action) and not organization.is_closed(owner)
    )
    return resources.policy_of(access.resource) if access.resource and may_let_in else None


def _request_of(response: Any, caller: Caller, bucket: str, key: str) -> Request:
    query = urlsplit(response.uri).query
    return Request(
        response.boto3_service_name,
        (response._get_action() or "").replace("_", ""),  # moto also takes list_secrets for ListSecrets
        response.method,
        response.raw_path + (f"?{query}" if query else ""),
        response.data,
        response.headers,
        response.raw_body,
        caller.account,
        response.region,
        bucket,
        key,
        caller.arn,
    )


def _refuse_sessions_of_users(caller: Caller, response: Any) -> None:
    """Raise for what they may not call, whatever policies say.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
    """
    if caller.session is None or caller.is_role:
        return
    if response.service_name == "iam":
        raise unknown_credentials()
    operation = response._get_action()
    may_call = {"GetCallerIdentity"} if caller.session.kind == "federated user" else {"GetCallerIdentity", "AssumeRole"}
    if response.service_name == "sts" and operation not in may_call:
        raise denied(f"Cannot call {operation} with session credentials")


def _reason(judgement: Judgement, action: str) -> str:
    article = "an" if judgement.policy.startswith("i") else "a"
    if judgement.verdict == EXPLICITLY_DENIED:
        return f"with an explicit deny in {article} {judgement.policy}"
    return f"because no {judgement.policy} allows the {action} action"
