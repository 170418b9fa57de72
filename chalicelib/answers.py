"""How an outcome is told: as the article's envelope, or as HTTP."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

from chalicelib.errors import CrossAccountError, InternalError, ResultTooLarge
from chalicelib.logs import logger

MOST_BYTES = 6 * 1024 * 1024
"""A Lambda's synchronous answer, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

Work = Callable[[], dict[str, Any]]


def direct(event: Any, work: Work) -> dict[str, Any]:
    """Answer a direct invocation with the envelope `{"statusCode", "body"}`, the body being a JSON string.

    Args:
        event: as it came; with `"raise_on_error": true` a failure is raised, so that Lambda counts it, Step Functions
            can catch it by class name and `chalice invoke` exits 1.
        work: gives the body of a success.

    Raises:
        CrossAccountError: the failure, if the event asks for that.
    """
    try:
        return fitting({"statusCode": 200, "body": json.dumps(work())})
    except Exception as error:
        failure = ours(error)
        if isinstance(event, dict) and event.get("raise_on_error") is True:
            raise failure from None
        return {"statusCode": failure.status, "body": json.dumps(failure_body(failure))}


def plain(work: Work) -> dict[str, Any]:
    """Answer a direct invocation with the plain outcome; every failure is raised.

    Raises:
        CrossAccountError: and nothing else, so that no text of an unforeseen exception gets into the answer or the log.
    """
    try:
        return fitting(work())
    except Exception as error:
        raise ours(error) from None


def http(work: Work) -> tuple[int, dict[str, Any]]:
    """Answer a route: the HTTP status and the body."""
    try:
        body = work()
        fitting({"statusCode": 200, "body": json.dumps(body)})  # what Lambda carries: every quote in it escaped
        return 200, body
    except Exception as error:
        failure = ours(error)
        return failure.http_status, failure_body(failure)


def failure_body(failure: CrossAccountError) -> dict[str, Any]:
    return {"message": failure.public_message(), "error": failure.as_dict()}


def fitting(answer: dict[str, Any]) -> dict[str, Any]:
    """Give the answer back if Lambda can carry it.

    Raises:
        ResultTooLarge: it cannot, and would have ended the invocation with a runtime error.
    """
    size = len(json.dumps(answer))
    if size > MOST_BYTES:
        raise ResultTooLarge(
            f"The result has {size / 1024 / 1024:.1f} MB; a Lambda function answers with 6 MB at most.",
            hint="Ask for less: use the check's parameters, or fewer accounts at a time.",
        )
    return answer


def ours(error: Exception) -> CrossAccountError:
    """Make any exception one of ours; one that nobody foresaw is logged by place, its text may hold anything."""
    if isinstance(error, CrossAccountError):
        return error
    logger.error("unforeseen", raised=type(error).__name__, where=traceback.format_tb(error.__traceback__))
    return InternalError(f"Unforeseen {type(error).__name__}.", hint="The log says where; please report it.")
