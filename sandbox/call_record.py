"""What the sandbox was asked: one entry per authorised or refused AWS call, newest last.

A test reads it (`box.calls()`, or GET /sandbox/calls) to prove, say, that a warm function does not assume a
role twice. Entries hold no credential.
"""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field

PATH = "/sandbox/calls"
_MAXIMUM = 100_000


@dataclass(frozen=True)
class Call:
    """One AWS call as the sandbox decided it."""

    service: str
    action: str
    account: str
    caller: str  # ARN, or "" for credentials the sandbox does not know
    resource: str
    outcome: str  # "allowed" or "denied"
    time: float = field(default_factory=time.time)


class CallRecord:
    """A bounded list that many request threads append to."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_MAXIMUM)
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def as_dicts(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(call) for call in self._calls]


RECORD = CallRecord()
