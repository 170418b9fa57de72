"""One warm process of a function: it runs one event after another and is killed at a timeout."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sandbox.functions.environment import process_command, process_environment
from sandbox.functions.logs import LogStream, stream_name
from sandbox.functions.output import OutputPipe
from sandbox.functions.platform_log import Metrics, PlatformLog
from sandbox.functions.runtime_api import Invocation, Outcome, RuntimeApi
from sandbox.functions.specification import Specification, error_payload

# Lambda's maximum is ten seconds; compiling the modules of a new layer on a laptop may take longer.
_INIT_SECONDS = 30.0


class FunctionProcess:
    """A child process with its own Runtime API, log stream and role session."""

    def __init__(self, spec: Specification, endpoint_url: str, directories: dict[str, Path]) -> None:
        self._spec = spec
        self._home = Path(tempfile.mkdtemp(prefix="home-", dir=directories["home"]))
        self._api = RuntimeApi()
        self.log = LogStream(spec, stream_name(spec))
        self._exit_status: int | None = None
        self._reported_init = False
        places = {**directories, "home": self._home}
        try:
            environment = process_environment(spec, endpoint_url, self._api.address, self.log.name, places)
        except Exception:
            self._api.close()
            raise
        self._access_key_id = environment["AWS_ACCESS_KEY_ID"]
        self._output = OutputPipe(lambda lines: self.log.write(lines, self._access_key_id))
        self._platform = PlatformLog(spec, self._log)
        self._platform.init_start()
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            process_command(spec, places),
            cwd=directories["task"],
            env=environment,
            stdin=subprocess.PIPE,  # at its end the function ends: bootstrap.py
            stdout=self._output.write_end,
            stderr=self._output.write_end,
            start_new_session=True,  # Ctrl-C is for the sandbox
        )
        self._output.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can run another event."""
        return self._process.poll() is None and not self._api.failed

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event. Not safe to call from two threads at once."""
        if not self._api.settled.wait(_INIT_SECONDS):
            self.kill()
            return self._timed_out(invocation, _INIT_SECONDS)
        self._output.drain()
        self._platform.start(invocation.request_id)
        began = time.monotonic()
        outcome = self._init_failure(invocation) or self._run(invocation)
        self._output.drain(final=True)
        self._report(invocation, outcome, time.monotonic() - began)
        return outcome

    def _run(self, invocation: Invocation) -> Outcome:
        invocation.deadline = time.time() + self._spec.timeout
        self._api.offer(invocation)
        if self._exit_status is not None:  # it ended while it was idle
            invocation.finish(self._exit_outcome(invocation))
        try:
            return invocation.outcome.result(timeout=self._spec.timeout)
        except FutureTimeout:
            self.kill()
            outcome = self._timed_out(invocation, self._spec.timeout)
            invocation.finish(outcome)
            return outcome

    def _init_failure(self, invocation: Invocation) -> Outcome | None:
        if self._api.init_error is not None:
            return Outcome(self._api.init_error, failed=True)
        return self._exit_outcome(invocation) if self._exit_status is not None else None

    def _timed_out(self, invocation: Invocation, seconds: float) -> Outcome:
        sentence = f"Task timed out after {seconds:.2f} seconds"
        self._platform.timed_out(invocation.request_id, sentence)
        message = f"RequestId: {invocation.request_id} Error: {sentence}"
        return Outcome(error_payload("Sandbox.Timedout", message), failed=True)

    def _exit_outcome(self, invocation: Invocation) -> Outcome:
        status = self._exit_status or 0
        if status < 0:
            cause = f"Runtime exited with error: signal: {-status}"
        else:
            cause = (
                f"Runtime exited with error: exit status {status}"
                if status
                else "Runtime exited without providing a reason"
            )
        message = f"RequestId: {invocation.request_id} Error: {cause}"
        self._platform.exited(message)
        return Outcome(error_payload("Runtime.ExitError", message), failed=True)

    def _watch(self) -> None:
        self._exit_status = self._process.wait()
        self._api.settled.set()
        if (current := self._api.current) is not None and not current.outcome.done():
            current.finish(self._exit_outcome(current))

    def _log(self, line: str) -> None:
        self.log.write([line], self._access_key_id)

    def _report(self, invocation: Invocation, outcome: Outcome, seconds: float) -> None:
        metrics = Metrics(seconds * 1000, self._spec.memory, _peak_megabytes(self._process.pid))
        if self._api.init_finished is not None and not self._reported_init:
            self._reported_init = True
            metrics = replace(metrics, init=(self._api.init_finished - self._started) * 1000)
        self._platform.report(invocation.request_id, outcome, metrics)

    def kill(self) -> None:
        """End the process and what it started now, wait for its end, and delete its home directory."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says this of one that has ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._api.close()
        shutil.rmtree(self._home, ignore_errors=True)


def _peak_megabytes(pid: int) -> int | None:
    """The peak memory of a running process, or None where /proc does not exist."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
    return int(peak.split()[1]) // 1024 if peak else None


def init_failure(error_type: str, message: str) -> Outcome:
    """The outcome of a function that cannot start."""
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failed=True)
