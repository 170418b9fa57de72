"""An earlier run of a sweep, as `--format jsonl` has written it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

from chalicelib.cross_account import InvalidInput
from chalicelib.outputs.rows import BASE

Row = dict[str, Any]
Place = tuple[str | None, str]
"""Within an account: region and check."""

_NOT_OWN = frozenset({*BASE, "tags", "error"})


class EarlierRun:
    """Where each account's rows are in the file: they are read once more when the account is compared, and not kept.

    Args:
        path: of the file; a pipe will do.
        checks: those whose rows are wanted.

    Attributes:
        rows: of each check, how many answer.
        columns: of each check, in how many of those rows each column stands.
        ends_early: the last line is half a row, so whatever wrote the file was stopped.

    Raises:
        InvalidInput: the file cannot be read, holds something else, or only rows of other checks.
    """

    def __init__(self, path: Path, checks: Collection[str]) -> None:
        self._name = f"--since: the file {str(path)!a}"
        self._wanted = frozenset(checks)
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._telling: dict[str, set[str]] = {}
        self._last = ""
        self.rows = Counter[str]()
        self.columns: dict[str, Counter[str]] = {}
        self.ends_early = False
        try:
            with ExitStack() as on_error:
                self._file = on_error.enter_context(_seekable(path))
                self._read()
                on_error.pop_all()
        except OSError as error:
            raise InvalidInput(f"{self._name} cannot be read: {error.strerror}.") from None

    @property
    def accounts(self) -> Collection[str]:
        """Those that the file has rows of."""
        return self._spans.keys()

    def may_lack(self, account: str) -> bool:
        """Whether rows of this account may be missing, because the file ends early."""
        return self.ends_early and (account == self._last or account not in self._spans)

    def of(self, account: str) -> dict[Place, list[Row]]:
        """The rows of an account. Of a file with several runs one after another, the last one's."""
        found: dict[Place, list[Row]] = {}
        for span in self._spans.get(account, ()):
            found |= {place: list(block) for place, block in groupby(self._between(*span), _place)}
        return found

    def telling_columns(self, check: str) -> list[str]:
        """The columns that tell an account's rows of a check apart, in a region; the best first."""
        telling = self._telling.get(check, ())
        return sorted((name for name in self.columns.get(check, ()) if name in telling), key=rank)

    def close(self) -> None:
        self._file.close()

    def _between(self, start: int, end: int) -> Iterator[Row]:
        self._file.seek(start)
        for line in self._file.read(end - start).splitlines():
            if line.strip():
                row = json.loads(line)
                if row["check"] in self._wanted:
                    yield row

    def _read(self) -> None:
        others: set[str] = set()
        for (account, place), lines in groupby(self._lines(), lambda line: (line[2]["account"], _place(line[2]))):
            block = list(lines)
            check = place[1]
            self._last = account
            if check not in self._wanted:
                others.add(check)
                continue
            self._remember(account, block[0][0], block[-1][1])
            rows = [own(row) for _, _, row in block if row.get("error") is None]
            if rows:
                self._learn(check, rows)
        if others and not self._spans:
            wanted = " or ".join(sorted(self._wanted))
            raise InvalidInput(f"{self._name} has no rows of {wanted}, only of {', '.join(sorted(others))}.")

    def _remember(self, account: str, start: int, end: int) -> None:
        spans = self._spans.setdefault(account, [])
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))

    def _learn(self, check: str, rows: list[Row]) -> None:
        self.rows[check] += len(rows)
        columns = self.columns.setdefault(check, Counter())
        for row in rows:
            columns.update(row.keys())
        telling = self._telling.setdefault(check, set(rows[0]))
        telling.intersection_update([name for name in telling if tells_apart(name, rows)])

    def _lines(self) -> Iterator[tuple[int, int, Row]]:
        """Where each line begins and ends, and its row."""
        end = 0
        for number, line in enumerate(self._file, 1):
            start, end = end, end + len(line)
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if start == 0 else "utf-8"))
            except (ValueError, RecursionError):
                if start and not line.endswith(b"\n"):
                    self.ends_early = True
                    return
                row = None
            if not _is_row(row):
                raise InvalidInput(
                    f"{self._name}, line {number}, is not a row that --format jsonl has written. (Two stored runs are "
                    "compared as docs/asking-anything.md shows.)"
                )
            yield start, end, row


def own(row: Row) -> Row:
    """The columns that are not about the account, whose name, unit and tags may change."""
    return {name: value for name, value in row.items() if name not in _NOT_OWN}


def tells_apart(column: str, rows: list[Row]) -> bool:
    """Whether each of these rows has another value there; where the name says so, the same row may stand twice."""
    values = [row.get(column) for row in rows]
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        return False
    different = len(set(values))
    if different == len(rows) or rank(column) == _NO_IDENTITY:
        return different == len(rows)
    return different == len({json.dumps(row, sort_keys=True) for row in rows})


_IDENTITIES = ("resource", "arn", "id", "name")
_NO_IDENTITY = 2 * len(_IDENTITIES)


def rank(column: str) -> int:
    """How likely a column is by its name to say which row it is, the most likely first: id, InstanceId, vpc_id."""
    for place, word in enumerate(_IDENTITIES):
        if column.lower() == word:
            return place
        if column.endswith((f"_{word}", word.capitalize())):
            return place + len(_IDENTITIES)
    return _NO_IDENTITY


def _place(row: Row) -> Place:
    return row["region"], row["check"]


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or not all(name in row for name in BASE):
        return False
    texts = isinstance(row["account"], str) and isinstance(row["check"], str)
    return texts and isinstance(row["region"], str | None) and isinstance(row.get("error"), dict | None)


def _seekable(path: Path) -> IO[bytes]:
    file = path.open("rb")
    if file.seekable():
        return file
    with file:
        copy = TemporaryFile()  # noqa: SIM115, it is closed with the run
        copyfileobj(file, copy)
        copy.seek(0)
        return copy
