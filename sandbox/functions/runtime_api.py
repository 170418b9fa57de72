"""The Lambda Runtime API of one process, which gets its events and posts its responses here.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import json
import queue
import secrets
import threading
import time
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.functions.specification import error_payload

PREFIX = "/2018-06-01/runtime"
MAXIMUM_RESPONSE = 6_291_556


@dataclass(frozen=True)
class Outcome:
    """The result of an invocation; Lambda reports `failed` as FunctionError "Unhandled"."""

    payload: bytes
    failed: bool = False


@dataclass
class Invocation:
    """One event for a process."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    client_context: str = ""
    deadline: float = 0.0  # seconds since the epoch, set when the process gets it
    outcome: Future[Outcome] = field(default_factory=Future)

    def finish(self, outcome: Outcome) -> None:
        """Set the outcome: a response, a timeout or a crash. Only the first call counts."""
        with contextlib.suppress(InvalidStateError):
            self.outcome.set_result(outcome)


class RuntimeApi:
    """A loopback server, one per process, as the process's AWS_LAMBDA_RUNTIME_API.

    Lambda's is an address without a path. Here every user of the machine can reach the port, but only the process knows
    the path.
    """

    def __init__(self) -> None:
        self._path = f"/{secrets.token_urlsafe(16)}"
        self.prefix = f"{self._path}{PREFIX}"
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.current: Invocation | None = None
        self.settled = threading.Event()  # the initialisation succeeded or failed
        self.init_error: bytes | None = None
        self.failed = False  # the runtime client will exit
        self.init_finished: float | None = None
        api = self

        class Handler(_Handler):
            runtime_api = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}{self._path}"

    def offer(self, invocation: Invocation) -> None:
        self.current = invocation
        self._events.put(invocation)

    def next_event(self) -> Invocation | None:
        """Wait for the next event; None if the process must end."""
        if not self.settled.is_set():
            self.init_finished = time.monotonic()
            self.settled.set()
        return self._events.get()

    def close(self) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    runtime_api: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != f"{self.runtime_api.prefix}/invocation/next":
            return self._respond(404)
        event = self.runtime_api.next_event()
        if event is None:
            return self._respond(410)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(event.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
            "Lambda-Runtime-Trace-Id": event.trace_id,
        }
        if event.client_context:
            headers["Lambda-Runtime-Client-Context"] = event.client_context
        self._respond(200, event.payload, headers)

    def do_POST(self) -> None:
        if not self.path.startswith(self.runtime_api.prefix):
            self.close_connection = True  # the body stays where it is
            return self._respond(404)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.removeprefix(f"{self.runtime_api.prefix}/").split("/")
        if parts == ["init", "error"]:
            self.runtime_api.init_error, self.runtime_api.failed = body, True
            self.runtime_api.settled.set()
            return self._respond(202)
        current = self.runtime_api.current
        if len(parts) != 3 or parts[0] != "invocation" or parts[2] not in ("response", "error"):
            return self._respond(404)
        if current is None or current.request_id != parts[1]:
            return self._respond(400, json.dumps({"errorType": "InvalidRequestID"}).encode())
        if len(body) > MAXIMUM_RESPONSE:
            self.runtime_api.failed = True
            message = f"Response payload size exceeded maximum allowed payload size ({MAXIMUM_RESPONSE} bytes)."
            current.finish(Outcome(error_payload("Function.ResponseSizeTooLarge", message), failed=True))
            return self._respond(413, json.dumps({"errorType": "RequestEntityTooLarge"}).encode())
        current.finish(Outcome(body, failed=parts[2] == "error"))
        self._respond(202)

    def _respond(self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # the process was killed meanwhile
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
