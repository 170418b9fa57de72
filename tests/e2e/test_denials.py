"""Differently broken targets, and the hint at three in the morning: the true cause, or one of two."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import sandbox
from chalicelib.checks import CHECKS
from chalicelib.cross_account import AssumeRoleDenied, Hub, TargetRole
from tests.e2e.conftest import ACQUIRED, HUB, LEGACY, NAMES, PRODUCTION, STAGING, client

ANALYTICS = "345678901234"
EXTERNAL_ID = "sandbox-external-id"
ACTIONS = ["sts:GetCallerIdentity"]
MAY_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/external-role"}
NEVER = {**MAY_ASSUME, "Effect": "Deny", "Resource": "*"}
TWO_SIDES = "does not let {role} in (no role external-role there, or its trust policy), or the hub's own policy"
THE_TARGET = (
    "does not let {role} in: no role external-role there, or its trust policy asks for another caller or external"
)
Administrator = Callable[[str], boto3.Session]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def as_caller(box: sandbox.Box, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str]) -> Hub:
    """The hub as the process of a function sees it, in this process."""
    values = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    for name, value in {**box.environment, **dict(zip(NAMES, values, strict=True))}.items():
        monkeypatch.setenv(name, value)
    return Hub(TargetRole(external_id=EXTERNAL_ID))


@pytest.fixture
def hub_as(box: sandbox.Box, hub: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Hub, str]]:
    """The hub as a new role with these statements, and the role's name, which the targets' trust pattern matches."""

    def become(*statements: dict[str, Any]) -> tuple[Hub, str]:
        iam, name = client(box, hub, "iam"), f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
        session = client(box, hub, "sts").assume_role(RoleArn=role, RoleSessionName="tests")
        return as_caller(box, monkeypatch, session["Credentials"]), name

    return become


@pytest.fixture
def trusting(box: sandbox.Box, administrator: Administrator) -> Callable[[str, Callable[[Any], None]], None]:
    """Edits the trust policy of a target's role."""

    def edit(account_id: str, change: Callable[[Any], None]) -> None:
        iam = client(box, administrator(account_id), "iam")
        policy = iam.get_role(RoleName="external-role")["Role"]["AssumeRolePolicyDocument"]
        change(policy["Statement"])
        iam.update_assume_role_policy(RoleName="external-role", PolicyDocument=json.dumps(policy))

    return edit


def refused(hub: Hub, account_id: str) -> list[str]:
    with pytest.raises(AssumeRoleDenied) as raised:
        hub.account(account_id, ACTIONS)
    text = str(raised.value)
    assert EXTERNAL_ID not in text
    assert "assumed-role/" not in text  # AWS's own message has the session's ARN in it
    return raised.value.hint.splitlines()


def another_caller(statements: list[dict[str, Any]]) -> None:
    statements[0]["Condition"]["ArnLike"]["aws:PrincipalArn"] = f"arn:aws:iam::{HUB}:role/cross-account-other"


def explicit_deny(statements: list[dict[str, Any]]) -> None:
    statements.append({"Effect": "Deny", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"})


def test_where_nothing_is_broken_no_account_is_refused(hub_as: Callable[..., tuple[Hub, str]]) -> None:
    hub, _ = hub_as(MAY_ASSUME)
    assert hub.account(PRODUCTION, ACTIONS).id == PRODUCTION


def test_a_session_that_is_over_is_renewed_before_the_next_call(
    box: sandbox.Box, hub_as: Callable[..., tuple[Hub, str]]
) -> None:
    hub, _ = hub_as(MAY_ASSUME)
    account = hub.account(PRODUCTION, ACTIONS)
    first = account.client("sts").get_caller_identity()["Arn"]
    before = len(box.calls("sts", "AssumeRole"))
    session: Any = account._identity.credentials
    session._expiry_time -= timedelta(hours=2)  # instead of waiting; botocore has no parameter for its clock
    assert account.client("sts").get_caller_identity()["Arn"] == first
    assert account.client("sts").get_caller_identity()["Arn"] == first
    assert len(box.calls("sts", "AssumeRole")) == before + 1


@pytest.mark.parametrize("before", [False, True], ids=["first account", "after another account"])
@pytest.mark.parametrize(
    ("account_id", "step"),
    [
        (LEGACY, f"NoSuchEntity: deploy role-template.yaml there with HubAccountId={HUB} and the ExternalId"),
        (ACQUIRED, "ask for the sts:ExternalId that is EXTERNAL_ID here"),
        (STAGING, f"It must allow arn:aws:iam::{HUB}:role/"),
    ],
    ids=["no role", "wrong external ID", "trust for another role"],
)
def test_a_target_that_refuses_is_named_first_with_the_step_that_mends_it(
    hub_as: Callable[..., tuple[Hub, str]], trusting: Any, account_id: str, step: str, before: bool
) -> None:
    if account_id == STAGING:
        trusting(STAGING, another_caller)
    hub, role = hub_as(MAY_ASSUME)
    if before:
        hub.account(PRODUCTION, ACTIONS)
    hint = refused(hub, account_id)
    assert hint[0].startswith(f"Account {account_id} " + (THE_TARGET if before else TWO_SIDES).format(role=role))
    assert hint[1].startswith(f"In account {account_id}: aws iam get-role --role-name external-role")
    assert any(step in line for line in hint)


def test_an_explicit_deny_in_the_trust_policy_is_named(hub_as: Callable[..., tuple[Hub, str]], trusting: Any) -> None:
    trusting(ANALYTICS, explicit_deny)
    hub, role = hub_as(MAY_ASSUME)
    trust = f"The trust policy of arn:aws:iam::{ANALYTICS}:role/external-role"
    assert refused(hub, ANALYTICS)[0] == f"{trust} denies arn:aws:iam::{HUB}:role/{role} explicitly."


def test_an_explicit_deny_in_the_hubs_policy_is_named(hub_as: Callable[..., tuple[Hub, str]]) -> None:
    hub, role = hub_as(MAY_ASSUME, NEVER)
    hint = refused(hub, PRODUCTION)
    assert hint[0].startswith(f"The hub's own policy denies it explicitly: sts:AssumeRole by arn:aws:iam::{HUB}:role/")
    assert f"simulate-principal-policy --policy-source-arn arn:aws:iam::{HUB}:role/{role} " in hint[1]


@pytest.mark.parametrize("statements", [[], [{**MAY_ASSUME, "Resource": "arn:aws:iam::*:role/other"}]])
def test_a_hub_without_the_right_is_one_of_the_two_that_are_named(
    hub_as: Callable[..., tuple[Hub, str]], statements: list[dict[str, Any]]
) -> None:
    """The sandbox says no more than AWS often does: the same words for both sides."""
    hub, role = hub_as(*statements)
    hint = refused(hub, PRODUCTION)
    assert TWO_SIDES.format(role=role) in hint[0]
    assert any(line.startswith("In the hub: aws iam simulate-principal-policy") for line in hint)


def test_a_caller_that_is_no_role_of_the_app_is_the_cause(
    box: sandbox.Box, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = administrator(STAGING)
    iam = client(box, elsewhere, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": STAGING}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="someone-else", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="someone-else", PolicyName="policy", PolicyDocument=document(MAY_ASSUME))
    session = client(box, elsewhere, "sts").assume_role(RoleArn=role, RoleSessionName="tests")
    hub = as_caller(box, monkeypatch, session["Credentials"])
    assert refused(hub, PRODUCTION)[0].startswith("The caller is the role someone-else; role-template.yaml trusts only")


def test_the_hubs_own_account_is_named_for_what_it_is(hub_as: Callable[..., tuple[Hub, str]]) -> None:
    hub, _ = hub_as(MAY_ASSUME)
    assert refused(hub, HUB)[0].startswith(f"Account {HUB} is the hub itself")


def test_however_many_accounts_refuse_the_hub_asks_once_who_it_is(
    box: sandbox.Box, hub_as: Callable[..., tuple[Hub, str]]
) -> None:
    hub, _ = hub_as(MAY_ASSUME)
    before = len(box.calls("sts", "GetCallerIdentity"))
    for _ in range(5):
        refused(hub, LEGACY)
    assert len(box.calls("sts", "GetCallerIdentity")) == before + 1


def test_a_session_for_one_operation_can_do_nothing_else_whatever_the_role_may(
    box: sandbox.Box, hub_as: Callable[..., tuple[Hub, str]], administrator: Administrator
) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = client(box, administrator(PRODUCTION), "iam")
    iam.put_role_policy(RoleName="external-role", PolicyName="everything", PolicyDocument=document(everything))
    hub, _ = hub_as(MAY_ASSUME)
    asked = CHECKS["api_call"].asked({"operation": "ec2:DescribeInstances"})
    account = hub.account(PRODUCTION, asked.needs.actions)
    assert asked.run(account)["Reservations"]
    for service, operation, arguments in (
        ("ec2", "describe_volumes", {}),
        ("ec2", "create_volume", {"AvailabilityZone": "us-east-1a", "Size": 1}),
        ("s3", "list_buckets", {}),
        ("iam", "create_user", {"UserName": "intruder"}),
    ):
        with pytest.raises(ClientError, match="no session policy allows"):
            getattr(account.client(service), operation)(**arguments)
    # Without a session policy:
    assert len(hub.account(PRODUCTION).client("s3").list_buckets()["Buckets"]) == 2
