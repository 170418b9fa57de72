"""The entry points: each reads its event, calls one thing and returns. `chalicelib` does the work."""

from __future__ import annotations

import gc

# Imports make 60,000 objects that all stay. Without the collector looking through them, the CPU time to the first
# response of a cold start is 4 % less.
gc.disable()

import json
import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from chalice.app import Chalice, IAMAuthorizer, Request, Response

from chalicelib.app_log import silence_botocore_debug, warn_of_compiling
from chalicelib.checks import CHECKS
from chalicelib.cross_account import CrossAccountError, Hub, InvalidInput
from chalicelib.inputs.fields import reject_unknown_fields
from chalicelib.inputs.query import event_of
from chalicelib.inputs.requests import CheckRequest, ListingRequest, SweepRequest
from chalicelib.inputs.settings import Settings, current_settings, open_hub
from chalicelib.outputs.metrics import write_metrics
from chalicelib.outputs.responses import http_error, http_response, lambda_envelope, raise_errors
from chalicelib.sweeps.ask import Question
from chalicelib.sweeps.deadline import PAGE_SECONDS, Deadline
from chalicelib.sweeps.outcome import Answer

app = Chalice(app_name="cross-account", configure_logs=False)
signed = IAMAuthorizer()
"""Every route has it: without one, Chalice makes a route that the whole internet may call."""

silence_botocore_debug()
gc.freeze()  # what the imports made is looked at by no later collection
gc.enable()

if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:  # there, API Gateway asks for a signature
    from chalicelib.inputs.local_request import check_local_request

    @app.middleware("http")
    def serve_only_the_developer(request: Request, get_response: Callable[[Request], Response]) -> Response:
        """Every route of `chalice local`."""
        try:
            check_local_request(request.headers, request.raw_body)
        except InvalidInput as error:
            return _response(*http_error(error))
        return get_response(request)

else:
    warn_of_compiling(function="chalicelib", layer="botocore")


def json_route(view: Callable[..., dict[str, Any]]) -> Callable[..., Response]:
    """A route whose view returns the body of the response."""
    respond = http_response(view)
    return wraps(view)(lambda **path: _response(*respond(**path)))


def page_route(view: Callable[..., tuple[Answer, dict[str, Any]]]) -> Callable[..., Response]:
    """A route whose view returns the answer of a sweep and its event, to be shown as a page."""

    @wraps(view)
    def respond(**path: str) -> Response:
        from chalicelib.pages import report_route  # only such a route pays for it at a cold start

        accept = _request().headers.get("accept", "")
        try:
            return _response(*report_route.respond(*view(**path), accept))
        except Exception as error:
            return _response(*report_route.respond_with_error(error, accept))

    return respond


@app.lambda_function()
@lambda_envelope
def switch_account(event: Any, context: Any) -> dict[str, Any]:
    """Run one check in one account: `{"account_id": "123456789012", "check": "s3_buckets"}`."""
    return _check(event, context)


@app.lambda_function()
@raise_errors
def sweep(event: Any, context: Any) -> dict[str, Any]:
    """Run one check or several over many accounts: `{"check": "preflight"}` for the whole organization.

    With `"store": true` the results go to RESULTS_BUCKET; `"run"`, `"part"` and `"date"` say under which key.
    """
    return _sweep(event, context)


@app.lambda_function()
@raise_errors
def list_accounts(event: Any, context: Any) -> dict[str, Any]:
    """List the organization's accounts, with names and units or, for a state machine, in batches of ids.

    With `"store": true` they go to RESULTS_BUCKET as well; `"run"` and `"date"` say beside which results.
    """
    from chalicelib.outputs.store import STORE_SECONDS, StoredFile, account_lines, accounts_key
    from chalicelib.sweeps.organization import list_accounts as list_organization

    request, settings = ListingRequest.from_event(event), current_settings()
    request_id, deadline = context.aws_request_id, Deadline.of(context)
    with open_hub(settings) as hub:
        organization = settings.organization_account_id
        if not request.store:
            return list_organization(hub, request, organization, request_id, deadline).as_dict(request.batch_size)
        file = StoredFile(hub, settings.results_bucket, accounts_key(request.store, request_id))
        listing = list_organization(hub, request, organization, request_id, deadline.before(STORE_SECONDS))
        return listing.as_dict(request.batch_size) | {"location": file.write(account_lines(listing), deadline)}


@app.route("/checks", methods=["GET"], authorizer=signed)
@json_route
def list_checks() -> dict[str, Any]:
    """List the checks, with their parameters and actions."""
    return {"checks": [check.as_dict() for check in CHECKS.values()]}


@app.route("/accounts/{account_id}/checks/{check}", methods=["POST"], authorizer=signed)
@json_route
def check_account(account_id: str, check: str) -> dict[str, Any]:
    """Run one check in one account; the body, if any, is `{"region", "params"}`."""
    body = reject_unknown_fields(_json_body(), ("region", "params"))
    return _check({**body, "account_id": account_id, "check": check}, _request().lambda_context)


@app.route("/sweeps", methods=["POST"], authorizer=signed)
@json_route
def sweep_accounts() -> dict[str, Any]:
    """Run one check over many accounts; the body is the event of `sweep`."""
    return _sweep(_json_body(), _request().lambda_context)


@app.route("/report/{check}", methods=["GET"], authorizer=signed)
@page_route
def report_accounts(check: str) -> tuple[Answer, dict[str, Any]]:
    """Run one check over many accounts, and show the outcomes as a page."""
    event = event_of(check, _request().query_params)
    settings = current_settings()
    request = SweepRequest.from_event(event, settings)
    with open_hub(settings) as hub:
        context = _request().lambda_context
        return _answer(hub, settings, request, context, Deadline.of(context).before(PAGE_SECONDS)), event


def _check(event: Any, context: Any) -> dict[str, Any]:
    settings = current_settings()
    request = CheckRequest.from_event(event, settings)
    with open_hub(settings) as hub:
        asked = request.asked
        question = Question(hub, asked.name, (asked,), (request.region,), context.aws_request_id)
        answer = question.ask(request.account_id, Deadline.of(context))
    write_metrics(settings, answer)
    return {
        "message": "Successfully processed request",
        "account_id": request.account_id,
        "check": asked.name,
        "result": answer.outcomes[0].unwrap(),
    }


def _sweep(event: Any, context: Any) -> dict[str, Any]:
    from chalicelib.outputs.store import STORE_SECONDS, StoredFile, keep_results, results_key

    settings, deadline = current_settings(), Deadline.of(context)
    request = SweepRequest.from_event(event, settings)
    with open_hub(settings) as hub:
        if not request.store:
            answer = _answer(hub, settings, request, context, deadline)
            answer.raise_if_all_failed()
            return answer.as_dict()
        file = StoredFile(hub, settings.results_bucket, results_key(request, context.aws_request_id))
        answer = _answer(hub, settings, request, context, deadline.before(STORE_SECONDS))
        return keep_results(file, answer, deadline)  # each failure is a line there, which raising would lose


def _answer(hub: Hub, settings: Settings, request: SweepRequest, context: Any, deadline: Deadline) -> Answer:
    from chalicelib.sweeps.sweep import sweep as run_sweep  # a direct answer needs neither this nor a store: 4 ms

    try:
        answer = run_sweep(hub, settings, request, deadline=deadline, request_id=context.aws_request_id)
    except CrossAccountError as error:
        write_metrics(settings, Answer(request.name, ()), listing_error=error)
        raise
    write_metrics(settings, answer)
    return answer


def _response(status: int, body: str, headers: Mapping[str, str]) -> Response:
    return Response(body=body, status_code=status, headers={**headers})


def _request() -> Request:
    assert app.current_request is not None  # Chalice sets it before it calls a route
    return app.current_request


def _json_body() -> Any:
    """Chalice's own `json_body` responds to malformed JSON in another form than ours."""
    try:
        return json.loads(_request().raw_body or "{}")
    except (ValueError, RecursionError):
        raise InvalidInput("The body must be a JSON object.") from None
