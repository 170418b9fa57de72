"""The machine and the versions of a measurement, without names of machines or persons."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.peers_environment import REQUIREMENTS

_CPU_INFO = Path("/proc/cpuinfo")
_MEMORY_INFO = Path("/proc/meminfo")


def facts() -> dict[str, str]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{len(os.sched_getaffinity(0))} cores, {_first(_CPU_INFO, 'model name')}, {_memory()}",
        "system": f"{platform.system()} {platform.machine()}, CPython {platform.python_version()}",
        "this": _versions(f"{name}=={version(name)}" for name in ("boto3", "botocore", "urllib3")),
        "the others": _versions(re.findall(r"^(?:botocove|aws-assume|boto3-assume|boto-session)\S+", _pins(), re.M)),
    }


def _versions(pins: object) -> str:
    return ", ".join(pin.replace("==", " ") for pin in pins)  # type: ignore[attr-defined]


def _pins() -> str:
    return REQUIREMENTS.read_text()


def _first(file: Path, field: str) -> str:
    found = re.search(rf"^{field}\s*:\s*(.+)$", file.read_text(), re.M)
    return found[1] if found else "unknown"


def _memory() -> str:
    kibibytes = int(_first(_MEMORY_INFO, "MemTotal").split()[0])
    return f"{kibibytes / 1024 / 1024:.0f} GiB"
