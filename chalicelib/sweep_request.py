"""What a sweep is asked for, and which accounts it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.check import Check
from chalicelib.errors import InvalidInput
from chalicelib.requests import json_type, known_check, known_fields, params, region
from chalicelib.result_key import STORE_KEYS, ResultKey
from chalicelib.settings import ACCOUNT_ID
from chalicelib.shared_clients import MOST_CONNECTIONS

LISTING_KEYS = ("organizational_unit", "exclude", "batch_size")
SWEEP_KEYS = ("check", "accounts", "organizational_unit", "exclude", "regions", "params", "concurrency", *STORE_KEYS)
DEFAULT_CONCURRENCY = 32


@dataclass(frozen=True)
class ListingRequest:
    """Which accounts of the organization.

    Attributes:
        organizational_unit: below this one; None: all.
        exclude: ids to leave out.
        batch_size: answer with batches of as many ids, for a state machine; None: with names.
    """

    organizational_unit: str | None
    exclude: frozenset[str]
    batch_size: int | None = None

    @classmethod
    def from_event(cls, event: Any) -> ListingRequest:
        """Raises InvalidInput, with one sentence that names the field."""
        return cls._from_fields(known_fields(event, LISTING_KEYS))

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> ListingRequest:
        return cls(
            organizational_unit=_organizational_unit(fields.get("organizational_unit")),
            exclude=frozenset(_excluded(item) for item in _list(fields, "exclude") or ()),
            batch_size=_whole_number(fields, "batch_size", most=10_000),
        )


@dataclass(frozen=True)
class SweepRequest:
    """One check over many accounts.

    Attributes:
        check, params: the question, validated.
        accounts: as asked, in order, each still to be validated; None: those of `listing`.
        listing: which accounts of the organization, if none are named.
        regions: the regions to ask in, in order; (None,): the function's own.
        concurrency: accounts under way at the same time.
        store: under which key the results are stored ("store": true, with "run", "part" and "date" if the caller
            wants to choose, see ResultKey); None: they are the answer.
    """

    check: Check
    params: Mapping[str, Any]
    accounts: tuple[Any, ...] | None
    listing: ListingRequest
    regions: tuple[str | None, ...]
    concurrency: int
    store: ResultKey | None = None

    @classmethod
    def from_event(cls, event: Any) -> SweepRequest:
        """Validate the event of a sweep.

        A malformed account id is not refused here: it is one account's failure, and the others go on.

        Raises:
            InvalidInput: one sentence that names the field; nothing has been called.
        """
        fields = known_fields(event, SWEEP_KEYS)
        if "check" not in fields:
            raise InvalidInput("A sweep needs a check.", hint='Send {"check": "preflight"} to see where we get in.')
        accounts = _list(fields, "accounts")
        if accounts is None and "accounts" in fields:  # a broken query upstream, and no wish to ask everybody
            raise InvalidInput("accounts must be a list, not null; leave it out to ask the whole organization.")
        if accounts is not None and (fields.get("organizational_unit") or fields.get("exclude")):
            raise InvalidInput("A sweep takes accounts, or organizational_unit and exclude, but not both.")
        request = cls(
            check=known_check(fields["check"]),
            params=params(fields),
            accounts=None if accounts is None else tuple(accounts),
            listing=ListingRequest._from_fields({key: fields[key] for key in fields if key in LISTING_KEYS}),
            regions=_regions(_list(fields, "regions")),
            concurrency=_whole_number(fields, "concurrency", most=MOST_CONNECTIONS) or DEFAULT_CONCURRENCY,
            store=ResultKey.from_fields(fields),
        )
        request.check.validate(request.params)
        return request


def _list(fields: Mapping[str, Any], name: str) -> list[Any] | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, list):
        raise InvalidInput(f"{name} must be a list, not {json_type(value)}.")
    return value


def _excluded(value: Any) -> str:
    """One that is malformed would leave out nothing, so here it stops everything."""
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        raise InvalidInput("exclude must be a list of account ids: strings of 12 digits, leading zeros included.")
    return value


def _regions(values: Sequence[Any] | None) -> tuple[str | None, ...]:
    if not values:
        return (None,)
    if None in values:
        raise InvalidInput("regions must be names of AWS regions, such as eu-west-1.")
    return tuple(dict.fromkeys(region(value) for value in values))


def _organizational_unit(value: Any) -> str | None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html"""
    if value is None:
        return None
    pattern = r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InvalidInput("organizational_unit must be the id of a unit or a root, such as ou-ab12-34cd56ef.")
    return value


def _whole_number(fields: Mapping[str, Any], name: str, *, most: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise InvalidInput(f"{name} must be a whole number from 1 to {most}.")
    return value
