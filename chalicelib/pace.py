"""How fast a sweep may go, when STS says that it is too fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0
_EASE = 0.95


class Pace:
    """Spaces out AssumeRole calls, for all threads together.

    STS counts requests per hub account, so when it throttles, everybody has to slow down: the pause between two calls
    doubles when a call that kept the present pause was throttled, and shrinks with every account that got in. Thirty
    calls that went out together and are throttled together are one sign and not thirty: they double it once. A single
    account that throttles for ever says nothing about the others; it takes a second one to slow the sweep down.

    Args:
        clock: seconds that only go forward.
        sleep: waits so many seconds, or less if there is nothing to wait for any more.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pause = 0.0
        self._next = 0.0
        self._throttled: set[str] = set()

    def wait(self) -> float:
        """Wait for this thread's turn, no time at all until STS has throttled; gives the pause that it kept."""
        if not self._pause:
            return 0.0
        with self._lock:
            pause = self._pause
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + pause
        self._sleep(turn - now)
        return pause

    def throttled(self, account_id: str, pause: float) -> None:
        """STS throttled an account, after botocore's own retries, although its call had kept `pause`."""
        with self._lock:
            self._throttled.add(account_id)
            if len(self._throttled) > 1:
                needed = min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
                self._pause = max(self._pause, needed)

    def entered(self) -> None:
        """An account let us in."""
        if not self._pause:
            return
        with self._lock:
            self._pause *= _EASE
            if self._pause < FIRST_PAUSE_SECONDS / 2:
                self._pause = 0.0
