"""A sandbox for tests and demos, in a separate process: moto's patches never change the caller's process.

with sandbox.running() as box:
    s3 = boto3.client("s3", endpoint_url=box.endpoint_url, ...)   # or merge box.environment into os.environ
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_SECONDS = 120
_STOP_SECONDS = 20


class SandboxNotStarted(Exception):
    """The sandbox's process ended or hung before it was ready; the message has its exit status."""


@dataclass(frozen=True)
class Box:
    """A running sandbox."""

    endpoint_url: str
    environment: dict[str, str]
    pid: int

    def calls(self, service: str = "", action: str = "") -> list[dict[str, Any]]:
        """The AWS calls so far, oldest first, each with service, action, account, caller, resource, outcome."""
        import urllib.request  # here, because every command of the package imports this module

        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.endpoint_url}/sandbox/calls?service={service}&action={action}") as response:
            calls: list[dict[str, Any]] = json.load(response)
            return calls


@contextmanager
def running(template: Path | None = None, accounts: int = 0) -> Iterator[Box]:
    """Start a sandbox, wait until it is ready, and end it and everything it started.

    `template` is the role template that is deployed in the targets (default: the project's role-template.yaml);
    `accounts` is the number of generated target accounts to add.
    """
    command = [sys.executable, "-m", "sandbox", "--child", "--accounts", str(accounts)]
    if template is not None:
        command += ["--template", str(template)]
    project = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(project)}
    # The child ends at the end of its stdin, so it ends even if this process is killed.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project, env=environment
    )
    try:
        yield _wait_until_ready(process)
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[str]") -> Box:
    assert process.stdout is not None
    guard = threading.Timer(_START_SECONDS, process.kill)
    guard.start()
    try:
        line = process.stdout.readline()
    finally:
        guard.cancel()
    if not line:
        raise SandboxNotStarted(f"python -m sandbox ended with status {process.wait()}; see its stderr")
    environment = json.loads(line)
    return Box(environment["AWS_ENDPOINT_URL"], environment, process.pid)


def _stop(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.terminate()  # it reads its stdin only once it has started
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
