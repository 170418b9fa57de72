"""Under which key a part of a sweep's results is stored, so that a part that is run again overwrites itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.errors import InvalidInput
from chalicelib.requests import flag

STORE_KEYS = ("store", "run", "part", "date")
_PREFIX = "sweeps"
"""The only place in the bucket; sweep-template.yaml grants writing below it and nowhere else."""


@dataclass(frozen=True)
class ResultKey:
    """The parts of the key that an event may choose; None: the default.

    Whoever may invoke a part twice (a state machine that retries) sends all three, or the second file would stand
    beside the first. The defaults are as stable as they can be without that: Lambda's own retries of an asynchronous
    invocation keep the request id and the event, and only midnight moves them.

    Attributes:
        run: of one sweep over all its parts, such as the execution's name; default: the request id.
        part: within the run; default: a hash of the accounts that were asked for.
        date: UTC, of the run's start; default: today.
    """

    run: str | None = None
    part: str | None = None
    date: str | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> ResultKey | None:
        """Take it from an event; None: nothing is to be stored.

        Raises:
            InvalidInput: one of them could lead elsewhere than into a name of its own, or there is no "store".
        """
        if not flag(fields, "store"):
            if given := [name for name in STORE_KEYS[1:] if fields.get(name) is not None]:
                raise InvalidInput(f'{given[0]} is for results that are stored: send "store": true with it.')
            return None
        return cls(_name(fields, "run"), _name(fields, "part"), _date(fields.get("date")))

    def path(self, check: str, asked: Any, request_id: str) -> str:
        """The whole key.

        Args:
            check: its name.
            asked: the accounts, as the event names them.
            request_id: of the invocation.
        """
        part = self.part or hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        day = self.date or datetime.now(UTC).date().isoformat()
        return f"{_PREFIX}/check={check}/date={day}/run={self.run or request_id}/{part}.jsonl"


def _name(fields: Mapping[str, Any], name: str) -> str | None:
    """A name of its own in a key: no slash, no equals sign that a reader would split at, no dot in front."""
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
