"""Principals that come and go: what a trust policy may name, and what is left of what was deleted.

Sources: IAM User Guide, reference_policies_elements_principal.html ("Role principals", "IAM user principals"),
troubleshoot_policies.html ("invalid principal"), id_roles_manage_delete.html, id_roles_use_revoke-sessions.html.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.accounts import HUB
from tests.templates import ROOT

from .conftest import ALIASES, EVERYTHING, Cloud, allow, document, of, refusal, session_arn, trusting, unique

SOMEONE = f"arn:aws:iam::{HUB}"
DEAD = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}
ASSUME = allow("sts:AssumeRole")


def trusted_by(cloud: Cloud, role: str) -> Any:
    """The principal in the only statement of its trust policy."""
    account, name = of(role)
    policy = cloud.within(account, "iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return policy["Statement"][0]["Principal"]


def deleted(cloud: Cloud, role: str) -> str:
    """The role's name."""
    account, name = of(role)
    iam = cloud.within(account, "iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
    return name


# ---- what a trust policy may name


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"{SOMEONE}:role/there-is-none"},
        {"AWS": f"{SOMEONE}:user/there-is-none"},
        {"AWS": [HUB, f"{SOMEONE}:role/there-is-none"]},
        {"AWS": f"{SOMEONE}:role/*"},
        {"AWS": f"arn:aws:sts::{HUB}:assumed-role/any/*"},
        {"AWS": "not an ARN"},
    ],
    ids=["a role", "a user", "one of two", "a pattern", "a pattern of sessions", "a text"],
)
def test_a_trust_policy_that_names_who_does_not_exist_is_malformed(cloud: Cloud, principal: Any) -> None:
    iam, policy = cloud.client("iam"), document(trusting(principal))
    code, message = refusal(iam.create_role, RoleName=unique(), AssumeRolePolicyDocument=policy)
    assert (code, message.startswith("Invalid principal in policy")) == ("MalformedPolicyDocument", True)


def test_a_trust_policy_that_is_malformed_changes_nothing(cloud: Cloud) -> None:
    iam, policy, role = cloud.client("iam"), document(trusting({"AWS": f"{SOMEONE}:role/there-is-none"})), cloud.role()
    code, _ = refusal(iam.update_assume_role_policy, RoleName=of(role)[1], PolicyDocument=policy)
    assert code == "MalformedPolicyDocument"
    assert trusted_by(cloud, role) in ({"AWS": HUB}, {"AWS": f"{SOMEONE}:root"})
    name = unique()
    assert refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=policy)[0] == code
    assert refusal(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_a_trust_policy_may_name_roles_users_accounts_and_services(cloud: Cloud, member: str) -> None:
    names = [cloud.role(), cloud.role(account=member), cloud.user().arn, HUB, f"arn:aws:iam::{member}:root"]
    role = cloud.role(trust=trusting({"AWS": names, "Service": "lambda.amazonaws.com"}))
    assert set(trusted_by(cloud, role)["AWS"]) >= {name for name in names if name.startswith("arn:")}


def test_not_principal_in_a_trust_policy_is_not_accepted(cloud: Cloud) -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    for effect in ("Allow", "Deny"):
        policy = document({**statement, "Effect": effect})
        made = refusal(cloud.client("iam").create_role, RoleName=unique(), AssumeRolePolicyDocument=policy)
        assert made[0] == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    "statement",
    [
        {**trusting({"AWS": HUB}), "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": HUB}},
        {**trusting({"AWS": HUB}), "Effect": "allow"},
    ],
    ids=["a resource", "no principal", "no action", "another effect"],
)
def test_a_trust_policy_has_no_resource_and_all_that_it_needs(cloud: Cloud, statement: dict[str, Any]) -> None:
    create = cloud.client("iam").create_role
    made = refusal(create, RoleName=unique(), AssumeRolePolicyDocument=document(statement))
    assert made[0] == "MalformedPolicyDocument"


# ---- a principal's unique id


def test_a_role_that_was_deleted_and_made_again_is_no_longer_trusted(cloud: Cloud, member: str) -> None:
    caller = cloud.role(ASSUME)
    target = cloud.role(trust=trusting({"AWS": caller}), account=member)
    assert cloud.is_let_in(target, cloud.enter(caller))
    again = cloud.role(ASSUME, RoleName=deleted(cloud, caller))
    assert again == caller
    session = cloud.enter(again)
    assert not cloud.is_let_in(target, session)
    cloud.trust(target, trusting({"AWS": caller}))
    assert cloud.is_let_in(target, session)


def test_a_deny_of_a_role_that_was_made_again_no_longer_meets_it(cloud: Cloud) -> None:
    """As AWS does; whom it meets is who had the name when the policy was written."""
    caller = cloud.role(ASSUME)
    target = cloud.role(trust=[trusting({"AWS": HUB}), trusting({"AWS": caller}, effect="Deny")])
    assert not cloud.is_let_in(target, cloud.enter(caller))
    again = cloud.role(ASSUME, RoleName=deleted(cloud, caller))
    assert cloud.is_let_in(target, cloud.enter(again))


def test_once_the_role_is_deleted_the_trust_policy_shows_its_unique_id(cloud: Cloud) -> None:
    caller = cloud.role()
    unique_id = cloud.client("iam").get_role(RoleName=of(caller)[1])["Role"]["RoleId"]
    target = cloud.role(trust=trusting({"AWS": caller}))
    assert trusted_by(cloud, target) == {"AWS": caller}
    deleted(cloud, caller)
    assert trusted_by(cloud, target) == {"AWS": unique_id}
    assert unique_id.startswith("AROA")
    cloud.role(RoleName=of(caller)[1])
    assert trusted_by(cloud, target) == {"AWS": unique_id}


def test_a_user_that_was_deleted_and_made_again_is_no_longer_trusted(cloud: Cloud) -> None:
    user = cloud.user()
    unique_id = cloud.client("iam").get_user(UserName=user.name)["User"]["UserId"]
    target = cloud.role(trust=trusting({"AWS": user.arn}))
    assert cloud.is_let_in(target, user.credentials)
    remove_user(cloud, user.name)
    assert trusted_by(cloud, target) == {"AWS": unique_id}
    again = cloud.user(name=user.name)
    assert not cloud.is_let_in(target, again.credentials)


def test_a_role_that_is_trusted_by_a_pattern_stays_trusted_when_it_is_made_again(cloud: Cloud, member: str) -> None:
    """What SECURITY.md (T10) relies on: Chalice deletes roles and makes them again."""
    name = unique()
    caller = cloud.role(ASSUME, RoleName=name)
    pattern = {"ArnLike": {"aws:PrincipalArn": f"{SOMEONE}:role/{name}*"}}
    target = cloud.role(trust=trusting({"AWS": HUB}, **pattern), account=member)
    assert cloud.is_let_in(target, cloud.enter(caller))
    again = cloud.role(ASSUME, RoleName=deleted(cloud, caller))
    assert cloud.is_let_in(target, cloud.enter(again))


# ---- what is left of what was deleted


def test_the_session_of_a_deleted_role_can_do_nothing_any_more(cloud: Cloud) -> None:
    role = cloud.role(EVERYTHING)
    session = cloud.enter(role)
    assert cloud.client("sqs", session).list_queues()
    name = deleted(cloud, role)
    assert refusal(cloud.client("sqs", session).list_queues)[0] in DEAD
    assert refusal(cloud.client("sts", session).get_caller_identity)[0] in DEAD
    cloud.role(EVERYTHING, RoleName=name)
    assert refusal(cloud.client("sqs", session).list_queues)[0] in DEAD


def remove_user(cloud: Cloud, name: str) -> None:
    iam = cloud.client("iam")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


def test_the_key_of_a_deleted_user_is_unknown_also_once_the_user_is_made_again(cloud: Cloud) -> None:
    user = cloud.user(EVERYTHING)
    sts = cloud.client("sts", user.credentials)
    assert sts.get_caller_identity()["Arn"] == user.arn
    token = cloud.client("sts", sts.get_session_token()["Credentials"])
    remove_user(cloud, user.name)
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(token.get_caller_identity)[0] == "InvalidClientTokenId"
    again = cloud.user(EVERYTHING, name=user.name)
    assert {refusal(one.get_caller_identity)[0] for one in (sts, token)} == {"InvalidClientTokenId"}
    assert cloud.client("sts", again.credentials).get_caller_identity()["Arn"] == user.arn


@pytest.mark.parametrize("name", ["team/role", "a:b", "role*", "rôle", "role\n", "r" * 65])
def test_a_name_is_no_part_of_another_arn(cloud: Cloud, name: str) -> None:
    trust = document(trusting({"AWS": HUB}))
    code, _ = refusal(cloud.client("iam").create_role, RoleName=name, AssumeRolePolicyDocument=trust)
    assert code == "ValidationError"


@pytest.mark.parametrize("path", ["team/", "/team", "/ /"])
def test_a_path_begins_and_ends_with_a_slash(cloud: Cloud, path: str) -> None:
    code, _ = refusal(cloud.client("iam").create_user, UserName=unique(), Path=path)
    assert code == "ValidationError"


# ---- revocation


def revoked_before(cloud: Cloud, role: str, moment: datetime) -> None:
    """The policy of SECURITY.md, with another moment."""
    (text,) = re.findall(r"--policy-document '(.+)'", (ROOT / "SECURITY.md").read_text())
    policy, (old,) = json.loads(text), re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert policy["Statement"][0]["Condition"]["DateLessThan"] == {"aws:TokenIssueTime": old}
    account, name = of(role)
    cloud.within(account, "iam").put_role_policy(
        RoleName=name,
        PolicyName="RevokeOlderSessions",
        PolicyDocument=text.replace(old, f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
    )


def test_a_revocation_ends_older_sessions_and_spares_newer_ones(cloud: Cloud, member: str) -> None:
    """The moment moves instead of the clock: what is newer than a minute ago is older than in a minute."""
    role, now = cloud.role(EVERYTHING, account=member), datetime.now(UTC)
    session = cloud.enter(role)
    revoked_before(cloud, role, now - timedelta(minutes=1))
    assert ALIASES in cloud.may(session)
    revoked_before(cloud, role, now + timedelta(minutes=1))
    assert cloud.may(session) == set()
    assert cloud.why_not(session, ALIASES).endswith("with an explicit deny in an identity-based policy")
    assert cloud.client("sts", session).get_caller_identity()["Arn"] == session_arn(role)


def test_a_revocation_spares_what_is_newer_by_less_than_a_second(cloud: Cloud, member: str) -> None:
    role = cloud.role(EVERYTHING, account=member)
    older, now = cloud.enter(role), datetime.now(UTC)
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    policy = document({**deny, "Condition": {"DateLessThan": {"aws:TokenIssueTime": now.isoformat()}}})
    _, name = of(role)
    cloud.within(member, "iam").put_role_policy(RoleName=name, PolicyName="Revoke", PolicyDocument=policy)
    assert (cloud.may(older), ALIASES in cloud.may(cloud.enter(role))) == (set(), True)


def test_a_revocation_does_not_meet_keys_that_are_no_session(cloud: Cloud) -> None:
    later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    older = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    user = cloud.user(EVERYTHING, {**older, "Condition": {"DateLessThan": {"aws:TokenIssueTime": later}}})
    assert ALIASES in cloud.may(user.credentials)
