"""How fast a sweep may go, when STS says that it is too fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0
_EASE = 0.8


class Pace:
    """Spaces out AssumeRole calls, for all threads together.

    STS counts requests per hub account, so when it throttles, everybody has to slow down: the pause between two calls
    doubles with every throttled account and shrinks with every one that got in. A single account that throttles for
    ever says nothing about the others; it takes a second one to slow the sweep down.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pause = 0.0
        self._next = 0.0
        self._throttled: set[str] = set()

    def wait(self) -> None:
        """Wait for this thread's turn; no time at all until STS has throttled."""
        if not self._pause:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._pause
        self._sleep(turn - now)

    def throttled(self, account_id: str) -> None:
        """STS throttled an account, after botocore's own retries."""
        with self._lock:
            self._throttled.add(account_id)
            if len(self._throttled) > 1:
                self._pause = min(max(self._pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def entered(self) -> None:
        """An account let us in."""
        if not self._pause:
            return
        with self._lock:
            self._pause *= _EASE
            if self._pause < FIRST_PAUSE_SECONDS / 2:
                self._pause = 0.0
