"""The AWS calls that the sandbox received: one entry per allowed or denied call, newest last.

Tests read it (`box.calls()`, or GET /sandbox/calls) to prove, for example, that a warm function does not assume a
role twice. Entries contain no credentials.
"""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field

PATH = "/sandbox/calls"
_MAXIMUM = 100_000


@dataclass(frozen=True)
class Call:
    """One AWS call and its outcome."""

    service: str
    action: str
    account: str
    caller: str  # ARN, or "" for credentials the sandbox does not know
    resource: str
    outcome: str  # "allowed" or "denied"
    time: float = field(default_factory=time.time)


class CallRecord:
    """A list of at most 100,000 calls; safe to use from many threads."""

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
