"""An answer as a table, with what to do below it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from chalicelib.cross_account import CrossAccountError
from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.streams import printable


def shown(answer: Answer) -> str:
    """The text for stdout: as wide as the terminal, and in colours if it is one."""
    text = _LikeStdout()
    console = Console(file=text, highlight=False)
    console.print(_table(answer))
    summary = "{accounts} accounts: {ok} ok, {failed} failed, {not_started} not started, {seconds} s"
    console.print(summary.format(**answer.summary()))
    whole = (outcome for outcome in answer.outcomes if outcome.account not in answer.cut)  # the rest is to go on with
    for failure, hint in _next_steps(whole).items():
        first, *more = hint.splitlines() or [""]
        for line in (f"{failure}: {first}", *(f"  {line}" for line in more)):
            console.print(_plain(line), soft_wrap=True)  # a command in it must stay in one piece for copying
    if answer.duplicates:
        console.print(_plain(f"Named more than once: {', '.join(answer.duplicates)}"))
    return text.getvalue()


class _LikeStdout(StringIO):
    """A console that writes to stdout by itself ends the process when nobody reads it any more."""

    encoding = property(lambda _: sys.stdout.encoding)  # rich draws with what it has

    def isatty(self) -> bool:
        return sys.stdout.isatty()


def _table(answer: Answer) -> Table:
    fixed = (
        Column("account", no_wrap=True),
        Column("region", no_wrap=True),
        Column("ms", justify="right", no_wrap=True),
    )
    table = Table(*fixed, "result")  # the only flexible column: its cells are truncated rather than wrapped
    for outcome in answer.outcomes:
        text = json.dumps(outcome.result) if outcome.error is None else _failure(outcome.error)
        account, result = _plain(outcome.account[:64]), _plain(text, truncate=True)
        table.add_row(account, outcome.region, str(outcome.ms), result, style="" if outcome.ok else "red")
    for target in answer.not_started:
        table.add_row(_plain(target.id[:64]), None, None, "not started", style="yellow")
    return table


def _failure(error: CrossAccountError) -> str:
    name = type(error).__name__
    return f"{name} {error.code}" if error.code else name


def _next_steps(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """One hint for each kind of failure: that of its first account."""
    steps: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.error:
            steps.setdefault(_failure(outcome.error), outcome.error.as_dict()["hint"])
    return steps


def _plain(text: str, *, truncate: bool = False) -> Text:
    """Data from elsewhere, as neither markup nor a terminal's control sequence."""
    return Text(printable(text), no_wrap=truncate, overflow="ellipsis" if truncate else "fold")
