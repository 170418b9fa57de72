"""What a caller asks for, taken from an event only after all of it has been looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.check import Check
from chalicelib.checks import CHECKS
from chalicelib.errors import (
    AccountNotAllowed,
    InvalidAccountId,
    InvalidInput,
    MissingAccountId,
    UnknownCheck,
)
from chalicelib.settings import ACCOUNT_ID, REGION, Settings

DEFAULT_CHECK = "identity"
CHECK_KEYS = ("account_id", "check", "region", "params", "raise_on_error")


@dataclass(frozen=True)
class CheckRequest:
    """One check in one account."""

    account_id: str
    check: Check
    region: str | None
    params: Mapping[str, Any]

    @classmethod
    def from_event(cls, event: Any, settings: Settings) -> CheckRequest:
        """Validate the event of a direct invocation.

        Raises:
            InvalidInput: one sentence that names the field; nothing has been called.
        """
        fields = known_fields(event, CHECK_KEYS)
        flag(fields, "raise_on_error")
        return cls(
            account_id=allowed_account(fields.get("account_id"), settings),
            check=known_check(fields.get("check", DEFAULT_CHECK)),
            region=region(fields.get("region")),
            params=params(fields),
        ).validated()

    def validated(self) -> CheckRequest:
        self.check.validate(self.params)
        return self


def known_fields(event: Any, names: Collection[str]) -> dict[str, Any]:
    """Take an event that is an object of known keys; refuse others by name, so that no typing error passes."""
    if not isinstance(event, dict):
        raise InvalidInput(f"The event must be a JSON object, not {json_type(event)}.")
    unknown = [key for key in event if key not in names]
    if unknown:
        named = ", ".join(_shown(key) for key in unknown[:5])
        raise InvalidInput(f"Unknown in the event: {named}. It takes: {', '.join(names)}.")
    return event


def flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false, not {json_type(value)}.")
    return value


def valid_account_id(value: Any) -> str:
    """A str of exactly 12 ASCII digits; leading zeros count, so a number is no account id."""
    if value is None or value == "":
        raise MissingAccountId("There is no account_id.", hint='Send {"account_id": "123456789012"}.')
    if not isinstance(value, str):
        raise InvalidAccountId(f"An account_id is a string of 12 digits, not {json_type(value)}.")
    if not ACCOUNT_ID.fullmatch(value):
        raise InvalidAccountId("An account_id is a string of exactly 12 digits 0 to 9, leading zeros included.")
    return value


def allowed_account(value: Any, settings: Settings) -> str:
    account_id = valid_account_id(value)
    if not settings.allows(account_id):
        raise AccountNotAllowed(
            f"Account {account_id} is not among the accounts that this stage may look into.",
            hint="Add it to ALLOWED_ACCOUNTS of this stage in .chalice/config.json and deploy again.",
        )
    return account_id


def known_check(name: Any) -> Check:
    if not isinstance(name, str):
        raise InvalidInput(f"check must be a check's name, not {json_type(name)}.")
    if name not in CHECKS:
        raise UnknownCheck(f"There is no check {_shown(name)}. There are: {', '.join(CHECKS)}.")
    return CHECKS[name]


def region(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not REGION.fullmatch(value):
        raise InvalidInput("region must be the name of an AWS region, such as eu-west-1.")
    return value


def params(fields: Mapping[str, Any]) -> dict[str, Any]:
    value = fields.get("params")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"params must be an object, not {json_type(value)}.")
    return value


def json_type(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
    }
    return names.get(type(value), "an object")


def _shown(value: Any) -> str:
    text = ascii(value)  # one line whatever it holds
    return text if len(text) <= 60 else text[:57] + "..."
