"""The entry points: each reads its event, calls one thing and answers. `chalicelib` does the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from chalice.app import Chalice, IAMAuthorizer, Request, Response

from chalicelib import answers
from chalicelib.checks import CHECKS
from chalicelib.cross_account import Hub
from chalicelib.errors import InvalidInput
from chalicelib.logs import keep_secrets_out, logger
from chalicelib.requests import CheckRequest, known_fields
from chalicelib.run_check import run_check
from chalicelib.settings import Settings

app = Chalice(app_name="cross-account", configure_logs=False)
signed = IAMAuthorizer()
"""Every route has it: Chalice's default is a route that the whole internet may call."""

keep_secrets_out()


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


def _one_check(event: Any, context: Any) -> dict[str, Any]:
    settings = _settings()
    request = CheckRequest.from_event(event, settings)
    hub = _hub(settings)
    try:
        result = run_check(
            hub,
            request.check,
            request.account_id,
            request.params,
            region=request.region,
            request_id=context.aws_request_id,
        )
    finally:
        hub.end_invocation()
    return {
        "message": "Successfully processed request",
        "account_id": request.account_id,
        "check": request.check.name,
        "result": result,
    }


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
