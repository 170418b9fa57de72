"""The accounts of a sweep: to do, under way, done. Its threads share it, and it knows when it is too late for more."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chalicelib.visit import Item


@dataclass
class UnderWay:
    """An account that a thread has taken; `began` is None while it waits for its turn, and STS knows nothing of it."""

    began: float | None = None
    items: list[Item] = field(default_factory=list)


class Worklist:
    """Every account is in one of three places: to do, under way or done.

    Attributes:
        done: the items of each account that is done.
        closed: set when nothing more is taken, neither accounts nor results.

    Args:
        accounts: in the order to take them.
        seconds_left: for work; below zero there is none.
    """

    def __init__(self, accounts: Iterable[str], seconds_left: Callable[[], float]) -> None:
        self.done: dict[str, list[Item]] = {}
        self.closed = threading.Event()
        self._seconds_left = seconds_left
        self._todo = deque(accounts)
        self._under_way: dict[str, UnderWay] = {}
        self._slowest = 0.0
        state = threading.Lock()
        self._more_to_do = threading.Condition(state)
        self._less_to_do = threading.Condition(state)
        self._state = state

    def take(self) -> str | None:
        """Give the next account, or None when there is none, or too little time for one more."""
        with self._state:
            while not self.closed.is_set() and not self._too_late():
                if self._todo:
                    account = self._todo.popleft()
                    self._under_way[account] = UnderWay()
                    return account
                if not self._under_way:
                    break
                self._more_to_do.wait(0.5)  # one that is under way may be put back
            self._less_to_do.notify()
            return None

    def begin(self, account: str) -> UnderWay | None:
        """Start an account whose turn has come; None: by now there is too little time, and it stays to do."""
        with self._state:
            if self.closed.is_set() or self._too_late():
                self._put_back(account)
                return None
            going = self._under_way[account]
            going.began = time.monotonic()
            return going

    def put_back(self, account: str) -> None:
        """Leave an account for later."""
        with self._state:
            if not self.closed.is_set():
                self._put_back(account)

    def settle(self, account: str) -> bool:
        """An account is done, with the items that it has; False: too late, the answer has gone out without it."""
        with self._state:
            if self.closed.is_set():
                return False
            going = self._under_way.pop(account)
            self.done[account] = going.items
            if going.began is not None:
                self._slowest = max(self._slowest, time.monotonic() - going.began)
            self._less_to_do.notify()
            return True

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until there is no more to wait for: all is done, or time is up. True: there is more."""
        end = time.monotonic() + seconds
        with self._state:
            while self._goes_on():
                pause = min(end - time.monotonic(), self._seconds_left())
                if pause <= 0:
                    return True
                self._less_to_do.wait(pause)
            return False

    def close(self) -> dict[str, UnderWay]:
        """Take nothing more, and give what has begun and is not done."""
        with self._state:
            self.closed.set()
            self._more_to_do.notify_all()
            return {account: going for account, going in self._under_way.items() if going.began is not None}

    def _put_back(self, account: str) -> None:
        del self._under_way[account]
        self._todo.append(account)
        self._more_to_do.notify()
        self._less_to_do.notify()

    def _goes_on(self) -> bool:
        if self._seconds_left() <= 0:
            return False
        if any(going.began is not None for going in self._under_way.values()):
            return True
        return not self._too_late() and bool(self._todo or self._under_way)

    def _too_late(self) -> bool:
        """Whether one more account, as slow as the slowest so far, might not be done in time."""
        return self._seconds_left() <= self._slowest * 1.5
