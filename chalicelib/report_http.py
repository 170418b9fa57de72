"""`GET /report/{check}`: what it may be asked for, and as what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from chalicelib import report
from chalicelib.answers import failure_body, fitting, ours
from chalicelib.errors import EveryAccountFailed, InvalidInput

_LISTS = ("accounts", "exclude", "regions")
_TEXTS = ("organizational_unit",)
_TAKEN = (*_LISTS, *_TEXTS)

Answered = tuple[int, str, dict[str, str]]
"""Status, body and headers."""

Sweep = Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]
"""Runs a sweep's event, puts into the second what accounts are called, and gives the answer."""


class Query(Protocol):
    """The query string: a name may stand in it more than once."""

    def __iter__(self) -> Iterator[str]: ...

    def getlist(self, name: str, /) -> list[str]: ...


def event_of(check: str, query: Query | None) -> dict[str, Any]:
    """Make the event of a sweep of a query such as `accounts=111122223333,444455556666&regions=eu-west-1`.

    A check's own parameters are not taken: any page on the web can make a browser ask for an address on this machine,
    where `chalice local` asks nobody for a signature, and what costs money (a prompt for a model) needs parameters.

    Raises:
        InvalidInput: it holds something else, or nothing where a list should be. What it does hold is validated as the
            event of any sweep.
    """
    event: dict[str, Any] = {"check": check}
    if query is None:
        return event
    for name in query:
        if name not in _TAKEN:
            raise InvalidInput(f"Unknown in the query: {ascii(name)[:60]}. It takes: {', '.join(_TAKEN)}.")
        values = query.getlist(name)
        if name in _TEXTS:
            event[name] = values[-1]
            continue
        event[name] = [part.strip() for value in values for part in value.split(",")]
        if "" in event[name]:  # a variable that was not set must not mean everything
            raise InvalidInput(f"{name} has an empty place in the query.")
    return event


def respond(check: str, query: Query | None, accept: str, sweep: Sweep) -> Answered:
    """Answer with the page of a sweep, or with what went wrong: as a page too if a browser asks, else as every route.

    A sweep in which every account failed is a 502 as at the other routes; a browser gets the page of it all the same,
    for its table says of each account why.

    Args:
        check, query: what is asked.
        accept: the request's header; browsers, and nobody else, ask for text/html by name.
        sweep: runs the event.
    """
    as_page = "text/html" in accept
    try:
        return _swept(event_of(check, query), sweep, even_if_all_failed=as_page)
    except Exception as error:
        failure = ours(error)
        body = failure_body(failure)
        if as_page:
            return failure.http_status, report.error_page(failure.http_status, body), report.HEADERS
        return failure.http_status, json.dumps(body), {"Content-Type": "application/json"}


def _swept(event: dict[str, Any], sweep: Sweep, *, even_if_all_failed: bool) -> Answered:
    names: dict[str, str] = {}
    status = 200
    try:
        answer = sweep(event, names)
    except EveryAccountFailed as error:
        if not even_if_all_failed or error.answer is None:
            raise
        status, answer = error.http_status, error.answer
    page = report.page(answer, names, asked=event)
    fitting({"statusCode": status, "body": page})
    return status, page, report.HEADERS
