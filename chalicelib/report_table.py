"""The table of a report: a row an account and region, its columns from what the check answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.markup import Content, Markup, element, join

MOST_COLUMNS = 12
"""More keys than this, over all answers, are data and no columns."""
MOST_LISTED = 20
MOST_SHOWN = 200
MOST_OF_A_HINT = 1500
"""Characters. A page is for reading: with these, one of 500 accounts stays under 1 MB; the sweep's JSON has it all."""

Item = Mapping[str, Any]
_NUMBER = "number"
OUTCOMES = {"ok": "ok", "failed": "failed", "not-started": "not started"}


def table(results: Sequence[Item], not_started: Sequence[str], names: Mapping[str, str]) -> Markup:
    """Make the table.

    Args:
        results: those of a sweep's answer.
        not_started: the ids that a sweep had no time for.
        names: of the accounts, as far as they are known, by id.
    """
    with_region = any(item["region"] is not None for item in results)
    columns = columns_of([item["result"] for item in results if item["ok"]])
    numbers = _numbers(results, columns)
    wide = max(len(columns), 1)
    heads = [
        _head("Account"),
        _head("Region") if with_region else None,
        _head("Outcome", id="outcome"),
        *(_head(_label(column), class_=_NUMBER if column in numbers else None) for column in columns or ["result"]),
        _head("ms", class_=_NUMBER),
    ]
    rows = [_row(item, columns, names, with_region) for item in results]
    rows += [_not_started(account, names, with_region, wide) for account in not_started]
    return element(
        "table",
        element("caption", "One row for each account", " and region" if with_region else None),
        element("thead", element("tr", *heads)),
        element("tbody", join(*rows)),
    )


def columns_of(answers: Sequence[Any]) -> list[str]:
    """Name the columns of a check's answers: the keys of its objects, or just "result"."""
    if not answers:
        return []
    if all(isinstance(answer, dict) for answer in answers):
        keys = list(dict.fromkeys(str(key) for answer in answers for key in answer))
        if 0 < len(keys) <= MOST_COLUMNS:
            return keys
    return ["result"]


def _row(item: Item, columns: Sequence[str], names: Mapping[str, str], with_region: bool) -> Markup:
    error = item.get("error") or {}
    if item["ok"]:
        shown = [_cell(value, column) for column, value in zip(columns, _values(item["result"], columns), strict=True)]
    else:
        shown = [_why(error, max(len(columns), 1))]
    return element(
        "tr",
        _account(item["account_id"], names),
        element("td", item["region"], data_label="Region") if with_region else None,
        _outcome("ok" if item["ok"] else "failed", cut(str(error.get("type", "")), 80)),
        *shown,
        element("td", item["ms"], class_=_NUMBER, data_label="ms"),
        data_outcome="ok" if item["ok"] else "failed",
    )


def _values(answer: Any, columns: Sequence[str]) -> list[Any]:
    if columns == ["result"] and not (isinstance(answer, dict) and answer.keys() == {"result"}):
        return [answer]
    by_name = {str(key): value for key, value in answer.items()}
    return [by_name.get(column) for column in columns]


def _not_started(account: str, names: Mapping[str, str], with_region: bool, wide: int) -> Markup:
    return element(
        "tr",
        _account(account, names),
        element("td", data_label="Region") if with_region else None,
        _outcome("not-started"),
        element("td", "There was no time left for it.", class_="why", colspan=wide, headers="outcome"),
        element("td", class_=_NUMBER, data_label="ms"),
        data_outcome="not-started",
    )


def _numbers(results: Sequence[Item], columns: Sequence[str]) -> set[str]:
    """The columns that hold numbers and nothing else."""
    answers = [_values(item["result"], columns) for item in results if item["ok"]]
    return {
        column
        for number, column in enumerate(columns)
        if all(answer[number] is None or _is_number(answer[number]) for answer in answers)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _head(label: str, **attributes: str | None) -> Markup:
    return element("th", label, scope="col", **attributes)


def _label(column: str) -> str:
    return cut(column.replace("_", " "), 40)


def _account(account_id: str, names: Mapping[str, str]) -> Markup:
    name = names.get(account_id)
    shown = element("code", cut(account_id, 64))
    return element("th", element("bdi", cut(name)) if name else None, " " if name else None, shown, scope="row")


def _outcome(outcome: str, detail: str = "") -> Markup:
    pill = element("span", OUTCOMES[outcome], class_=f"pill {outcome}")
    return element("td", pill, data_label="Outcome", data_sort=f"{OUTCOMES[outcome]} {detail}" if detail else None)


def _why(error: Mapping[str, Any], wide: int) -> Markup:
    """The first line of a hint says what it is, the others what to do."""
    first, _, more = cut(str(error["hint"]), MOST_OF_A_HINT).partition("\n")
    if error.get("request_id"):
        more = f"{more}\nAWS request id: {cut(str(error['request_id']), 80)}".lstrip()
    return element(
        "td",
        element("strong", cut(str(error["type"]), 80)),
        " " if error["code"] else None,
        element("code", cut(str(error["code"]), 80)) if error["code"] else None,
        element("p", first, dir="auto"),
        element("details", element("summary", "What to do"), element("p", more, dir="auto")) if more else None,
        class_="why",
        colspan=wide,
        headers="outcome",
    )


def _cell(value: Any, column: str) -> Markup:
    return element("td", _value(value), class_=_NUMBER if _is_number(value) else None, data_label=_label(column))


def _value(value: Any) -> Content:
    if value is None or isinstance(value, bool):
        return {None: None, True: "yes", False: "no"}[value]
    if isinstance(value, list):
        return _listed(value)
    return element("bdi", _plain(value))


def _listed(values: Sequence[Any]) -> Markup | None:
    if not values:
        return None
    left_out = len(values) - MOST_LISTED
    items: Iterable[Markup] = (element("li", _named(value), dir="auto") for value in values[:MOST_LISTED])
    return element("ul", *items, element("li", f"and {left_out} more") if left_out > 0 else None)


def _named(value: Any) -> str:
    """Name a thing of a list by its name or id, if it has one."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("id") or value
    return _plain(value)


def _plain(value: Any) -> str:
    return cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def cut(value: str, most: int = MOST_SHOWN) -> str:
    """Keep the beginning of a long text, and show that there was more."""
    return value if len(value) <= most else value[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
