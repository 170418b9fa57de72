"""What a fault is called, how the server is told to have it, and what the app must make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.faults import drive
from tests.faults.canaries import TARGET
from tests.faults.faulty_aws import REQUEST_ID, FaultyAws, Reply

MOST_SECONDS = 10
"""For a fault that does not hang, on a busy machine. Lambda would end a direct invocation after 60."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: of the case.
        replies: to the operation that fails, in turn; the last one for ever.
        type, code, http: the error's class, AWS's code (None: AWS gave none) and the route's status.
        hint: what the hint must say, for it to be of any help.
        attempts: how often the server must have seen the operation.
    """

    name: str
    replies: tuple[Reply, ...]
    type: str
    http: int
    hint: str
    code: str | None = None
    attempts: int = 1
    operation: str = "AssumeRole"
    stage: str = "assume"
    check: str = "identity"
    params: dict[str, Any] = field(default_factory=dict)
    status: int = 500
    message: str = "AWS API error occurred"

    def __str__(self) -> str:
        return self.name

    @property
    def event(self) -> dict[str, Any]:
        asked = {"account_id": TARGET, "check": self.check}
        return {**asked, "params": self.params} if self.params else asked


def put_to(aws: FaultyAws, fault: Fault, door: str, log: drive.LogOfEverything) -> drive.Outcome:
    """Have the fault, ask through a door, and hold whatever every fault must hold."""
    aws.on(fault.operation, *fault.replies)
    outcome = drive.ask(door, fault.event)
    assert_told(outcome, fault)
    drive.assert_nothing_leaked(outcome.text, log.text)
    assert aws.count(fault.operation) == fault.attempts
    assert outcome.seconds < MOST_SECONDS
    return outcome


def assert_told(outcome: drive.Outcome, fault: Fault) -> None:
    told = outcome.fault
    assert (told["type"], told["stage"], told["code"]) == (fault.type, fault.stage, fault.code)
    assert fault.hint in told["hint"]
    assert told["request_id"] in (None, REQUEST_ID)
    assert set(told) == {"type", "stage", "code", "hint", "request_id"}
    if outcome.door == "direct":
        assert outcome.status == fault.status
        assert outcome.body["message"] == fault.message
    elif outcome.door == "http":
        assert outcome.status == fault.http
        assert outcome.body["message"] == fault.message
    else:
        assert type(outcome.error).__name__ == fault.type
        assert outcome.error is not None
        assert outcome.error.__suppress_context__ or outcome.error.__context__ is None
    assert "\n" not in outcome.body["message"]
    assert len(told["hint"]) < 2000
