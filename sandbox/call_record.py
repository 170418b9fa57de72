"""The AWS calls that the sandbox received: one entry per allowed or denied call, newest last.

Tests read it (`box.calls()`, or GET /sandbox/calls?service=sts&action=AssumeRole) to prove, for example, that a warm
function does not assume a role twice. Entries contain no credentials.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

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

    def as_dicts(self, service: str = "", action: str = "") -> list[dict[str, object]]:
        """All of them, or those of a service or an action."""
        with self._lock:
            return [vars(call) for call in self._calls if service in ("", call.service) and action in ("", call.action)]


RECORD = CallRecord()
