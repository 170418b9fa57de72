"""A sweep that ends early, at the end of --timeout, at Ctrl-C or when nothing can be written; and how to go on."""

from __future__ import annotations

import math
import os
import shlex
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from terminal.exit_status import Status

MAX_IDS = 10
"""So many stand in the command itself, and more in a file."""
REST = "rest.txt"


class Limit:
    """The time that a sweep has.

    Attributes:
        sweeping: accounts are being asked, by threads whose locks an exception in this one would break.
        interrupted: by Ctrl-C.
        over: the sweep is over, and its answer is being written.

    Args:
        seconds: None: no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self.sweeping = False
        self.interrupted = False
        self.over = False

    def left(self) -> float:
        """Seconds."""
        return 0.0 if self.interrupted else self._end - time.monotonic()

    def end(self) -> None:
        """Now: the answer cannot be written any more."""
        self._end = -math.inf

    def interrupt(self, *_: object) -> None:
        """Ctrl-C: the first ends the sweep, one more ends the process.

        Raises:
            KeyboardInterrupt: the accounts are still being listed, or even less.
        """
        if self.interrupted or self.over:
            if os.isatty(2):
                os.write(2, b"\x1b[?25h")  # the bar may have hidden the cursor
            os._exit(Status.INTERRUPTED)
        self.interrupted = True
        if not self.sweeping:
            raise KeyboardInterrupt


def how_to_go_on(typed: Sequence[str], check: str, ids: Sequence[str], accounts: int) -> str:
    """A sentence and a command to copy; many ids are written to a new file in the current folder.

    Args:
        typed: the command, as it was typed.
        check: its check.
        ids: the accounts that are not done.
        accounts: how many there are in all.
    """
    listed, where = ",".join(ids), ""
    if len(ids) > MAX_IDS:
        try:
            file = _unused(Path(REST))
            with file.open("x", encoding="utf-8") as rest:
                rest.writelines([f"# {check}: not done yet\n", *(f"{id_}\n" for id_ in ids)])
            listed, where = f"@{file}", f"; their ids are in {file}"
        except OSError as error:
            where = f", here instead of in {REST}, which could not be written ({error.strerror})"
    return f"Not done: {len(ids):,} of {accounts:,} accounts{where}. To go on with these:\n  {_command(typed, listed)}"


def _command(typed: Sequence[str], accounts: str) -> str:
    """The same, but for these accounts, and with a page and a file beside those that there are.

    Names, units and tags are the organization's: of accounts that are named they are not known.
    """
    replaced = ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--accounts", "--organizational-unit", "--account-tags", "--exclude", "--output", "--html"):
        replaced.add_argument(option)
    replaced.add_argument("--tags", action="store_true")
    options, words = replaced.parse_known_args(typed)
    words += ["--accounts", accounts]
    for option in ("output", "html"):
        if file := getattr(options, option):
            words += [f"--{option}", str(_unused(Path(file)))]
    return shlex.join(words)


def _unused(file: Path) -> Path:
    """The name of a file that is not there: page.html, or page-2.html if it is."""
    others = (file.with_stem(f"{file.stem}-{number}") for number in count(2))
    return next(name for name in chain([file], others) if not name.exists())
