"""The answer for a person: the rows as a table, and below it what else there is to say."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from chalicelib.outputs.rows import rows_of
from chalicelib.sweeps.outcome import Answer
from terminal.columns import Row, in_columns


def shown(answer: Answer, below: Iterable[Text], stream: TextIO | None) -> str:
    """The text of an answer.

    Args:
        below: lines below the table.
        stream: where it is going to be written; a terminal decides the width and gets colours. None: a file.
    """
    rows = (row for outcome in answer.outcomes if outcome.ok for row in rows_of(outcome))
    return text_for(stream, [*tables(rows, stream), *below])


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
        yield from map(Text, lines)
        if table.left_out:
            yield Text(f"No room for: {', '.join(table.left_out)}. --format csv has them.", style="dim")
        yield Text()


def text_for(stream: TextIO | None, lines: Iterable[Text]) -> str:
    """Lines as they are written to a stream: in colours if it is a terminal."""
    if stream is None or not stream.isatty():
        return "".join(f"{line.plain}\n" for line in lines)
    text = _Like(stream)
    console = Console(file=text, highlight=False)
    for line in lines:
        if line.style:
            console.print(line, soft_wrap=True)
        else:
            text.write(f"{line.plain}\n")  # a command in it stays in one piece for copying
    return text.getvalue()


class _Like(StringIO):
    """A console that writes to stdout by itself ends the process when nobody reads it any more."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    encoding: Any = property(lambda self: self._stream.encoding)  # rich draws with what it has

    def isatty(self) -> bool:
        return self._stream.isatty()


def _width(stream: TextIO | None) -> int | None:
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None
