"""Regions that are off, accounts that are closed, and what Organizations tells whom.

Sources: Account Management Reference, manage-acct-regions.html; STS API, AssumeRole ("RegionDisabledException");
Organizations API, ListAccounts and DescribeOrganization; Organizations User Guide, orgs_delegate_policies.html and
orgs_manage_accounts_close.html; IAM API, SimulatePrincipalPolicy.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

import sandbox
from sandbox.accounts import HUB

from .conftest import EVERYTHING, Cloud, Credentials, allow, deny, is_denied, of, refusal

ORGANIZATIONS = "organizations:*"
NOT_ENABLED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "AuthFailure",
    "OptInRequired",
    "AccessDenied",
    "AccessDeniedException",
}
"""A region that is off does not know the account's credentials; services differ in their word for it."""


@pytest.fixture(scope="module")
def session(cloud: Cloud) -> Credentials:
    return cloud.session(EVERYTHING)


# ---- regions


def regions(cloud: Cloud, **arguments: Any) -> dict[str, str]:
    found = cloud.client("ec2").describe_regions(**arguments)["Regions"]
    return {region["RegionName"]: region["OptInStatus"] for region in found}


@pytest.fixture(scope="module")
def closed(cloud: Cloud) -> str:
    """A region that the account has not opted into."""
    return next(name for name, status in sorted(regions(cloud, AllRegions=True).items()) if status == "not-opted-in")


def test_describe_regions_names_those_that_are_off_only_if_asked(cloud: Cloud, closed: str) -> None:
    enabled = regions(cloud)
    assert closed not in enabled
    assert "not-opted-in" not in enabled.values()
    assert {"us-east-1", "eu-west-1"} <= enabled.keys()
    assert regions(cloud, AllRegions=True).keys() > enabled.keys()


@pytest.mark.parametrize(
    ("service", "operation"), [("sqs", "list_queues"), ("lambda", "list_functions"), ("sns", "list_topics")]
)
def test_a_region_that_is_off_refuses_the_account(
    cloud: Cloud, session: Credentials, closed: str, service: str, operation: str
) -> None:
    assert getattr(cloud.client(service, session, "eu-west-1"), operation)()
    assert refusal(getattr(cloud.client(service, session, closed), operation))[0] in NOT_ENABLED


def test_sts_of_a_region_that_is_off_says_so(cloud: Cloud, session: Credentials, closed: str) -> None:
    role = {"RoleArn": cloud.role(), "RoleSessionName": "tests"}
    assert cloud.client("sts", session, "eu-west-1").assume_role(**role)
    assert refusal(cloud.client("sts", session, closed).assume_role, **role)[0] == "RegionDisabledException"


def test_a_policy_may_deny_other_regions(cloud: Cloud) -> None:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    narrow = cloud.session(EVERYTHING, deny("*", Condition=elsewhere))
    assert cloud.client("sqs", narrow).list_queues()
    assert is_denied(cloud.client("sqs", narrow, "eu-west-1").list_queues)


# ---- who is told of the organization


def test_only_the_management_account_and_its_delegates_list_accounts(cloud: Cloud, member: str, other: str) -> None:
    of_member, of_other = (cloud.session(EVERYTHING, account=account) for account in (member, other))
    for operation in ("list_accounts", "list_roots", "list_delegated_administrators"):
        for credentials in (of_member, of_other):
            call = getattr(cloud.client("organizations", credentials), operation)
            assert refusal(call)[0] == "AccessDeniedException"
    delegate = {"AccountId": member, "ServicePrincipal": "config.amazonaws.com"}
    api = cloud.client("organizations")
    api.enable_aws_service_access(ServicePrincipal=delegate["ServicePrincipal"])
    api.register_delegated_administrator(**delegate)
    try:
        pages = cloud.client("organizations", of_member).get_paginator("list_accounts").paginate()
        listed = {account["Id"] for page in pages for account in page["Accounts"]}
        assert {HUB, member, other, "123456789012"} <= listed
        assert cloud.client("organizations", of_member).list_roots()["Roots"]
        assert refusal(cloud.client("organizations", of_other).list_accounts)[0] == "AccessDeniedException"
        powerless = cloud.client("organizations", cloud.session(account=member))
        assert refusal(powerless.list_accounts)[0] == "AccessDeniedException"
    finally:
        api.deregister_delegated_administrator(**delegate)
    assert refusal(cloud.client("organizations", of_member).list_accounts)[0] == "AccessDeniedException"


def test_a_member_changes_nothing_of_the_organization(cloud: Cloud, member: str) -> None:
    theirs = cloud.client("organizations", cloud.session(EVERYTHING, account=member))
    policy = {"Name": "any", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": "{}"}
    for call, arguments in (
        (theirs.create_policy, policy),
        (theirs.create_account, {"AccountName": "any", "Email": "any@sandbox.invalid"}),
        (theirs.close_account, {"AccountId": member}),
        (theirs.detach_policy, {"PolicyId": "p-FullAWSAccess", "TargetId": member}),
    ):
        assert refusal(call, **arguments)[0] == "AccessDeniedException"


def test_describe_organization_answers_to_members_too(cloud: Cloud, member: str) -> None:
    here = cloud.client("organizations").describe_organization()["Organization"]
    theirs = cloud.client("organizations", cloud.session(allow(ORGANIZATIONS), account=member))
    found = theirs.describe_organization()["Organization"]
    assert (found["Id"], found["MasterAccountId"]) == (here["Id"], HUB)
    powerless = cloud.client("organizations", cloud.session(account=member))
    assert refusal(powerless.describe_organization)[0] == "AccessDeniedException"


# ---- closed accounts


@pytest.fixture(scope="module")
def gone(cloud: Cloud) -> dict[str, Any]:
    """An account that was closed while it was in use."""
    account = cloud.account()
    role, target = cloud.role(EVERYTHING, account=account), cloud.role()
    session = cloud.enter(role)
    assert cloud.client("sqs", session).list_queues()
    user = cloud.user(EVERYTHING, account=account)
    cloud.trust(target, {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"})
    assert cloud.is_let_in(target, session)
    cloud.client("organizations").close_account(AccountId=account)
    return {"account": account, "role": role, "target": target, "session": session, "user": user.credentials}


def test_a_closed_account_s_roles_cannot_be_assumed(cloud: Cloud, gone: dict[str, Any]) -> None:
    assert cloud.cannot_enter(gone["role"])[0] == "AccessDenied"


@pytest.mark.parametrize("whose", ["session", "user"])
def test_a_closed_account_s_credentials_stop(cloud: Cloud, gone: dict[str, Any], whose: str) -> None:
    with pytest.raises(ClientError):
        cloud.client("sqs", gone[whose]).list_queues()
    with pytest.raises(ClientError):
        cloud.enter(gone["target"], gone[whose])


def test_a_closed_account_is_listed_as_suspended(cloud: Cloud, gone: dict[str, Any]) -> None:
    described = cloud.client("organizations").describe_account(AccountId=gone["account"])["Account"]
    assert described["Status"] == "SUSPENDED"


# ---- what a user can see


def test_each_call_is_recorded_with_who_made_it_and_what_became_of_it(box: sandbox.Box, cloud: Cloud) -> None:
    session = cloud.session(allow("sqs:ListQueues"))
    me = cloud.client("sts", session).get_caller_identity()["Arn"]
    cloud.client("sqs", session).list_queues()
    assert is_denied(cloud.client("lambda", session).list_functions)
    mine = [(call["service"], call["action"], call["outcome"]) for call in box.calls() if call["caller"] == me]
    assert mine[-2:] == [("sqs", "ListQueues", "allowed"), ("lambda", "ListFunctions", "denied")]


def simulated(cloud: Cloud, source: str, *actions: str, **arguments: Any) -> dict[str, str]:
    account, _ = of(source)
    found = cloud.within(account, "iam").simulate_principal_policy(
        PolicySourceArn=source, ActionNames=list(actions), **arguments
    )
    return {result["EvalActionName"]: result["EvalDecision"] for result in found["EvaluationResults"]}


def test_the_simulator_decides_for_a_role(cloud: Cloud) -> None:
    role = cloud.role(allow("s3:*", "sqs:*"), deny("s3:DeleteBucket"))
    assert simulated(cloud, role, "s3:GetObject", "s3:DeleteBucket", "lambda:ListFunctions") == {
        "s3:GetObject": "allowed",
        "s3:DeleteBucket": "explicitDeny",
        "lambda:ListFunctions": "implicitDeny",
    }


def test_the_simulator_looks_at_resources_and_at_the_context_it_is_told(cloud: Cloud) -> None:
    """What the hint of a denial asks for."""
    target, source = "arn:aws:iam::123456789012:role/external-role", "lambda:SourceFunctionArn"
    function = f"arn:aws:lambda:us-east-1:{HUB}:function:cross-account-sandbox"
    only = {"ArnLike": {source: f"arn:aws:lambda:*:{HUB}:function:cross-account-*"}}
    role = cloud.role(allow("sts:AssumeRole", on="arn:aws:iam::*:role/external-role", Condition=only))
    told = {"ContextKeyName": source, "ContextKeyType": "string", "ContextKeyValues": [function]}

    def decision(resource: str, *context: dict[str, Any]) -> str:
        arguments = {"ResourceArns": [resource], "ContextEntries": list(context)}
        return simulated(cloud, role, "sts:AssumeRole", **arguments)["sts:AssumeRole"]

    assert decision(target, told) == "allowed"
    assert decision(target) == "implicitDeny"
    assert decision(target.replace("external", "other"), told) == "implicitDeny"


def test_the_simulator_knows_users_boundaries_and_nobody_else(cloud: Cloud) -> None:
    user = cloud.user(allow("s3:*"), PermissionsBoundary=cloud.policy(allow("sqs:*")))
    assert simulated(cloud, user.arn, "s3:GetObject") == {"s3:GetObject": "implicitDeny"}
    assert refusal(
        cloud.client("iam").simulate_principal_policy,
        PolicySourceArn=f"arn:aws:iam::{HUB}:role/none",
        ActionNames=["s3:GetObject"],
    )[0] in {"NoSuchEntity", "InvalidInput"}
    session = cloud.session(allow("s3:*"))
    assert is_denied(
        cloud.client("iam", session).simulate_principal_policy, PolicySourceArn=user.arn, ActionNames=["s3:GetObject"]
    )
