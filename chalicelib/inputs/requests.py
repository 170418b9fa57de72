"""What a caller may ask for. A request is made from an event only after all of the event has been validated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from chalicelib.checks import POSTURE, posture
from chalicelib.checks.check import Asked, Check, shown
from chalicelib.cross_account import InvalidInput
from chalicelib.cross_account.account_id import ACCOUNT_ID, json_type, valid_account_id
from chalicelib.cross_account.clients import MAX_CONNECTIONS
from chalicelib.cross_account.region import most_regions
from chalicelib.inputs import fields as field
from chalicelib.inputs.fields import Fields
from chalicelib.inputs.settings import Settings

DEFAULT_CHECK = "identity"
DEFAULT_CONCURRENCY = 32
MAX_OUTCOMES = 200_000
"""Accounts times checks times regions of a sweep: with an error for each, it takes 380 MB of the function's 512."""

CHECK_KEYS = ("account_id", "check", "region", "params", "raise_on_error")
WHICH_KEYS = ("organizational_unit", "account_tags", "exclude", "tags")
STORE_KEYS = ("store", "run", "part", "date")
LISTING_KEYS = (*WHICH_KEYS, "batch_size", "store", "run", "date")
SWEEP_KEYS = ("check", "checks", "accounts", *WHICH_KEYS, "regions", "params", "concurrency", *STORE_KEYS)
MAX_NAME = 100
"""Characters of the name of several checks together."""
MAX_TAGS = 50
"""As many as AWS lets an account have."""

Regions = tuple[str | None, ...] | Literal["all"]
"""In order, None being the function's own region; or those that an account has enabled."""


@dataclass(frozen=True)
class CheckRequest:
    """One check in one account."""

    account_id: str
    asked: Asked
    region: str | None

    @classmethod
    def from_event(cls, event: Any, settings: Settings) -> CheckRequest:
        """Validate the event of a direct invocation.

        Raises:
            InvalidInput: one sentence that names the field; nothing has been called.
        """
        fields = field.reject_unknown_fields(event, CHECK_KEYS)
        field.flag(fields, "raise_on_error")
        account_id = valid_account_id(fields.get("account_id"), settings.allowed_accounts)
        check = field.known_check(fields.get("check", DEFAULT_CHECK))
        region = field.region(fields.get("region"))
        return cls(account_id, field.asked(check, field.params(fields), settings), region)


@dataclass(frozen=True)
class ListingRequest:
    """Which accounts of the organization.

    Attributes:
        organizational_unit: those below this unit or root, at any depth; None: all.
        exclude: ids to leave out.
        account_tags: those that have all of these tags, each a name and a value; empty: with any tags.
        tags: tell the tags.
        batch_size: return the ids in batches of this size, for a state machine; None: return the accounts.
        store: how the accounts are stored beside the results; None: they are not.
    """

    organizational_unit: str | None
    exclude: frozenset[str]
    account_tags: frozenset[tuple[str, str]] = frozenset()
    tags: bool = False
    batch_size: int | None = None
    store: StoreRequest | None = None

    @classmethod
    def from_event(cls, event: Any) -> ListingRequest:
        """Validate the event of `list_accounts`.

        Raises:
            InvalidInput: one sentence that names the field.
        """
        fields = field.reject_unknown_fields(event, LISTING_KEYS)
        batch_size = field.whole_number(fields, "batch_size", maximum=10_000)
        return replace(cls.from_fields(fields), batch_size=batch_size, store=StoreRequest.from_fields(fields))

    @classmethod
    def from_fields(cls, fields: Fields) -> ListingRequest:
        """Read what selects accounts and what to tell of them, which an event of a sweep has as well."""
        return cls(
            organizational_unit=_organizational_unit(fields.get("organizational_unit")),
            exclude=frozenset(_excluded(item) for item in field.list_of(fields, "exclude") or ()),
            account_tags=_account_tags(fields["account_tags"]) if "account_tags" in fields else frozenset(),
            tags=field.flag(fields, "tags"),
        )


@dataclass(frozen=True)
class StoreRequest:
    """The parts of a result's key that an event may choose; None: the default (outputs/store.py has them).

    A caller that may invoke a part twice (a state machine that retries) sends all three, or the second file would be
    stored beside the first. The defaults are as stable as possible without that: Lambda's own retries of an
    asynchronous invocation keep the request id and the event, and only midnight changes them.

    Attributes:
        run: of one sweep over all its parts, such as the execution's name; default: the request id.
        part: within the run; default: a hash of accounts, regions and parameters.
        date: UTC, of the run's start; default: today.
    """

    run: str | None = None
    part: str | None = None
    date: str | None = None

    @classmethod
    def from_fields(cls, fields: Fields) -> StoreRequest | None:
        """Read "store", "run", "part" and "date"; None: nothing is to be stored.

        Raises:
            InvalidInput: one of them is not a name, or "store" is missing.
        """
        if not field.flag(fields, "store"):
            if given := [name for name in STORE_KEYS[1:] if fields.get(name) is not None]:
                raise InvalidInput(f'{given[0]} is for results that are stored: send "store": true with it.')
            return None
        return cls(_key_part(fields, "run"), _key_part(fields, "part"), _date(fields.get("date")))


@dataclass(frozen=True)
class SweepRequest:
    """Checks over many accounts.

    Attributes:
        checks: each once, with its parameters.
        accounts: as named in the event, in order, each still to be validated; None: those of `listing`.
        listing: which accounts of the organization, if none are named.
        regions: where to ask.
        concurrency: maximum number of accounts in flight.
        store: how the results are stored; None: they are in the response.
    """

    checks: tuple[Asked, ...]
    accounts: tuple[Any, ...] | None
    listing: ListingRequest
    regions: Regions
    concurrency: int
    store: StoreRequest | None = None

    @classmethod
    def from_event(cls, event: Any, settings: Settings) -> SweepRequest:
        """Validate the event of a sweep.

        A malformed account id is not refused here: it is one account's failure, and the others go on.

        Raises:
            InvalidInput: one sentence that names the field; nothing has been called.
        """
        fields = field.reject_unknown_fields(event, SWEEP_KEYS)
        names = _names(fields)
        checks = field.known_checks(names)
        accounts = field.list_of(fields, "accounts")
        if accounts is None and "accounts" in fields:  # null is probably a bug upstream; do not sweep everything
            raise InvalidInput("accounts must be a list, not null; leave it out to sweep the whole organization.")
        if accounts is not None and any(fields.get(name) for name in WHICH_KEYS):
            raise InvalidInput(f"A sweep takes accounts, or {', '.join(WHICH_KEYS)}, but not both.")
        request = cls(
            checks=_asked(checks, field.params(fields), settings),
            accounts=None if accounts is None else tuple(accounts),
            listing=ListingRequest.from_fields(fields),
            regions=_regions(fields, default="all" if POSTURE in names else (None,)),
            concurrency=field.whole_number(fields, "concurrency", maximum=MAX_CONNECTIONS) or DEFAULT_CONCURRENCY,
            store=StoreRequest.from_fields(fields),
        )
        request.check_size(len(request.accounts or ()))
        return request

    @property
    def name(self) -> str:
        """Of the check; several are joined, if they are not too many: it is a part of a stored result's key."""
        names = [asked.name for asked in self.checks]
        joined = "-".join(names)
        if len(joined) <= MAX_NAME:
            return joined
        return POSTURE if names == posture() else f"{names[0]}-and-{len(names) - 1}-more"

    def check_size(self, accounts: int) -> None:
        """Before anything is made for each of them.

        Raises:
            InvalidInput: this question of so many accounts is too much for one sweep.
        """
        regions = most_regions() if self.regions == "all" else len(self.regions)
        places = sum(1 if asked.needs.scope == "global" else regions for asked in self.checks)
        if accounts * places > MAX_OUTCOMES:
            raise InvalidInput(
                f"This is too much for one sweep: {accounts:,} accounts, each asked up to {places} times, is over "
                f"{MAX_OUTCOMES:,}.",
                hint="Ask fewer accounts or regions at a time; docs/thousands-of-accounts.md splits a run.",
            )


def _names(fields: Fields) -> list[Any]:
    """What an event asks: one check as "check", or several as "checks"."""
    several = (
        [POSTURE] if fields.get("checks") == POSTURE else field.list_of(fields, "checks", f'a list, or "{POSTURE}"')
    )
    if ("check" in fields) == (several is not None):
        hint = 'Send {"check": "preflight"} to see which accounts are reachable.'
        message = "A sweep takes check or checks, but not both." if several is not None else "A sweep needs a check."
        raise InvalidInput(message, hint=hint)
    if several is None:
        return [fields["check"]]
    if not several:
        raise InvalidInput("checks must be a list of checks' names, and not be empty.")
    return several


def _asked(checks: Sequence[Check], params: Mapping[str, Any], settings: Settings) -> tuple[Asked, ...]:
    """Each check with those of the parameters that it has. One check alone says itself which it does not have."""
    if len(checks) == 1:
        return (field.asked(checks[0], params, settings),)
    known = {name for check in checks for name in check.parameters}
    if unknown := [name for name in params if name not in known]:
        takes = ", ".join(sorted(known)) or "none"
        raise InvalidInput(f"None of these checks takes a parameter {shown(unknown[0])}; they take: {takes}.")
    return tuple(
        field.asked(check, {name: params[name] for name in params if name in check.parameters}, settings)
        for check in checks
    )


def _excluded(value: Any) -> str:
    """A malformed id would exclude nothing, so it is an error."""
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        raise InvalidInput("exclude must be a list of account ids: strings of 12 digits, leading zeros included.")
    return value


def _regions(fields: Fields, default: Regions) -> Regions:
    if fields.get("regions") == "all":
        return "all"
    values = field.list_of(fields, "regions", 'a list, or "all"')
    if not values:
        return default
    if None in values:
        raise InvalidInput("regions must be names of AWS regions, such as eu-west-1.")
    return tuple(dict.fromkeys(field.region(value) for value in values))


def _organizational_unit(value: Any) -> str | None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html"""
    if value is None:
        return None
    pattern = r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InvalidInput("organizational_unit must be the id of a unit or a root, such as ou-ab12-34cd56ef.")
    return value


def _account_tags(value: Any) -> frozenset[tuple[str, str]]:
    """Null or an empty object is probably an unset variable, which must not mean every account."""
    if not isinstance(value, dict):
        raise InvalidInput(f'account_tags must be an object such as {{"env": "prod"}}, not {json_type(value)}.')
    if not 1 <= len(value) <= MAX_TAGS:
        raise InvalidInput(f"account_tags must have 1 to {MAX_TAGS} tags; leave it out to ask accounts with any tags.")
    for name, text in value.items():
        if not name:
            raise InvalidInput("account_tags has a tag without a name.")
        if not isinstance(text, str):
            raise InvalidInput(f"account_tags must have a text for {shown(name)}, not {json_type(text)}.")
    return frozenset(value.items())


def _key_part(fields: Fields, name: str) -> str | None:
    """One name within a key: no slash, no equals sign that a reader would split at, no dot at the start."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", value):
        raise InvalidInput(f"{name} must be 1 to 100 of A-Z a-z 0-9 _ . - and not begin with a dot.")
    return value


def _date(value: Any) -> str | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidInput("date must be a day such as 2026-01-31.")
