"""A function's output: to CloudWatch Logs in moto, if its role allows that, and to the caller as a tail.

As in AWS, the execution role decides: without logs:* in its policy file, `chalice logs` shows nothing.
"""

import sys
import threading
import time
import uuid
from datetime import UTC, datetime

from moto.logs.models import LogsBackend, logs_backends

from sandbox.authorization import may
from sandbox.callers import find_caller
from sandbox.functions.specification import Specification, default_log_group

_TAIL = 4096


def stream_name(spec: Specification) -> str:
    """The name of a process's stream, in Lambda's form: with the function's name in a group that it may share."""
    name = "" if spec.log_group == default_log_group(spec.name) else spec.name
    return f"{datetime.now(UTC):%Y/%m/%d}/{name}[{spec.version}]{uuid.uuid4().hex}"


class LogStream:
    """The log lines of one process."""

    def __init__(self, spec: Specification, name: str) -> None:
        self._spec, self.name = spec, name
        self._tail: list[str] = []
        self._lock = threading.Lock()
        self._may_write: bool | None = None

    def take_tail(self) -> bytes:
        """The last 4 KB since the previous call, as LogType=Tail returns them."""
        with self._lock:
            tail, self._tail = self._tail, []
        return "".join(f"{message}\n" for message in tail).encode()[-_TAIL:]

    def write(self, messages: list[str], access_key_id: str) -> None:
        """Append messages; the role of `access_key_id`, the process's own, must allow it."""
        if not messages:
            return
        with self._lock:
            self._tail.extend(messages)
            if self._may_write is None:
                self._may_write = self._prepare(access_key_id)
            if self._may_write:
                now = int(time.time() * 1000)
                events = [{"timestamp": now, "message": message} for message in messages]
                self._backend().put_log_events(self._spec.log_group, self.name, events)

    def _backend(self) -> LogsBackend:
        return logs_backends[self._spec.account][self._spec.region]

    def _prepare(self, access_key_id: str) -> bool:
        """Create the group and the stream if the role may write; otherwise print why not, once."""
        spec = self._spec
        caller = find_caller(access_key_id)
        group_arn = f"arn:aws:logs:{spec.region}:{spec.account}:log-group:{spec.log_group}"
        wanted = {
            "logs:CreateLogStream": f"{group_arn}:*",
            "logs:PutLogEvents": f"{group_arn}:log-stream:{self.name}",
        }
        if spec.log_group not in self._backend().groups:
            wanted["logs:CreateLogGroup"] = f"{group_arn}:*"
        keys = {"aws:RequestedRegion": spec.region}
        missing = [action for action, arn in wanted.items() if not (caller and may(caller, action, arn, keys))]
        if missing:
            print(f"sandbox: {spec.name} cannot log: its role does not allow {', '.join(missing)}", file=sys.stderr)
            return False
        self._backend().ensure_log_group(spec.log_group)
        self._backend().create_log_stream(spec.log_group, self.name)
        return True
