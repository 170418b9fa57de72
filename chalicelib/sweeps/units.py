"""The units of the organization: which accounts are below one, and the path of names that leads to an account."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from chalicelib.errors import AccountsNotListed

MAX_DEPTH = 20
"""AWS nests units five deep: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""

Way = tuple[str, ...]
"""The ids that lead to an account: the root first, or the unit that was asked for, then unit after unit."""


class Units:
    """Reads the units, each of them once.

    Attributes:
        organizations: the client to read them with.
    """

    def __init__(self, organizations: Any) -> None:
        self.organizations = organizations
        self._names_below: dict[str, dict[str, str]] = {}

    def accounts(self, way: Way) -> Iterator[tuple[dict[str, Any], Way]]:
        """The accounts below the last unit of a way, at any depth, each with the way on to its own unit."""
        for account in pages(self.organizations, "list_accounts_for_parent", "Accounts", ParentId=way[-1]):
            yield account, way
        for unit in self._below(way[-1]):
            yield from self.accounts(_bounded((*way, unit)))

    def way_to(self, child: str) -> Way:
        """The way from the root to the unit that an account or a unit is in."""
        way: Way = ()
        while not is_whole(way):
            parents = pages(self.organizations, "list_parents", "Parents", ChildId=way[0] if way else child)
            way = _bounded((field(next(parents, None), "Id", str), *way))
        return way

    def path(self, way: Way) -> str | None:
        """The names of the units on a way from the root; None: one of them has been moved or deleted meanwhile.

        That takes a call for each unit with a unit below it, and none for the others.
        """
        names = []
        for parent, unit in pairwise(way):
            if unit not in self._below(parent):
                return None
            names.append(self._below(parent)[unit])
        return "/".join(names)

    def _below(self, parent: str) -> dict[str, str]:
        """The names of the units directly below a root or a unit, by id."""
        if parent not in self._names_below:
            found = pages(
                self.organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent
            )
            self._names_below[parent] = {field(unit, "Id", str): str(unit.get("Name") or unit["Id"]) for unit in found}
        return self._names_below[parent]


def way_of(account: dict[str, Any]) -> Way:
    """The way from the root that an account names itself, by its field Paths; empty: it names none.

    A path is `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/123456789012/`: ids, not names. AWS added it in March 2026.
    """
    paths = account.get("Paths")
    first = paths[0] if isinstance(paths, list) and paths else ""
    return tuple(part for part in str(first).split("/") if part.startswith(("r-", "ou-")))


def is_whole(way: Way) -> bool:
    """Whether a way begins at the root."""
    return bool(way) and way[0].startswith("r-")


def pages(organizations: Any, operation: str, item: str, **request: str) -> Iterator[Any]:
    """The items of all pages.

    Raises:
        AccountsNotListed: a response has no such items.
    """
    for page in organizations.get_paginator(operation).paginate(**request):
        yield from field(page, item, list)


def field(of: Any, name: str, kind: type) -> Any:
    """A field of a response.

    Raises:
        AccountsNotListed: it is not there, or of another type.
    """
    if not isinstance(of, dict) or name not in of:
        raise malformed(f"no {name}")
    if not isinstance(of[name], kind):
        raise malformed(f"a malformed {name}")
    return of[name]


def malformed(what: str) -> AccountsNotListed:
    return AccountsNotListed(
        f"The response of AWS Organizations has {what}.", hint="Is there a proxy in between? Retry."
    )


def _bounded(way: Way) -> Way:
    if len(way) > MAX_DEPTH:
        raise malformed(f"units that are nested more than {MAX_DEPTH} deep")
    return way
