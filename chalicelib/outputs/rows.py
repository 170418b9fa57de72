"""Outcomes as rows: who and where, and then what was found, with its own columns.

    {"count": 2, "buckets": [{"name": "a"}, {"name": "b"}]}   two rows with the column result_name
    [{"id": "i-1"}, {"id": "i-2"}]                            two rows with the column id
    {"users": 3, "root_mfa": true}                            one row with both columns
    ["a", "b"]                                                two rows with the column result
    null, {}, []                                              no rows
    a failure                                                 one row with the column error, and of a check that judges
                                                              a finding whose verdict is unknown

An own column whose name is taken gets the prefix `result_`, so that nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.checks import CHECKS
from chalicelib.checks.finding import unknown
from chalicelib.sweeps.outcome import Outcome, Target

BASE = ("account", "name", "unit", "region", "check")
"""The first columns of every row. Between them and the own ones are the account's `tags`, if they were asked for."""

RESULT = "result"
"""The column of what is not an object."""

NO_TIME = "There was no time left for it."

_TAKEN = frozenset({*BASE, "tags", "error"})
_PREFIX = "result_"
_NOT_STARTED = {
    "type": "NotStarted",
    "stage": None,
    "code": None,
    "hint": NO_TIME,
    "request_id": None,
}


def rows_of(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The rows of one outcome, one at a time: there may be very many. A check that found nothing has none."""
    base = _base(outcome.account, outcome.name, outcome.unit, outcome.region, outcome.check, outcome.tags)
    if outcome.error is not None:
        yield {**base, **(outcome.found[0] if outcome.verdicts else {}), "error": outcome.error.as_dict()}
        return
    for item in items_of(outcome.result):
        yield {**base, **own_columns(item)}


def not_started(target: Target, check: str) -> dict[str, Any]:
    """The row of an account that there was no time for."""
    known = CHECKS.get(check)
    finding = unknown(target.id[:64], NO_TIME) if known and known.judges else {}
    base = _base(target.id, target.name, target.unit, None, check, target.tags)
    return {**base, **finding, "error": _NOT_STARTED}


def items_of(result: Any) -> Sequence[Any]:
    """What a result is a list of; any other object or value stands alone, but null and {} for nothing."""
    if result is None or result == {}:
        return ()
    if isinstance(result, list | tuple):
        return result
    listed = _only_list(result) if isinstance(result, dict) else None
    return [result] if listed is None else listed


def own_columns(item: Any) -> dict[str, Any]:
    """The columns of one item of a result, none of which has the name of another column of its row."""
    if not isinstance(item, dict):
        return {RESULT: item}
    if _TAKEN.isdisjoint(item) and all(type(key) is str for key in item):
        return item
    columns: dict[str, Any] = {}
    for key, value in item.items():
        name = str(key)  # JSON can hold numbers as keys, as their text
        while name in _TAKEN or name in columns or (name != key and name in item):
            name = _PREFIX + name
        columns[name] = value
    return columns


def _base(
    account: str, name: str | None, unit: str | None, region: str | None, check: str, tags: Mapping[str, str] | None
) -> dict[str, Any]:
    values = (account[:64], name, unit, region, check)
    base: dict[str, Any] = dict(zip(BASE, values, strict=True))
    return base if tags is None else {**base, "tags": dict(tags)}


def _only_list(result: dict[Any, Any]) -> Sequence[Any] | None:
    """The list of objects that stands in an object alone, or beside its `count`."""
    names = [name for name in result if name != "count" or not isinstance(result[name], int)]
    value = result[names[0]] if len(names) == 1 else None
    if isinstance(value, list | tuple) and all(isinstance(item, dict) for item in value):
        return value
    return None
