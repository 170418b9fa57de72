"""One check over many accounts: bounded, in order, aware of its deadline, nothing lost."""

from __future__ import annotations

import reprlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.cross_account import Hub
from chalicelib.errors import AssumeRoleThrottled, CheckTimedOut, EveryAccountFailed
from chalicelib.logs import logger
from chalicelib.pace import Pace
from chalicelib.requests import json_type
from chalicelib.sweep_request import SweepRequest
from chalicelib.visit import Item, Visit
from chalicelib.worklist import UnderWay, Worklist

ANSWER_SECONDS = 2.0
"""Kept back at the end, to put the answer together and send it before Lambda's deadline."""
PROGRESS_SECONDS = 5.0
MOST_TRIES = 4
"""How often an account is tried while STS throttles; each try is botocore's three attempts."""

TimeLeft = Callable[[], float]
OnDone = Callable[[list[Item]], None]


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
        on_done: told of each account that is done, by the thread that did it.
    """

    def __init__(
        self,
        hub: Hub,
        request: SweepRequest,
        accounts: Iterable[Any],
        *,
        time_left: TimeLeft,
        request_id: str,
        on_done: OnDone = lambda items: None,
    ) -> None:
        self._visit = Visit(hub, request, request_id)
        self._request = request
        self._time_left = time_left
        self._on_done = on_done
        asked = [account if isinstance(account, str) else _no_string(account) for account in accounts]
        self._accounts = list(dict.fromkeys(asked))
        self._duplicates = [account for account, times in Counter(asked).items() if times > 1]
        self._tries: Counter[str] = Counter()
        self._list = Worklist(self._accounts, lambda: time_left() - ANSWER_SECONDS)
        self._pace = Pace(sleep=self._list.closed.wait)

    def run(self) -> dict[str, Any]:
        """Run it, and give the answer of the contract: check, summary, results, not_started, duplicates.

        Raises:
            EveryAccountFailed: not one account answered, none is left to start, and nothing is to be stored.
        """
        started = time.monotonic()
        try:
            for number in range(min(self._request.concurrency, len(self._accounts))):
                threading.Thread(target=self._work, name=f"sweep-{number}", daemon=True).start()
            while self._list.wait(PROGRESS_SECONDS):
                self._tell_progress(time.monotonic() - started)
        finally:  # also when somebody presses Ctrl-C
            unfinished = self._list.close()
        return self._answer(self._list.done | self._late(unfinished), time.monotonic() - started)

    def _work(self) -> None:
        while (account := self._list.take()) is not None:
            pause = self._pace.wait()
            going = self._list.begin(account)
            if going is None:
                continue
            if not self._visit_one(account, going, pause):
                self._list.put_back(account)
            elif self._list.settle(account):
                self._on_done(going.items)

    def _visit_one(self, account: str, going: UnderWay, pause: float) -> bool:
        """Go through one account; False: STS throttled, try it again later."""
        began = going.began or 0.0
        try:
            self._visit.enter(account)
        except AssumeRoleThrottled as error:
            self._pace.throttled(account, pause)
            self._tries[account] += 1
            if self._tries[account] < MOST_TRIES:
                return False
            going.items += self._visit.failure(account, error, began)
        except Exception as error:  # a thread that dies would leave the sweep waiting for its account
            going.items += self._visit.failure(account, error, began)
        else:
            self._pace.entered()
            for item in self._visit.ask_in_each_region(account, began):
                going.items.append(item)
                if self._list.closed.is_set():
                    break
        return True

    def _late(self, unfinished: Mapping[str, UnderWay]) -> dict[str, list[Item]]:
        """What there is of accounts that were still under way: the regions that answered, and the others as failed."""
        late = {}
        for account, going in unfinished.items():
            items = list(going.items)
            error = _out_of_time(account)
            late[account] = items + self._visit.failure(account, error, going.began or 0.0, asked=len(items))
        return late

    def _tell_progress(self, seconds: float) -> None:
        done = list(self._list.done.values())
        logger.info(
            "sweeping",
            check=self._request.check.name,
            accounts=len(self._accounts),
            done=len(done),
            failed=sum(map(_any_failed, done)),
            accounts_per_second=round(len(done) / seconds, 1),
            seconds_left=round(self._time_left(), 1),
            request_id=self._visit.request_id,
        )

    def _answer(self, done: Mapping[str, list[Item]], seconds: float) -> dict[str, Any]:
        results = [item for account in self._accounts for item in done.get(account, ())]
        not_started = [account for account in self._accounts if account not in done]
        failed = sum(map(_any_failed, done.values()))
        stored = self._request.store is not None  # then each failure is a line, which raising would lose
        answer = {
            "check": self._request.check.name,
            "summary": {
                "accounts": len(self._accounts),
                "ok": len(done) - failed,
                "failed": failed,
                "not_started": len(not_started),
                "seconds": round(seconds, 2),
            },
            "results": results,
            "not_started": not_started,
            "duplicates": self._duplicates,
        }
        if results and not stored and not not_started and not any(item["ok"] for item in results):
            error = _every_account_failed(results)
            error.answer = answer
            raise error
        return answer


def _any_failed(items: list[Item]) -> bool:
    return not all(item["ok"] for item in items)


def _no_string(account: Any) -> str:
    """Name something that is no string so that it never passes for an id: 123456789012 is a number, and no account."""
    shown = reprlib.repr(account).encode("ascii", "backslashreplace").decode()  # reprlib goes only some levels deep
    return f"{json_type(account)}: {shown[:40]}"


def _out_of_time(account: str) -> CheckTimedOut:
    return CheckTimedOut(
        f"The check in account {account} was still running when the time of the sweep was up.",
        hint="Ask this account alone, or give the function a longer timeout.",
    )


def _every_account_failed(results: list[Item]) -> EveryAccountFailed:
    """Say which errors there were and how often; one cause for most of them is likely on the hub's side."""
    counts = Counter(item["error"]["type"] for item in results).most_common()
    most = next(item["error"] for item in results if item["error"]["type"] == counts[0][0])
    return EveryAccountFailed(
        f"Not one of {len(results)} answered: {', '.join(f'{times} x {kind}' for kind, times in counts)}.",
        hint=f"The first {most['type']}: {most['hint']}",
        code=most["code"],
        request_id=most["request_id"],
    )
