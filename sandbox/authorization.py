"""Allows or denies every signed request, with AWS's error messages.

moto's own evaluation in 5.2.5 ignores conditions, NotResource and almost every resource. Here each request becomes a
case: who asks for which action on which resource, with which condition keys, and every policy that has a say in it.
decide.py judges it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sandbox import organization, resources
from sandbox.aws_errors import Refused, denied, unknown_credentials
from sandbox.call_record import RECORD, Call
from sandbox.callers import Caller
from sandbox.decide import Judgement, judge
from sandbox.policy_patterns import ContextValue
from sandbox.requested_access import Access, Request, accesses_of

CALLER = "sandbox.caller"
"""Where guard.py puts the caller whose signature it verified, in the WSGI environment."""

# The first needs the role's trust policy (sts/assume_role.py); AWS lets no policy decide on the second.
_DECIDED_BY_STS = ("sts:AssumeRole", "sts:GetSessionToken")
# AWS sets these for every request that has them, so that an absent one is not there.
_SET_BY_AWS = (
    *("aws:PrincipalTag/", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:PrincipalOrgID"),
    *(
        "aws:PrincipalOrgPaths",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalServiceName",
        "aws:PrincipalServiceNamesList",
    ),
    *("aws:userid", "aws:username", "aws:SourceIdentity", "aws:TokenIssueTime", "aws:MultiFactorAuthPresent"),
    *("aws:MultiFactorAuthAge", "aws:FederatedProvider", "aws:AssumedRoot", "aws:Ec2InstanceSourceVpc"),
    *("aws:Ec2InstanceSourcePrivateIPv4", "ec2:SourceInstanceARN", "ec2:RoleDelivery", "aws:SourceIp"),
    *("aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"),
    *("aws:VpcSourceIp", "aws:CurrentTime", "aws:EpochTime", "aws:SecureTransport", "aws:RequestedRegion"),
    *("aws:ViaAWSService", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:SourceArn"),
    *("aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner", "aws:referer", "aws:UserAgent"),
    *("aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "lambda:SourceFunctionArn"),
)
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
_WITH_RESOURCE_CONTROL = frozenset(
    "s3 sts kms sqs secretsmanager dynamodb ecr ecr-public cognito-idp cognito-identity logs aoss".split()
)


def authorize(response: Any, bucket: str = "", key: str = "") -> None:
    """Raise if the caller is denied; else let a resource of another account be looked for there.

    `response` is moto's, of this request. Nothing else in moto decides.
    """
    environ = response.normalized_request.environ
    caller: Caller = environ[CALLER]
    _refuse_sessions_of_users(caller, response)
    request = _request_of(response, caller, bucket, key)
    keys, owners = keys_of_request(environ, request.region), []
    for access in map(partial(_in_region, request.region), accesses_of(request)):
        if access.action in _DECIDED_BY_STS:
            continue
        owner = _owner(caller, access)
        judgement = judge_access(caller, access, owner, _resource_policy(caller, access, owner), keys)
        record(caller, access, judgement)
        if not judgement.allowed:
            raise refusal(caller, access, owner, judgement)
        owners.append((access.action, owner))
    response.current_account = _account_of_all(owners) if owners else caller.account


def keys_of_request(environ: Mapping[str, Any], region: str) -> dict[str, ContextValue]:
    """The condition keys that AWS sets from the connection and the time.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-network-properties
    """
    now = time.time()
    keys = {
        "aws:SourceIp": environ["REMOTE_ADDR"],
        "aws:SecureTransport": "true",  # as the same call is on AWS; the sandbox itself has no TLS
        "aws:CurrentTime": datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now)),
        "aws:RequestedRegion": region,
        "aws:ViaAWSService": "false",
    }
    sent = {"aws:UserAgent": environ.get("HTTP_USER_AGENT"), "aws:referer": environ.get("HTTP_REFERER")}
    return {**keys, **{name: value for name, value in sent.items() if value is not None}}


def may(caller: Caller, action: str, resource: str, keys: Mapping[str, ContextValue]) -> bool:
    """Whether the caller would be allowed; nothing is recorded."""
    owner = resources.owner_of(resource, caller.account)
    return judge_access(caller, Access(action, resource), owner, resources.policy_of(resource), keys).allowed


def judge_access(
    caller: Caller, access: Access, owner: str, resource_policy: object, keys: Mapping[str, ContextValue]
) -> Judgement:
    """Judge one action on one resource by every policy that has a say."""
    service = access.action.partition(":")[0]
    tags = resources.tags_of(access.resource) if access.resource else None
    families = ("aws:ResourceTag/", f"{service}:ResourceTag/")
    own, of_resource = organization.controls(caller.account), organization.controls(owner)
    boundary = caller.boundary()
    case = {
        "request": {
            "action": access.action,
            "principal": caller.arn,
            "resource": {"resource": access.resource, "accountId": owner},
            "context": {
                **caller.keys(),
                **keys,
                **_owner_keys(owner),
                **{f"{family}{name}": value for name, value in (tags or {}).items() for family in families},
                **access.keys,
            },
            "known": [*_SET_BY_AWS, *access.known, *(() if tags is None else families)],
        },
        "identityPolicies": caller.identity_policies(),
        "permissionBoundaries": None if boundary is None else [boundary],
        "sessionPolicy": caller.session.policies if caller.session else None,
        "serviceControlPolicies": own[0],
        "resourceControlPolicies": of_resource[1] if service in _WITH_RESOURCE_CONTROL else [],
        "resourcePolicy": resource_policy,
    }
    return judge(case)


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


def _owner(caller: Caller, access: Access) -> str:
    if access.resource is None or access.action == "s3:CreateBucket":  # whoever has a bucket of this name
        return caller.account
    return resources.owner_of(access.resource, caller.account)


def _account_of_all(owners: Sequence[tuple[str, str]]) -> str:
    """The account in which moto looks for the request's resources: it can only be one, except for a copy's source."""
    action, account = owners[0]
    if not action.startswith("s3:") and any(owner != account for other, owner in owners if other == action):
        raise denied("The sandbox serves no request about resources of several accounts")
    return account


def _resource_policy(caller: Caller, access: Access, owner: str) -> object:
    """The resource's policy; None where there is none, or none that can let in another account."""
    may_let_in = owner == caller.account or (
        resources.can_be_given(access.action) and not organization.is_closed(owner)
    )
    return resources.policy_of(access.resource) if access.resource and may_let_in else None


def _request_of(response: Any, caller: Caller, bucket: str, key: str) -> Request:
    query = urlsplit(response.uri).query
    return Request(
        response.boto3_service_name,
        response._get_action(),
        response.method,
        response.raw_path + (f"?{query}" if query else ""),
        response.data,
        response.headers,
        response.raw_body,
        caller.account,
        response.region,
        bucket,
        key,
    )


def _owner_keys(owner: str) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {"aws:ResourceAccount": owner}
    if path := organization.path_of(owner):
        keys |= {"aws:ResourceOrgID": path.partition("/")[0], "aws:ResourceOrgPaths": [path]}
    return keys


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
    if judgement.verdict == "ExplicitlyDenied":
        return f"with an explicit deny in {article} {judgement.policy}"
    return f"because no {judgement.policy} allows the {action} action"
