"""Temporary folders, with the process in their names, so that the next sandbox removes those of one that was killed."""

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"sandbox-[a-z]+-([0-9]+)-\w+")


def folder(what: str) -> "tempfile.TemporaryDirectory[str]":
    """A new one, of this user alone."""
    return tempfile.TemporaryDirectory(prefix=f"sandbox-{what}-{os.getpid()}-", ignore_cleanup_errors=True)


def remove() -> None:
    """The folders of this user's processes that have ended."""
    for path in Path(tempfile.gettempdir()).glob("sandbox-*-*-*"):
        name = _NAME.fullmatch(path.name)
        with suppress(FileNotFoundError):  # another sandbox starts, and removes it too
            if name and path.lstat().st_uid == os.geteuid() and not _runs(int(name[1])):
                shutil.rmtree(path, ignore_errors=True)  # never through a link


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
