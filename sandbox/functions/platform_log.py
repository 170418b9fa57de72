"""The lines that Lambda itself writes to a function's log: as text, or as JSON at the function's system log level.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import json
import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.functions.environment import runtime_name
from sandbox.functions.runtime_api import Outcome
from sandbox.functions.specification import Specification

_LEVELS = ("DEBUG", "INFO", "WARN")


@dataclass(frozen=True)
class Metrics:
    """What one event took, in milliseconds and megabytes."""

    duration: float
    memory: int
    peak: int | None
    init: float | None = None  # of a process's first event


class PlatformLog:
    """The lines about one process."""

    def __init__(self, spec: Specification, write: Callable[[str], None]) -> None:
        self._spec, self._write = spec, write
        self._is_json = spec.log_format == "JSON"

    def init_start(self) -> None:
        version = f"{self._spec.runtime} (sandbox)"
        self._text(f"INIT_START Runtime Version: {version}")
        self._event("initStart", "INFO", initializationType="on-demand", phase="init", runtimeVersion=version)
        if self._spec.runtime != runtime_name():
            notice = f"sandbox: {self._spec.runtime} runs on Python {platform.python_version()} here."
            self._text(notice)
            self._json(timestamp=_now(), level="INFO", message=notice)

    def start(self, request_id: str) -> None:
        self._text(f"START RequestId: {request_id} Version: {self._spec.version}")
        self._event("start", "INFO", requestId=request_id, version=self._spec.version)

    def timed_out(self, request_id: str, sentence: str) -> None:
        """In JSON, the report has it as its status; so also when the process exited."""
        self._text(f"{_now()} {request_id} {sentence}")

    def exited(self, message: str) -> None:
        self._text(f"{message}\nRuntime.ExitError")

    def report(self, request_id: str, outcome: Outcome, metrics: Metrics) -> None:
        billed = math.ceil(metrics.duration)
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {metrics.duration:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {metrics.memory} MB",
        ]
        measured = {
            "durationMs": round(metrics.duration, 3),
            "billedDurationMs": billed,
            "memorySizeMB": metrics.memory,
        }
        if metrics.peak is not None:
            fields.append(f"Max Memory Used: {metrics.peak} MB")
            measured["maxMemoryUsedMB"] = metrics.peak
        if metrics.init is not None:
            fields.append(f"Init Duration: {metrics.init:.2f} ms")
            measured["initDurationMs"] = round(metrics.init, 3)
        self._text(f"END RequestId: {request_id}")
        self._text("\t".join(fields))
        about = {"requestId": request_id, **_status(outcome)}
        done = {"durationMs": measured["durationMs"], "producedBytes": len(outcome.payload)}
        self._event("runtimeDone", "WARN" if outcome.failed else "DEBUG", **about, metrics=done)
        self._event("report", "WARN" if outcome.failed else "INFO", **about, metrics=measured)

    def _text(self, line: str) -> None:
        if not self._is_json:
            self._write(line)

    def _event(self, kind: str, level: str, **record: object) -> None:
        if self._is_json and _LEVELS.index(level) >= _LEVELS.index(self._spec.system_log_level):
            self._json(time=_now(), type=f"platform.{kind}", record=record)

    def _json(self, **line: object) -> None:
        if self._is_json:
            self._write(json.dumps(line, separators=(",", ":")))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _status(outcome: Outcome) -> dict[str, str]:
    if not outcome.failed:
        return {"status": "success"}
    try:
        kind = str(json.loads(outcome.payload).get("errorType", ""))
    except (ValueError, AttributeError):
        kind = ""
    status = {"Sandbox.Timedout": "timeout", "Runtime.ExitError": "failure"}.get(kind, "error")
    return {"status": status, **({"errorType": kind} if kind and status != "timeout" else {})}
