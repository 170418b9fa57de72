"""Results and errors as responses of Lambda and HTTP: one decorator for each kind of entry point."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from chalicelib.cross_account import CrossAccountError
from chalicelib.errors import ResultTooLarge, to_cross_account_error

MAX_BYTES = 6 * 1024 * 1024
"""A Lambda's synchronous response, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

JSON = {"Content-Type": "application/json"}

Handler = Callable[[Any, Any], dict[str, Any]]
"""Takes Lambda's event and context, and returns the body."""

Response = tuple[int, str, Mapping[str, str]]
"""Of a route: HTTP status, body and headers."""


def lambda_envelope(work: Handler) -> Handler:
    """Respond to a direct invocation with `{"statusCode", "body"}`, the body being a JSON string.

    With `"raise_on_error": true` in the event a failure is raised, so that Lambda counts it, Step Functions can catch
    it by class name and `chalice invoke` exits 1.
    """

    @wraps(work)
    def handler(event: Any, context: Any) -> dict[str, Any]:
        try:
            return check_response_size({"statusCode": 200, "body": json.dumps(work(event, context))})
        except Exception as error:
            failure = to_cross_account_error(error, "input")
            if isinstance(event, dict) and event.get("raise_on_error") is True:
                raise failure from None
            return {"statusCode": failure.status, "body": json.dumps(error_body(failure))}

    return handler


def raise_errors(work: Handler) -> Handler:
    """Respond to a direct invocation with the plain result. Every failure is raised as a CrossAccountError, so that no
    text of an unexpected exception gets into the response or the log."""

    @wraps(work)
    def handler(event: Any, context: Any) -> dict[str, Any]:
        try:
            return check_response_size(work(event, context))
        except Exception as error:
            raise to_cross_account_error(error, "input") from None

    return handler


def http_response(view: Callable[..., dict[str, Any]]) -> Callable[..., Response]:
    """Respond to a request with the body that a view returns, or with the error that it raises."""

    @wraps(view)
    def respond(**path: str) -> Response:
        try:
            return check_http_response_size(200, json.dumps(view(**path)), JSON)
        except Exception as error:
            return http_error(error)

    return respond


def http_error(error: Exception) -> Response:
    failure = to_cross_account_error(error, "input")
    return failure.http_status, json.dumps(error_body(failure)), JSON


def error_body(failure: CrossAccountError) -> dict[str, Any]:
    body = {"message": failure.public_message(), "error": failure.as_dict()}
    return body if failure.result is None else {**body, "result": failure.result}


def check_http_response_size(status: int, body: str, headers: Mapping[str, str]) -> Response:
    """Return a route's response if Lambda can, in the form in which Chalice returns it.

    Raises:
        ResultTooLarge
    """
    check_response_size({"headers": {**headers}, "multiValueHeaders": {}, "statusCode": status, "body": body})
    return status, body, headers


def check_response_size(response: dict[str, Any]) -> dict[str, Any]:
    """Return a response if a Lambda function can.

    Raises:
        ResultTooLarge: it cannot; Lambda would end the invocation with a runtime error.
    """
    size = len(json.dumps(response))
    if size > MAX_BYTES:
        raise ResultTooLarge(
            f"The result has {size / 1024 / 1024:.1f} MB; a Lambda function can return 6 MB at most.",
            hint="Ask for less: use the check's parameters, or fewer accounts at a time.",
        )
    return response
