"""The server: it records every request and returns the responses that a test sets, broken ones included."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fake_aws.healthy import healthy
from tests.fake_aws.messages import Answer, Ending, Reply, Request


class FakeAws:
    """A fake AWS; every response is a success until a test sets another one.

    Attributes:
        seen: every request, in order.
        counts: the number of requests by operation.
        buckets: the names of the buckets by account; by default one, `bucket-of-<account>`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.let_go = threading.Event()
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all requests and all set responses, and end all waiting responses."""
        self.let_go.set()
        self.let_go = threading.Event()
        self.seen: list[Request] = []
        self.counts: Counter[str] = Counter()
        self.buckets: dict[str, list[str]] = {}
        self._set: list[tuple[str, str | None, deque[Answer], bool]] = []

    def tell(self, operation: str, *answers: Answer, account: str | None = None, always: bool = False) -> None:
        """Set the responses to the next requests of an operation (and account); `always` repeats the last one."""
        self._set.append((operation, account, deque(answers), always))

    def operations(self, operation: str) -> list[Request]:
        return [request for request in self.seen if request.operation == operation]

    def counted(self, operation: str, least: int) -> int:
        """The number of its requests; a client that gives up may be ahead of the server, so the least is waited for."""
        until = time.monotonic() + 10
        while self.counts[operation] < least and time.monotonic() < until:
            time.sleep(0.01)
        return self.counts[operation]

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.counts[request.operation] += 1
            request = replace(request, nth=self.counts[request.operation])
            self.seen.append(request)
            answer = self._set_answer(request)
        if answer is None:
            return healthy(request, self.buckets)
        return answer if isinstance(answer, Reply) else answer(request)

    def _set_answer(self, request: Request) -> Answer | None:
        for operation, account, answers, always in self._set:
            if operation == request.operation and account in (None, request.account) and answers:
                return answers[0] if always and len(answers) == 1 else answers.popleft()
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # responds to `Expect: 100-continue` at once
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        let_go = self.server.aws.let_go
        address = urlsplit(self.path)
        reply = self.server.aws.answer(
            Request(
                self.command,
                unquote(address.path),
                {key: values[0] for key, values in parse_qs(address.query, keep_blank_values=True).items()},
                {key.lower(): value for key, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("content-length", "0"))),
            )
        )
        self.close_connection = reply.ending is not Ending.KEPT
        with suppress(OSError):  # the client may have closed the connection
            if reply.status is not None:
                self._send_head(reply, reply.status)
                self._send_body(reply, let_go)
            self._end(reply.ending, let_go)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _handle

    def _send_head(self, reply: Reply, status: int) -> None:
        self.send_response_only(status, "Fake")
        for key, value in reply.headers.items():
            self.send_header(key, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        length = len(reply.content) if reply.content_length is None else reply.content_length
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send_body(self, reply: Reply, let_go: threading.Event) -> None:
        content = b"" if self.command == "HEAD" else reply.content
        size = max(1, -(-len(content) // reply.pieces))
        for start in range(0, len(content), size):
            let_go.wait(reply.pause)
            self.wfile.write(content[start : start + size])

    def _end(self, ending: Ending, let_go: threading.Event) -> None:
        if ending is Ending.SILENT:
            until = time.monotonic() + 120
            while self._is_open() and time.monotonic() < until and not let_go.wait(0.1):
                pass
        elif ending is Ending.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _is_open(self) -> bool:
        """Whether the client waits as well."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True

    def finish(self) -> None:
        with suppress(OSError, ValueError):  # ValueError: the connection was reset
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False
    aws: FakeAws

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed the connection; print all other errors, which are a test's."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """Start a fake AWS on a free port of loopback, and stop it afterwards."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.aws = FakeAws()
    server.aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server.aws
    finally:
        server.aws.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
