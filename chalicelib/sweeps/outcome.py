"""What became of the accounts of an invocation: an `Outcome` for each account and region, an `Answer` for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from chalicelib.checks.exceptions import mute
from chalicelib.checks.finding import VERDICTS, Finding, skip, unknown
from chalicelib.cross_account import AssumeRoleDenied, CrossAccountError
from chalicelib.errors import CheckDenied, EveryAccountFailed, RegionOff


@dataclass(frozen=True, slots=True)
class Target:
    """An account to ask.

    Attributes:
        id: as it was named; it is validated when the account is entered, so that one bad id is one failure.
        name: what the organization calls it; None: not known.
        unit: the path of its unit by names, such as "Workloads/Prod", empty below the root; None: not known.
        tags: those that the organization gives it; None: not asked for.
    """

    id: str
    name: str | None = None
    unit: str | None = None
    tags: Mapping[str, str] | None = None


Reason = Literal["hub", "suspended", "not allowed"]

_WHY_LEFT_OUT: Mapping[Reason, str] = {
    "hub": "the hub, which has no role that lets it in; deploy role-template.yaml there to ask it as well",
    "suspended": "suspended or closed",
    "not allowed": "not among ALLOWED_ACCOUNTS",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account of the organization that is not asked."""

    target: Target
    reason: Reason

    @property
    def why(self) -> str:
        """The reason for a person."""
        return _WHY_LEFT_OUT[self.reason]

    def as_dict(self) -> dict[str, Any]:
        target = self.target
        return {"account_id": target.id, "name": target.name, "unit": target.unit, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check in one account and region came to: a result or an error.

    Attributes:
        account, name, unit, tags: the target.
        region: where the check ran; None: the function's own region.
        check: its name.
        ms: milliseconds; those of an account's first region include AssumeRole.
        result: what the check returned; JSON can hold it.
        error: why there is no result; None: there is one.
        cached: whether the session was there already; None: the role was not assumed.
        verdicts: of a check that judges, how many of its findings have each verdict; None: it does not judge.
    """

    account: str
    name: str | None
    unit: str | None
    region: str | None
    check: str
    ms: int
    result: Any = None
    error: CrossAccountError | None = None
    cached: bool | None = None
    tags: Mapping[str, str] | None = None
    verdicts: Mapping[str, int] | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def failed(self) -> bool:
        """Whether something could not be looked at: a region that is off has nothing to look at."""
        if self.verdicts is not None:
            return bool(self.verdicts.get("unknown"))
        return self.error is not None and not isinstance(self.error, RegionOff)

    @property
    def accepted(self) -> bool:
        """Whether an exception accepts that the check could not look."""
        return self.error is not None and self.verdicts is not None and bool(self.verdicts.get("muted"))

    @property
    def found(self) -> Any:
        """The result. Of a check that judges and failed, a finding which says that it could not look."""
        if self.error is None or self.verdicts is None:
            return self.result
        return [finding_of(self.error, self.check, self.account)]

    def unwrap(self) -> Any:
        """Return the result, or raise the error."""
        if self.error is not None:
            self.error.result = self.found
            raise self.error
        return self.result

    def as_dict(self) -> dict[str, Any]:
        """One of the `results` of a sweep's response."""
        what = {} if self.error is None else {"error": self.error.as_dict()}
        if self.error is None or self.verdicts is not None:
            what["result"] = self.found
        return {
            "account_id": self.account[:64],
            "name": self.name,
            "unit": self.unit,
            **({} if self.tags is None else {"tags": self.tags}),
            "region": self.region,
            "check": self.check,
            "ok": self.ok,
            **what,
            "ms": self.ms,
        }


def finding_of(error: CrossAccountError, check: str, account: str) -> Finding:
    """The finding of a check that judges, if it failed. That the account could not be entered cannot be accepted."""
    finding = (skip if isinstance(error, RegionOff) else unknown)(account[:64], error.message)
    return mute([finding], check, account)[0] if error.stage == "check" else finding


def verdicts_of(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many findings have each verdict."""
    return Counter(finding["verdict"] for finding in findings)


@dataclass(frozen=True)
class Answer:
    """What a sweep came to. Every account is among the outcomes, with all its regions, in `not_started` or `left_out`.

    Attributes:
        check: its name, or the names of several.
        outcomes: in the order in which the accounts were named, the checks and the regions.
        not_started: accounts that there was no time for.
        left_out: accounts of the organization that are not asked.
        cut: ids of accounts that there was too little time for; the outcomes that they lack are timeouts.
        duplicates: ids that were named more than once, and asked once.
        seconds: duration of the sweep.
        throttled: how many AssumeRole calls STS throttled, after botocore's own retries.
        listing_complete: False: there was no time to list all of the organization's accounts, so some are missing.
    """

    check: str
    outcomes: Sequence[Outcome]
    not_started: Sequence[Target] = ()
    left_out: Sequence[LeftOut] = ()
    cut: Sequence[str] = ()
    duplicates: Sequence[str] = ()
    seconds: float = 0.0
    throttled: int = 0
    listing_complete: bool = True

    @property
    def accounts(self) -> int:
        """How many different accounts were to be asked."""
        return len({outcome.account for outcome in self.outcomes}) + len(self.not_started)

    @cached_property
    def failed(self) -> list[str]:
        """The accounts of which at least one region failed."""
        return list(dict.fromkeys(outcome.account for outcome in self.outcomes if outcome.failed))

    @cached_property
    def verdicts(self) -> Mapping[str, int] | None:
        """How many findings have each verdict; None: nothing was judged."""
        counted = [outcome.verdicts for outcome in self.outcomes if outcome.verdicts is not None]
        if not counted:
            return None
        return {verdict: sum(one.get(verdict, 0) for one in counted) for verdict in VERDICTS}

    @property
    def unfinished(self) -> list[str]:
        """The accounts to ask again: those that were cut, and those that were not started."""
        return [*self.cut, *(target.id for target in self.not_started)]

    def summary(self) -> dict[str, Any]:
        failed = len(self.failed)
        answered = {outcome.account for outcome in self.outcomes if outcome.ok}
        denials = (outcome for outcome in self.outcomes if isinstance(outcome.error, AssumeRoleDenied | CheckDenied))
        return {
            "accounts": self.accounts,
            "ok": len(answered.difference(self.failed)),
            "failed": failed,
            "not_started": len(self.not_started),
            "left_out": len(self.left_out),
            "denied": len({outcome.account for outcome in denials}),
            "region_off": sum(type(outcome.error) is RegionOff for outcome in self.outcomes),
            "cut": len(self.cut),
            "listing_complete": self.listing_complete,
            "seconds": self.seconds,
            **({} if self.verdicts is None else {"verdicts": self.verdicts}),
        }

    def without_results(self) -> dict[str, Any]:
        """The response of a sweep, but for its `results`."""
        return {
            "check": self.check,
            "summary": self.summary(),
            "not_started": [target.id for target in self.not_started],
            "left_out": [account.as_dict() for account in self.left_out],
            "duplicates": list(self.duplicates),
        }

    def as_dict(self) -> dict[str, Any]:
        """The response of a sweep."""
        response = self.without_results()
        results = [outcome.as_dict() for outcome in self.outcomes]
        return {"check": response.pop("check"), "summary": response.pop("summary"), "results": results, **response}

    def raise_if_all_failed(self) -> None:
        """Raise if there is no result at all and no account left to start or to list, so that Lambda counts an error.

        Raises:
            EveryAccountFailed: with how often each error occurred, and the hint of the most frequent one; if most
                accounts fail for the same reason, the cause is probably in the hub.
        """
        more = self.not_started or not self.listing_complete
        errors = [outcome.error for outcome in self.outcomes if outcome.error and outcome.failed]
        if more or not errors or any(outcome.ok for outcome in self.outcomes):
            return
        counts = Counter(type(error).__name__ for error in errors).most_common()
        most = next(error for error in errors if type(error).__name__ == counts[0][0])
        raise EveryAccountFailed(
            f"All {len(errors)} results failed: {', '.join(f'{times} x {name}' for name, times in counts)}.",
            hint=f"The first {counts[0][0]}: {most.as_dict()['hint']}",
            code=most.code,
            request_id=most.request_id,
            stage=most.stage,
        )
