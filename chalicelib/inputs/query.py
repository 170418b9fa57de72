"""The query string of `GET /report/{check}`, as the event of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from chalicelib.cross_account import InvalidInput

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
    if event.get("regions") == ["all"]:
        event["regions"] = "all"
    return event
