"""Starts the stub in a process, with its URL, its environment for botocore and its counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from bench.stub import COUNTS_PATH, HUB_KEY

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class StubProcess:
    """A running stub."""

    url: str

    def report(self) -> dict[str, Any]:
        """Its counts so far, see `bench.stub.Stub`; this request is not counted."""
        with urlopen(self.url + COUNTS_PATH) as response:
            report: dict[str, Any] = json.load(response)
        return report

    def environment(self) -> dict[str, str]:
        """The variables for botocore to use it as the hub."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": HUB_KEY,
            "AWS_SECRET_ACCESS_KEY": "no-secret-of-the-hub",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running_stub(latency: float, recording: Path | None = None) -> Iterator[StubProcess]:
    """Start a new stub, and end it afterwards.

    Args:
        latency: seconds before each response.
        recording: a file of answers that it has as well.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.stub", str(latency), *([str(recording)] if recording else [])],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its standard input and waits
        assert process.stdout is not None
        yield StubProcess(f"http://127.0.0.1:{int(process.stdout.readline())}")
