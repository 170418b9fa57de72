"""The entry points as Lambda calls them: each with a limit, and a clock that runs towards it."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalice.config import Config
from chalice.local import LambdaContext, LocalGateway

import app
from chalicelib.cross_account import CrossAccountError
from tests.contract import CONTRACTS
from tests.fake_hub import outcome

Event = dict[str, Any]
Door = Callable[[Event, float], tuple[int | None, Any]]


@dataclass(frozen=True)
class Answered:
    """What an entry point answered.

    Attributes:
        status: the envelope's or the route's; None: a function that has neither returned, or raised.
        body: an error is in it as "error", also one that was raised.
        seconds_left: of the limit.
    """

    status: int | None
    body: dict[str, Any]
    seconds_left: float

    @property
    def told(self) -> tuple[int | None, str | None, str | None]:
        """Status, and the error's type and stage."""
        error = self.body.get("error", {})
        return self.status, error.get("type"), error.get("stage")

    @property
    def outcomes(self) -> dict[str, str]:
        """Of each account of a sweep that was asked "ok" or the type of its error."""
        return outcome(self.body) if "results" in self.body else {}

    @property
    def adds_up(self) -> bool:
        """Whether a sweep's summary counts every account that it listed, each of them once."""
        summary, asked, left = self.body["summary"], set(self.outcomes), set(self.body["not_started"])
        counts = (summary["ok"] + summary["failed"], summary["not_started"], summary["accounts"])
        return not asked & left and counts == (len(asked), len(left), len(asked | left))


def ask(door: str, event: Event, seconds: float) -> Answered:
    """Ask at one of `DOORS` with so many seconds until its limit."""
    end = time.monotonic() + seconds
    try:
        status, body = DOORS[door](event, seconds)
    except CrossAccountError as error:
        status, body = None, {"error": error.as_dict()}
    return Answered(status, body, end - time.monotonic())


def contract(door: str, type: str) -> tuple[int | None, str, str]:
    """What a door must say of an error: status, type and stage."""
    contract = CONTRACTS[type]
    through = {"direct": "direct", "sweep": "raised", "list_accounts": "raised"}.get(door, "http")
    return contract.status_through(through), type, contract.stage


def context(seconds: float) -> LambdaContext:
    return LambdaContext("cross-account-test", 512, max_runtime_ms=round(seconds * 1000))


def _direct(event: Event, seconds: float) -> tuple[int, Any]:
    answer = app.switch_account(event, context(seconds))
    return answer["statusCode"], json.loads(answer["body"])


def _account(event: Event, seconds: float) -> tuple[int, Any]:
    body = {name: value for name, value in event.items() if name in ("region", "params")}
    return _request("POST", f"/accounts/{event['account_id']}/checks/{event['check']}", body, seconds)


def _request(method: str, path: str, body: Event, seconds: float) -> tuple[int, Any]:
    gateway = LocalGateway(app.app, Config.create(lambda_timeout=seconds))  # what it hands over as the context
    headers: Mapping[str, str] = {"Content-Type": "application/json"}
    with warnings.catch_warnings():  # chalice says of every IAMAuthorizer that it lets everybody in locally
        warnings.simplefilter("ignore", UserWarning)
        answer = gateway.handle_request(method, path, headers, json.dumps(body).encode())
    return answer["statusCode"], json.loads(answer["body"])


DOORS: dict[str, Door] = {
    "direct": _direct,
    "route": _account,
    "sweep": lambda event, seconds: (None, app.sweep(event, context(seconds))),
    "POST /sweeps": lambda event, seconds: _request("POST", "/sweeps", event, seconds),
    "GET /report": lambda event, seconds: _request("GET", f"/report/{event['check']}", {}, seconds),
    "list_accounts": lambda _event, seconds: (None, app.list_accounts({}, context(seconds))),
}
"""The last two take nothing of a sweep's event but the check, or nothing."""
