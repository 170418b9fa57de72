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


def measure_cold_start(side: str) -> Measurement:
    """CPU seconds until the first answer ("app") or until two clients are there ("clients")."""
    with running_stub(0) as stub:
        cpu, right = _run([sys.executable, "bench/cold_start.py", side], stub).split()
    return {"cpu": float(cpu), "right": int(right)}


def _run(command: list[str], stub: StubProcess) -> str:
    # Nothing of whoever runs this: no profile, no proxy, no bytecode switch. Bytecode is kept for both sides alike.
    environment = {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"), "HOME": os.devnull}
    done = subprocess.run(command, cwd=PROJECT, env=environment | stub.environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")
    return done.stdout
