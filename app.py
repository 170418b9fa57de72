"""The entry points: each reads its event, calls one thing and answers. `chalicelib` does the work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from chalice.app import Chalice, IAMAuthorizer, Request, Response

import chalicelib.cold_start  # before the others
from chalicelib import answers
from chalicelib.checks import CHECKS
from chalicelib.cross_account import Hub
from chalicelib.errors import InvalidInput
from chalicelib.logs import keep_secrets_out, logger
from chalicelib.metrics import Meter
from chalicelib.organization import listing, members
from chalicelib.requests import CheckRequest, known_fields
from chalicelib.results_store import STORE_SECONDS, ResultsStore
from chalicelib.run_check import run_check
from chalicelib.settings import Settings
from chalicelib.sweep import Sweep
from chalicelib.sweep_request import ListingRequest, SweepRequest

app = Chalice(app_name="cross-account", configure_logs=False)
signed = IAMAuthorizer()
"""Every route has it: Chalice's default is a route that the whole internet may call."""

keep_secrets_out()
chalicelib.cold_start.is_over()


@app.lambda_function()
def switch_account(event: Any, context: Any) -> dict[str, Any]:
    """Run one check in one account: `{"account_id": "123456789012", "check": "s3_buckets"}`."""
    return answers.direct(event, lambda: _one_check(event, context))


@app.route("/checks", methods=["GET"], authorizer=signed)
def list_checks() -> Response:
    """Say which checks there are, with their parameters and actions."""
    return _http(lambda: {"checks": [check.as_dict() for check in CHECKS.values()]})


@app.route("/accounts/{account_id}/checks/{check}", methods=["POST"], authorizer=signed)
def check_account(account_id: str, check: str) -> Response:
    """Run one check in one account; the body, if any, is `{"region", "params"}`."""

    def work() -> dict[str, Any]:
        request = _current_request()
        body = known_fields(_json_body(request), ("region", "params"))
        return _one_check({**body, "account_id": account_id, "check": check}, request.lambda_context)

    return _http(work)


@app.lambda_function()
def sweep(event: Any, context: Any) -> dict[str, Any]:
    """Run one check over many accounts: `{"check": "preflight"}` for the whole organization.

    With `"store": true` the results go to RESULTS_BUCKET; `"run"`, `"part"` and `"date"` say under which key.
    """
    return answers.plain(lambda: _sweep(event, context))


@app.lambda_function()
def list_accounts(event: Any, context: Any) -> dict[str, Any]:
    """List the organization's accounts, with names or, for a state machine, in batches of ids."""

    def work() -> dict[str, Any]:
        request = ListingRequest.from_event(event)
        with _warm_hub() as hub:
            return listing(hub, request, context.aws_request_id)

    return answers.plain(work)


@app.route("/sweeps", methods=["POST"], authorizer=signed)
def sweep_accounts() -> Response:
    """Run one check over many accounts; the body is the event of `sweep`."""

    def work() -> dict[str, Any]:
        request = _current_request()
        return _sweep(_json_body(request), request.lambda_context)

    return _http(work)


@app.route("/report/{check}", methods=["GET"], authorizer=signed)
def report_accounts(check: str) -> Response:
    """Run one check over many accounts, and show what came of it as a page for people."""
    from chalicelib import report_http  # nobody else needs it at a cold start

    request = _current_request()
    status, body, headers = report_http.respond(
        check,
        request.query_params,
        request.headers.get("accept", ""),
        lambda event, names: _sweep(event, request.lambda_context, names),
    )
    return Response(body=body, status_code=status, headers={**headers})


def _sweep(event: Any, context: Any, names: dict[str, str] | None = None) -> dict[str, Any]:
    request = SweepRequest.from_event(event)
    with _warm_hub() as hub, Meter(hub, request.check.name) as meter:
        store = ResultsStore(hub, request, context.aws_request_id) if request.store else None
        accounts = request.accounts
        if accounts is None:
            found = members(hub, request.listing, context.aws_request_id)
            accounts = tuple(member.id for member in found)
            if names is not None:
                names.update((member.id, member.name) for member in found)
        time_left = partial(_seconds_left, context, kept_back=STORE_SECONDS if store else 0.0)
        answer = Sweep(hub, request, accounts, time_left=time_left, request_id=context.aws_request_id).run()
        meter.saw(answer["results"])
        return store.keep(answer) if store else answer


def _one_check(event: Any, context: Any) -> dict[str, Any]:
    settings = _settings()
    request = CheckRequest.from_event(event, settings)
    with _warm_hub(settings) as hub, Meter(hub, request.check.name) as meter, meter.one_account():
        result = run_check(
            hub,
            request.check,
            request.account_id,
            request.params,
            region=request.region,
            request_id=context.aws_request_id,
        )
    return {
        "message": "Successfully processed request",
        "account_id": request.account_id,
        "check": request.check.name,
        "result": result,
    }


@contextmanager
def _warm_hub(settings: Settings | None = None) -> Iterator[Hub]:
    hub = _hub(settings or _settings())
    try:
        yield hub
    finally:
        hub.end_invocation()


def _seconds_left(context: Any, kept_back: float = 0.0) -> float:
    return float(context.get_remaining_time_in_millis()) / 1000 - kept_back


def _settings() -> Settings:
    settings = Settings.from_environment()
    logger.setLevel(settings.log_level)
    return settings


@lru_cache(maxsize=1)
def _hub(settings: Settings) -> Hub:
    """Kept for the life of the process: its clients and sessions are what makes a warm invocation cheap."""
    return Hub(settings)


def _http(work: Callable[[], dict[str, Any]]) -> Response:
    status, body = answers.http(work)
    return Response(body=json.dumps(body), status_code=status, headers={"Content-Type": "application/json"})


def _current_request() -> Request:
    assert app.current_request is not None  # Chalice sets it before it calls a route
    return app.current_request


def _json_body(request: Request) -> Any:
    """Chalice's own `json_body` answers malformed JSON in another form than ours."""
    if not request.raw_body:
        return {}
    try:
        return json.loads(request.raw_body)
    except (ValueError, RecursionError):
        raise InvalidInput("The body must be a JSON object.") from None
