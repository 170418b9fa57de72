"""What has become of the rows of an account, region and check: which are new, gone or changed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal

from terminal.earlier_run import Row, own

Kind = Literal["new", "gone", "changed"]
Change = tuple[Kind, Row, Row]
"""What has become of a row, the row, and what stood in it before."""


def resource_of(finding: Row) -> str:
    """What a finding is about."""
    return str(finding.get("resource"))


def by_resource(before: list[Row], rows: list[Row]) -> Iterator[Change]:
    """A finding is an earlier one of its resource, which may have several: those that are the same go first."""
    gone: dict[str, list[Row]] = defaultdict(list)
    new = []
    for kind, row, _ in as_a_whole(before, rows):
        if kind == "new":
            new.append(row)
        else:
            gone[resource_of(row)].append(row)
    for row in new:
        if olds := gone[resource_of(row)]:
            yield from if_changed(olds.pop(0), row)
        else:
            yield "new", row, {}
    for olds in gone.values():
        for old in olds:
            yield "gone", old, {}


def by_column(column: str, before: list[Row], rows: list[Row]) -> Iterator[Change]:
    """A row is the earlier one that has the same in the column."""
    earlier = {row[column]: row for row in before}
    for row in {row[column]: row for row in rows}.values():
        old = earlier.pop(row[column], None)
        if old is None:
            yield "new", row, {}
        else:
            yield from if_changed(old, row)
    for row in earlier.values():
        yield "gone", row, {}


def as_a_whole(before: list[Row], rows: list[Row]) -> Iterator[Change]:
    """A row is the earlier one that is the same in all columns, so that none is changed."""
    earlier: dict[str, list[Row]] = defaultdict(list)
    for row in before:
        earlier[_whole(row)].append(row)
    for row in rows:
        if same := earlier[_whole(row)]:
            same.pop()
        else:
            yield "new", row, {}
    for left in earlier.values():
        for row in left:
            yield "gone", row, {}


def if_changed(old: Row, row: Row) -> Iterator[Change]:
    """One change, or none."""
    was, now = own(old), own(row)
    if was == now:
        return
    before = {
        name: was.get(name)
        for name in {**now, **was}
        if was.get(name) != now.get(name) and _ordered(was.get(name)) != _ordered(now.get(name))
    }
    if before:
        yield "changed", row, before


def _whole(row: Row) -> str:
    return json.dumps(_ordered(own(row)), sort_keys=True)


def _ordered(value: Any) -> Any:
    """The same for lists in another order; as text, tuples are lists and keys are strings."""
    if isinstance(value, dict):
        return {str(key): _ordered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted(map(_ordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
