"""Every command of every hint: the denial is made, and what its hint says to type shows why, or mends it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

import sandbox
from chalicelib.cross_account import Hub
from chalicelib.cross_account.denial import CallerIdentity, Denial, explain
from sandbox.accounts import ANALYTICS, EXTERNAL_ID, TARGETS
from tests.e2e.commands.shell import Shell
from tests.e2e.conftest import ACQUIRED, HUB, LEGACY, PRODUCTION, STAGING, Project, client
from tests.e2e.test_denials import (  # noqa: F401
    MAY_ASSUME,
    NEVER,
    Administrator,
    another_caller,
    as_caller,
    document,
    explicit_deny,
    hub_as,
    refused,
    trusting,
)

PROFILES = {HUB: "hub", **{target.id: target.name for target in TARGETS}}
NO_ROLE = "NoSuchEntity"
ALLOWED, DENIED, IMPLICIT = '"allowed"', '"explicitDeny"', '"implicitDeny"'
UNIT = "ou-abcd-12345678"


class Denials:
    """Each makes a hub, an account that refuses it, and the hub's account. All is undone after the test."""

    def __init__(self, box: sandbox.Box, hub: boto3.Session, administrator: Administrator, request: Any) -> None:
        self.box, self.hub, self.administrator, self.request = box, hub, administrator, request

    def hub_as(self, *statements: dict[str, Any]) -> Hub:
        made, _ = self.request.getfixturevalue("hub_as")(*statements)
        return made  # type: ignore[no-any-return]

    def trust(self, account: str, change: Callable[[Any], None]) -> None:
        iam = client(self.box, self.administrator(account), "iam")
        before = iam.get_role(RoleName="external-role")["Role"]["AssumeRolePolicyDocument"]
        self.request.getfixturevalue("trusting")(account, change)
        undo = {"RoleName": "external-role", "PolicyDocument": json.dumps(before)}
        self.request.addfinalizer(lambda: iam.update_assume_role_policy(**undo))

    def role_in(self, account: str, name: str, *statements: dict[str, Any], **more: Any) -> dict[str, str]:
        """The credentials of a role of this name, as its account's administrator makes it."""
        session = self.hub if account == HUB else self.administrator(account)
        iam = client(self.box, session, "iam")
        policy = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        boundary = {key: value for key, value in more.items() if key == "PermissionsBoundary"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(policy), **boundary)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
        narrowed = {key: value for key, value in more.items() if key == "Policy"}
        sts = client(self.box, session, "sts")
        found: dict[str, str] = sts.assume_role(RoleArn=role, RoleSessionName="tests", **narrowed)["Credentials"]
        return found

    def become(self, credentials: dict[str, str]) -> Hub:
        return as_caller(self.box, self.request.getfixturevalue("monkeypatch"), credentials)

    def control(self, account: str, kind: str, statement: dict[str, Any]) -> None:
        """A policy of the organization for one account."""
        organizations = client(self.box, self.hub, "organizations")
        root = organizations.list_roots()["Roots"][0]
        if kind not in [each["Type"] for each in root["PolicyTypes"]]:
            organizations.enable_policy_type(RootId=root["Id"], PolicyType=kind)
        made = organizations.create_policy(Name="not-from-here", Description="", Type=kind, Content=document(statement))
        policy = made["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy, TargetId=account)
        self.request.addfinalizer(lambda: organizations.delete_policy(PolicyId=policy))
        self.request.addfinalizer(lambda: organizations.detach_policy(PolicyId=policy, TargetId=account))

    # ---- the causes

    def no_role(self) -> tuple[Hub, str, str]:
        return self.hub_as(MAY_ASSUME), LEGACY, HUB

    def no_role_after_another_account(self) -> tuple[Hub, str, str]:
        made = self.hub_as(MAY_ASSUME)
        made.account(PRODUCTION)
        return made, LEGACY, HUB

    def another_external_id(self) -> tuple[Hub, str, str]:
        return self.hub_as(MAY_ASSUME), ACQUIRED, HUB

    def trust_for_another_role(self) -> tuple[Hub, str, str]:
        self.trust(STAGING, another_caller)
        return self.hub_as(MAY_ASSUME), STAGING, HUB

    def explicit_deny_in_the_trust_policy(self) -> tuple[Hub, str, str]:
        self.trust(ANALYTICS, explicit_deny)
        return self.hub_as(MAY_ASSUME), ANALYTICS, HUB

    def explicit_deny_in_the_hub(self) -> tuple[Hub, str, str]:
        return self.hub_as(MAY_ASSUME, NEVER), PRODUCTION, HUB

    def nothing_allows_it_in_the_hub(self) -> tuple[Hub, str, str]:
        return self.hub_as(), PRODUCTION, HUB

    def boundary(self) -> tuple[Hub, str, str]:
        iam = client(self.box, self.hub, "iam")
        nothing_else = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, NEVER)
        name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
        arn = iam.create_policy(PolicyName=f"boundary-{name}", PolicyDocument=nothing_else)["Policy"]["Arn"]
        return self.become(self.role_in(HUB, name, MAY_ASSUME, PermissionsBoundary=arn)), PRODUCTION, HUB

    def boundary_of_a_user(self) -> tuple[Hub, str, str]:
        iam, name = client(self.box, self.hub, "iam"), f"user-{uuid.uuid4().hex[:8]}"
        arn = iam.create_policy(PolicyName=f"boundary-{name}", PolicyDocument=document(NEVER))["Policy"]["Arn"]
        iam.create_user(UserName=name, PermissionsBoundary=arn)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=document(MAY_ASSUME))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self.become({**key, "SessionToken": ""}), PRODUCTION, HUB

    def session_policy(self) -> tuple[Hub, str, str]:
        name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
        narrow = document({"Effect": "Allow", "Action": "*", "Resource": "*"}, NEVER)
        return self.become(self.role_in(HUB, name, MAY_ASSUME, Policy=narrow)), PRODUCTION, HUB

    def service_control_policy(self) -> tuple[Hub, str, str]:
        credentials = self.role_in(STAGING, f"cross-account-{uuid.uuid4().hex[:8]}", MAY_ASSUME)
        self.control(STAGING, "SERVICE_CONTROL_POLICY", NEVER)
        return self.become(credentials), PRODUCTION, STAGING

    def resource_control_policy(self) -> tuple[Hub, str, str]:
        made = self.hub_as(MAY_ASSUME)
        self.control(PRODUCTION, "RESOURCE_CONTROL_POLICY", {**NEVER, "Principal": "*"})
        return made, PRODUCTION, HUB

    def caller_that_is_not_a_role_of_the_app(self) -> tuple[Hub, str, str]:
        return self.become(self.role_in(STAGING, "someone-else", MAY_ASSUME)), PRODUCTION, STAGING

    def the_hub_itself(self) -> tuple[Hub, str, str]:
        return self.hub_as(MAY_ASSUME), HUB, HUB


SHOWN: dict[Callable[[Denials], tuple[Hub, str, str]], dict[str, str]] = {
    Denials.no_role: {"get-role": NO_ROLE, "simulate-principal-policy": ALLOWED, "list-policies": "FullAWSAccess"},
    Denials.no_role_after_another_account: {"get-role": NO_ROLE, "simulate-principal-policy": ALLOWED},
    Denials.another_external_id: {"get-role": "another-external-id", "simulate-principal-policy": ALLOWED},
    Denials.trust_for_another_role: {"get-role": "role/cross-account-other"},
    Denials.explicit_deny_in_the_trust_policy: {"get-role": '"Effect": "Deny"'},
    Denials.explicit_deny_in_the_hub: {"simulate-principal-policy": DENIED},
    Denials.nothing_allows_it_in_the_hub: {"get-role": "OnlyTheHubsOwnRoles", "simulate-principal-policy": IMPLICIT},
    Denials.boundary: {"get-role": "policy/boundary-"},
    Denials.boundary_of_a_user: {"get-user": "policy/boundary-"},
    Denials.session_policy: {},
    Denials.service_control_policy: {"list-policies": "not-from-here"},
    Denials.resource_control_policy: {"list-policies": "not-from-here"},
    Denials.caller_that_is_not_a_role_of_the_app: {
        "get-role": "OnlyTheHubsOwnRoles",
        "simulate-principal-policy": ALLOWED,
    },
    Denials.the_hub_itself: {"get-role": NO_ROLE},
}
"""What the commands of the hint show; of most it is the cause."""


@pytest.fixture
def denials(
    box: sandbox.Box, hub: boto3.Session, administrator: Administrator, request: pytest.FixtureRequest
) -> Denials:
    return Denials(box, hub, administrator, request)


def commands_of(hint: list[str]) -> Iterator[tuple[str, str]]:
    """Where, and what."""
    for line in hint:
        if found := re.search(r"(?:^|[.:] )(?P<where>(?:In|As) [^:]*): (?P<command>aws .*)$", line):
            yield found["where"], found["command"]
        else:
            assert "aws " not in line, f"a command that is not found: {line}"


def profile_of(where: str, hub: str) -> str:
    """Whose credentials it says."""
    if account := re.fullmatch(r"In account (\d{12})", where):
        return PROFILES[account[1]]
    return "hub" if "management account" in where else PROFILES[hub]


@pytest.mark.parametrize("cause", SHOWN, ids=lambda cause: cause.__name__)
def test_each_command_of_a_hint_runs(
    cause: Callable[[Denials], tuple[Hub, str, str]], denials: Denials, shell: Shell
) -> None:
    caller, account, hub = cause(denials)
    hint = refused(caller, account)
    printed = {}
    for where, command in commands_of(hint):
        done = shell.run(command, profile_of(where, hub))
        assert done.returncode == 0 or NO_ROLE in done.stdout, f"{command}\n{done.stdout}"
        printed[command] = done.stdout
    for operation, text in SHOWN[cause].items():
        assert [command for command, output in printed.items() if operation in command and text in output], printed


def test_the_two_hints_that_the_sandbox_gives_no_reason_for_have_commands_that_run(shell: Shell) -> None:
    """It has no policies of VPC endpoints, and its STS always says who calls."""
    role = f"arn:aws:iam::{PRODUCTION}:role/external-role"
    caller = CallerIdentity.from_arn(f"arn:aws:sts::{HUB}:assumed-role/cross-account-developer/developer")
    endpoint = explain("with an explicit deny in a VPC endpoint policy", Denial(role, lambda: caller, True, False))
    unknown = explain("", Denial(role, lambda: None, True, False))
    found = [*commands_of(endpoint.splitlines()), *commands_of(unknown.splitlines())]
    assert ["describe-vpc-endpoints" in found[0][1], "get-caller-identity" in found[1][1]] == [True, True]
    for where, command in found:
        shell.done(command, profile_of(where, HUB))


def test_a_deployed_function_names_itself_in_the_simulation(shell: Shell, deployed: Project) -> None:
    """Without that the hub's own policy would seem to deny it."""
    status, body = deployed.invoke_switch_account(account_id=LEGACY)
    assert status == 500
    (simulation,) = [command for _, command in commands_of(body["error"]["hint"].splitlines()) if "simulate" in command]
    assert "function:cross-account-sandbox-switch_account" in simulation
    assert ALLOWED in shell.done(simulation)


def test_the_role_is_deployed_with_what_the_hint_says(denials: Denials, shell: Shell) -> None:
    caller, account, _ = denials.no_role()
    (line,) = [line for line in refused(caller, account) if line.startswith("NoSuchEntity: deploy role-template.yaml")]
    given = " ".join(re.findall(r"\b\w+=[\w*-]+", line)) + f" ExternalId={EXTERNAL_ID}"
    shell.done(
        "aws cloudformation deploy --stack-name cross-account-role --template-file role-template.yaml "
        f"--capabilities CAPABILITY_NAMED_IAM --parameter-overrides {given}",
        PROFILES[account],
    )
    assert caller.account(account).id == account


# ---- hints of sweeps


def errors(shell: Shell, question: str) -> list[dict[str, Any]]:
    rows = [
        json.loads(line)
        for line in shell.run(
            f"python sweep.py {question} --stage sandbox --format jsonl 2>/dev/null"
        ).stdout.splitlines()
    ]
    return [row["error"] for row in rows if row["error"]]


def test_a_region_that_is_off_is_enabled_by_the_command_of_its_hint(shell: Shell) -> None:
    question = f"ec2:DescribeVolumes --accounts {PRODUCTION} --regions eu-south-1"
    (error,) = errors(shell, question)
    (command,) = re.findall(r"aws account enable-region \S+ \S+", error["hint"])
    shell.done(command, "production")
    assert errors(shell, question) == []


def test_the_ids_of_units_are_listed_by_the_commands_of_the_hint(shell: Shell) -> None:
    said = shell.run(f"python sweep.py preflight --stage sandbox --organizational-unit {UNIT}").stdout
    roots, units = re.findall(r"aws organizations [a-z-]+(?: --[a-z-]+)?", re.sub(r"\s+", " ", said))
    root = json.loads(shell.done(roots))["Roots"][0]["Id"]
    assert "Workloads" in shell.done(f"{units} {root}")


def test_the_accounts_of_the_sandbox_are_listed_by_the_command_of_the_message(shell: Shell) -> None:
    done = shell.run("python -m sandbox.deploy_role 999999999999")
    (command,) = re.findall(r"aws organizations [a-z-]+", done.stdout)
    listed = {account["Id"] for account in json.loads(shell.done(command))["Accounts"]}
    assert done.returncode == 2
    assert {PRODUCTION, STAGING} < listed


def test_a_policy_that_was_added_by_hand_is_removed_by_the_command_of_role_drift(shell: Shell) -> None:
    def drift() -> dict[str, Any]:
        row = shell.run(
            f"python sweep.py role_drift --accounts {PRODUCTION} --stage sandbox --format jsonl 2>/dev/null"
        )
        found: dict[str, Any] = json.loads(row.stdout)
        return found

    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    put = "aws iam put-role-policy --role-name external-role --policy-name by-hand --policy-document"
    shell.done(f"{put} '{everything}'", "production")
    found = drift()
    assert found["drift"] == "exceeds"
    shell.done(found["next"], "production")
    assert drift()["drift"] == "none"
