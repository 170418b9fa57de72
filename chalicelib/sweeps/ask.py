"""Ask one account: assume its role, and run each check in each region. Sweeps and direct invocations both come here."""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

from chalicelib.app_log import logger
from chalicelib.checks.aws_errors import check_error, region_off, service_not_offered
from chalicelib.checks.check import Asked
from chalicelib.checks.finding import VERDICTS, Finding
from chalicelib.checks.organization import UNKNOWN, Organization
from chalicelib.checks.role_actions import DESCRIBE_REGIONS
from chalicelib.cross_account import Account, AssumeRoleThrottled, AssumeRoleTimedOut, CrossAccountError, Hub
from chalicelib.cross_account.account_id import ACCOUNT_ID
from chalicelib.cross_account.aws_errors import ErrorKind, classify, code_of, is_aws_error, time_is_up
from chalicelib.cross_account.role import session_policy
from chalicelib.errors import CheckFailed, CheckTimedOut, RegionOff, to_cross_account_error
from chalicelib.inputs.requests import Regions
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.enabled_regions import enabled_regions
from chalicelib.sweeps.outcome import Answer, Outcome, Target, finding_of, verdicts_of

Found = TypeVar("Found")

MAX_POLICY = 2048
"""Characters of a session policy, https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
_ONE: Mapping[str, Mapping[str, int]] = {verdict: {verdict: 1} for verdict in VERDICTS}
"""The verdicts of a check that failed: one object for all, as a sweep keeps up to 200,000."""


@dataclass
class Visit:
    """One account, while it is being asked. Another thread may read how far it is.

    Attributes:
        target: the account.
        began: `time.monotonic()` when it was begun; None: not yet.
        entered: the account, while its role is assumed for some of the checks.
        actions: those that its session is limited to.
        cached: whether its session was there already; None: the role has not been assumed yet.
        regions: those that it has enabled, or why they are not known; None: not asked yet.
        outcomes: of the checks and regions that are done.
    """

    target: Target
    began: float | None = None
    entered: Account | None = None
    actions: tuple[str, ...] = ()
    cached: bool | None = None
    regions: tuple[str, ...] | CrossAccountError | None = None
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """The checks, and where they are asked; the same for all accounts of an invocation.

    Attributes:
        name: what the answer is called.
        checks: with their parameters, each check once.
        regions: in order, None being the function's own region; "all": those that an account has enabled.
        request_id: of the invocation, for the log and CloudTrail.
        organization: what is known of it.
    """

    hub: Hub
    name: str
    checks: tuple[Asked, ...]
    regions: Regions
    request_id: str
    organization: Organization = UNKNOWN

    @cached_property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        """By check, the actions that the account's session is limited to.

        That is one session for all checks; one for each, if they need more than a session policy can hold.
        """
        together = self._actions(self.checks)
        if len(session_policy(together)) <= MAX_POLICY:
            return dict.fromkeys((asked.name for asked in self.checks), together)
        return {asked.name: self._actions([asked]) for asked in self.checks}

    def _actions(self, checks: Sequence[Asked]) -> tuple[str, ...]:
        regional = any(asked.needs.scope == "regional" for asked in checks)
        more = [DESCRIBE_REGIONS] if regional and self.regions == "all" else []
        return tuple(dict.fromkeys([*(action for asked in checks for action in asked.needs.actions), *more]))

    def ask(self, account_id: str, deadline: Deadline) -> Answer:
        """Ask one account."""
        visit = Visit(Target(account_id))
        visit = deadline.run(partial(self._ask, visit), late=partial(self.cut, visit))
        self.log(visit, alone=True)
        throttled = any(isinstance(outcome.error, AssumeRoleThrottled) for outcome in visit.outcomes)
        return Answer(self.name, visit.outcomes, throttled=int(throttled))

    def _ask(self, visit: Visit) -> Visit:
        visit.began = time.monotonic()
        try:
            self.enter(visit)
            self.run(visit)
        except CrossAccountError as error:
            self.fail(visit, error)
        return visit

    def enter(self, visit: Visit, asked: Asked | None = None) -> None:
        """Assume the role for a check; default: the first one.

        Raises:
            CrossAccountError: the account is not valid or not allowed, or AssumeRole failed.
        """
        visit.actions = self.sessions[(asked or self.checks[0]).name]
        try:
            visit.entered = self.hub.account(visit.target.id, visit.actions, request_id=self.request_id)
            visit.cached = visit.entered.cached
        except BaseException as error:
            raise to_cross_account_error(error, "assume") from None

    def run(self, visit: Visit, stopped: Callable[[], bool] = lambda: False) -> None:
        """Run the checks in an account that has been entered, until `stopped`.

        Raises:
            CrossAccountError: AWS rejected the session, and the account could not be entered again.
        """
        began = visit.began or 0.0
        for asked in self.checks:
            if visit.actions != self.sessions[asked.name] and not stopped():
                self.enter(visit, asked)
            if asked.needs.scope == "regional" and self.regions == "all" and visit.regions is None:
                visit.regions = self._enabled_regions(visit, asked)
            for region in self._regions_of(visit, asked):
                if stopped():
                    return
                if visit.entered is None:  # AWS rejected its session in the region before
                    self.enter(visit, asked)
                result, error = None, None
                try:
                    result = self._run(visit, asked, region)
                except CrossAccountError as failure:
                    error = failure
                visit.outcomes.append(self._outcome(visit, asked, region, began, result, error))
                began = time.monotonic()

    def fail(self, visit: Visit, error: CrossAccountError) -> None:
        """Give the checks and regions that are not done an error as their outcome."""
        began = time.monotonic() if visit.began is None else visit.began
        done = {(outcome.check, outcome.region) for outcome in visit.outcomes}
        for asked in self.checks:
            for region in self._regions_of(visit, asked):
                if (asked.name, region) not in done:
                    visit.outcomes.append(self._outcome(visit, asked, region, began, None, error))

    def cut(self, visit: Visit, *, throttled: bool = False) -> Visit:
        """Give what is not done its outcome, because time is up: a timeout of whatever was going on.

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
                f"The check {self.name} in account {account} did not end in time.",
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
        """One line for each success, and one for each kind of error of an account, of all its checks and regions.

        Args:
            alone: this account is all of the invocation, so that its success is worth a line of level INFO.
        """
        log_success = logger.info if alone else logger.debug
        failures: defaultdict[tuple[type[CrossAccountError], str], list[Outcome]] = defaultdict(list)
        for outcome in visit.outcomes:
            if outcome.error is None:
                log_success("checked", **self._line([outcome], stage="done"))
            else:
                failures[type(outcome.error), outcome.error.stage].append(outcome)
        for (error, stage), outcomes in failures.items():
            codes = _together(outcome.error.code for outcome in outcomes if outcome.error)
            log_failure = log_success if issubclass(error, RegionOff) else logger.warning
            log_failure("not checked", **self._line(outcomes, stage=stage), error=error.__name__, code=codes)

    def _regions_of(self, visit: Visit, asked: Asked) -> tuple[str | None, ...]:
        """Where a check is asked; an account whose enabled regions are not known counts as one place."""
        if asked.needs.scope == "global" and (self.regions == "all" or len(self.regions) > 1):
            return (None,)
        if self.regions == "all":
            return visit.regions if isinstance(visit.regions, tuple) else (None,)
        return self.regions

    def _enabled_regions(self, visit: Visit, asked: Asked) -> tuple[str, ...] | CrossAccountError:
        try:
            return self._call(visit, asked, None, enabled_regions)
        except CrossAccountError as error:
            return error

    def _run(self, visit: Visit, asked: Asked, region: str | None) -> Any:
        """Run a check, and raise whatever it raises as a CrossAccountError."""
        if isinstance(visit.regions, CrossAccountError) and asked.needs.scope == "regional":
            raise visit.regions
        return self._call(visit, asked, region, partial(asked.run, organization=self._known(asked)))

    def _known(self, asked: Asked) -> Organization:
        """What a check is told of the organization. The hub is known to be of it at any rate."""
        if not asked.check.wants_organization:
            return UNKNOWN
        return replace(self.organization, hub=self.hub.own_account_id())

    def _call(self, visit: Visit, asked: Asked, region: str | None, work: Callable[[Account], Found]) -> Found:
        account = visit.entered
        assert account is not None  # callers enter it first
        try:
            return work(account.in_region(region))
        except CrossAccountError:
            raise
        except BaseException as error:  # sys.exit() in a check, or a cancelled task, must not end a sweep's thread
            if is_aws_error(error):
                if region not in (None, account.region) and _is_off(error, account):
                    raise region_off(error, account.id, region) from None
                if region and (not_offered := service_not_offered(error, region)):
                    raise not_offered from None
                if classify(error) is ErrorKind.CREDENTIALS:
                    self.hub.forget(account.id, visit.actions)
                    visit.entered = None
                raise check_error(error, asked, account.id) from None
            # Where it happened, but not its text, which may contain anything that the check has seen.
            where = traceback.format_tb(error.__traceback__)
            logger.error("check raised", check=asked.name, raised=type(error).__name__, where=where)
            raise CheckFailed(
                f"The check {asked.name} raised {type(error).__name__} in account {account.id}.",
                hint="The log says where. Run it in the sandbox with the same parameters.",
            ) from None

    def _outcome(
        self, visit: Visit, asked: Asked, region: str | None, began: float, result: Any, error: CrossAccountError | None
    ) -> Outcome:
        target = visit.target
        if error is not None:  # its frames hold requests and responses, of every failed account until the sweep ends
            error.__traceback__ = error.__context__ = None
        return Outcome(
            target.id,
            target.name,
            target.unit,
            region,
            asked.name,
            round((time.monotonic() - began) * 1000),
            result,
            error,
            cached=None if visit.cached is None else visit.cached or bool(visit.outcomes),
            tags=target.tags,
            verdicts=_verdicts(result, error, asked.name, target.id) if asked.check.judges else None,
        )

    def _line(self, outcomes: Sequence[Outcome], *, stage: str) -> dict[str, Any]:
        """Of outcomes of one account."""
        outcome = outcomes[0]
        listed = {} if outcome.name is None else {"account_name": outcome.name, "unit": outcome.unit}
        return {
            "account_id": outcome.account if ACCOUNT_ID.fullmatch(outcome.account) else None,
            **listed,
            "region": _together(outcome.region for outcome in outcomes),
            "check": _together(outcome.check for outcome in outcomes),
            "stage": stage,
            "ms": outcome.ms,
            "cached": outcome.cached,
            "request_id": self.request_id,
        }


def _together(values: Iterable[str | None]) -> str | None:
    """Each once."""
    return ", ".join(dict.fromkeys(value for value in values if value)) or None


def _verdicts(
    findings: Sequence[Finding], error: CrossAccountError | None, check: str, account: str
) -> Mapping[str, int]:
    return verdicts_of(findings) if error is None else _ONE[finding_of(error, check, account)["verdict"]]


def _is_off(error: BaseException, account: Account) -> bool:
    """Whether a region failed because the account has not enabled it: STS says so, others reject a valid session.

    GetCallerIdentity needs no permission, and no policy can deny it.
    """
    if classify(error) is not ErrorKind.CREDENTIALS:
        return code_of(error) == "RegionDisabledException"
    try:
        account.client("sts").get_caller_identity()
    except Exception as failure:
        if is_aws_error(failure):
            return False
        raise
    return True
