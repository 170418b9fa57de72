"""What this process holds, from /proc: memory (`ru_maxrss` would begin with what the parent held at the fork), sockets,
threads."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_OPEN_FILES = Path("/proc/self/fd")
_CLEAR_REFS = Path("/proc/self/clear_refs")
MIB = 1024 * 1024


def resident() -> float:
    """MiB now."""
    return _field("VmRSS")


def peak_resident() -> float:
    """The most it ever was, in MiB, since the start or since `restart_peak`."""
    return _field("VmHWM")


def restart_peak() -> None:
    """Let the peak begin again at what is held now."""
    _CLEAR_REFS.write_text("5")  # see proc_pid_clear_refs(5)


def open_sockets() -> int:
    count = 0
    for file in _OPEN_FILES.iterdir():
        try:
            count += os.readlink(file).startswith("socket:")
        except FileNotFoundError:
            continue  # the one that lists the directory
    return count


def threads_beyond(before: int, patience: float = 5) -> int:
    """How many more threads there are than before, once those that are just ending have ended."""
    deadline = time.monotonic() + patience
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count() - before


def _field(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def size_of(value: Any) -> float:
    """What plain data, as JSON has it, occupies with everything in it, in MiB. An object met twice counts once."""
    seen: set[int] = set()
    total = 0
    todo = [value]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        if isinstance(item, dict):
            todo.extend(item)
            todo.extend(item.values())
        elif isinstance(item, list | tuple):
            todo.extend(item)
    return total / MIB
