"""Cold starts as Lambda runs them: a function under AWS's own runtime client, from its start to its first answer.

The Runtime API is the sandbox's, in this process; the function's process has only what it has in Lambda.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import IO, Any

from bench.deployed import ACCOUNT, FUNCTIONS, RUNTIME, WITH_BYTECODE, WITHOUT, properties
from bench.stub_process import StubProcess, running_stub
from sandbox.functions.runtime_api import Invocation, RuntimeApi

_SECONDS = 20.0  # of patience with a function that does not start or answer

# sys.path as in Lambda: the code, the layer, the runtime client, and the standard library last.
_BOOTSTRAP = """
import sys
sys.path[:0] = sys.argv[1:4]
from awslambdaric.__main__ import main
main(["", sys.argv[4]])
"""
_IMPORT_OF_HELPER = """
import sys
sys.path[:0] = sys.argv[1:3]
import time, botocore.session
before = time.process_time()
import cross_account
print(time.process_time() - before)
"""


def measure_cold_starts(times: int, *, bytecode: bool) -> dict[str, Any]:
    """CPU seconds of each function's process until its first response; all alternate.

    Args:
        times: measurements of each; one more at the start is not counted, because it reads the files from the disk.
        bytecode: whether the functions and the layer have it. The runtime client always has, as in Lambda.

    Returns:
        Medians: by function, "cpu" until the response and "init" until it asked for the event; "import" of the helper,
        after `import botocore.session`. How many responses were "right".
    """
    place = WITH_BYTECODE if bytecode else WITHOUT
    taken: list[dict[str, ColdStart]] = []
    imports: list[float] = []
    with running_stub(0) as stub:
        for _ in range(times + 1):
            taken.append({name: _cold_start(name, place, stub) for name in FUNCTIONS})
            imports.append(_import_of_helper(place))
    return {
        "cpu": {name: median(starts[name].cpu for starts in taken[1:]) for name in FUNCTIONS},
        "init": {name: median(starts[name].init for starts in taken[1:]) for name in FUNCTIONS},
        "import": median(imports[1:]),
        "right": sum(start.right for starts in taken[1:] for start in starts.values()),
    }


@dataclass(frozen=True)
class ColdStart:
    """CPU seconds of a function's process until its first response, `init` until it asked for the event."""

    cpu: float
    init: float
    right: bool


def _cold_start(name: str, place: Path, stub: StubProcess) -> ColdStart:
    event = json.dumps({"account_id": ACCOUNT, "check": "s3_buckets"}).encode()
    invocation = Invocation("bench", event, f"arn:aws:lambda:eu-west-1:999999999999:function:{name}", "")
    invocation.deadline = time.time() + _SECONDS
    api, cpu = RuntimeApi(), list[float]()
    with TemporaryFile() as log, _process(name, place, stub, api, log) as process:
        if not api.settled.wait(_SECONDS) or api.failed:
            raise RuntimeError(f"{name} does not start:\n{_end_of(log)}")
        cpu.append(_cpu_seconds(process))
        # Called when the response has arrived and the process waits for its acknowledgement.
        invocation.outcome.add_done_callback(lambda _: cpu.append(_cpu_seconds(process)))
        api.offer(invocation)
        outcome = invocation.outcome.result(timeout=_SECONDS)
        right = not outcome.failed and FUNCTIONS[name].answer.encode() in outcome.payload
    init, until_response = cpu  # complete, because the process has ended
    return ColdStart(until_response, init, right)


@contextmanager
def _process(
    name: str, place: Path, stub: StubProcess, api: RuntimeApi, log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    deployed = properties()
    handler = "main.handler" if FUNCTIONS[name].source else deployed["Handler"]
    environment = deployed["Environment"]["Variables"] | stub.environment()
    environment |= {
        "_HANDLER": handler,
        "AWS_REGION": stub.environment()["AWS_DEFAULT_REGION"],
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{deployed['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployed["MemorySize"]),
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "LAMBDA_TASK_ROOT": str(place / name),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "HOME": os.devnull,
    }
    process = subprocess.Popen(
        [*_python(_BOOTSTRAP), str(place / name), _packages(place), str(RUNTIME), handler],
        cwd=place / name,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        yield process
    finally:
        api.close()  # the runtime client ends at its next question
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS)
        process.kill()
        process.wait()


def _import_of_helper(place: Path) -> float:
    command = [*_python(_IMPORT_OF_HELPER), str(place / "helper"), _packages(place)]
    return float(subprocess.run(command, env={}, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _python(code: str) -> list[str]:
    """This Python without its installed packages; as in Lambda, whose folders are read-only, it keeps no bytecode."""
    return [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", code]


def _packages(place: Path) -> str:
    return str(place / "layer" / "python" / "lib" / properties()["Runtime"] / "site-packages")


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time so far, of all threads, to the microsecond: the clock of clock_getcpuclockid(3) on Linux."""
    return time.clock_gettime(~process.pid << 3 | 2)


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-4000:].decode(errors="replace")
