"""What is written where: the answer to stdout, sentences to stderr, and files beside those that are there."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import NoReturn, TextIO

from terminal.status import Status

PROGRAM = "sweep.py"


def open_closed_streams() -> None:
    """A stream that the shell has closed (`2>&-`) is None."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def say(text: str) -> None:
    """A sentence on stderr, where data from elsewhere is no control sequence."""
    tell(f"{PROGRAM}: " + printable(text, also="\n") + "\n")


def tell(text: str) -> None:
    """Write to stderr, as it is."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # nobody reads it, which is no reason to lose the answer
        _discard(sys.stderr)


def write(text: str) -> Status:
    """Write to stdout. Returns what this comes to."""
    encoding = sys.stdout.encoding
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))  # not every terminal has an ellipsis
        sys.stdout.flush()
    except BrokenPipeError:  # such as `| head`, which has read enough
        status = Status.CLOSED
    except OSError as error:
        say(f"the answer could not be written: {error.strerror}.")
        status = Status.FAILED
    else:
        return Status.DONE
    _discard(sys.stdout)
    return status


def leave(status: int) -> NoReturn:
    """End the process, also if a check has left threads of its own behind, for which Python would wait."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def printable(text: str, *, also: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in also else "\ufffd" for character in text)


def unused(file: Path) -> Path:
    """The name of a file that is not there: page.html, or page-2.html if it is."""
    others = (file.with_stem(f"{file.stem}-{number}") for number in count(2))
    return next(name for name in chain([file], others) if not name.exists())


def _discard(stream: TextIO) -> None:
    """What is in its buffer; or the interpreter tries again when it ends, with a message and a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
