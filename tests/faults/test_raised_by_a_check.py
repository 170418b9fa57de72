"""What is no Exception costs its account alone as well, and none of its text is printed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.checks.check import Check, check
from tests.fake_aws import FakeAws
from tests.fake_hub import ids
from tests.faults import drive
from tests.faults.cases import TARGET, assert_told
from tests.limits import Answered, ask

CANARY = "canary-of-a-check"
RAISED = [
    asyncio.CancelledError,
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
    lambda text: BaseExceptionGroup(text, [asyncio.CancelledError(text)]),
]
NAMES = ["CancelledError", "KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseExceptionGroup"]
every_kind = pytest.mark.parametrize("kind", RAISED, ids=NAMES)
Kind = Callable[[str], BaseException]


@pytest.fixture
def raising(added: Callable[[Check], Check]) -> Callable[[Kind], str]:
    """A check that raises in `TARGET`; gives its name."""

    def make(kind: Kind) -> str:
        @check(actions=["s3:ListAllMyBuckets"])
        def raises(account: Any) -> None:
            """Raise."""
            if account.id == TARGET:
                raise kind(CANARY)

        return added(raises).name

    return make


def guarded(call: Callable[..., Any], *arguments: Any) -> Any:
    """A KeyboardInterrupt that comes out would end pytest, and not this test alone."""
    try:
        return call(*arguments)
    except BaseException as error:
        pytest.fail(f"{type(error).__name__} came out")


@every_kind
@pytest.mark.parametrize("door", drive.DOORS)
def test_it_is_the_checks_failure(
    kind: Kind, door: str, aws: FakeAws, raising: Callable[[Kind], str], log: drive.LogOfEverything, capfd: Any
) -> None:
    outcome = guarded(drive.ask, door, {"account_id": TARGET, "check": raising(kind)})

    assert_told(outcome, "CheckFailed")
    assert CANARY not in "".join([outcome.text, log.text, *capfd.readouterr()])


@every_kind
def test_of_ten_accounts_it_costs_one(
    kind: Kind, aws: FakeAws, raising: Callable[[Kind], str], log: drive.LogOfEverything, capfd: Any
) -> None:
    accounts = [TARGET, *ids(9)]

    answered: Answered = guarded(ask, "sweep", {"check": raising(kind), "accounts": accounts}, 10)

    # An account whose thread had died would be waited for until the deadline, and then told as CheckTimedOut.
    assert answered.outcomes == {TARGET: "CheckFailed", **dict.fromkeys(ids(9), "ok")}
    assert CANARY not in "".join([str(answered), log.text, *capfd.readouterr()])
