"""A hub without AWS, for sweeps: every account is let in at once, unless a test says what becomes of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from chalicelib.check import Check, check
from chalicelib.errors import AssumeRoleDenied, AssumeRoleThrottled
from chalicelib.settings import Settings
from chalicelib.sweep import Sweep
from chalicelib.sweep_request import SweepRequest

Fate = Callable[[], Any]


def ids(count: int, first: int = 100_000_000_001) -> list[str]:
    return [f"{number:012}" for number in range(first, first + count)]


class FakeHub:
    """Keeps sessions like a hub, and counts.

    Attributes:
        fates: what an account's AssumeRole does before it lets in: nothing, wait, or raise.
        asked: the ids that AssumeRole was asked for, in order.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.fates: dict[str, Fate] = {}
        self.asked: list[str] = []
        self._sessions: set[str] = set()

    def account(self, account_id: str, actions: Any, *, region: str | None = None, request_id: str) -> Any:
        if account_id not in self._sessions:
            self.asked.append(account_id)
            self.fates.get(account_id, bool)()
            self._sessions.add(account_id)
        return SimpleNamespace(id=account_id, region=region, request_id=request_id)

    def forget(self, account_id: str, actions: Any) -> None:
        self._sessions.discard(account_id)

    @property
    def asked_times(self) -> Counter[str]:
        return Counter(self.asked)


@check(actions=["sts:GetCallerIdentity"])
def whoami(account: Any) -> Any:
    """Say who and where."""
    return {"account": account.id, "region": account.region}


def throttled(times: int = 1_000_000) -> Fate:
    """STS throttles, so many times."""
    left = iter(range(times))

    def fate() -> None:
        if next(left, None) is not None:
            raise AssumeRoleThrottled("AssumeRole: throttled.", hint="Later.", code="Throttling")

    return fate


def denied() -> None:
    raise AssumeRoleDenied("AssumeRole: denied.", hint="Trust us.", code="AccessDenied", request_id="aws-request-id")


def sweep(hub: FakeHub, accounts: Any, *, check: Check = whoami, **how: Any) -> dict[str, Any]:
    return sweep_of(hub, accounts, check=check, **how).run()


def sweep_of(
    hub: FakeHub,
    accounts: Any,
    *,
    check: Check = whoami,
    regions: tuple[str | None, ...] = (None,),
    concurrency: int = 8,
    time_left: Callable[[], float] | None = None,
    **more: Any,
) -> Sweep:
    asked = SweepRequest.from_event({"check": "identity", "concurrency": concurrency})
    request = replace(asked, check=check, regions=regions)
    return Sweep(hub, request, accounts, time_left=time_left or until(60), request_id="request-1", **more)  # type: ignore[arg-type]


def until(seconds: float) -> Callable[[], float]:
    """The time left, of so many seconds from now on."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def sweeping_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sweep-")]


def outcome(answer: dict[str, Any]) -> dict[str, str]:
    """What came of each account: "ok" or the type of its error."""
    return {item["account_id"]: "ok" if item["ok"] else item["error"]["type"] for item in answer["results"]}
