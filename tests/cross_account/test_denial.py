"""Why AssumeRole was denied: every form that AWS documents, every kind of caller, and never more than is known."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cross_account import AssumeRoleDenied, Hub
from chalicelib.cross_account import denial as module
from chalicelib.cross_account.denial import TRUSTED_ROLES, CallerIdentity, Denial, OwnIdentity, explain
from tests.fake_aws import FakeAws, denied, error
from tests.templates import load_template

HUB, TARGET = "999999999999", "222222222222"
ROLE_ARN = f"arn:aws:iam::{TARGET}:role/external-role"
HUB_ROLE_ARN = f"arn:aws:iam::{HUB}:role/cross-account-dev-switch_account"
FUNCTION_ARN = f"arn:aws:sts::{HUB}:assumed-role/cross-account-dev-switch_account/x"
FUNCTION = CallerIdentity.from_arn(FUNCTION_ARN)
PERSON = CallerIdentity.from_arn(f"arn:aws:sts::{HUB}:assumed-role/AWSReservedSSO_Admin_0a1b/alice")
USER = CallerIdentity.from_arn(f"arn:aws:iam::{HUB}:user/alice")
ROOT = CallerIdentity.from_arn(f"arn:aws:iam::{HUB}:root")
KNOWN = Denial(ROLE_ARN, lambda: FUNCTION, external_id_set=True, assumed_elsewhere=False)
BARE = f"User: arn:aws:sts::{HUB}:assumed-role/x/y is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"
ACTIONS = ["s3:ListAllMyBuckets"]


def asked_by(caller: CallerIdentity | None, **known: Any) -> Denial:
    return KNOWN._replace(identify=lambda: caller, **known)


def lines(clause: str = "", denial: Denial = KNOWN) -> list[str]:
    """The hint for AWS's message with this clause at its end."""
    return explain(f"{BARE} {clause}".strip(), denial).splitlines()


# The forms of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
@pytest.mark.parametrize(
    ("clause", "first", "step"),
    [
        (
            "because no identity-based policy allows the sts:AssumeRole action",
            "The hub's own policy does not allow it",
            f"simulate-principal-policy --policy-source-arn {HUB_ROLE_ARN}",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "The hub's own policy denies it explicitly",
            f"--resource-arns {ROLE_ARN}",
        ),
        (
            "with an explicit deny in an identity-based policy: arn:aws:iam::999999999999:policy/no",
            "The hub's own policy denies it explicitly",
            "Remove that Deny.",
        ),
        (
            "because no role trust policy allows the sts:AssumeRole action",
            f"The trust policy of {ROLE_ARN} asks for another caller or external ID",
            f"In account {TARGET}: aws iam get-role --role-name external-role",
        ),
        (
            "because no resource-based policy allows the sts:AssumeRole action",
            f"The trust policy of {ROLE_ARN} asks for another caller or external ID",
            f"It must allow {HUB_ROLE_ARN}",
        ),
        (
            "with an explicit deny in the role trust policy",
            f"The trust policy of {ROLE_ARN} denies {HUB_ROLE_ARN} explicitly",
            "Role.AssumeRolePolicyDocument",
        ),
        (
            "with an explicit deny in a resource-based policy",
            f"The trust policy of {ROLE_ARN} denies {HUB_ROLE_ARN} explicitly",
            "Role.AssumeRolePolicyDocument",
        ),
        (
            "because no service control policy allows the sts:AssumeRole action",
            "A service control policy does not allow it",
            f"--target-id {HUB} --filter SERVICE_CONTROL_POLICY",
        ),
        (
            "with an explicit deny in a service control policy",
            "A service control policy denies it explicitly",
            f"--target-id {HUB} --filter SERVICE_CONTROL_POLICY",
        ),
        (
            "with an explicit deny in a resource control policy",
            "A resource control policy denies it explicitly",
            f"--target-id {TARGET} --filter RESOURCE_CONTROL_POLICY",
        ),
        (
            "because no permissions boundary allows the sts:AssumeRole action",
            "A permissions boundary does not allow it",
            "get-role --role-name cross-account-dev-switch_account --query Role.PermissionsBoundary",
        ),
        (
            "with an explicit deny in a permissions boundary",
            "A permissions boundary denies it explicitly",
            "Role.PermissionsBoundary",
        ),
        ("because no session policy allows the sts:AssumeRole action", "A session policy does not allow it", "Lambda"),
        ("with an explicit deny in a sessions policy", "A session policy denies it explicitly", "Lambda"),
        (
            "because no VPC endpoint policy allows the sts:AssumeRole action",
            "A VPC endpoint's policy does not allow it",
            "describe-vpc-endpoints",
        ),
        (
            "with an explicit deny in a VPC endpoint policy transitively through a service control policy",
            "A VPC endpoint's policy denies it explicitly",
            "describe-vpc-endpoints",
        ),
        ("(explicit deny)", f"A policy denies {HUB_ROLE_ARN} explicitly; AWS does not say of which", "get-role"),
    ],
)
def test_if_aws_names_the_policy_so_does_the_first_line(clause: str, first: str, step: str) -> None:
    hint = lines(clause)
    assert hint[0].startswith(first)
    assert step in "\n".join(hint[1:])


def test_the_policy_that_aws_names_may_not_be_the_only_one() -> None:
    assert lines("with an explicit deny in an identity-based policy")[-1].startswith("AWS names one denying policy")


def test_a_missing_permission_is_written_out_to_be_copied() -> None:
    hint = "\n".join(lines("because no identity-based policy allows the sts:AssumeRole action"))
    assert '{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/external-role"}' in hint


def test_a_bare_denial_names_the_two_sides_first_and_a_step_for_each() -> None:
    hint = lines()
    assert hint[0] == (
        f"Account {TARGET} does not let cross-account-dev-switch_account in (no role external-role there, or its trust "
        "policy), or the hub's own policy does not allow it."
    )
    rest = "\n".join(hint[1:])
    assert f"In account {TARGET}: aws iam get-role --role-name external-role" in rest
    assert f"NoSuchEntity: deploy role-template.yaml there with HubAccountId={HUB}" in rest
    assert f"In the hub: aws iam simulate-principal-policy --policy-source-arn {HUB_ROLE_ARN}" in rest
    assert "SERVICE_CONTROL_POLICY" in rest


def test_after_another_account_was_entered_the_target_is_the_first_cause() -> None:
    hint = lines(denial=KNOWN._replace(assumed_elsewhere=True))
    assert hint[0] == (
        f"Account {TARGET} does not let cross-account-dev-switch_account in: no role external-role there, or its trust "
        "policy asks for another caller or external ID."
    )
    assert any(line.startswith("Unlikely") and "simulate" in line for line in hint)


@pytest.mark.parametrize(
    ("is_set", "words"),
    [
        (True, "ask for the sts:ExternalId that is EXTERNAL_ID here"),
        (False, "ask for no sts:ExternalId, as there is no EXTERNAL_ID here"),
    ],
)
def test_the_external_id_is_named_by_where_it_is_set(is_set: bool, words: str) -> None:
    assert words in "\n".join(lines(denial=KNOWN._replace(external_id_set=is_set)))


@pytest.mark.parametrize("clause", ["", "because no role trust policy allows the sts:AssumeRole action"])
@pytest.mark.parametrize(
    ("caller", "first"),
    [
        (USER, "The caller is the user alice; role-template.yaml trusts only roles called cross-account-*."),
        (PERSON, "The caller is the role AWSReservedSSO_Admin_0a1b; role-template.yaml trusts only roles"),
    ],
    ids=["user", "other role"],
)
def test_a_caller_that_the_template_does_not_trust_is_the_first_cause(
    clause: str, caller: CallerIdentity, first: str
) -> None:
    assert lines(clause, asked_by(caller))[0].startswith(first)


def test_a_caller_that_the_template_does_not_trust_comes_after_a_policy_that_aws_names() -> None:
    hint = lines("because no identity-based policy allows the sts:AssumeRole action", asked_by(USER))
    assert hint[0].startswith("The hub's own policy")
    assert any(line.startswith("The caller is the user alice") for line in hint)


def test_the_root_user_is_told_that_it_cannot_assume_a_role() -> None:
    assert lines(denial=asked_by(ROOT))[0].endswith("AWS lets no root user assume a role.")


def test_the_hubs_own_account_is_recognized() -> None:
    hint = lines(denial=KNOWN._replace(role_arn=ROLE_ARN.replace(TARGET, HUB)))
    assert hint[0].startswith(f"Account {HUB} is the hub itself")
    assert "exclude" in hint[1]


def test_without_an_identity_the_connection_to_sts_is_the_first_cause() -> None:
    assert lines(denial=asked_by(None))[0].startswith("GetCallerIdentity failed as well")


def test_a_caller_with_another_name_that_got_in_elsewhere_is_not_the_cause() -> None:
    """Its targets trust it by their HubRoleName."""
    hint = lines(denial=asked_by(PERSON, assumed_elsewhere=True))
    assert hint[0].startswith(f"Account {TARGET} does not let")
    assert "trusts only roles called" not in "\n".join(hint)
    assert f"HubRoleName={PERSON.name}" in "\n".join(hint)


CLAUSES = [
    "",
    "explicit deny",
    *(
        f"{how} {kind}"
        for how in ("because no", "with an explicit deny in a")
        for kind in (
            "identity-based policy",
            "resource-based policy",
            "role trust policy",
            "service control policy",
            "resource control policy",
            "permissions boundary",
            "session policy",
            "VPC endpoint policy",
        )
    ),
]
SITUATIONS = {
    f"{caller.name if caller else None}, external ID {is_set}, elsewhere {elsewhere}": asked_by(
        caller, external_id_set=is_set, assumed_elsewhere=elsewhere
    )
    for caller, is_set, elsewhere in product((FUNCTION, PERSON, USER, ROOT, None), (True, False), (True, False))
}


def test_every_hint_is_short_and_starts_with_a_line_of_its_own() -> None:
    for clause, (situation, denial) in product(CLAUSES, SITUATIONS.items()):
        hint = lines(clause, denial)
        which = f"{clause!r}; {situation}"
        assert 1 < len(hint) <= 7, which
        assert len(hint[0]) <= 200, which
        assert len("\n".join(hint)) <= 1300, which
        assert all(line.strip() for line in hint), which


def test_every_command_is_one_that_the_aws_command_line_has() -> None:
    hints = "\n".join(
        line for clause, denial in product(CLAUSES, SITUATIONS.values()) for line in lines(clause, denial)
    )
    assert set(re.findall(r"aws [a-z0-9]+ [a-z-]+", hints)) == {
        "aws iam get-role",
        "aws iam get-user",
        "aws iam simulate-principal-policy",
        "aws organizations list-policies-for-target",
        "aws ec2 describe-vpc-endpoints",
        "aws sts get-caller-identity",
    }


def test_a_simulation_names_the_function_that_asks_and_none_that_does_not_exist() -> None:
    """The hub's policy lets only functions of the app ask (lambda:SourceFunctionArn); at a terminal there is none."""
    clause = "because no identity-based policy allows the sts:AssumeRole action"
    at_a_terminal = lines(clause, asked_by(FUNCTION))[1]
    in_lambda = lines(clause, asked_by(FUNCTION, function="eu-west-1:function:cross-account-dev-sweep"))[1]
    arn = f"arn:aws:lambda:eu-west-1:{HUB}:function:cross-account-dev-sweep"
    key = "ContextKeyName=lambda:SourceFunctionArn,ContextKeyType=string,ContextKeyValues"
    assert in_lambda == f"{at_a_terminal} --context-entries {key}={arn}"


@given(st.text(), st.sampled_from(CLAUSES), st.text())
def test_nothing_that_aws_wrote_is_passed_on(before: str, clause: str, after: str) -> None:
    """What is matched selects one of our own texts, whatever stands around it."""
    assert explain(f"{before} canary-secret {clause} {after}", KNOWN) in {explain(known, KNOWN) for known in CLAUSES}


def test_only_the_start_of_a_message_of_megabytes_is_read() -> None:
    message = "because no " * 1_000_000 + "identity-based policy"
    assert explain(message, KNOWN).splitlines() == lines()


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (FUNCTION_ARN, ("role", "cross-account-dev-switch_account", HUB_ROLE_ARN)),
        (
            "arn:aws-cn:sts::012345678901:assumed-role/AWSReservedSSO_Admin_0a1b/alice@example.com",
            ("role", "AWSReservedSSO_Admin_0a1b", "arn:aws-cn:iam::012345678901:role/AWSReservedSSO_Admin_0a1b"),
        ),
        (
            "arn:aws:iam::999999999999:user/team/alice",
            ("user", "alice", "arn:aws:iam::999999999999:user/team/alice"),
        ),
        ("arn:aws:iam::999999999999:root", ("root", "root", "arn:aws:iam::999999999999:root")),
    ],
    ids=["function", "person", "user", "root"],
)
def test_a_caller_is_named_as_a_policy_names_it(arn: str, expected: tuple[str, str, str]) -> None:
    identity = CallerIdentity.from_arn(arn)
    assert identity is not None
    assert (identity.kind, identity.name, identity.arn) == expected
    assert identity.account == arn.split(":")[4]


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:sts::999999999999:federated-user/alice",
        "arn:aws:sts::999999999999:assumed-role/<script>/x",
        "arn:aws:sts::999999999999:assumed-role/cross-account-x/session\nsecond line",
        "arn:aws:iam::99999999999:root",
        f"{FUNCTION_ARN} ",
    ],
)
def test_what_is_not_a_role_or_user_or_root_is_not_passed_on(arn: str) -> None:
    assert CallerIdentity.from_arn(arn) is None


@pytest.mark.parametrize(
    ("arn", "is_trusted"),
    [
        (FUNCTION_ARN, True),
        ("arn:aws:sts::999999999999:assumed-role/another-role/x", False),
        ("arn:aws:iam::999999999999:user/cross-account-dev-sweep", False),
        ("arn:aws:iam::999999999999:root", False),
    ],
    ids=["function", "other role", "user", "root"],
)
def test_the_template_trusts_only_the_apps_own_roles(arn: str, is_trusted: bool) -> None:
    identity = CallerIdentity.from_arn(arn)
    assert identity is not None
    assert identity.is_trusted_by_default is is_trusted


def test_the_template_has_the_same_default_as_this_module() -> None:
    assert load_template("role-template.yaml")["Parameters"]["HubRoleName"]["Default"] == TRUSTED_ROLES


def sts(get_caller_identity: Callable[[], dict[str, Any]]) -> Callable[[], Any]:
    """Makes an STS client that can do nothing else."""
    return lambda: type("Sts", (), {"get_caller_identity": lambda _self: get_caller_identity()})()


def test_many_threads_at_once_call_get_caller_identity_once() -> None:
    calls = []
    at_once = threading.Barrier(20)

    def respond() -> dict[str, Any]:
        calls.append(1)
        time.sleep(0.02)  # long enough for the other threads to arrive
        return {"Arn": FUNCTION_ARN}

    own_identity = OwnIdentity(sts(respond))

    def identify(_thread: int) -> CallerIdentity | None:
        at_once.wait()
        return own_identity()

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(identify, range(20))) == {FUNCTION}
    assert len(calls) == 1


@pytest.mark.parametrize("response", [{}, {"Arn": 3}, {"Arn": "nonsense"}], ids=["no ARN", "number", "nonsense"])
def test_a_response_without_a_callers_arn_is_no_identity(response: dict[str, Any]) -> None:
    assert OwnIdentity(sts(lambda: response))() is None


def test_who_asks_while_sts_does_not_respond_is_held_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the test's: each wait for what does not come takes all of its time."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    hanging = threading.Event()
    own_identity = OwnIdentity(sts(lambda: {"Arn": FUNCTION_ARN} if hanging.wait(30) else {}))

    def wait(seconds: float) -> None:
        now[0] += seconds

    event = SimpleNamespace(wait=wait, set=bool)
    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=lambda: event, Thread=threading.Thread))
    assert [own_identity() for _ in range(50)] == [None] * 50
    assert now[0] == 100.0 + module.HINT_SECONDS
    hanging.set()


def test_what_came_late_is_known_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()
    own_identity = OwnIdentity(sts(lambda: {"Arn": FUNCTION_ARN} if hanging.wait(30) else {}))
    monkeypatch.setattr(module, "HINT_SECONDS", 0.01)
    assert own_identity() is None
    hanging.set()
    assert own_identity._answered.wait(10)
    assert own_identity() == FUNCTION


def test_half_a_minute_after_a_failure_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{}, {"Arn": FUNCTION_ARN}])
    own_identity = OwnIdentity(sts(lambda: next(answers)))
    assert [own_identity(), own_identity()] == [None, None]
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.ASK_AGAIN_SECONDS)
    assert own_identity() == FUNCTION


def test_a_system_that_allows_no_more_threads_costs_only_the_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HINT_SECONDS", 0.01)
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
    assert OwnIdentity(sts(lambda: {"Arn": FUNCTION_ARN}))() is None


def denied_hint(hub: Hub, account_id: str) -> str:
    with pytest.raises(AssumeRoleDenied) as caught:
        hub.account(account_id, ACTIONS)
    return caught.value.hint


def test_many_denials_cost_one_more_call(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    for number in range(40):
        denied_hint(hub, f"{number:012}")
    assert len(aws.operations("AssumeRole")) == 40
    assert len(aws.operations("GetCallerIdentity")) == 1


def test_a_failed_get_caller_identity_is_not_repeated(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    aws.tell("GetCallerIdentity", error("AccessDenied", 403), always=True)
    assert "GetCallerIdentity failed" in denied_hint(hub, "111111111111")
    assert "GetCallerIdentity failed" in denied_hint(hub, TARGET)
    assert len(aws.operations("GetCallerIdentity")) == 1


def test_success_calls_no_get_caller_identity(hub: Hub, aws: FakeAws) -> None:
    hub.account("123456789012", ACTIONS)
    assert aws.operations("GetCallerIdentity") == []


def test_a_hub_that_has_entered_another_account_looks_at_the_target_first(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account=TARGET, always=True)
    before = denied_hint(hub, TARGET).splitlines()[0]
    hub.account("123456789012", ACTIONS)
    after = denied_hint(hub, TARGET).splitlines()[0]
    assert "hub" in before
    assert "hub" not in after
