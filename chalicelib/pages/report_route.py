"""What `GET /report/{check}` returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import ResultTooLarge, to_cross_account_error
from chalicelib.outputs.responses import Response, check_http_response_size, error_body, http_error
from chalicelib.pages import report
from chalicelib.pages.contents import contents_of
from chalicelib.sweeps.outcome import Answer

MAX_ROWS = 20_000
"""A row has 180 bytes and more, and a Lambda function returns 6 MB."""


def respond(answer: Answer, event: Mapping[str, Any], accept: str) -> Response:
    """The page of a sweep.

    A sweep in which every account failed is a 502 as at the other routes; a browser gets its page all the same, because
    the table says of each account why.

    Args:
        event: what was asked, to be shown on the page.
        accept: the request's header; browsers, and nothing else, name text/html in it.

    Raises:
        EveryAccountFailed: and the request is not a browser's.
        ResultTooLarge: a Lambda function cannot return the page.
    """
    rows = sum(contents_of(answer).counts().values())
    if rows > MAX_ROWS:  # at once: to make it first would take the time that there is to say so
        raise ResultTooLarge(
            f"The page would have {rows:,} rows; it can have {MAX_ROWS:,} at most.",
            hint="Ask for fewer accounts or regions at a time, POST /sweeps for JSON, or sweep.py from a terminal.",
        )
    status = 200
    try:
        answer.raise_if_all_failed()
    except Exception as error:
        if not _wants_html(accept):
            raise
        status = to_cross_account_error(error, "check").http_status
    return check_http_response_size(status, report.page(answer, asked=event), report.HEADERS)


def respond_with_error(error: Exception, accept: str) -> Response:
    """What went wrong, as a page if a browser asks, else as at every other route."""
    if not _wants_html(accept):
        return http_error(error)
    failure = to_cross_account_error(error, "input")
    page = report.error_page(failure.http_status, error_body(failure))
    return failure.http_status, page, report.HEADERS


def _wants_html(accept: str) -> bool:
    return "text/html" in accept
