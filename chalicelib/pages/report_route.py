"""`GET /report/{check}`: which query it takes, and what it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from chalicelib.cross_account import InvalidInput
from chalicelib.errors import to_cross_account_error
from chalicelib.outputs.responses import Response, check_http_response_size, error_body, http_error
from chalicelib.pages import report
from chalicelib.sweeps.outcome import Answer

_LISTS = ("accounts", "exclude", "regions")
_TEXTS = ("organizational_unit",)
_KEYS = (*_LISTS, *_TEXTS)


class Query(Protocol):
    """The query string: a name may occur more than once."""

    def __iter__(self) -> Iterator[str]: ...

    def getlist(self, name: str, /) -> list[str]: ...


def event_of(check: str, query: Query | None) -> dict[str, Any]:
    """The event of a sweep for a query such as `accounts=111122223333,444455556666&regions=eu-west-1`.

    A check's own parameters are not accepted: any page on the web can make a browser open an address on this machine,
    where `chalice local` asks for no signature, and what costs money (a prompt for a model) needs parameters.

    Raises:
        InvalidInput: the query has an unknown name, or an empty place in a list. What it does have is validated as the
            event of any sweep.
    """
    event: dict[str, Any] = {"check": check}
    if query is None:
        return event
    for name in query:
        if name not in _KEYS:
            raise InvalidInput(f"Unknown in the query: {ascii(name)[:60]}. It takes: {', '.join(_KEYS)}.")
        values = query.getlist(name)
        if name in _TEXTS:
            event[name] = values[-1]
            continue
        event[name] = [part.strip() for value in values for part in value.split(",")]
        if "" in event[name]:  # an unset variable must not mean everything
            raise InvalidInput(f"{name} has an empty place in the query.")
    return event


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
