"""How to go on with the accounts that a sweep did not get done."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from terminal.streams import unused

FEW = 10
"""So many ids stand in the command itself, and more in a file."""
REST = "rest.txt"


def how_to_go_on(typed: Sequence[str], check: str, ids: Sequence[str], accounts: int) -> str:
    """A sentence and a command to copy; many ids are written to a new file in the current folder.

    Args:
        typed: the command, as it was typed.
        check: its check.
        ids: the accounts that are not done.
        accounts: how many there are in all.
    """
    listed, where = ",".join(ids), ""
    if len(ids) > FEW:
        try:
            file = unused(Path(REST))
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
            words += [f"--{option}", str(unused(Path(file)))]
    return shlex.join(words)
