"""The table of a report: a row for each account and region, with columns from the check's results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.pages.markup import Content, Markup, element, join
from chalicelib.sweeps.outcome import Answer, Outcome, Target

MAX_COLUMNS = 12
"""More keys than this, over all results, are data and not columns."""
MAX_LISTED = 20
MAX_SHOWN = 200
MAX_HINT = 1500
"""Characters. A page is for reading: with these, one of 500 accounts stays under 1 MB; the sweep's JSON has it all."""

_NUMBER = "number"
OUTCOMES = {"ok": "ok", "failed": "failed", "not-started": "not started"}


def table(answer: Answer) -> Markup:
    with_region = any(outcome.region is not None for outcome in answer.outcomes)
    columns = columns_of([outcome.result for outcome in answer.outcomes if outcome.ok])
    numbers = _numbers(answer.outcomes, columns)
    wide = max(len(columns), 1)
    heads = [
        _head("Account"),
        _head("Region") if with_region else None,
        _head("Outcome", id="outcome"),
        *(_head(_label(column), class_=_NUMBER if column in numbers else None) for column in columns or ["result"]),
        _head("ms", class_=_NUMBER),
    ]
    rows = [_row(outcome, columns, with_region) for outcome in answer.outcomes]
    rows += [_not_started(target, with_region, wide) for target in answer.not_started]
    return element(
        "table",
        element("caption", "One row for each account", " and region" if with_region else None),
        element("thead", element("tr", *heads)),
        element("tbody", join(*rows)),
    )


def columns_of(results: Sequence[Any]) -> list[str]:
    """The keys of a check's results, or just "result"."""
    if not results:
        return []
    if all(isinstance(result, dict) for result in results):
        keys = list(dict.fromkeys(str(key) for result in results for key in result))
        if 0 < len(keys) <= MAX_COLUMNS:
            return keys
    return ["result"]


def _row(outcome: Outcome, columns: Sequence[str], with_region: bool) -> Markup:
    if outcome.error is None:
        values = zip(columns, _values(outcome.result, columns), strict=True)
        shown, detail = [_cell(value, column) for column, value in values], ""
    else:
        error = outcome.error.as_dict()
        shown, detail = [_why(error, max(len(columns), 1))], truncate(error["type"], 80)
    return element(
        "tr",
        _account(outcome.account, outcome.name),
        element("td", outcome.region, data_label="Region") if with_region else None,
        _outcome("ok" if outcome.ok else "failed", detail),
        *shown,
        element("td", outcome.ms, class_=_NUMBER, data_label="ms"),
        data_outcome="ok" if outcome.ok else "failed",
    )


def _values(result: Any, columns: Sequence[str]) -> list[Any]:
    if columns == ["result"] and not (isinstance(result, dict) and result.keys() == {"result"}):
        return [result]
    by_name = {str(key): value for key, value in result.items()}
    return [by_name.get(column) for column in columns]


def _not_started(target: Target, with_region: bool, wide: int) -> Markup:
    return element(
        "tr",
        _account(target.id, target.name),
        element("td", data_label="Region") if with_region else None,
        _outcome("not-started"),
        element("td", "There was no time left for it.", class_="why", colspan=wide, headers="outcome"),
        element("td", class_=_NUMBER, data_label="ms"),
        data_outcome="not-started",
    )


def _numbers(outcomes: Sequence[Outcome], columns: Sequence[str]) -> set[str]:
    """The columns that hold numbers and nothing else."""
    rows = [_values(outcome.result, columns) for outcome in outcomes if outcome.ok]
    return {
        column
        for number, column in enumerate(columns)
        if all(row[number] is None or _is_number(row[number]) for row in rows)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _head(label: str, **attributes: str | None) -> Markup:
    return element("th", label, scope="col", **attributes)


def _label(column: str) -> str:
    return truncate(column.replace("_", " "), 40)


def _account(account_id: str, name: str | None) -> Markup:
    shown = element("code", truncate(account_id, 64))
    return element("th", element("bdi", truncate(name)) if name else None, " " if name else None, shown, scope="row")


def _outcome(outcome: str, detail: str = "") -> Markup:
    pill = element("span", OUTCOMES[outcome], class_=f"pill {outcome}")
    return element("td", pill, data_label="Outcome", data_sort=f"{OUTCOMES[outcome]} {detail}" if detail else None)


def _why(error: Mapping[str, Any], wide: int) -> Markup:
    """The first line of a hint says why, the others what to do."""
    first, _, more = truncate(str(error["hint"]), MAX_HINT).partition("\n")
    if error.get("request_id"):
        more = f"{more}\nAWS request id: {truncate(str(error['request_id']), 80)}".lstrip()
    return element(
        "td",
        element("strong", truncate(str(error["type"]), 80)),
        " " if error["code"] else None,
        element("code", truncate(str(error["code"]), 80)) if error["code"] else None,
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
    left_out = len(values) - MAX_LISTED
    items: Iterable[Markup] = (element("li", _named(value), dir="auto") for value in values[:MAX_LISTED])
    return element("ul", *items, element("li", f"and {left_out} more") if left_out > 0 else None)


def _named(value: Any) -> str:
    """An item of a list by its name or id, if it has one."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("id") or value
    return _plain(value)


def _plain(value: Any) -> str:
    return truncate(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def truncate(value: str, maximum: int = MAX_SHOWN) -> str:
    """The beginning of a long text, with an ellipsis."""
    return value if len(value) <= maximum else value[: maximum - 1] + "\N{HORIZONTAL ELLIPSIS}"
