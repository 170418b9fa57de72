"""Results and errors as responses of Lambda and HTTP: one decorator for each kind of entry point."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from chalicelib.cross_account import CrossAccountError
from chalicelib.errors import ResultTooLarge, to_cross_account_error

MAX_BYTES = 6 * 1024 * 1024
"""A Lambda's synchronous response, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

Handler = Callable[[Any, Any], dict[str, Any]]
"""Takes Lambda's event and context, and returns the body."""


def lambda_envelope(work: Handler) -> Handler:
    """Respond to a direct invocation with `{"statusCode", "body"}`, the body being a JSON string.

    With `"raise_on_error": true` in the event a failure is raised, so that Lambda counts it, Step Functions can catch
    it by class name and `chalice invoke` exits 1.
    """

    @wraps(work)
    def handler(event: Any, context: Any) -> dict[str, Any]:
        try:
            return {"statusCode": 200, "body": check_response_size(json.dumps(work(event, context)))}
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
            body = work(event, context)
            check_response_size(json.dumps(body))
        except Exception as error:
            raise to_cross_account_error(error, "input") from None
        return body

    return handler


def http_response(work: Callable[[], dict[str, Any]]) -> tuple[int, str]:
    """The HTTP status and the JSON body of a route."""
    try:
        return 200, check_response_size(json.dumps(work()))
    except Exception as error:
        return http_error(error)


def http_error(error: Exception) -> tuple[int, str]:
    failure = to_cross_account_error(error, "input")
    return failure.http_status, json.dumps(error_body(failure))


def error_body(failure: CrossAccountError) -> dict[str, Any]:
    return {"message": failure.public_message(), "error": failure.as_dict()}


def check_response_size(body: str) -> str:
    """Return the body if a Lambda function can return it as a JSON string.

    Raises:
        ResultTooLarge: it cannot; Lambda would end the invocation with a runtime error.
    """
    size = len(body) + body.count('"') + body.count("\\") + 100  # each is escaped once more; and the envelope around it
    if size > MAX_BYTES:
        raise ResultTooLarge(
            f"The result has {size / 1024 / 1024:.1f} MB; a Lambda function can return 6 MB at most.",
            hint="Ask for less: use the check's parameters, or fewer accounts at a time.",
        )
    return body
