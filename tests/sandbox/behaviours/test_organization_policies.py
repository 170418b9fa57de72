"""Service and resource control policies, at every level of the organization.

Sources: Organizations User Guide, orgs_manage_policies_scps.html, orgs_manage_policies_scps_evaluation.html and
orgs_manage_policies_rcps.html; IAM User Guide, troubleshoot_access-denied.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB

from .conftest import (
    ALIASES,
    EVERYTHING,
    FULL_ACCESS,
    OPEN_ID,
    READS,
    RESOURCE,
    SAML,
    SERVICE,
    Cloud,
    Credentials,
    allow,
    deny,
    document,
    is_denied,
    refusal,
    trusting,
    unique,
)

BOTH = {ALIASES, SAML}
ASSUME = "sts:AssumeRole"


@dataclass(frozen=True)
class Place:
    """An account in a unit in a unit, and the roles there that may do everything."""

    root: str
    unit: str
    inner: str
    account: str
    session: Credentials


@pytest.fixture(scope="module")
def place(cloud: Cloud, organizations: Any) -> Iterator[Place]:
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(Name=unique(), ParentId=root)["OrganizationalUnit"]["Id"]
    inner = organizations.create_organizational_unit(Name=unique(), ParentId=unit)["OrganizationalUnit"]["Id"]
    account = cloud.account()
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=inner)
    yield Place(root, unit, inner, account, cloud.session(EVERYTHING, account=account))
    organizations.move_account(AccountId=account, SourceParentId=inner, DestinationParentId=root)
    for gone in (inner, unit):
        organizations.delete_organizational_unit(OrganizationalUnitId=gone)


Attach = Callable[..., str]


@pytest.fixture
def attach(organizations: Any) -> Iterator[Attach]:
    """Attach a new policy to a root, unit or account, until the test ends."""
    attached: list[tuple[str, str]] = []

    def make(target: str, *statements: dict[str, Any], kind: str = SERVICE) -> str:
        made = organizations.create_policy(Name=unique(), Description="", Type=kind, Content=document(*statements))
        policy = str(made["Policy"]["PolicySummary"]["Id"])
        organizations.attach_policy(PolicyId=policy, TargetId=target)
        attached.append((policy, target))
        return policy

    yield make
    for policy, target in attached:
        with suppress(ClientError):  # the test has detached it itself
            organizations.detach_policy(PolicyId=policy, TargetId=target)


@pytest.fixture
def without_full_access(organizations: Any) -> Iterator[Callable[[str], None]]:
    """Detach FullAWSAccess, until the test ends."""
    detached: list[str] = []

    def take(target: str) -> None:
        organizations.detach_policy(PolicyId=FULL_ACCESS, TargetId=target)
        detached.append(target)

    yield take
    for target in detached:
        organizations.attach_policy(PolicyId=FULL_ACCESS, TargetId=target)


def only(place: Place) -> dict[str, Any]:
    """For a policy that others inherit too: tests of other files have accounts below the same root."""
    return {"StringEquals": {"aws:PrincipalAccount": place.account}}


# ---- service control policies


def test_an_account_that_organizations_creates_has_its_administrator(cloud: Cloud, place: Place) -> None:
    assert cloud.may(cloud.administrator(place.account)) == BOTH
    assert cloud.may(place.session) == BOTH


@pytest.mark.parametrize("level", ["root", "unit", "inner", "account"])
def test_a_deny_at_any_level_denies_in_the_accounts_below(
    cloud: Cloud, place: Place, attach: Attach, level: str
) -> None:
    attach(getattr(place, level), deny(ALIASES, Condition=only(place)))
    assert cloud.may(place.session) == {SAML}
    message = cloud.why_not(place.session, ALIASES)
    assert message.endswith("with an explicit deny in a service control policy")


def test_a_deny_of_one_account_denies_nowhere_else(cloud: Cloud, place: Place, attach: Attach, member: str) -> None:
    elsewhere = cloud.session(EVERYTHING, account=member)
    attach(place.account, deny(*BOTH))
    assert (cloud.may(place.session), cloud.may(elsewhere)) == (set(), BOTH)


def test_a_deny_of_a_unit_denies_not_beside_it(cloud: Cloud, place: Place, attach: Attach, member: str) -> None:
    """Here of a unit within the other."""
    elsewhere = cloud.session(EVERYTHING, account=member)
    attach(place.inner, deny(*BOTH))
    assert (cloud.may(place.session), cloud.may(elsewhere)) == (set(), BOTH)


def test_a_policy_counts_until_it_is_detached_or_changed(
    cloud: Cloud, place: Place, attach: Attach, organizations: Any
) -> None:
    policy = attach(place.unit, deny(ALIASES))
    assert cloud.may(place.session) == {SAML}
    organizations.update_policy(PolicyId=policy, Content=document(deny(SAML)))
    assert cloud.may(place.session) == {ALIASES}
    organizations.detach_policy(PolicyId=policy, TargetId=place.unit)
    assert cloud.may(place.session) == BOTH


def test_an_account_that_moves_leaves_the_policies_of_its_unit_and_comes_under_those_of_the_next(
    cloud: Cloud, place: Place, attach: Attach, organizations: Any, other: str
) -> None:
    session = cloud.session(EVERYTHING, account=other)
    attach(place.inner, deny(ALIASES))
    attach(place.unit, deny(SAML))
    assert cloud.may(session) == BOTH
    organizations.move_account(AccountId=other, SourceParentId=place.root, DestinationParentId=place.inner)
    within = cloud.may(session)
    organizations.move_account(AccountId=other, SourceParentId=place.inner, DestinationParentId=place.unit)
    beside = cloud.may(session)
    organizations.move_account(AccountId=other, SourceParentId=place.unit, DestinationParentId=place.root)
    assert (within, beside, cloud.may(session)) == (set(), {ALIASES}, BOTH)


@pytest.mark.parametrize("level", ["unit", "account"])
def test_without_full_access_only_what_a_level_lists_is_allowed(
    cloud: Cloud, place: Place, attach: Attach, without_full_access: Callable[[str], None], level: str
) -> None:
    attach(getattr(place, level), allow(ALIASES, ASSUME))
    without_full_access(getattr(place, level))
    assert cloud.may(place.session) == {ALIASES}
    message = cloud.why_not(place.session, SAML)
    assert message.endswith(f"because no service control policy allows the {SAML} action")


def test_every_level_must_allow(
    cloud: Cloud, place: Place, attach: Attach, without_full_access: Callable[[str], None]
) -> None:
    attach(place.unit, allow(ALIASES, SAML))
    without_full_access(place.unit)
    attach(place.account, allow(SAML, OPEN_ID))
    assert cloud.may(place.session, *READS) == {ALIASES, SAML}
    without_full_access(place.account)
    assert cloud.may(place.session, *READS) == {SAML}


def test_policies_of_one_level_allow_together(
    cloud: Cloud, place: Place, attach: Attach, without_full_access: Callable[[str], None]
) -> None:
    attach(place.account, allow(ALIASES))
    attach(place.account, allow(SAML))
    without_full_access(place.account)
    assert cloud.may(place.session) == {ALIASES, SAML}


def test_a_service_control_policy_gives_nothing(cloud: Cloud, place: Place) -> None:
    assert cloud.may(cloud.session(account=place.account)) == set()


def test_service_control_policies_bind_the_administrator_and_users_too(
    cloud: Cloud, place: Place, attach: Attach
) -> None:
    user = cloud.user(EVERYTHING, account=place.account)
    attach(place.account, deny(ALIASES))
    assert cloud.may(cloud.administrator(place.account)) == {SAML}
    assert cloud.may(user.credentials) == {SAML}


def test_a_condition_of_a_service_control_policy_spares_who_is_excepted(
    cloud: Cloud, place: Place, attach: Attach
) -> None:
    excepted = cloud.role(EVERYTHING, account=place.account)
    attach(place.unit, deny(ALIASES, Condition={"ArnNotLike": {"aws:PrincipalArn": excepted}}))
    assert cloud.may(cloud.enter(excepted)) == BOTH
    assert cloud.may(place.session) == {SAML}


def test_a_service_control_policy_may_close_regions(cloud: Cloud, place: Place, attach: Attach) -> None:
    elsewhere = {
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*", "organizations:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}},
    }
    attach(place.unit, elsewhere)
    here, there = (cloud.client("sqs", place.session, region) for region in ("us-east-1", "eu-west-1"))
    assert (is_denied(here.list_queues), is_denied(there.list_queues)) == (False, True)
    assert cloud.client("sts", place.session, "eu-west-1").get_caller_identity()["Account"] == place.account
    assert cloud.may(place.session) == BOTH


def test_a_service_control_policy_on_the_caller_s_account_rules_its_assume_role(
    cloud: Cloud, place: Place, attach: Attach, member: str
) -> None:
    target = cloud.role(trust=trusting({"AWS": place.account}), account=member)
    assert cloud.is_let_in(target, place.session)
    attach(place.account, deny(ASSUME))
    code, message = cloud.cannot_enter(target, place.session)
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a service control policy")


def test_a_service_control_policy_on_the_role_s_account_does_not(cloud: Cloud, place: Place, attach: Attach) -> None:
    """Service control policies bind principals of their accounts, not who comes in."""
    target = cloud.role(account=place.account)
    attach(place.account, deny(ASSUME))
    assert cloud.is_let_in(target)


def test_it_rules_within_an_account_where_the_trust_policy_names_the_caller(
    cloud: Cloud, place: Place, attach: Attach
) -> None:
    caller = cloud.role(account=place.account)
    target = cloud.role(trust=trusting({"AWS": caller}), account=place.account)
    session = cloud.enter(caller)
    assert cloud.is_let_in(target, session)
    attach(place.account, deny(ASSUME))
    assert not cloud.is_let_in(target, session)


def test_service_control_policies_do_not_bind_the_management_account(
    cloud: Cloud, place: Place, attach: Attach
) -> None:
    session, target = cloud.session(EVERYTHING), cloud.role(account=place.account)
    attach(HUB, deny("*"))
    attach(place.root, deny(*BOTH, Condition={"StringEquals": {"aws:PrincipalAccount": [HUB, place.account]}}))
    assert cloud.may(place.session) == set()
    assert cloud.may(session) == BOTH
    assert cloud.is_let_in(target, session)


def test_a_service_control_policy_never_denies_get_caller_identity(cloud: Cloud, place: Place, attach: Attach) -> None:
    attach(place.account, deny("*"))
    assert cloud.client("sts", place.session).get_caller_identity()["Account"] == place.account


# ---- resource control policies


@pytest.mark.parametrize("level", ["root", "unit", "account"])
def test_a_resource_control_policy_on_the_role_s_account_keeps_callers_out(
    cloud: Cloud, place: Place, attach: Attach, level: str
) -> None:
    target = cloud.role(account=place.account)
    assert cloud.is_let_in(target)
    resource = f"arn:aws:iam::{place.account}:role/*"
    attach(getattr(place, level), deny(ASSUME, on=resource, Principal="*"), kind=RESOURCE)
    code, message = cloud.cannot_enter(target)
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a resource control policy")


def test_it_keeps_out_who_is_in_the_account_itself_too(cloud: Cloud, place: Place, attach: Attach) -> None:
    target = cloud.role(trust=trusting({"AWS": place.account}), account=place.account)
    attach(place.account, deny(ASSUME, Principal="*"), kind=RESOURCE)
    assert not cloud.is_let_in(target, place.session)


def test_it_does_not_bind_the_account_s_principals_elsewhere(
    cloud: Cloud, place: Place, attach: Attach, member: str
) -> None:
    target = cloud.role(trust=trusting({"AWS": place.account}), account=member)
    attach(place.account, deny(ASSUME, Principal="*"), kind=RESOURCE)
    assert cloud.is_let_in(target, place.session)


def test_it_does_not_bind_the_management_account_s_resources(cloud: Cloud, place: Place, attach: Attach) -> None:
    target = cloud.role(trust=trusting({"AWS": place.account}))
    role = target.rsplit("/", 1)[0] + "/behaviour-*"
    attach(HUB, deny(ASSUME, on=role, Principal="*"), kind=RESOURCE)
    assert cloud.is_let_in(target, place.session)


def test_a_resource_control_policy_may_keep_out_other_organizations_alone(
    cloud: Cloud, place: Place, attach: Attach, organizations: Any
) -> None:
    here = organizations.describe_organization()["Organization"]["Id"]
    target = cloud.role(account=place.account)
    for organization, expected in ((here, True), ("o-another0000", False)):
        condition = {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        }
        attach(place.account, deny(ASSUME, Principal="*", Condition=condition), kind=RESOURCE)
        assert cloud.is_let_in(target) is expected


def test_a_resource_control_policy_rules_the_account_s_buckets(
    cloud: Cloud, place: Place, attach: Attach, member: str
) -> None:
    name, theirs = unique(), unique()
    s3 = cloud.client("s3", place.session)
    s3.create_bucket(Bucket=name)
    elsewhere = cloud.client("s3", cloud.session(EVERYTHING, account=member))
    elsewhere.create_bucket(Bucket=theirs)
    attach(place.account, deny("s3:ListBucket", Principal="*"), kind=RESOURCE)
    assert is_denied(s3.list_objects_v2, Bucket=name)
    assert not is_denied(elsewhere.list_objects_v2, Bucket=theirs)
    assert s3.get_bucket_location(Bucket=name)


# ---- what Organizations accepts


@pytest.mark.parametrize(
    "content", ["{not json", document({"Effect": "Allow", "Resource": "*"})], ids=["not JSON", "no action"]
)
def test_a_control_policy_that_is_no_policy_is_malformed(organizations: Any, content: str) -> None:
    made = refusal(organizations.create_policy, Name=unique(), Description="", Type=SERVICE, Content=content)
    assert made[0] == "MalformedPolicyDocumentException"
