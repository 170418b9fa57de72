"""Gathers a case: one action on one resource, condition keys, and every policy that has a say. decide.py judges it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox import organization, resources
from sandbox.callers import Caller
from sandbox.decide import Judgement, judge
from sandbox.policy_patterns import ContextValue
from sandbox.requested_access import Access
from sandbox.requested_access.data import has_resource_control

# AWS sets these where they apply: one that a case does not have is absent. Others are unknown, unless the access has or
# excludes them: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_NAMES = """
    aws:PrincipalTag/ aws:PrincipalArn aws:PrincipalAccount aws:PrincipalType aws:PrincipalOrgID aws:PrincipalOrgPaths
    aws:PrincipalIsAWSService aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:userid aws:username
    aws:SourceIdentity aws:TokenIssueTime aws:MultiFactorAuthPresent aws:MultiFactorAuthAge aws:FederatedProvider
    aws:AssumedRoot aws:Ec2InstanceSourceVpc aws:Ec2InstanceSourcePrivateIPv4 ec2:SourceInstanceARN ec2:RoleDelivery
    aws:SourceIp aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths
    aws:VpcSourceIp aws:CurrentTime aws:EpochTime aws:SecureTransport aws:RequestedRegion aws:ViaAWSService
    aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:SourceArn aws:SourceAccount aws:SourceOrgID
    aws:SourceOrgPaths aws:SourceOwner aws:referer aws:UserAgent aws:ResourceAccount aws:ResourceOrgID
    aws:ResourceOrgPaths lambda:SourceFunctionArn
"""
_SET_BY_AWS = _NAMES.split()


def judge_access(
    caller: Caller, access: Access, owner: str, resource_policy: object, keys: Mapping[str, ContextValue]
) -> Judgement:
    """Judge an access to a resource of the account `owner`; `keys` are those of keys_of_request."""
    service = access.action.partition(":")[0]
    tags = {} if access.resource == "*" else resources.tags_of(access.resource) if access.resource else None
    prefix = "iam" if service == "sts" else service  # whose resources roles are
    families = () if tags is None else ("aws:ResourceTag/", f"{prefix}:ResourceTag/")
    service_controls, _ = organization.controls(caller.account)
    _, resource_controls = organization.controls(owner)
    boundary = caller.boundary()
    case = {
        "request": {
            "action": access.action,
            "principal": caller.arn,
            "resource": {"resource": access.resource, "accountId": owner},
            "context": {
                **caller.keys(),
                **keys,
                **_keys_of_owner(owner),
                **{f"{family}{name}": value for name, value in (tags or {}).items() for family in families},
                **access.keys,
            },
            "known": [*_SET_BY_AWS, *access.known, *families],
        },
        "identityPolicies": caller.identity_policies(),
        "permissionBoundaries": None if boundary is None else [boundary],
        "sessionPolicy": caller.session.policies if caller.session else None,
        "serviceControlPolicies": service_controls,
        "resourceControlPolicies": resource_controls if has_resource_control(service) else [],
        "resourcePolicy": resource_policy,
    }
    return judge(case)


def keys_of_request(environ: Mapping[str, Any], region: str) -> dict[str, ContextValue]:
    """The condition keys that AWS sets from the connection and the time; `environ` is WSGI's."""
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


def _keys_of_owner(owner: str) -> dict[str, ContextValue]:
    keys: dict[str, ContextValue] = {"aws:ResourceAccount": owner}
    if path := organization.path_of(owner):
        keys |= {"aws:ResourceOrgID": path.partition("/")[0], "aws:ResourceOrgPaths": [path]}
    return keys
