"""Run one measurement with a new stub, in a new process with a minimal environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.peers_environment import BUILD
from bench.stub_process import PROJECT, StubProcess, running_stub

Measurement = dict[str, Any]


def measure(
    job: str,
    *,
    python: Path | str = sys.executable,
    latency: float,
    recording: Path | None = None,
    **arguments: Any,
) -> Measurement:
    """Run a job (a function of `bench.jobs`) in a worker process.

    Args:
        job: the function's name.
        python: the interpreter to run it with.
        latency: seconds before each response of the stub.
        recording: a file of answers that the stub has as well.
        arguments: the function's arguments.

    Returns:
        The job's result, and under "stub" the stub's counts.
    """
    with running_stub(latency, recording) as stub:
        command = [str(python), "-m", "bench.worker", json.dumps({"job": job, **arguments})]
        measurement: Measurement = json.loads(_run(command, stub))
        return measurement | {"stub": stub.report()}


def _run(command: list[str], stub: StubProcess) -> str:
    # Without the user's profile and proxy. All processes share one directory for bytecode.
    environment = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"), "HOME": os.devnull}
    environment |= stub.environment()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")
    return done.stdout
