from __future__ import annotations

import threading
from typing import Any

import pytest

from chalicelib.caller_identity import TRUSTED_ROLES, CallerIdentity, OwnIdentity
from chalicelib.cross_account import Hub
from chalicelib.errors import AssumeRoleDenied
from tests.fake_aws import FakeAws, denied, error
from tests.templates import load_template

FUNCTION = "arn:aws:sts::999999999999:assumed-role/cross-account-prod-sweep/cross-account-prod-sweep"
ACCOUNTS = [f"{number:012}" for number in range(40)]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (FUNCTION, ("role", "cross-account-prod-sweep", "arn:aws:iam::999999999999:role/cross-account-prod-sweep")),
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
def test_a_principal_is_named_as_a_policy_names_it(arn: str, expected: tuple[str, str, str]) -> None:
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
        FUNCTION + " ",
    ],
)
def test_what_is_no_principal_we_know_is_not_passed_on(arn: str) -> None:
    assert CallerIdentity.from_arn(arn) is None


@pytest.mark.parametrize(
    ("arn", "fits"),
    [
        (FUNCTION, True),
        ("arn:aws:sts::999999999999:assumed-role/someone-else/x", False),
        ("arn:aws:iam::999999999999:user/cross-account-dev-sweep", False),
        ("arn:aws:iam::999999999999:root", False),
    ],
    ids=["function", "other role", "user", "root"],
)
def test_only_the_apps_own_roles_fit_the_shipped_template(arn: str, fits: bool) -> None:
    identity = CallerIdentity.from_arn(arn)
    assert identity is not None
    assert identity.fits_the_template is fits


def test_the_template_trusts_what_is_taken_for_trusted_here() -> None:
    assert load_template("role-template.yaml")["Parameters"]["HubRoleName"]["Default"] == TRUSTED_ROLES


def test_many_threads_that_ask_at_once_ask_aws_once() -> None:
    asked = []
    gate = threading.Barrier(20)

    class Sts:
        def get_caller_identity(self) -> dict[str, str]:
            asked.append(1)
            return {"Arn": FUNCTION}

    own = OwnIdentity(Sts)
    found: list[Any] = []

    def ask() -> None:
        gate.wait()
        found.append(own())

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    assert set(found) == {CallerIdentity.from_arn(FUNCTION)}


@pytest.mark.parametrize("answer", [{}, {"Arn": 3}, {"Arn": "nonsense"}], ids=["no ARN", "number", "nonsense"])
def test_an_answer_without_a_principal_is_no_identity(answer: dict[str, Any]) -> None:
    class Sts:
        def get_caller_identity(self) -> dict[str, Any]:
            return answer

    assert OwnIdentity(Sts)() is None


def refused(hub: Hub, account: str) -> str:
    with pytest.raises(AssumeRoleDenied) as raised:
        hub.account(account, ["s3:ListAllMyBuckets"])
    return raised.value.hint


def test_a_thousand_denials_cost_one_more_call(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    for account in ACCOUNTS:
        refused(hub, account)
    assert len(aws.operations("AssumeRole")) == len(ACCOUNTS)
    assert len(aws.operations("GetCallerIdentity")) == 1


def test_an_identity_that_cannot_be_had_is_not_asked_for_again(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    aws.tell("GetCallerIdentity", error("AccessDenied", 403), always=True)
    assert "did not answer GetCallerIdentity" in refused(hub, ACCOUNTS[1])
    refused(hub, ACCOUNTS[2])
    assert len(aws.operations("GetCallerIdentity")) == 1


def test_success_asks_for_no_identity(hub: Hub, aws: FakeAws) -> None:
    hub.account("123456789012", ["s3:ListAllMyBuckets"])
    assert aws.operations("GetCallerIdentity") == []


def test_a_process_that_got_in_elsewhere_looks_to_the_target_first(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account="222222222222", always=True)
    before = refused(hub, "222222222222").splitlines()[0]
    hub.account("123456789012", ["s3:ListAllMyBuckets"])
    after = refused(hub, "222222222222").splitlines()[0]
    assert "hub" in before
    assert "hub" not in after
