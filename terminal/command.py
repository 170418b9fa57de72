"""What every command but sweep.py does alike: --help, one line for what is wrong, and a quiet end.

if __name__ == "__main__":
    run(main)
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from terminal.exit_status import Status


class Parser(ArgumentParser):
    """Of a command's arguments; its --help is the text of its module."""

    def __init__(self, command: str, text: str | None) -> None:
        super().__init__(command, description=text, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(Status.WRONG, f"{self.prog}: {message}\n")  # one line, without the usage before it


class Stopped(KeyboardInterrupt):
    """Ctrl-C, a closed terminal, or kill."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number  # as of a program that the signal ended


def run(main: Callable[[], int]) -> NoReturn:
    """Run it, and end the process with its status. A signal ends it with all its `with` blocks, without a traceback."""
    open_closed_streams()
    stop_at_signals()
    status: Any
    try:
        try:
            status = main()
        except SystemExit as left:  # of --help, for one
            status = left.code
        sys.stdout.flush()
    except Stopped as stopped:
        status = stopped.status
        with suppress(OSError):  # a closed terminal
            sys.stderr.write("Stopped.\n")
            sys.stdout.flush()
        _discard_output()
    except BrokenPipeError:  # such as `| head`, which has read enough
        status = Status.CLOSED
        _discard_output()
    ignore_signals()
    sys.exit(status)


def open_closed_streams() -> None:
    """A stream that the shell has closed (`2>&-`) is None."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _discard_output() -> None:
    """Or Python tries to write the rest when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def stop_at_signals() -> None:
    """From here on a signal raises Stopped."""
    for number in signals():
        signal.signal(number, _stop)


def end_at_signals() -> None:
    """From here on a signal ends the process, which may leave nothing behind: while it imports what takes long."""
    for number in signals():
        signal.signal(number, signal.SIG_DFL)


def ignore_signals() -> None:
    """From here on no signal interrupts. Not SIG_IGN, which processes started later would inherit."""
    for number in signals():
        signal.signal(number, lambda *_: None)


@contextmanager
def cleaning_up_undisturbed() -> Iterator[None]:
    """As the last of several `with`: what the others do at their end is not interrupted."""
    try:
        yield
    finally:
        ignore_signals()


def signals() -> list[int]:
    """That end a command. nohup ignores SIGHUP, that of a closed terminal, and Windows has none."""
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    return numbers if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN else [*numbers, hangup]


def _stop(number: int, _: Any) -> NoReturn:
    ignore_signals()  # a second one interrupts no cleaning up
    raise Stopped(number)
