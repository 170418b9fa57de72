"""What a fault is called, what the server is told to answer, and what the app must make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar

import pytest

from tests.contract import CONTRACTS
from tests.fake_aws import REQUEST_ID, Answer, FakeAws
from tests.faults import drive

TARGET = "111111111111"
MOST_BACKOFF_SECONDS = 3
"""Three attempts have two waits between them, of 1 and 2 seconds at most."""

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """One fault, answered as `CONTRACTS` says of its class.

    Attributes:
        name: of the case.
        replies: to the operation that fails, in turn; the last one for ever.
        type, code: the error's class and AWS's code (None: AWS gave none).
        hint: what the hint must say, for it to be of any help.
        attempts: how often the server must have seen the operation.
        stage: where it happens, if not where errors of this class usually do.
    """

    name: str
    replies: tuple[Answer, ...]
    type: str
    hint: str
    code: str | None = None
    attempts: int = 1
    operation: str = "AssumeRole"
    stage: str | None = None
    check: str = "identity"
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def event(self) -> dict[str, Any]:
        asked = {"account_id": TARGET, "check": self.check}
        return {**asked, "params": self.params} if self.params else asked


def through_the_doors(cases: Iterable[T], class_of: Callable[[T], str] = lambda fault: fault.type) -> list[Any]:  # type: ignore[attr-defined]
    """Parameters `("fault", "door")`: the first case of each class through every door, the others by turns.

    What a door makes of an error depends on nothing but its class, so that every door has seen all there is to see.
    """
    parameters, turns = [], {}
    for case in cases:
        first = class_of(case) not in turns
        turn = turns.setdefault(class_of(case), cycle(drive.DOORS))
        doors = drive.DOORS if first else (next(turn),)
        parameters += [pytest.param(case, door, id=f"{case}-{door}") for door in doors]
    return parameters


def put_to(aws: FakeAws, fault: Fault, door: str, log: drive.LogOfEverything, backoff: list[float]) -> drive.Outcome:
    """Have the fault, ask through a door, and hold whatever every fault must hold."""
    aws.tell(fault.operation, *fault.replies, always=True)
    outcome = drive.ask(door, fault.event)
    assert_told(outcome, fault.type, fault.code, fault.stage)
    assert fault.hint in outcome.fault["hint"]
    drive.assert_nothing_leaked(outcome.text, log.text)
    assert aws.counted(fault.operation, fault.attempts) == fault.attempts
    assert sum(backoff) <= MOST_BACKOFF_SECONDS
    return outcome


def assert_told(outcome: drive.Outcome, type: str, code: str | None = None, stage: str | None = None) -> None:
    """It is the error of that class, answered as the contract says."""
    told, contract = outcome.fault, CONTRACTS[type]
    assert (told["type"], told["stage"], told["code"]) == (type, stage or contract.stage, code)
    assert told["request_id"] in (None, REQUEST_ID)
    assert set(told) == {"type", "stage", "code", "hint", "request_id"}
    assert outcome.status == contract.status_through(outcome.door)
    assert contract.message in (None, outcome.body["message"])
    if outcome.error is not None:
        assert outcome.error.__class__.__name__ == type
        assert outcome.error.__suppress_context__ or outcome.error.__context__ is None
    assert "\n" not in outcome.body["message"]
    assert len(told["hint"]) < 2000
