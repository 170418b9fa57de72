"""What is written where: the answer to stdout, sentences to stderr, and files beside those that are there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import StringIO
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.text import Text

from terminal.exit_status import Status

PROGRAM = "sweep.py"


def say(text: str) -> None:
    """A sentence on stderr, where data from elsewhere is no control sequence."""
    tell(f"{PROGRAM}: " + printable(text, also="\n") + "\n")


def tell(text: str) -> None:
    """Write to stderr, as it is."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # its reader is gone, which must not lose the answer
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
    """A console that writes to stdout by itself ends the process when its reader is gone."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    encoding: Any = property(lambda self: self._stream.encoding)  # rich draws with what it has

    def isatty(self) -> bool:
        return self._stream.isatty()


def _discard(stream: TextIO) -> None:
    """What is in its buffer; or the interpreter tries again when it ends, with a message and a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
