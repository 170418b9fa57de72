"""Run one measurement: a fresh stub, a fresh process, a bare environment."""

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


def measure(job: str, *, python: Path | str = sys.executable, latency: float, **arguments: Any) -> Measurement:
    """Let a worker do a job (a function of `bench.jobs`).

    Args:
        job: the function's name.
        python: whose environment to run it in.
        latency: seconds before each answer of the stub.
        arguments: the function's.

    Returns:
        What the job gave, and under "stub" what the stub has counted.
    """
    with running_stub(latency) as stub:
        command = [str(python), "-m", "bench.worker", json.dumps({"job": job, **arguments})]
        measurement: Measurement = json.loads(_run(command, stub))
        return measurement | {"stub": stub.report()}


def measure_cold_starts(times: int, *, bytecode: bool) -> Measurement:
    """CPU seconds of a cold start, by side: up to the first answer ("app"), until two clients are there ("clients").

    They take turns.

    Args:
        times: of each; one more beforehand is not counted, it leaves the bytecode behind.
        bytecode: let them find bytecode. A layer that Chalice packs has none.
    """
    without = {} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(BUILD / "no-bytecode")}
    cpu = dict.fromkeys(SIDES, 0.0)
    right = 0
    with running_stub(0) as stub:
        for number in range(times + 1):
            for side in SIDES:
                seconds, answered = _run([sys.executable, "bench/cold_start.py", side], stub, **without).split()
                if number:
                    cpu[side] += float(seconds) / times
                    right += int(answered)
    return {"cpu": cpu, "right": right}


def _run(command: list[str], stub: StubProcess, **more: str) -> str:
    # Nothing of whoever runs this: no profile, no proxy. Bytecode is kept, in one place for all.
    environment = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"), "HOME": os.devnull}
    environment |= stub.environment() | more
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")
    return done.stdout
