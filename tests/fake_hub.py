"""A hub without AWS, for sweeps: AssumeRole succeeds at once, unless a test says what becomes of an account."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.checks.check import Check, check
from chalicelib.cross_account import AssumeRoleDenied, AssumeRoleThrottled
from chalicelib.cross_account.account_id import valid_account_id
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer
from chalicelib.sweeps.sweep import sweep as run_sweep

Fate = Callable[[], Any]
HUB = "111111111111"


def ids(count: int, first: int = 100_000_000_001) -> list[str]:
    return [f"{number:012}" for number in range(first, first + count)]


class FakeHub:
    """Validates, keeps sessions and counts like a hub.

    Args:
        accepts: whether GetCallerIdentity accepts its sessions.
        enabled: the regions of every account; None: they may not be asked for.

    Attributes:
        calls: the operations that were called in accounts, but for GetCallerIdentity.
        fates: what an account's AssumeRole does before it returns: nothing, wait, or raise.
        asked: the ids that AssumeRole was called for, in order.
        requests: the actions and the request id of each call, in order.
    """

    def __init__(
        self, allowed: frozenset[str] | None = None, *, accepts: bool = False, enabled: Iterable[str] | None = None
    ) -> None:
        self.allowed = allowed
        self.accepts = accepts
        self.enabled = enabled
        self.calls: list[str] = []
        self.fates: dict[str, Fate] = {}
        self.asked: list[str] = []
        self.requests: list[tuple[Any, str]] = []
        self._sessions: set[tuple[str, Any]] = set()

    def account(self, account_id: str, actions: Any, *, request_id: str) -> Any:
        valid_account_id(account_id, self.allowed)
        cached = (account_id, actions) in self._sessions
        if not cached:
            self.asked.append(account_id)
            self.requests.append((actions, request_id))
            self.fates.get(account_id, bool)()
            self._sessions.add((account_id, actions))
        return FakeAccount(account_id, None, cached, self)

    def own_account_id(self) -> str | None:
        return HUB

    def forget(self, account_id: str, actions: Any) -> None:
        self._sessions.discard((account_id, actions))

    @property
    def asked_times(self) -> Counter[str]:
        return Counter(self.asked)


@dataclass(frozen=True)
class FakeAccount:
    id: str
    region: str | None
    cached: bool
    hub: FakeHub

    def client(self, service: str) -> FakeAccount:
        """Its own clients of STS and EC2."""
        return self

    def get_caller_identity(self) -> Any:
        if not self.hub.accepts:
            raise ClientError({"Error": {"Code": "ExpiredToken"}}, "GetCallerIdentity")

    def describe_regions(self) -> Any:
        self.hub.calls.append("DescribeRegions")
        if self.hub.enabled is None:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeRegions")
        return {"Regions": [{"RegionName": name} for name in self.hub.enabled]}

    def in_region(self, region: str | None) -> FakeAccount:
        return replace(self, region=region)


@check(actions=["sts:GetCallerIdentity"])
def whoami(account: Any) -> Any:
    """Say who and where."""
    return {"account": account.id, "region": account.region}


def throttled(times: int = 1_000_000) -> Fate:
    """STS throttles so many times."""
    left = iter(range(times))

    def fate() -> None:
        if next(left, None) is not None:
            raise AssumeRoleThrottled("AssumeRole: throttled.", hint="Later.", code="Throttling")

    return fate


def denied() -> None:
    raise AssumeRoleDenied("AssumeRole: denied.", hint="Trust us.", code="AccessDenied", request_id="aws-request-id")


def sweep(hub: FakeHub, accounts: Iterable[Any], **more: Any) -> dict[str, Any]:
    """The response of a sweep, also if every account failed."""
    return sweep_answer(hub, accounts, **more).as_dict()


def sweep_answer(
    hub: FakeHub,
    accounts: Iterable[Any] | None,
    *,
    check: Check = whoami,
    regions: tuple[str | None, ...] = (None,),
    concurrency: int = 8,
    time_left: Callable[[], float] | None = None,
    **more: Any,
) -> Answer:
    request = SweepRequest.from_event({"check": "identity", "concurrency": concurrency}, Settings())
    request = replace(
        request, checks=(check.asked({}),), regions=regions, accounts=None if accounts is None else tuple(accounts)
    )
    deadline = Deadline(time_left or until(60))
    return run_sweep(hub, Settings(), request, deadline=deadline, request_id="request-1", **more)  # type: ignore[arg-type]


def until(seconds: float) -> Callable[[], float]:
    """The time left, of so many seconds from now."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def sweeping_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sweep-")]


def outcome(answer: dict[str, Any]) -> dict[str, str]:
    """Of each account "ok" or the type of its error."""
    return {item["account_id"]: "ok" if item["ok"] else item["error"]["type"] for item in answer["results"]}
