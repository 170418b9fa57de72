"""`--since`: what has changed, instead of all rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.text import Text

from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.changes import Changes, Comparison
from terminal.formats import Csv, JsonLines, as_json
from terminal.streams import text_for
from terminal.table import tables


class Since:
    """Makes text of the rows that are new, gone or changed, for stdout.

    Attributes:
        comparison: what they come to, once it is finished.

    Args:
        changes: finds them.
        form: "table", "csv", "json" or "jsonl".
        below: the lines below a table.
    """

    def __init__(self, changes: Changes, form: str, below: Callable[[Answer], Iterable[Text]]) -> None:
        self.comparison: Comparison | None = None
        self._changes = changes
        self._form = form
        self._below = below
        self._as_they_come = Csv() if form == "csv" else JsonLines() if form == "jsonl" else None
        self._rows: list[dict[str, Any]] = []

    def receive(self, outcomes: Sequence[Outcome]) -> str:
        rows = self._changes.receive(outcomes)
        if self._as_they_come:
            return self._as_they_come.text_of(rows)
        self._rows += rows
        return ""

    def finish(self, answer: Answer) -> str:
        self.comparison = self._changes.finish(answer)
        if self._form == "table":
            return text_for(sys.stdout, [*tables(self._rows, sys.stdout), *self._below(answer)])
        if self._form == "json":
            counts = dict(self.comparison.counts)
            return as_json({**answer.without_results(), "changes": counts, "rows": self._rows})
        return ""
