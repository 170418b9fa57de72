"""Allows or denies every signed request, with AWS's error messages.

moto's own evaluation in 5.2.5 ignores conditions, NotResource and almost every resource; this one uses
policy_evaluation. Signatures are verified before, in guard.py.
"""

from typing import Any

from sandbox.aws_errors import denied
from sandbox.call_record import RECORD, Call
from sandbox.callers import Caller, organization_of
from sandbox.policy_conditions import ContextValue
from sandbox.policy_evaluation import Decision, evaluate_identity
from sandbox.requested_access.before import Request, action_of, resource_of, tag_keys


def identity_decision(caller: Caller, action: str, resource: str, keys: dict[str, ContextValue]) -> Decision:
    """Evaluate the caller's own policies and its permissions boundary."""
    context = {**caller.keys(), **keys}
    decision = evaluate_identity(caller.policy_documents(), action, resource, context)
    boundary = caller.boundary_document()
    if boundary is None or not decision.allowed:
        return decision
    return evaluate_identity(boundary, action, resource, context)


def resource_keys(resource: str, account: str, region: str) -> dict[str, ContextValue]:
    """The condition keys AWS sets from the resource and the endpoint."""
    owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
    owner = owner or account
    keys: dict[str, ContextValue] = {"aws:ResourceAccount": owner, "aws:RequestedRegion": region}
    if organization := organization_of(owner):
        keys["aws:ResourceOrgID"] = organization
    return keys


def check(iam_request: Any, s3_resource: str | None = None) -> None:
    """Raise if the caller is denied. `iam_request` is moto's IAMRequest with a Caller as its access key."""
    caller: Caller = iam_request._access_key
    service, _, operation = iam_request._action.partition(":")
    request = Request(
        service,
        operation,
        iam_request._method,
        iam_request._path,
        iam_request._data,
        iam_request._body or b"",
        iam_request.account_id,
        iam_request._region,
    )
    action = action_of(request) if s3_resource is None or operation == "HeadBucket" else iam_request._action
    resource = s3_resource or resource_of(request)
    # AWS never denies GetCallerIdentity. AssumeRole depends on both sides: see trust.py.
    if action in ("sts:GetCallerIdentity", "sts:AssumeRole"):
        decision = Decision.ALLOW
    else:
        keys = {**resource_keys(resource, caller.account, request.region), **tag_keys(request)}
        decision = identity_decision(caller, action, resource, keys)
    if action != "sts:AssumeRole":
        record(caller, action, resource, decision)
    if decision.allowed:
        return
    if s3_resource is not None:
        iam_request._raise_access_denied()  # S3 says only "Access Denied"
    raise denied(_sentence(caller, action, resource, decision))


def record(caller: Caller, action: str, resource: str, decision: Decision) -> None:
    """Keep the call for tests that count calls."""
    service, _, name = action.partition(":")
    outcome = "allowed" if decision.allowed else "denied"
    RECORD.add(Call(service, name, caller.account, caller.arn, resource, outcome))


def _sentence(caller: Caller, action: str, resource: str, decision: Decision) -> str:
    sentence = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}"
    if decision is Decision.EXPLICIT_DENY:
        return f"{sentence} with an explicit deny in an identity-based policy"
    return f"{sentence} because no identity-based policy allows the {action} action"
