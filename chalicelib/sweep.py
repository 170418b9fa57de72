"""One check over many accounts: bounded, in order, aware of its deadline, nothing lost."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.answers import ours
from chalicelib.cross_account import Hub
from chalicelib.errors import AssumeRoleThrottled, CheckTimedOut, CrossAccountError, EveryAccountFailed
from chalicelib.logs import logger
from chalicelib.pace import Pace
from chalicelib.requests import json_type
from chalicelib.sweep_request import SweepRequest
from chalicelib.visit import Item, Visit

ANSWER_SECONDS = 2.0
"""Kept back at the end, to put the answer together and send it before Lambda's deadline."""
PROGRESS_SECONDS = 5.0
MOST_TRIES = 4
"""How often an account is tried while STS throttles; each try is botocore's three attempts."""

TimeLeft = Callable[[], float]


class Sweep:
    """One run of a check over accounts. Make one, `run` it once.

    An account is the unit of work: one thread assumes its role once and asks in each region. At the end every account
    is either among the results, with all its regions, or in `not_started`.

    Args:
        hub: the account this runs in.
        request: the check, its parameters and the regions.
        accounts: ids in the order of the answer, as they were asked for.
        time_left: seconds until the deadline.
        request_id: of the invocation, for the log and CloudTrail.
    """

    def __init__(
        self, hub: Hub, request: SweepRequest, accounts: Iterable[Any], *, time_left: TimeLeft, request_id: str
    ) -> None:
        self._visit = Visit(hub, request, request_id)
        self._request = request
        self._time_left = time_left
        asked = [account if isinstance(account, str) else _no_string(account) for account in accounts]
        self._accounts = list(dict.fromkeys(asked))
        self._duplicates = [account for account, times in Counter(asked).items() if times > 1]
        self._pace = Pace()
        self._todo = deque(self._accounts)
        self._tries: Counter[str] = Counter()
        self._began: dict[str, float] = {}
        self._results: dict[str, list[Item]] = {}
        self._failed = 0
        self._slowest = 0.0
        self._closed = False
        lock = threading.Lock()
        self._more_to_do = threading.Condition(lock)
        self._nothing_left = threading.Condition(lock)
        self._state = lock

    def run(self) -> dict[str, Any]:
        """Run it, and give the answer of the contract: check, summary, results, not_started, duplicates.

        Raises:
            EveryAccountFailed: not one account answered, none is left to start, and nothing is to be stored.
        """
        started = time.monotonic()
        for number in range(min(self._request.concurrency, len(self._accounts))):
            threading.Thread(target=self._work, name=f"sweep-{number}", daemon=True).start()
        with self._state:
            self._wait(started)
            self._closed = True
            self._more_to_do.notify_all()
            for account in self._began:
                self._results[account] = self._visit.failure(account, _out_of_time(account), self._began[account])
        return self._answer(time.monotonic() - started)

    def _wait(self, started: float) -> None:
        """Wait until all is done or time is up, and say every few seconds how far it is."""
        told = started
        while self._began or (self._todo and not self._too_late()):
            left = self._time_left() - ANSWER_SECONDS
            if left <= 0:
                return
            self._nothing_left.wait(min(left, PROGRESS_SECONDS))
            if time.monotonic() - told >= PROGRESS_SECONDS:
                told = time.monotonic()
                self._tell_progress(told - started)

    def _work(self) -> None:
        while (account := self._next()) is not None:
            outcome = self._visit_one(account)
            with self._state:
                if self._closed:
                    return  # too late: the answer has gone out
                began = self._began.pop(account)
                if outcome is None:
                    self._todo.append(account)
                    self._more_to_do.notify()
                else:
                    self._results[account] = outcome
                    self._failed += any(not item["ok"] for item in outcome)
                    self._slowest = max(self._slowest, time.monotonic() - began)

    def _next(self) -> str | None:
        """Give the next account, or None when there is none, or too little time for one more."""
        with self._state:
            while not self._closed and not self._too_late():
                if self._todo:
                    account = self._todo.popleft()
                    self._began[account] = time.monotonic()
                    return account
                if not self._began:
                    break
                self._more_to_do.wait(0.5)  # one that is under way may come back, throttled
            self._nothing_left.notify()
            return None

    def _too_late(self) -> bool:
        """Whether one more account, as slow as the slowest so far, might not be done in time."""
        return self._time_left() - ANSWER_SECONDS <= self._slowest * 1.5

    def _visit_one(self, account: str) -> list[Item] | None:
        """Go through one account; None: STS throttled, try it again later."""
        began = time.monotonic()
        try:
            self._pace.wait()
            self._visit.enter(account)
        except AssumeRoleThrottled as error:
            self._pace.throttled(account)
            self._tries[account] += 1
            return self._visit.failure(account, error, began) if self._tries[account] >= MOST_TRIES else None
        except CrossAccountError as error:
            return self._visit.failure(account, error, began)
        except Exception as error:  # a thread that dies would leave the sweep waiting for its account
            return self._visit.failure(account, ours(error), began)
        self._pace.entered()
        return self._visit.ask_in_each_region(account, began)

    def _tell_progress(self, seconds: float) -> None:
        done = len(self._results)
        logger.info(
            "sweeping",
            check=self._request.check.name,
            accounts=len(self._accounts),
            done=done,
            failed=self._failed,
            accounts_per_second=round(done / seconds, 1),
            seconds_left=round(self._time_left(), 1),
            request_id=self._visit.request_id,
        )

    def _answer(self, seconds: float) -> dict[str, Any]:
        results = [item for account in self._accounts for item in self._results.get(account, ())]
        not_started = [account for account in self._accounts if account not in self._results]
        failed = sum(any(not item["ok"] for item in items) for items in self._results.values())
        stored = self._request.store is not None  # then each failure is a line, which raising would lose
        if results and not stored and not not_started and not any(item["ok"] for item in results):
            raise _every_account_failed(results)
        return {
            "check": self._request.check.name,
            "summary": {
                "accounts": len(self._accounts),
                "ok": len(self._results) - failed,
                "failed": failed,
                "not_started": len(not_started),
                "seconds": round(seconds, 2),
            },
            "results": results,
            "not_started": not_started,
            "duplicates": self._duplicates,
        }


def _no_string(account: Any) -> str:
    """Name something that is no string so that it never passes for an id: 123456789012 is a number, and no account."""
    return f"{json_type(account)}: {ascii(account)[:40]}"


def _out_of_time(account: str) -> CheckTimedOut:
    return CheckTimedOut(
        f"The check in account {account} was still running when the time of the sweep was up.",
        hint="Ask this account alone, or give the function a longer timeout.",
    )


def _every_account_failed(results: list[Item]) -> EveryAccountFailed:
    """Say which errors there were and how often; one cause for all of them is likely on the hub's side."""
    counts = Counter(item["error"]["type"] for item in results).most_common()
    first = results[0]["error"]
    return EveryAccountFailed(
        f"Not one of {len(results)} answered: {', '.join(f'{times} x {kind}' for kind, times in counts)}.",
        hint=f"The first: {first['hint']}",
        code=first["code"],
        request_id=first["request_id"],
    )
