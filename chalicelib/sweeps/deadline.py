"""The time that there is for an invocation, and what becomes of work that is not done in it.

Nothing else bounds a call: a peer that drips, a resolver that hangs, pages without end and a check's own loop all get
round a socket's timeouts. So whatever may hang is done by another thread, and the one that has to answer waits for it
no longer than there is time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from chalicelib.cross_account.calls import Calls
from chalicelib.errors import to_cross_account_error

ANSWER_SECONDS = 2.0
"""Kept back at the end, to put the response together and send it before Lambda's deadline."""
PAGE_SECONDS = 6.0
"""And for a page with as many rows as it may have, by the third of a CPU that 512 MB get."""

Result = TypeVar("Result")


class Deadline:
    """When work has to be done.

    Args:
        seconds_left: until then; may be infinite.
    """

    def __init__(self, seconds_left: Callable[[], float]) -> None:
        self.seconds_left = seconds_left

    @classmethod
    def of(cls, context: Any) -> Deadline:
        """That of an invocation, with the time to answer kept back.

        Args:
            context: Lambda's.
        """
        return cls(lambda: float(context.get_remaining_time_in_millis()) / 1000 - ANSWER_SECONDS)

    def before(self, seconds: float) -> Deadline:
        """The deadline that leaves so much time for what comes after."""
        return Deadline(lambda: self.seconds_left() - seconds)

    def part(self, part: float) -> Deadline:
        """The deadline in a part of the time that is left now, such as 0.5."""
        end = time.monotonic() + self.seconds_left() * part
        return Deadline(lambda: end - time.monotonic())

    def run(self, work: Callable[[], Result], *, late: Callable[[], Result]) -> Result:
        """Do some work in another thread, with the context variables of this one.

        Work that is not done in time is given up: its calls are ended. What it does beside them goes on.

        Args:
            late: makes the result if time is up. It is called while the work's calls have not been ended yet, and so
                have not failed for it.

        Returns:
            what `work` returns, or `late`.

        Raises:
            whatever they raise; a BaseException of `work` as a CrossAccountError, for it was not meant for this thread.
        """
        seconds = self.seconds_left()
        if seconds <= 0:
            return late()
        job: _Job[Result] = _Job(work)
        _hand_over(job)
        try:
            result, error = job.done.get(timeout=min(seconds, threading.TIMEOUT_MAX))
        except Empty:
            try:
                return late()
            finally:
                job.calls.end()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # it is None only if there is an error, or the work returns None


class _Job(Generic[Result]):
    def __init__(self, work: Callable[[], Result]) -> None:
        self.calls = Calls()
        self.done: SimpleQueue[tuple[Result | None, Exception | None]] = SimpleQueue()
        self._work = work
        self._context = copy_context()

    def outcome(self) -> tuple[Result | None, Exception | None]:
        try:
            return self._context.run(self._run), None
        except Exception as error:
            return None, error
        except BaseException as error:
            return None, to_cross_account_error(error, "check")

    def _run(self) -> Result:
        with self.calls.made_here():
            return self._work()


_idle: deque[SimpleQueue[_Job[Any]]] = deque()
"""Threads that wait for a job. To hand one over takes 20 µs, and to start a thread for it 150."""


def _hand_over(job: _Job[Any]) -> None:
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        try:
            threading.Thread(target=_serve, args=(inbox,), name="work", daemon=True).start()
        except RuntimeError:  # the system allows no more threads: better without a limit than not at all
            job.done.put(job.outcome())
            return
    inbox.put(job)


def _serve(inbox: SimpleQueue[_Job[Any]]) -> None:
    while True:
        _settle(inbox, inbox.get())


def _settle(inbox: SimpleQueue[_Job[Any]], job: _Job[Any]) -> None:
    outcome = job.outcome()
    _idle.append(inbox)  # before whoever waits goes on, so that the next job finds this thread
    job.done.put(outcome)
