"""Memory, sockets and threads of this process, from /proc: `ru_maxrss` includes the parent's memory at the fork."""

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
    """Resident memory in MiB."""
    return _field("VmRSS")


def peak_resident() -> float:
    """Maximum resident memory in MiB, since the start or since `restart_peak`."""
    return _field("VmHWM")


def restart_peak() -> None:
    """Set the maximum to the present memory."""
    _CLEAR_REFS.write_text("5")  # see proc_pid_clear_refs(5)


def open_sockets() -> int:
    count = 0
    for file in _OPEN_FILES.iterdir():
        try:
            count += os.readlink(file).startswith("socket:")
        except FileNotFoundError:
            continue  # the descriptor that lists this directory
    return count


def threads_beyond(before: int, patience: float = 5) -> int:
    """The number of threads minus `before`, after waiting for threads that are about to end."""
    deadline = time.monotonic() + patience
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count() - before


def _field(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def size_of(value: Any) -> float:
    """The size of JSON data with everything in it, in MiB. The same object counts once."""
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
