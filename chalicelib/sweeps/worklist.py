"""The accounts of a sweep: to do, in flight, done. Its threads share it, and it knows when it is too late for more."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from chalicelib.sweeps.ask import Visit
from chalicelib.sweeps.outcome import Outcome, Target

LOOK_SECONDS = 0.1
"""How often to look at the time that is left, which Ctrl-C at a terminal ends early."""


class Worklist:
    """Every account is in one of three places: to do, in flight or done.

    Attributes:
        done: the outcomes of each account that is done, by id.
        closed: set once nothing more is taken, neither accounts nor outcomes.

    Args:
        targets: in the order to take them.
        seconds_left: for work; there is none below zero.
        held: how many accounts may be done and not `finished()` before no more are taken; None: any number.
    """

    def __init__(self, targets: Iterable[Target], seconds_left: Callable[[], float], held: int | None = None) -> None:
        self.done: dict[str, list[Outcome]] = {}
        self.closed = threading.Event()
        self._seconds_left = seconds_left
        self._todo = deque(targets)
        self._in_flight: dict[str, Visit] = {}
        self._slowest = 0.0
        self._held = held
        self._finished: list[str] = []
        state = threading.Lock()
        self._more_to_do = threading.Condition(state)
        self._less_to_do = threading.Condition(state)
        self._state = state

    def take(self) -> Visit | None:
        """The next account, or None if there is none, or too little time for one more."""
        with self._state:
            while not self.closed.is_set() and not self._too_late():
                full = self._held is not None and len(self._finished) >= self._held
                if self._todo and not full:
                    visit = Visit(self._todo.popleft())
                    self._in_flight[visit.target.id] = visit
                    return visit
                if not self._todo and not self._in_flight:
                    break
                self._more_to_do.wait(0.5)  # one that is in flight may be put back
            self._less_to_do.notify()
            return None

    def begin(self, visit: Visit) -> bool:
        """Start an account whose turn has come. False: there is too little time by now, and it stays to do."""
        with self._state:
            if self.closed.is_set() or self._too_late():
                self._put_back(visit)
                return False
            visit.began = time.monotonic()
            return True

    def put_back(self, visit: Visit) -> None:
        """Leave an account for later."""
        with self._state:
            if not self.closed.is_set():
                self._put_back(visit)

    def complete(self, visit: Visit) -> bool:
        """An account is done, with the outcomes that it has. False: too late, the sweep has ended without it."""
        with self._state:
            if self.closed.is_set():
                return False
            del self._in_flight[visit.target.id]
            self.done[visit.target.id] = visit.outcomes
            if self._held is not None:
                self._finished.append(visit.target.id)
            if visit.began is not None:
                self._slowest = max(self._slowest, time.monotonic() - visit.began)
            self._less_to_do.notify()
            return True

    def finished(self) -> list[str]:
        """The accounts that are done since the last call, if they are `held`."""
        with self._state:
            finished, self._finished = self._finished, []
            self._more_to_do.notify_all()
            return finished

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until an account is `held`, all is done or time is up. True: there is more to wait for."""
        end = time.monotonic() + seconds
        with self._state:
            while self._goes_on():
                if self._finished:
                    return True
                pause = min(end - time.monotonic(), self._seconds_left())
                if pause <= 0:
                    return True
                self._less_to_do.wait(min(pause, LOOK_SECONDS))
            return False

    def close(self) -> list[Visit]:
        """Take nothing more. Returns what has begun and is not done."""
        with self._state:
            self.closed.set()
            self._more_to_do.notify_all()
            return [visit for visit in self._in_flight.values() if visit.began is not None]

    def _put_back(self, visit: Visit) -> None:
        del self._in_flight[visit.target.id]
        self._todo.append(visit.target)
        self._more_to_do.notify()
        self._less_to_do.notify()

    def _goes_on(self) -> bool:
        if self._seconds_left() <= 0:
            return False
        if any(visit.began is not None for visit in self._in_flight.values()):
            return True
        return not self._too_late() and bool(self._todo or self._in_flight)

    def _too_late(self) -> bool:
        """Whether one more account, as slow as the slowest so far, might not be done in time."""
        return self._seconds_left() <= self._slowest * 1.5
