"""How the command exits."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum


class Status(IntEnum):
    DONE = 0
    FAILED = 1
    WRONG = 2
    CHANGED = 3
    ALARM = 4
    INTERRUPTED = 130
    CLOSED = 141
    """That of a program which SIGPIPE ended. Python ignores that signal, which may also come from a socket."""


MEANINGS = {
    Status.WRONG: "the command or a setting is wrong; no account was asked",
    Status.INTERRUPTED: "Ctrl-C",
    Status.CLOSED: "stdout was closed by its reader, such as head",
    Status.FAILED: "an account failed or was not started, something is unknown, none was asked or not all listed, "
    "or a file was not written",
    Status.ALARM: "a row's verdict is alarm (with --fail-on alarm)",
    Status.CHANGED: "a row is new, gone or changed (with --since)",
    Status.DONE: "none of these",
}
"""In the order in which they count."""


def first_of(holding: Collection[Status]) -> Status:
    """The status of a run for which all of these hold."""
    return next((status for status in MEANINGS if status in holding), Status.DONE)
