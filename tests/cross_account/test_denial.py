"""Why AssumeRole was denied: every form that AWS documents, every kind of caller, and never more than is known."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.caller_identity import CallerIdentity
from chalicelib.denial import Denial, why

HUB, TARGET = "999999999999", "222222222222"
ROLE_ARN = f"arn:aws:iam::{TARGET}:role/external-role"
HUB_ROLE_ARN = f"arn:aws:iam::{HUB}:role/cross-account-dev-switch_account"
FUNCTION = CallerIdentity.from_arn(f"arn:aws:sts::{HUB}:assumed-role/cross-account-dev-switch_account/x")
PERSON = CallerIdentity.from_arn(f"arn:aws:sts::{HUB}:assumed-role/AWSReservedSSO_Admin_0a1b/alice")
USER = CallerIdentity.from_arn(f"arn:aws:iam::{HUB}:user/alice")
ROOT = CallerIdentity.from_arn(f"arn:aws:iam::{HUB}:root")
KNOWN = Denial(ROLE_ARN, FUNCTION, external_id_set=True, let_in_elsewhere=False)
BARE = f"User: arn:aws:sts::{HUB}:assumed-role/x/y is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"


def lines(said: str = "", denial: Denial = KNOWN) -> list[str]:
    return why(f"{BARE} {said}".strip(), denial).splitlines()


# The forms of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
@pytest.mark.parametrize(
    ("said", "first", "step"),
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
            f"It must let in {HUB_ROLE_ARN}",
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
def test_where_aws_names_the_policy_so_does_the_first_line(said: str, first: str, step: str) -> None:
    hint = lines(said)
    assert hint[0].startswith(first)
    assert step in "\n".join(hint[1:])


def test_the_policy_that_aws_names_may_not_be_the_only_one() -> None:
    assert lines("with an explicit deny in an identity-based policy")[-1].startswith("AWS names one denying policy")


def test_a_missing_right_is_written_out_to_be_copied() -> None:
    hint = "\n".join(lines("because no identity-based policy allows the sts:AssumeRole action"))
    assert '{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/external-role"}' in hint


def test_a_bare_denial_names_the_two_sides_first_and_a_step_for_each() -> None:
    hint = lines()
    assert hint[0] == (
        f"Account {TARGET} does not let cross-account-dev-switch_account in (no role external-role there, or its trust "
        "policy), or the hub's own policy does not let it ask."
    )
    rest = "\n".join(hint[1:])
    assert f"In account {TARGET}: aws iam get-role --role-name external-role" in rest
    assert f"NoSuchEntity: deploy role-template.yaml there with HubAccountId={HUB}" in rest
    assert f"In the hub: aws iam simulate-principal-policy --policy-source-arn {HUB_ROLE_ARN}" in rest
    assert "SERVICE_CONTROL_POLICY" in rest


def test_a_process_that_got_in_elsewhere_has_the_right_so_the_target_comes_first() -> None:
    hint = lines(denial=replace(KNOWN, let_in_elsewhere=True))
    assert hint[0] == (
        f"Account {TARGET} does not let cross-account-dev-switch_account in: no role external-role there, or its trust "
        "policy asks for another caller or external ID."
    )
    assert any(line.startswith("Least likely") and "simulate" in line for line in hint)


@pytest.mark.parametrize(
    ("sent", "words"),
    [(True, "ask for the sts:ExternalId that is EXTERNAL_ID here"), (False, "ask for no sts:ExternalId")],
)
def test_the_external_id_is_told_by_where_it_is_set(sent: bool, words: str) -> None:
    assert words in "\n".join(lines(denial=replace(KNOWN, external_id_set=sent)))


@pytest.mark.parametrize("said", ["", "because no role trust policy allows the sts:AssumeRole action"])
@pytest.mark.parametrize(
    ("caller", "first"),
    [
        (USER, "The caller is the user alice; role-template.yaml trusts only roles called cross-account-*."),
        (PERSON, "The caller is the role AWSReservedSSO_Admin_0a1b; role-template.yaml trusts only roles"),
    ],
    ids=["user", "other role"],
)
def test_a_caller_that_the_template_cannot_match_is_the_first_cause(
    said: str, caller: CallerIdentity, first: str
) -> None:
    assert lines(said, replace(KNOWN, caller=caller))[0].startswith(first)


def test_a_caller_that_the_template_cannot_match_comes_after_a_policy_that_aws_names() -> None:
    hint = lines("because no identity-based policy allows the sts:AssumeRole action", replace(KNOWN, caller=USER))
    assert hint[0].startswith("The hub's own policy")
    assert any(line.startswith("The caller is the user alice") for line in hint)


def test_the_root_user_is_told_that_it_cannot() -> None:
    assert lines(denial=replace(KNOWN, caller=ROOT))[0].endswith("AWS lets no root user assume a role.")


def test_the_hubs_own_account_is_known_for_what_it_is() -> None:
    hint = lines(denial=replace(KNOWN, role_arn=ROLE_ARN.replace(TARGET, HUB)))
    assert hint[0].startswith(f"Account {HUB} is the hub itself")
    assert "exclude" in hint[1]


def test_without_an_identity_the_way_to_sts_is_the_first_cause() -> None:
    assert lines(denial=replace(KNOWN, caller=None))[0].startswith("STS did not answer GetCallerIdentity either")


EVERY = [
    replace(KNOWN, caller=caller, external_id_set=external_id, let_in_elsewhere=let_in)
    for caller in (FUNCTION, PERSON, USER, ROOT, None)
    for external_id in (True, False)
    for let_in in (True, False)
]
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


@pytest.mark.parametrize("said", CLAUSES)
@pytest.mark.parametrize("denial", EVERY)
def test_every_hint_is_short_and_leads_with_a_line_of_its_own(said: str, denial: Denial) -> None:
    hint = lines(said, denial)
    assert 1 < len(hint) <= 7
    assert len(hint[0]) <= 200
    assert len("\n".join(hint)) <= 1300
    assert all(line.strip() for line in hint)


@pytest.mark.parametrize("denial", EVERY)
def test_every_command_is_one_that_the_aws_command_line_has(denial: Denial) -> None:
    commands = {
        match
        for said in CLAUSES
        for line in lines(said, denial)
        for match in re.findall(r"aws [a-z0-9]+ [a-z-]+", line)
    }
    assert commands <= {
        "aws iam get-role",
        "aws iam simulate-principal-policy",
        "aws organizations list-policies-for-target",
        "aws ec2 describe-vpc-endpoints",
        "aws sts get-caller-identity",
    }


@given(st.text(), st.sampled_from(CLAUSES), st.text())
def test_nothing_of_what_aws_wrote_is_passed_on(before: str, said: str, after: str) -> None:
    """What is matched decides between texts of ours: whatever stands around it makes no other hint."""
    assert why(f"{before} canary-secret {said} {after}", KNOWN) in {why(clause, KNOWN) for clause in CLAUSES}


def test_a_message_of_megabytes_is_read_in_no_time() -> None:
    assert why("because no " * 1_000_000, KNOWN).splitlines() == lines()
