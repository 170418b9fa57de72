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
SIDES = ("app", "clients")


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


def measure_cold_starts(times: int, *, bytecode: bool) -> Measurement:
    """CPU seconds of a cold start: until the first response ("app"), and until two clients exist ("clients").

    Both alternate.

    Args:
        times: measurements of each; one more at the start is not counted, because it writes the bytecode.
        bytecode: whether they have bytecode. A layer that Chalice builds has none.
    """
    without = {} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(BUILD / "no-bytecode")}
    cpu = dict.fromkeys(SIDES, 0.0)
    right = 0
    with running_stub(0) as stub:
        for number in range(times + 1):
            for side in SIDES:
                seconds, is_right = _run([sys.executable, "bench/cold_start.py", side], stub, **without).split()
                if number:
                    cpu[side] += float(seconds) / times
                    right += int(is_right)
    return {"cpu": cpu, "right": right}


def _run(command: list[str], stub: StubProcess, **more: str) -> str:
    # Without the user's profile and proxy. All processes share one directory for bytecode.
    environment = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"), "HOME": os.devnull}
    environment |= stub.environment() | more
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")
    return done.stdout
