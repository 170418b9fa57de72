"""The processes of one function: warm ones are reused, and more start for concurrent events."""

import threading
from collections.abc import Callable

from sandbox.functions.process import FunctionProcess
from sandbox.functions.runtime_api import Invocation, Outcome
from sandbox.functions.specification import Specification


class TooManyRequests(Exception):
    """All processes of the function are busy, and it may not have more."""


class FunctionPool:
    """The processes of one specification."""

    def __init__(self, spec: Specification, limit: int, start: Callable[[Specification], FunctionProcess]) -> None:
        self.spec, self.limit = spec, limit
        self._start = start
        self._idle: list[FunctionProcess] = []
        self._all: set[FunctionProcess] = set()
        self._busy = 0
        self._retired = self._closed = False
        self._free = threading.Condition()

    def invoke(self, invocation: Invocation, wait: bool) -> tuple[Outcome, bytes]:
        """Run one event; returns its outcome and its log's tail.

        If all processes are busy, it waits if `wait` is true, and raises TooManyRequests otherwise.
        """
        self._reserve(wait)
        process: FunctionProcess | None = None
        try:
            process = self._take() or self._new()
            outcome = process.invoke(invocation)
            return outcome, process.log.take_tail()
        finally:
            self._release(process)

    def retire(self) -> None:
        """End idle processes now and busy ones when they finish."""
        with self._free:
            self._retired = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for process in idle:
            process.kill()

    def close(self) -> None:
        """End every process now."""
        with self._free:
            self._retired = self._closed = True
            everything, self._idle = list(self._all), []
            self._all.clear()
        for process in everything:
            process.kill()

    def _reserve(self, wait: bool) -> None:
        with self._free:
            if self.limit == 0 or (not wait and self._busy >= self.limit):
                raise TooManyRequests
            self._free.wait_for(lambda: self._busy < self.limit)
            self._busy += 1

    def _take(self) -> FunctionProcess | None:
        with self._free:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                self._discard(process)
        return None

    def _new(self) -> FunctionProcess:
        process = self._start(self.spec)
        with self._free:
            if not self._closed:
                self._all.add(process)
                return process
        process.kill()
        raise TooManyRequests

    def _release(self, process: FunctionProcess | None) -> None:
        with self._free:
            self._busy -= 1
            if process is not None and process.alive and not self._retired:
                self._idle.append(process)
            elif process is not None:
                self._discard(process)
            self._free.notify()

    def _discard(self, process: FunctionProcess) -> None:
        self._all.discard(process)
        process.kill()
