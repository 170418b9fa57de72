"""AssumeRole that each kind of policy refuses: AWS's words for it, and the hint that the app makes of them.

Sources: IAM User Guide, troubleshoot_access-denied.html. What denial.py reads there is tried here for every kind that
the sandbox has; a VPC endpoint's policy it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.cross_account.denial import CallerIdentity, Denial, explain
from sandbox.accounts import HUB

from .conftest import (
    EVERYTHING,
    FULL_ACCESS,
    RESOURCE,
    SERVICE,
    Cloud,
    Credentials,
    allow,
    deny,
    document,
    of,
    policy_text,
    trusting,
    unique,
)

ASSUME = "sts:AssumeRole"
NEVER = deny(ASSUME)
ELSE = allow("iam:*", "sts:GetCallerIdentity")
Attach = Callable[..., None]


@pytest.fixture(scope="module")
def target(cloud: Cloud, member: str, other: str) -> str:
    """A role that trusts the hub and another account."""
    return cloud.role(trust=trusting({"AWS": [HUB, other]}), account=member)


@pytest.fixture
def attach(organizations: Any) -> Iterator[Attach]:
    """A control policy of an account, until the test ends; alone, if it only lists what it allows."""
    undo: list[Callable[[], Any]] = []

    def make(account: str, kind: str, statement: dict[str, Any]) -> None:
        made = organizations.create_policy(Name=unique(), Description="", Type=kind, Content=document(statement))
        policy = {"PolicyId": made["Policy"]["PolicySummary"]["Id"], "TargetId": account}
        organizations.attach_policy(**policy)
        undo.append(lambda: organizations.detach_policy(**policy))
        if statement["Effect"] == "Allow":
            full = {"PolicyId": FULL_ACCESS, "TargetId": account}
            organizations.detach_policy(**full)
            undo.append(lambda: organizations.attach_policy(**full))

    yield make
    for one in reversed(undo):
        one()


def refused(cloud: Cloud, target: str, caller: Credentials) -> tuple[str, str]:
    """What AWS says after the resource, and the first line of the app's hint."""
    code, message = cloud.cannot_enter(target, caller)
    assert code == "AccessDenied"
    me = cloud.client("sts", caller).get_caller_identity()["Arn"]
    start = f"User: {me} is not authorized to perform: {ASSUME} on resource: {target}"
    assert message.startswith(start)
    identity = CallerIdentity.from_arn(me)
    assert identity is not None
    hint = explain(message, Denial(target, lambda: identity, external_id_set=False, assumed_elsewhere=False))
    return message.removeprefix(start).strip(), hint.splitlines()[0].partition(":")[0]


EXPLICIT, IMPLICIT = "with an explicit deny in {}", "because no {} allows the sts:AssumeRole action"


def test_an_identity_based_policy(cloud: Cloud, target: str) -> None:
    said, hint = refused(cloud, target, cloud.session(EVERYTHING, NEVER))
    assert said == EXPLICIT.format("an identity-based policy")
    assert hint == "The hub's own policy denies it explicitly"


def test_a_trust_policy(cloud: Cloud, member: str) -> None:
    trust = [trusting({"AWS": HUB}), trusting({"AWS": HUB}, effect="Deny")]
    closed = cloud.role(trust=trust, account=member)
    said, hint = refused(cloud, closed, cloud.session(EVERYTHING))
    assert said == EXPLICIT.format("a resource-based policy")
    assert hint.startswith("The trust policy of arn")


def test_a_permissions_boundary(cloud: Cloud, target: str) -> None:
    for statements, words, reading in (
        ([EVERYTHING, NEVER], EXPLICIT.format("a permissions boundary"), "denies it explicitly"),
        ([ELSE], IMPLICIT.format("permissions boundary"), "does not allow it"),
    ):
        role = cloud.role(EVERYTHING, PermissionsBoundary=cloud.policy(*statements))
        said, hint = refused(cloud, target, cloud.enter(role))
        assert (said, hint) == (words, f"A permissions boundary {reading}")


def test_a_session_policy(cloud: Cloud, target: str) -> None:
    role = cloud.role(EVERYTHING)
    for statements, words, reading in (
        ([EVERYTHING, NEVER], EXPLICIT.format("a session policy"), "denies it explicitly"),
        ([ELSE], IMPLICIT.format("session policy"), "does not allow it"),
    ):
        said, hint = refused(cloud, target, cloud.enter(role, Policy=policy_text(*statements)))
        assert (said, hint) == (words, f"A session policy {reading}")


def test_a_service_control_policy(cloud: Cloud, target: str, other: str, attach: Attach) -> None:
    caller = cloud.session(EVERYTHING, account=other)
    assert cloud.is_let_in(target, caller)
    attach(other, SERVICE, ELSE)
    said, hint = refused(cloud, target, caller)
    assert (said, hint) == (IMPLICIT.format("service control policy"), "A service control policy does not allow it")
    attach(other, SERVICE, NEVER)
    said, hint = refused(cloud, target, caller)
    assert (said, hint) == (
        EXPLICIT.format("a service control policy"),
        "A service control policy denies it explicitly",
    )


def test_a_resource_control_policy(cloud: Cloud, target: str, attach: Attach) -> None:
    caller = cloud.session(EVERYTHING)
    assert cloud.is_let_in(target, caller)
    attach(of(target)[0], RESOURCE, deny(ASSUME, on=target, Principal="*"))
    said, hint = refused(cloud, target, caller)
    words = EXPLICIT.format("a resource control policy")
    assert (said, hint) == (words, "A resource control policy denies it explicitly")


def test_nothing_is_said_of_a_role_that_is_missing_a_wrong_external_id_or_a_missing_permission(
    cloud: Cloud, target: str, member: str
) -> None:
    asks = cloud.role(trust=trusting({"AWS": HUB}, StringEquals={"sts:ExternalId": "one"}), account=member)
    caller = cloud.session(EVERYTHING)
    for role, credentials in ((f"{target}-2", caller), (asks, caller), (target, cloud.session(ELSE))):
        said, _ = refused(cloud, role, credentials)
        assert said == ""
