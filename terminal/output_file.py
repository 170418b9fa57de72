"""The file that the answer goes to, while the sweep runs or at its end."""

from __future__ import annotations

import stat
from contextlib import ExitStack
from os import fstat
from pathlib import Path

from chalicelib.cross_account import InvalidInput
from terminal.exit_status import Status
from terminal.streams import say


class ReplacedFile:
    """A file whose content is replaced, but not before there is an answer.

    Args:
        open_files: closes it, and deletes it if it is new and nothing was written.

    Raises:
        InvalidInput: it cannot be written.
    """

    def __init__(self, path: Path, open_files: ExitStack) -> None:
        self._path = path
        self._length: int | None = None
        try:
            is_new = not path.exists()
            self._file = open_files.enter_context(path.open("ab", buffering=0))
        except OSError as error:
            raise InvalidInput(f"The file {str(path)!a} cannot be written: {error.strerror}.") from None
        self._is_regular = stat.S_ISREG(fstat(self._file.fileno()).st_mode)
        if is_new:
            open_files.callback(self._delete_if_unused)

    def write(self, text: str) -> Status:
        """Write at its end. Returns what this comes to."""
        written = self._length or 0
        rest = memoryview(text.encode("utf-8", "replace"))
        try:
            if self._length is None:
                self._cut_to(0)
            self._length = written + len(rest)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except BrokenPipeError:
            return Status.CLOSED
        except OSError as error:
            say(f"{str(self._path)!a} was not written to its end: {error.strerror}.")
            self._cut_to(written)  # half a line is of no use
            return Status.FAILED
        return Status.DONE

    def _delete_if_unused(self) -> None:
        if self._length is None:
            self._path.unlink(missing_ok=True)

    def _cut_to(self, length: int) -> None:
        if self._is_regular:
            self._file.truncate(length)
