"""All that is written of one sweep: what the options ask for, and what a person is told of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from rich.text import Text

from chalicelib.checks import CHECKS
from chalicelib.cross_account import InvalidInput
from chalicelib.pages.report import page
from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.changes import Changes
from terminal.exit_status import Status
from terminal.formats import Csv, Format, JsonLines, Whole, as_json, judged_csv
from terminal.output_file import ReplacedFile
from terminal.since import Since
from terminal.streams import printable, tell, text_for, write
from terminal.summary import Tally, summary
from terminal.table import as_table


class Output:
    """Writes what an account comes to at once and as a whole, so that there are whole lines whenever it ends.

    Attributes:
        status: whether it could be written; once it could not, nothing more is.
        lost: the accounts that were done and are not in it.

    Args:
        format_: makes the text.
        write: takes it where it belongs, and says what this comes to.
    """

    def __init__(self, format_: Format, write: Callable[[str], Status]) -> None:
        self.status = Status.DONE
        self.lost: list[str] = []
        self._format = format_
        self._write = write

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        if not self.status and (text := self._format.receive(outcomes)):
            self.status = self._write(text)
        if self.status:
            self.lost += dict.fromkeys(outcome.account for outcome in outcomes)

    def finish(self, answer: Answer) -> None:
        if not self.status:
            self.status = self._write(self._format.finish(answer))  # also if it is nothing: a file is then empty


class Outputs:
    """Everything that becomes of an answer.

    Attributes:
        tally: what is counted on the way.

    Args:
        options: of the command.
        event: of the sweep, for the page.
        checks: the names of those that are asked.
        open_files: closes those that are opened here.
        give_up: called when nothing can be written any more.

    Raises:
        InvalidInput: a file cannot be opened, or has nothing to compare with.
    """

    def __init__(
        self,
        options: Namespace,
        event: Mapping[str, Any],
        checks: Collection[str],
        open_files: ExitStack,
        give_up: Callable[[], None],
    ) -> None:
        self.tally = Tally(look_for_alarm=options.fail_on == "alarm")
        self._event = event
        self._checks = checks
        self._judges = any(CHECKS[name].judges for name in checks)
        self._give_up = give_up
        self._since: Since | None = None
        self._outputs = [
            Output(self._format(name, None), ReplacedFile(file, open_files).write) for name, file in _files(options)
        ]
        on_stdout = None if options.output else options.format
        if options.since:
            on_stdout = on_stdout or "table"
            if on_stdout == "html":
                raise InvalidInput("--since is shown as a table, csv, json or jsonl. A page has --html FILE.")
            self._since = Since(Changes(options.since, checks), on_stdout, self._told)
        if on_stdout:
            self._outputs.append(Output(self._since or self._format(on_stdout, sys.stdout), write))
        self._is_told = on_stdout in ("table", "json")  # it contains what else there is to tell
        # csv of checks that judge is by check, so that it waits for the last account
        self.is_streaming = on_stdout == "jsonl" or (on_stdout == "csv" and not self._judges)

    @property
    def statuses(self) -> set[Status]:
        return {output.status for output in self._outputs}

    @property
    def lost(self) -> list[str]:
        """The accounts that were done, but could not be written while the sweep ran."""
        return [account for output in self._outputs for account in output.lost]

    @property
    def changed(self) -> bool:
        return bool(self._since and self._since.comparison and self._since.comparison.changed)

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        """The outcomes of one account."""
        self.tally.receive(outcomes)
        for output in self._outputs:
            output.receive(outcomes)
        if Status.DONE not in self.statuses:
            self._give_up()

    def finish(self, answer: Answer) -> None:
        """Write what there is, files first: who reads stdout may not read all of it."""
        for output in self._outputs:
            output.finish(answer)
        if not self._is_told and Status.CLOSED not in self.statuses:
            tell(text_for(sys.stderr, self._told(answer)))

    def _format(self, name: str, stream: TextIO | None) -> Format:
        if name == "jsonl":
            return JsonLines(self._checks)
        if name == "csv" and not self._judges:
            return Csv(self._checks)
        render: dict[str, Callable[[Answer], str]] = {
            "csv": partial(judged_csv, checks=self._checks),
            "json": lambda answer: as_json(answer.as_dict()),
            "html": partial(page, asked=self._event),
            "table": lambda answer: as_table(answer, self._told(answer), stream),
        }
        return Whole(render[name])

    def _told(self, answer: Answer) -> Iterator[Text]:
        if self._since and self._since.comparison:
            yield from (Text(printable(sentence)) for sentence in self._since.comparison.sentences())
        yield from summary(answer, self.tally)


def _files(options: Namespace) -> Iterator[tuple[str, Path]]:
    if options.output:
        yield options.format, options.output
    if options.html:
        yield "html", options.html
