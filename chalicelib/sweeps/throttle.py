"""How fast a sweep may call AssumeRole, once STS says that it is too fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.02
MAX_PAUSE_SECONDS = 1.0
_DECAY = 0.95


class Throttle:
    """Spaces out AssumeRole calls, for all threads together.

    STS counts requests per hub account, so when it throttles, every thread has to slow down: the pause between two
    calls doubles when a call that kept the present pause was throttled, and shrinks with every success. Concurrent
    throttles at the same pause count once. A single account that is always throttled says nothing about the others;
    it takes a second one to slow the sweep down.

    Args:
        clock: seconds that only increase.
        sleep: waits so many seconds, or less if there is nothing left to wait for.
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
        """Wait for this thread's turn, which is at once until STS has throttled. Returns the pause that it kept."""
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
                needed = min(max(pause * 2, FIRST_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
                self._pause = max(self._pause, needed)

    def success(self) -> None:
        """An account's role was assumed."""
        if not self._pause:
            return
        with self._lock:
            self._pause *= _DECAY
            if self._pause < FIRST_PAUSE_SECONDS / 2:
                self._pause = 0.0
