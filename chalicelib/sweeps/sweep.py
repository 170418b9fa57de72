"""The same checks over many accounts: bounded, in order, aware of its deadline, and no account is lost."""

from __future__ import annotations

import reprlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from chalicelib.app_log import logger
from chalicelib.cross_account import AssumeRoleDenied, AssumeRoleThrottled, CrossAccountError, Hub
from chalicelib.cross_account.account_id import json_type
from chalicelib.cross_account.calls import Calls
from chalicelib.errors import to_cross_account_error
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.sweeps.ask import Question, Visit
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.members import organization_for
from chalicelib.sweeps.organization import Listing, list_targets
from chalicelib.sweeps.outcome import Answer, LeftOut, Outcome, Target
from chalicelib.sweeps.throttle import Throttle
from chalicelib.sweeps.worklist import Worklist

PROGRESS_SECONDS = 5.0
UNITS_PART = 0.25
"""Of the time that a listing has left when all accounts are listed: how much their units may take. Where AWS gives no
paths, that is two calls a unit, and better not known than accounts that there is no time for."""
MEMBERS_PART = 0.25
"""How much of the time the organization's accounts may take, if only a check wants to know them."""
MAX_TRIES = 4
"""How often an account is tried while STS throttles; each try is botocore's three attempts."""

Progress = Callable[[int, int], None]
"""Called with the number of accounts that are done and of all, by the threads that did them."""
Receive = Callable[[Sequence[Outcome]], None]
"""Called with the outcomes of one account, by the thread that sweeps."""


def sweep(
    hub: Hub,
    settings: Settings,
    request: SweepRequest,
    *,
    deadline: Deadline,
    request_id: str,
    progress: Progress = lambda done, total: None,
    receive: Receive | None = None,
) -> Answer:
    """Ask the accounts that are named, or those of the organization.

    The hub itself is of the organization as well. It is asked through the role, as every account, and left out if it
    has none: with the hub's own credentials no session policy would hold.

    Args:
        deadline: of the listing and the sweep. The listing gets half of the time at most; then the accounts that have
            been listed are asked.
        request_id: of the invocation, for the log and CloudTrail.
        receive: gets each account's outcomes when it is done, and what it raises ends the sweep. The outcomes of the
            answer then have no results, so that memory does not grow with them.

    Raises:
        AccountsNotListed, AwsError of stage "assume": the organization's accounts cannot be listed.
        InvalidInput: the organization has more accounts than one sweep may ask in so many regions.
    """
    of_organization, organization = request.accounts is None, settings.organization_account_id
    if request.accounts is None:
        listing = list_targets(hub, request.listing, organization, request_id, deadline.part(0.5), UNITS_PART)
        request.check_size(len(listing.targets))
    else:
        named = [account if isinstance(account, str) else label(account) for account in request.accounts]
        listing = Listing([Target(account) for account in named])
    known = organization_for(request.checks, hub, listing, organization, request_id, deadline.part(MEMBERS_PART))
    question = Question(hub, request.name, request.checks, request.regions, request_id, known)
    run = Sweep(
        question,
        listing.targets,
        request.concurrency,
        deadline,
        progress,
        receive,
        own_account=hub.own_account_id if of_organization else lambda: None,
    )
    answer = run.run()
    left_out = [*answer.left_out, *listing.left_out]
    return replace(answer, left_out=left_out, listing_complete=listing.complete)


class Sweep:
    """One run of a question over accounts. Make one, `run` it once.

    An account is the unit of work: one thread assumes its role once and asks in each region.

    Args:
        targets: in the order of the answer, as they were asked for.
        concurrency: maximum number of accounts in flight.
        own_account: returns the account to leave out if it denies AssumeRole, or None.
    """

    def __init__(
        self,
        question: Question,
        targets: Iterable[Target],
        concurrency: int,
        deadline: Deadline,
        progress: Progress = lambda done, total: None,
        receive: Receive | None = None,
        own_account: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._question = question
        self._concurrency = concurrency
        self._deadline = deadline
        self._progress = progress
        self._receive = receive
        self._own_account = own_account
        self._left_out: list[LeftOut] = []
        asked = list(targets)
        self._targets = {target.id: target for target in asked}
        self._duplicates = [id for id, times in Counter(target.id for target in asked).items() if times > 1]
        self._throttled: Counter[str] = Counter()
        held = None if receive is None else concurrency
        self._list = Worklist(self._targets.values(), deadline.seconds_left, held)
        self._calls = Calls()
        self._throttle = Throttle(sleep=self._list.closed.wait)

    def run(self) -> Answer:
        started = time.monotonic()
        self._progress(0, len(self._targets))
        names = [f"sweep-{number}" for number in range(min(self._concurrency, len(self._targets)))]
        threads = [
            threading.Thread(target=copy_context().run, args=(self._work,), name=name, daemon=True) for name in names
        ]
        try:
            for thread in threads:
                try:
                    thread.start()
                except RuntimeError:  # the system allows no more threads; the others do the work
                    if thread is threads[0]:
                        raise
                    break
            self._wait(started)
        finally:  # also after Ctrl-C
            cut = self._cut(self._list.close())
            if cut:
                self._calls.end()  # only now: it makes what is in flight fail
        if not cut:  # then no thread hangs, and the last account's log line is a moment behind
            for thread in threads:
                if thread.ident:  # it was started
                    thread.join()
        self._hand_over()
        if self._receive:
            for account, outcomes in cut.items():
                self._receive(outcomes)
                cut[account] = _without_results(outcomes)
        return self._answer(self._list.done, cut, time.monotonic() - started)

    def _wait(self, started: float) -> None:
        """Until all is done or time is up."""
        said = started
        while self._list.wait(max(0.0, said + PROGRESS_SECONDS - time.monotonic())):
            self._hand_over()
            if time.monotonic() >= said + PROGRESS_SECONDS:
                said = time.monotonic()
                self._log_progress(said - started)

    def _hand_over(self) -> None:
        for account in self._list.finished():
            if self._receive:
                self._receive(self._list.done[account])
                self._list.done[account] = _without_results(self._list.done[account])

    def _work(self) -> None:
        with self._calls.made_here():
            self._ask_all()

    def _ask_all(self) -> None:
        while (visit := self._list.take()) is not None:
            pause = self._throttle.wait()
            if not self._list.begin(visit):
                continue
            if not self._ask(visit, pause):
                self._list.put_back(visit)
            elif self._list.complete(visit):
                self._report(visit)

    def _report(self, visit: Visit) -> None:
        try:
            self._question.log(visit)
            self._progress(len(self._list.done), len(self._targets))
        except BaseException as error:  # the thread goes on with the next account
            to_cross_account_error(error, "check")

    def _ask(self, visit: Visit, pause: float) -> bool:
        """Ask one account. False: STS throttled, so try it again later."""
        question = self._question
        try:
            question.enter(visit)
            self._throttle.success()
            question.run(visit, stopped=self._list.closed.is_set)
        except AssumeRoleThrottled as error:
            self._throttle.throttled(visit.target.id, pause)
            self._throttled[visit.target.id] += 1
            if self._throttled[visit.target.id] < MAX_TRIES:
                return False
            question.fail(visit, error)
        except AssumeRoleDenied as error:
            if not visit.outcomes and visit.target.id == self._own_account():
                self._left_out.append(LeftOut(visit.target, "hub"))
            else:
                question.fail(visit, error)
        except CrossAccountError as error:
            question.fail(visit, error)
        except BaseException as error:  # a thread that dies would leave the sweep waiting for its account
            question.fail(visit, to_cross_account_error(error, "check"))
        return True

    def _cut(self, unfinished: Iterable[Visit]) -> dict[str, list[Outcome]]:
        """The outcomes of accounts that were in flight at the end: of the regions that are done, and timeouts."""
        cut = self._question.cut
        visits = [cut(visit, throttled=visit.target.id in self._throttled) for visit in unfinished]
        for visit in visits:
            self._question.log(visit)
        return {visit.target.id: visit.outcomes for visit in visits}

    def _log_progress(self, seconds: float) -> None:
        done = list(self._list.done.values())
        logger.info(
            "sweeping",
            check=self._question.name,
            accounts=len(self._targets),
            done=len(done),
            failed=sum(any(outcome.failed for outcome in outcomes) for outcomes in done),
            accounts_per_second=round(len(done) / seconds, 1),
            seconds_left=round(self._deadline.seconds_left(), 1),
            request_id=self._question.request_id,
        )

    def _answer(self, done: dict[str, list[Outcome]], cut: dict[str, list[Outcome]], seconds: float) -> Answer:
        asked = done | cut
        return Answer(
            check=self._question.name,
            outcomes=[outcome for account in self._targets for outcome in asked.get(account, ())],
            not_started=[target for target in self._targets.values() if target.id not in asked],
            left_out=[account for account in self._left_out if account.target.id not in cut],  # known too late
            cut=list(cut),
            duplicates=self._duplicates,
            seconds=round(seconds, 2),
            throttled=sum(self._throttled.values()),
        )


def _without_results(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [replace(outcome, result=None) for outcome in outcomes]


def label(account: Any) -> str:
    """A label for an entry that is not a string; it can never equal a real account id."""
    shown = reprlib.repr(account).encode("ascii", "backslashreplace").decode()  # reprlib goes only some levels deep
    return f"{json_type(account)}: {shown[:40]}"
