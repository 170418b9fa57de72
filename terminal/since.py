"""`--since`: what has changed, instead of all rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from rich.text import Text

from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.changes import Changes, Comparison
from terminal.formats import Csv, JsonLines, as_json
from terminal.streams import text_for
from terminal.table import tables


class Since:
    """Writes the rows that are new, gone or changed to stdout.

    Attributes:
        comparison: what they come to, once it is finished.

    Args:
        out: where the text is written.
        changes: finds them.
        form: "table", "csv", "json" or "jsonl".
        below: the lines below a table.
    """

    def __init__(self, out: TextIO, changes: Changes, form: str, below: Callable[[Answer], Iterable[Text]]) -> None:
        self.comparison: Comparison | None = None
        self._out = out
        self._changes = changes
        self._form = form
        self._below = below
        self._as_they_come = Csv(out) if form == "csv" else JsonLines(out) if form == "jsonl" else None
        self._rows: list[dict[str, Any]] = []

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        found = self._changes.receive(outcomes)
        rows = [{"change": row["change"], **row, "before": row.get("before")} for row in found]  # csv has it in each
        if self._as_they_come:
            self._as_they_come.write(rows)
        else:
            self._rows += rows

    def finish(self, answer: Answer) -> None:
        self.comparison = self._changes.finish(answer)
        if self._form == "table":
            self._out.write(text_for(sys.stdout, [*tables(self._rows, sys.stdout), *self._below(answer)]))
        elif self._form == "json":
            counted = {**answer.without_results(), "changes": dict(self.comparison.counts), "rows": self._rows}
            self._out.write(as_json(counted))
