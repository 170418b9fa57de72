"""The fields of an event, each validated before anything is done with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from chalicelib.checks import CHECKS, POSTURE, posture
from chalicelib.checks.check import Asked, Check, shown
from chalicelib.checks.exceptions import accepted
from chalicelib.cross_account import InvalidInput
from chalicelib.cross_account.account_id import json_type
from chalicelib.cross_account.region import valid_region
from chalicelib.errors import UnknownCheck
from chalicelib.inputs.settings import API_CALLS, Settings

Fields = Mapping[str, Any]


def reject_unknown_fields(event: Any, names: Collection[str]) -> dict[str, Any]:
    """Return an event that is an object of known keys; any other key is refused by name, so no typing error passes."""
    if not isinstance(event, dict):
        raise InvalidInput(f"The event must be a JSON object, not {json_type(event)}.")
    unknown = [key for key in event if key not in names]
    if unknown:
        named = ", ".join(shown(key) for key in unknown[:5])
        raise InvalidInput(f"Unknown in the event: {named}. It takes: {', '.join(names)}.")
    return event


def flag(fields: Fields, name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false, not {json_type(value)}.")
    return value


def list_of(fields: Fields, name: str, wanted: str = "a list") -> list[Any] | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, list):
        raise InvalidInput(f"{name} must be {wanted}, not {json_type(value)}.")
    return value


def whole_number(fields: Fields, name: str, *, maximum: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= maximum:
        raise InvalidInput(f"{name} must be a whole number from 1 to {maximum}.")
    return value


def params(fields: Fields) -> dict[str, Any]:
    value = fields.get("params")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"params must be an object, not {json_type(value)}.")
    return value


def asked(check: Check, params: Mapping[str, Any], settings: Settings) -> Asked:
    """A check with its parameters, if they suit it, the settings permit it, and its exceptions can be read."""
    found = check.asked(params)
    if check.judges:
        accepted(CHECKS)
    access = found.needs.access
    if access and API_CALLS.index(access) > API_CALLS.index(settings.api_calls):
        raise InvalidInput(
            f"This operation needs the setting API_CALLS={access}; here it is {settings.api_calls}.",
            hint="It is set per stage in .chalice/config.json; a function has to be deployed again.",
        )
    return found


def known_check(name: Any) -> Check:
    if not isinstance(name, str):
        raise InvalidInput(f"check must be a check's name, not {json_type(name)}.")
    if name not in CHECKS:
        if name == POSTURE:
            raise UnknownCheck(f"{POSTURE} is not one check but all that judge: only a sweep asks them.")
        from difflib import get_close_matches  # only a wrong name pays for it at a cold start

        near = get_close_matches(name[:60], [*CHECKS, POSTURE], n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UnknownCheck(f"There is no check {shown(name)}.{meant} There are: {', '.join(CHECKS)}.")
    return CHECKS[name]


def known_checks(names: Iterable[Any]) -> list[Check]:
    """Each check once; "posture" stands for all that judge."""
    all_names = [each for name in names for each in (posture() if name == POSTURE else [name])]
    return list({check.name: check for check in map(known_check, all_names)}.values())


def region(value: Any) -> str | None:
    return None if value is None else valid_region(value)
