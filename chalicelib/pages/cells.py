"""How a value of AWS's becomes a cell, or a part of one: short, and readable by people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from chalicelib.pages.markup import Content, Markup, element

MAX_LISTED = 20
MAX_SHOWN = 200
"""Characters."""

NUMBER = "number"
"""The class of cells with numbers."""


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell(value: Any, label: str) -> Markup:
    return element("td", _value(value), class_=NUMBER if is_number(value) else None, data_label=label)


def truncate(value: str, maximum: int = MAX_SHOWN) -> str:
    """The beginning of a long text, with an ellipsis."""
    return value if len(value) <= maximum else value[: maximum - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _value(value: Any) -> Content:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _listed((f"{name}: {_plain(inner)}" for name, inner in value.items()), len(value))
    if isinstance(value, list | tuple):
        return _listed(map(_plain, value), len(value))
    text = _plain(value)
    return text if text.isascii() else element("bdi", text)  # nothing in ASCII runs from right to left


def _listed(lines: Iterable[str], count: int) -> Markup | None:
    if not count:
        return None
    shown = (element("li", truncate(line), dir="auto") for line in islice(lines, MAX_LISTED))
    more = element("li", f"and {count - MAX_LISTED} more") if count > MAX_LISTED else None
    return element("ul", *shown, more)


def _plain(value: Any) -> str:
    """On one line: what is in a list or an object is shown as people write it, and deeper in as JSON."""
    if isinstance(value, str):
        return truncate(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return truncate(", ".join(f"{name}: {_json(inner)}" for name, inner in value.items()))
    return truncate(_json(value))


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
