"""What makes text of an answer: JSON lines and CSV account by account, anything else when all of them are done.

JSON lines and CSV hold no row that is written. Their text goes into a file in UTF-8 that leaves line ends alone
(`open(..., encoding="utf-8", newline="")`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.checks.finding import VERDICTS
from chalicelib.outputs.rows import BASE, not_started, rows_of
from chalicelib.pages.contents import contents_of
from chalicelib.sweeps.outcome import Answer, Outcome

_ERROR, _MORE = "error", "more"

_FORMULA = re.compile(
    "^(?=[\x00-\x1f])"  # a spreadsheet may drop it, and see what comes next
    r"|(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
"""Where a cell may begin that is taken for a formula: also behind a semicolon, at which Excel splits in half of the
world, and behind a tab or the end of a line, if its quotation mark went unseen for that reason. The last four are
full-width forms. https://owasp.org/www-community/attacks/CSV_Injection"""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HARMLESS = re.compile('[A-Za-z0-9/][^;"\x00-\x1f\x7f-\x9f\ud800-\udfff]*')
"""Most texts, and then nothing else is to be looked for."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_one_line = json.JSONEncoder(separators=(",", ":"))
_nested = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


class Format(Protocol):
    """Makes text of the answer."""

    def receive(self, outcomes: Sequence[Outcome], /) -> str:
        """That of one account: whole lines, or nothing yet."""

    def finish(self, answer: Answer, /) -> str:
        """What comes last. The outcomes of the answer have no results any more."""


class JsonLines:
    """One JSON object a line. In the row of a result `error` is null, so that SQL finds the column if nothing failed.

    In ASCII: what is not becomes an escape, which every reader undoes. So no name can hold a control sequence for a
    terminal, a line end that only some see, or half a character, for which UTF-8 has no bytes.

    Args:
        checks: the names of those that are asked; an account that is not started has a row for each.
    """

    def __init__(self, checks: Collection[str] = ()) -> None:
        self._checks = checks

    def receive(self, outcomes: Sequence[Outcome]) -> str:
        return self.text_of(row for outcome in outcomes for row in rows_of(outcome))

    def finish(self, answer: Answer) -> str:
        return self.text_of(_not_started(answer, self._checks))

    def text_of(self, rows: Iterable[dict[str, Any]]) -> str:
        """Rows as they are, also others than those of outcomes."""
        return "".join(_one_line.encode(row if _ERROR in row else {**row, _ERROR: None}) + "\n" for row in rows)


class Csv:
    """RFC 4180, for spreadsheets and everything else. The columns:

    - `account`, `name`, `unit`, `region`, `check`, and `tags` if they were asked for;
    - those of the first account that answers with rows. Failures before it wait until then, one a region at most;
    - `error`, such as "CheckDenied AccessDenied", empty in the row of a result;
    - `more`: what a later row has beyond these, as JSON.

    Text is in quotation marks; numbers, true, false and nothing are not. What is not plain is compact JSON. Text that a
    spreadsheet could take for a formula gets an apostrophe in front, which is seen; a number written as text does not,
    nor does a number. Control characters are replaced, but for tab and line ends.

    An account id keeps its zeros in front in the file. Excel drops them when it opens the file by itself, as it does in
    every CSV: there, Data > From Text/CSV takes the column as text; LibreOffice asks. A formula such as ="012..." would
    hold them in Excel and break the id for everything else. There is no byte order mark, for the same reason: for
    Python, awk and join it is a part of the first column's name.

    Args:
        checks: as of JsonLines.
    """

    def __init__(self, checks: Collection[str] = ()) -> None:
        self._checks = checks
        self._columns: list[str] = []
        self._known: frozenset[str] = frozenset()
        self._waiting: list[dict[str, Any]] = []

    def receive(self, outcomes: Sequence[Outcome]) -> str:
        begun = self._begun(row for outcome in outcomes if outcome.ok for row in rows_of(outcome))
        rows = (row for outcome in outcomes for row in rows_of(outcome))
        if not self._columns:
            self._waiting += rows
            return ""
        return begun + self._lines(rows)

    def finish(self, answer: Answer) -> str:
        rows = _not_started(answer, self._checks)
        begun = self._begun([*self._waiting, *rows] or [dict.fromkeys(BASE)])
        return begun + self._lines(rows)

    def text_of(self, rows: Sequence[dict[str, Any]]) -> str:
        """Rows as they are, also others than those of outcomes."""
        return self._begun(rows) + self._lines(rows)

    def _begun(self, rows: Iterable[dict[str, Any]]) -> str:
        """The header for such rows, if it is still missing and there are any, and the rows that waited for one."""
        if self._columns:
            return ""
        names = dict.fromkeys(name for row in rows for name in row)
        if not names:
            return ""
        self._columns = [name for name in names if name not in (_ERROR, _MORE)]
        self._known = frozenset((*self._columns, _ERROR))
        header = ",".join(_text(name) for name in (*self._columns, _ERROR, _MORE)) + "\r\n"
        waiting, self._waiting = self._waiting, []
        return header + self._lines(waiting)

    def _lines(self, rows: Iterable[dict[str, Any]]) -> str:
        return "".join(",".join(self._cells(row)) + "\r\n" for row in rows)

    def _cells(self, row: dict[str, Any]) -> Iterator[str]:
        for name in self._columns:
            yield _cell(row.get(name))
        error = row.get(_ERROR)
        yield _text(error_text(error)) if error else ""
        more = row.keys() - self._known
        yield _cell({name: row[name] for name in row if name in more}) if more else ""


def judged_csv(answer: Answer, checks: Collection[str]) -> str:
    """CSV of what checks that judge found: by check, as on the page, and of each the worst first."""
    places = {check: place for place, check in enumerate(contents_of(answer).checks)}
    ranks: dict[str, int] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
    rows = [row for outcome in answer.outcomes for row in rows_of(outcome)] + _not_started(answer, checks)
    rows.sort(key=lambda row: (places.get(row["check"], len(places)), ranks.get(str(row.get("verdict")), len(ranks))))
    csv = Csv(checks)
    return csv.text_of(rows) or csv.finish(answer)


class Whole:
    """Keeps every result until the end.

    Args:
        render: makes the text of the answer, whose outcomes have their results.
    """

    def __init__(self, render: Callable[[Answer], str]) -> None:
        self._render = render
        self._kept: dict[tuple[str, str, str | None], Outcome] = {}

    def receive(self, outcomes: Sequence[Outcome]) -> str:
        self._kept.update((_key(outcome), outcome) for outcome in outcomes)
        return ""

    def finish(self, answer: Answer) -> str:
        return self._render(replace(answer, outcomes=[self._kept[_key(outcome)] for outcome in answer.outcomes]))


def as_json(response: dict[str, Any]) -> str:
    return json.dumps(response, indent=2) + "\n"


def error_text(error: Mapping[str, Any]) -> str:
    """An error in a few words: its type, and AWS's code."""
    return f"{error['type']} {error['code']}" if error["code"] else str(error["type"])


def _not_started(answer: Answer, checks: Collection[str]) -> list[dict[str, Any]]:
    return [not_started(target, check) for target in answer.not_started for check in checks]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else _text(_nested.encode(value))


def _text(text: str) -> str:
    if _HARMLESS.fullmatch(text):
        return f'"{text}"'
    if not _NUMBER.fullmatch(text):
        text = _CONTROL.sub("\ufffd", _FORMULA.sub("'", text))
    return '"' + text.replace('"', '""') + '"'


def _key(outcome: Outcome) -> tuple[str, str, str | None]:
    return outcome.account, outcome.check, outcome.region
