"""Ask one account: assume its role, and run the check in each region. Sweeps and direct invocations both come here."""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from chalicelib.app_log import logger
from chalicelib.checks.aws_errors import check_error
from chalicelib.checks.check import Check
from chalicelib.cross_account import Account, AssumeRoleThrottled, AssumeRoleTimedOut, CrossAccountError, Hub
from chalicelib.cross_account.account_id import ACCOUNT_ID
from chalicelib.cross_account.aws_errors import ErrorKind, classify, is_aws_error, time_is_up
from chalicelib.errors import CheckFailed, CheckTimedOut, to_cross_account_error
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer, Outcome, Target


@dataclass
class Visit:
    """One account, while it is being asked. Another thread may read how far it is.

    Attributes:
        target: the account.
        began: `time.monotonic()` when it was begun; None: not yet.
        entered: the account, while its role is assumed.
        cached: whether its session was there already; None: the role has not been assumed yet.
        outcomes: of the regions that are done.
    """

    target: Target
    began: float | None = None
    entered: Account | None = None
    cached: bool | None = None
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """One check, and where it is asked; the same for all accounts of an invocation.

    Attributes:
        regions: in order; None is the function's own region.
        request_id: of the invocation, for the log and CloudTrail.
    """

    hub: Hub
    check: Check
    params: Mapping[str, Any]
    regions: tuple[str | None, ...]
    request_id: str

    def ask(self, account_id: str, deadline: Deadline) -> Answer:
        """Ask one account."""
        visit = Visit(Target(account_id))
        visit = deadline.run(partial(self._ask, visit), late=partial(self.cut, visit))
        self.log(visit, alone=True)
        throttled = any(isinstance(outcome.error, AssumeRoleThrottled) for outcome in visit.outcomes)
        return Answer(self.check.name, visit.outcomes, throttled=int(throttled))

    def _ask(self, visit: Visit) -> Visit:
        visit.began = time.monotonic()
        try:
            self.enter(visit)
            self.run_in_regions(visit)
        except CrossAccountError as error:
            self.fail(visit, error)
        return visit

    def enter(self, visit: Visit) -> None:
        """Assume the role.

        Raises:
            CrossAccountError: the account is not valid or not allowed, or AssumeRole failed.
        """
        try:
            visit.entered = self.hub.account(visit.target.id, self.check.actions, request_id=self.request_id)
            visit.cached = visit.entered.cached
        except BaseException as error:
            raise to_cross_account_error(error, "assume") from None

    def run_in_regions(self, visit: Visit, stopped: Callable[[], bool] = lambda: False) -> None:
        """Run the check in each region of an account that has been entered, until `stopped`.

        Raises:
            CrossAccountError: AWS rejected the session, and the account could not be entered again.
        """
        began = visit.began or 0.0
        for region in self.regions:
            if stopped():
                break
            if visit.entered is None:  # AWS rejected its session in the region before
                self.enter(visit)
            result, error = None, None
            try:
                result = self._run(visit, region)
            except CrossAccountError as failure:
                error = failure
            visit.outcomes.append(self._outcome(visit, region, began, result, error))
            began = time.monotonic()

    def fail(self, visit: Visit, error: CrossAccountError) -> None:
        """Give the regions that are not done an error as their outcome."""
        began = time.monotonic() if visit.began is None else visit.began
        for region in self.regions[len(visit.outcomes) :]:
            visit.outcomes.append(self._outcome(visit, region, began, None, error))

    def cut(self, visit: Visit, *, throttled: bool = False) -> Visit:
        """Give the regions that are not done their outcome, because time is up: a timeout of whatever was going on.

        Args:
            throttled: STS throttled the account's tries before this one.

        Returns:
            another visit: a thread that is still at this one goes on with it.
        """
        outcomes = list(visit.outcomes)  # first: it may enter the account in between
        visit = replace(visit, outcomes=outcomes)
        self.fail(visit, self._too_late(visit, throttled))
        return visit

    def _too_late(self, visit: Visit, throttled: bool) -> CrossAccountError:
        account = visit.target.id
        if visit.entered is not None:
            return CheckTimedOut(
                f"The check {self.check.name} in account {account} did not end in time.",
                hint="Retry. If that does not help, ask for less, or give the function a longer timeout.",
            )
        if visit.began is None:
            message, hint = f"There was no time to ask account {account}.", "Give the function a longer timeout."
            return AssumeRoleTimedOut(message, hint=hint)
        error = time_is_up(account)
        if throttled:
            message = f"{error.message} STS had throttled its first tries."
            return AssumeRoleThrottled(message, hint="Retry later, or with fewer accounts at a time.")
        return error

    def log(self, visit: Visit, *, alone: bool = False) -> None:
        """One line for each success, and one for each different error of an account, however many regions it has.

        Args:
            alone: this account is all of the invocation, so that its success is worth a line of level INFO.
        """
        log_success = logger.info if alone else logger.debug
        failures: defaultdict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
        for outcome in visit.outcomes:
            if outcome.error is None:
                log_success("checked", **self._line(outcome, outcome.region, stage="done"))
            else:
                failures[type(outcome.error), outcome.error.stage, outcome.error.code].append(outcome)
        for (error, stage, code), outcomes in failures.items():
            regions = [outcome.region for outcome in outcomes if outcome.region]
            line = self._line(outcomes[0], ", ".join(regions) or None, stage=stage)
            logger.warning("not checked", **line, error=error.__name__, code=code)

    def _run(self, visit: Visit, region: str | None) -> Any:
        """Run the check, and raise whatever it raises as a CrossAccountError."""
        account = visit.entered
        assert account is not None  # callers enter it first
        try:
            return self.check.run(account.in_region(region), self.params)
        except CrossAccountError:
            raise
        except BaseException as error:  # sys.exit() in a check, or a cancelled task, must not end a sweep's thread
            if is_aws_error(error):
                if classify(error) is ErrorKind.CREDENTIALS:
                    self.hub.forget(account.id, self.check.actions)
                    visit.entered = None
                raise check_error(error, self.check.name, account.id) from None
            # Where it happened, but not its text, which may contain anything that the check has seen.
            where = traceback.format_tb(error.__traceback__)
            logger.error("check raised", check=self.check.name, raised=type(error).__name__, where=where)
            raise CheckFailed(
                f"The check {self.check.name} raised {type(error).__name__} in account {account.id}.",
                hint="The log says where. Run it in the sandbox with the same parameters.",
            ) from None

    def _outcome(
        self, visit: Visit, region: str | None, began: float, result: Any, error: CrossAccountError | None
    ) -> Outcome:
        target = visit.target
        if error is not None:  # its frames hold requests and responses, of every failed account until the sweep ends
            error.__traceback__ = error.__context__ = None
        return Outcome(
            target.id,
            target.name,
            target.unit,
            region,
            self.check.name,
            round((time.monotonic() - began) * 1000),
            result,
            error,
            cached=None if visit.cached is None else visit.cached or bool(visit.outcomes),
        )

    def _line(self, outcome: Outcome, region: str | None, *, stage: str) -> dict[str, Any]:
        return {
            "account_id": outcome.account if ACCOUNT_ID.fullmatch(outcome.account) else None,
            "region": region,
            "check": outcome.check,
            "stage": stage,
            "ms": outcome.ms,
            "cached": outcome.cached,
            "request_id": self.request_id,
        }
