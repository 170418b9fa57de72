"""Which account ids are valid."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from .errors import AccountNotAllowed, InvalidAccountId, MissingAccountId

ACCOUNT_ID = re.compile(r"[0-9]{12}")
"""For `fullmatch`: `\\d` would match digits of other scripts, and `match` with `$` a trailing newline."""


def valid_account_id(value: Any, allowed: Collection[str] | None = None) -> str:
    """Return `value` if it is an account id that may be asked for.

    Args:
        value: a str of exactly 12 ASCII digits; leading zeros count, so a number is not an account id.
        allowed: the ids that may be asked for; None: every id.

    Raises:
        MissingAccountId, InvalidAccountId, AccountNotAllowed
    """
    if value is None or value == "":
        raise MissingAccountId("There is no account_id.", hint='Send {"account_id": "123456789012"}.')
    if not isinstance(value, str):
        raise InvalidAccountId(f"An account_id is a string of 12 digits, not {json_type(value)}.")
    if not ACCOUNT_ID.fullmatch(value):
        raise InvalidAccountId("An account_id is a string of exactly 12 digits 0 to 9, leading zeros included.")
    if allowed is not None and value not in allowed:
        raise AccountNotAllowed(
            f"Account {value} is not among the allowed accounts.",
            hint="Add it to ALLOWED_ACCOUNTS (in this project: of the stage in .chalice/config.json) and deploy again.",
        )
    return value


def json_type(value: Any) -> str:
    """What JSON calls the type of a value, with its article."""
    names = {
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
    }
    return names.get(type(value), "an object")
