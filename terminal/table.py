"""The answer for a person: the rows as a table, and below it what else there is to say."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from chalicelib.checks.finding import VERDICTS
from chalicelib.outputs.rows import BASE, rows_of
from chalicelib.pages.contents import GROUPED
from chalicelib.pages.words import in_words
from chalicelib.sweeps.outcome import Answer
from terminal.streams import printable, text_for

GAP = "  "
LEAST = 12
"""Characters that a column keeps in a narrow terminal; if they do not fit, columns are left out."""
PADDED = 40
"""Where the table is not cut to a width, one long value does not move the column behind it in all other rows."""

STYLES = {"alarm": "red", "unknown": "yellow", "muted": "dim"}
"""Of rows with such a verdict."""

Row = Mapping[str, Any]


def as_table(answer: Answer, below: Iterable[Text], stream: TextIO | None) -> str:
    """The text of an answer.

    Args:
        below: lines below the table.
        stream: where it is going to be written; a terminal decides the width and gets colours. None: a file.
    """
    rows = [row for outcome in answer.outcomes if outcome.ok and outcome.verdicts is None for row in rows_of(outcome)]
    return text_for(stream, [*tables([*rows, *_findings(answer)], stream), *_not_shown(answer), *below])


def _findings(answer: Answer) -> list[Row]:
    """The worst first, and those left out that nothing is to be done about, of which there may be thousands."""
    judged = (one for one in answer.outcomes if one.verdicts is not None and (one.ok or one.accepted))
    rows = [row for outcome in judged for row in rows_of(outcome) if row["verdict"] not in GROUPED]
    rows = [{name: value for name, value in row.items() if name != "error"} for row in rows]
    return sorted(rows, key=lambda row: VERDICTS.index(row["verdict"]))


def _not_shown(answer: Answer) -> Iterator[Text]:
    counted = [outcome.verdicts for outcome in answer.outcomes if outcome.ok and outcome.verdicts is not None]
    if left := in_words({verdict: sum(one.get(verdict, 0) for one in counted) for verdict in GROUPED}):
        yield Text(f"Not shown: {left}. --format csv has them.", style="dim")
        yield Text()


def tables(rows: Iterable[Row], stream: TextIO | None) -> Iterator[Text]:
    """A table for each check."""
    by_check: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_check[row["check"]].append(row)
    for check, its_rows in by_check.items():
        if len(by_check) > 1:
            yield Text(check, style="bold")
        table = in_columns(its_rows, _width(stream))
        head, *lines = table.lines
        yield Text(head, style="bold underline")
        for line, row in zip(lines, its_rows, strict=True):
            yield Text(line, style=STYLES.get(str(row.get("verdict")), ""))
        if table.left_out:
            yield Text(f"No room for: {', '.join(table.left_out)}. --format csv has them.", style="dim")
        yield Text()


def _width(stream: TextIO | None) -> int | None:
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None


@dataclass(frozen=True)
class Columns:
    """Rows that are laid out.

    Attributes:
        lines: of text, the first with the columns' names.
        left_out: the columns for which there is no room.
    """

    lines: list[str]
    left_out: list[str]


def in_columns(rows: Sequence[Row], width: int | None) -> Columns:
    """Lay out rows of one check.

    Args:
        rows: as `rows_of` gives them; the columns of the account that are empty in all of them are not shown.
        width: characters; None: everything is shown in full.
    """
    columns = {name: [printable(name), *(_text(row.get(name)) for row in rows)] for name in _columns(rows)}
    natural = {name: max(map(_cells, texts)) for name, texts in columns.items()}
    widths = {name: min(PADDED, size) for name, size in natural.items()} if width is None else fitting(natural, width)
    numeric = {name for name in widths if all(_is_number(row[name]) for row in rows if row.get(name) is not None)}
    lines = [
        GAP.join(
            _cell(text, widths[name], right=name in numeric, cut=width is not None)
            for name, text in zip(widths, texts, strict=True)
        ).rstrip()
        for texts in zip(*(columns[name] for name in widths), strict=True)
    ]
    return Columns(lines, [texts[0] for name, texts in columns.items() if name not in widths])


def fitting(natural: Mapping[str, int], width: int) -> dict[str, int]:
    """The widths of the columns that fit: the widest give up most, and what there is no room for is not among them.

    The unit goes first, which is long and follows from the account, then the last columns. The account's id is whole.
    """
    shown = dict(natural)
    expendable = [name for name in ("unit", *reversed([*natural][1:])) if name in natural]
    for name in dict.fromkeys(expendable):
        if sum(min(size, LEAST) for size in shown.values()) + len(GAP) * (len(shown) - 1) <= width:
            break
        if len(shown) > 1:
            del shown[name]
    room = width - len(GAP) * (len(shown) - 1)
    limit = min(max(shown.values(), default=0), max(room, LEAST))  # a value may have millions
    while limit > LEAST and sum(min(size, limit) for size in shown.values()) > room:
        limit -= 1
    return {name: min(size, limit) for name, size in shown.items()}


def _columns(rows: Iterable[Row]) -> list[str]:
    """Without `check`, of which each has a table, and without what says nothing."""
    names = dict.fromkeys(name for row in rows for name in row)
    optional = {*BASE[1:], "tags", "before"}
    return [name for name in names if name != "check" and (name not in optional or any(row.get(name) for row in rows))]


def _cell(text: str, width: int, *, right: bool, cut: bool) -> str:
    size = _cells(text)
    if size > width:
        return set_cell_size(text, width - 1) + "\u2026" if cut else text
    return " " * (width - size) + text if right else text + " " * (width - size)


def _cells(text: str) -> int:
    """What it takes of a terminal's line."""
    return len(text) if text.isascii() else cell_len(text)


def _text(value: Any) -> str:
    """A value as a person writes it, in one line."""
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict) and all(_is_plain(item) for item in value.values()):
        return ", ".join(f"{printable(str(key))}={_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple) and all(_is_plain(item) for item in value):
        return ", ".join(map(_text, value))
    return printable(json.dumps(value, ensure_ascii=False))


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list | tuple)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
