"""AWS on a bad day: a small server on loopback that answers as STS, S3, IAM and Bedrock, or fails to.

It is healthy until a test scripts it: `aws.on("AssumeRole", denied(), healthy)` answers the first AssumeRole with a
denial and every later one well. A reply is a function of the `Exchange`, so that it can also reset the connection,
break off in the middle of a body or say nothing at all.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults import canaries

REQUEST_ID = "11111111-2222-3333-4444-555555555555"

Reply = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Call:
    """One request as the server saw it."""

    operation: str
    access_key: str
    fields: dict[str, str]
    seconds: float


class Exchange:
    """One request, and the means to answer it well or badly."""

    def __init__(self, handler: _Handler, call: Call, nth: int, stopping: threading.Event) -> None:
        self.handler = handler
        self.call = call
        self.nth = nth  # of this operation, from 1
        self.stopping = stopping

    def send(
        self,
        body: bytes | str,
        status: int = 200,
        content_type: str = "text/xml",
        *,
        promised: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer with `body`, and with a Content-Length of `promised` bytes (default: the truth)."""
        content = body.encode() if isinstance(body, str) else body
        if promised is not None:
            self.close()
        self.head(status, content_type, len(content) if promised is None else promised, headers)
        self.write(content)

    def head(self, status: int, content_type: str, length: int, headers: dict[str, str] | None = None) -> None:
        handler = self.handler
        handler.send_response_only(status, "Fault")
        handler.send_header("Content-Type", content_type)
        handler.send_header("x-amzn-RequestId", REQUEST_ID)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.send_header("Content-Length", str(length))
        handler.end_headers()

    def write(self, content: bytes) -> None:
        self.handler.wfile.write(content)
        self.handler.wfile.flush()

    def close(self) -> None:
        self.handler.close_connection = True

    def reset(self) -> None:
        """Send RST instead of FIN."""
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.connection.close()
        self.close()

    def pause(self, seconds: float) -> None:
        """Wait, unless the server is being closed."""
        self.stopping.wait(seconds)


class FaultyAws:
    """The server. Use it as a context manager; `calls` is what reached it, in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._replies: dict[str, tuple[Reply, ...]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.aws = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultyAws:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def on(self, operation: str, *replies: Reply) -> FaultyAws:
        """Answer an operation with each reply in turn, and with the last one from then on."""
        self._replies[operation] = replies
        return self

    def heal(self) -> None:
        """Forget every script and every call, and let go of whoever still waits."""
        self._stopping.set()
        self._stopping = threading.Event()
        self._replies.clear()
        self.calls.clear()

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)

    def counts(self) -> dict[str, int]:
        return {operation: self.count(operation) for operation in dict.fromkeys(call.operation for call in self.calls)}

    def serve(self, handler: _Handler, body: bytes) -> None:
        call = _call(handler, body)
        with self._lock:
            self.calls.append(call)
            nth = self.count(call.operation)
        replies = self._replies.get(call.operation, (healthy,))
        replies[min(nth, len(replies)) - 1](Exchange(handler, call, nth, self._stopping))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    aws: FaultyAws

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that gave up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def do_GET(self) -> None:
        self.server.aws.serve(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_POST = do_PUT = do_HEAD = do_GET


def _call(handler: _Handler, body: bytes) -> Call:
    url = urlsplit(handler.path)
    form = parse_qs(body.decode("utf-8", "replace")) if handler.command == "POST" else {}
    fields = {name: values[0] for name, values in {**parse_qs(url.query, keep_blank_values=True), **form}.items()}
    authorization = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", handler.headers.get("Authorization", ""))
    access_key, _, service = authorization.groups() if authorization else ("", "", "")
    return Call(_operation(handler.command, url.path, service, fields), access_key, fields, time.monotonic())


def _operation(method: str, path: str, service: str, fields: dict[str, str]) -> str:
    if "Action" in fields:
        return fields["Action"]
    if service == "bedrock":
        return "Converse" if path.endswith("/converse") else "ListFoundationModels"
    return "ListBuckets" if path == "/" else "GetObject"


# Replies of a good day


def healthy(exchange: Exchange) -> None:
    """Answer as AWS does when nothing is wrong."""
    _HEALTHY[exchange.call.operation](exchange)


def session(
    *,
    lasting: float = 3600,
    arn: str | None = None,
    expiration: str | None = None,
) -> Reply:
    """Answer AssumeRole with a session that lasts so many seconds; each has an access key of its own."""

    def reply(exchange: Exchange) -> None:
        exchange.send(assume_role_answer(exchange, lasting=lasting, arn=arn, expiration=expiration))

    return reply


def assume_role_answer(
    exchange: Exchange, *, lasting: float = 3600, arn: str | None = None, expiration: str | None = None
) -> str:
    account_id = exchange.call.fields.get("RoleArn", "::::").split(":")[4]
    name = exchange.call.fields.get("RoleSessionName", "")
    until = expiration or (datetime.now(UTC) + timedelta(seconds=lasting)).isoformat()
    arn = arn or f"arn:aws:sts::{account_id}:assumed-role/external-role/{name}"
    return _query(
        "AssumeRole",
        f"<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:{name}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{canaries.session_access_key(account_id, exchange.nth)}</AccessKeyId>"
        f"<SecretAccessKey>{canaries.SESSION_SECRET_KEY}</SecretAccessKey>"
        f"<SessionToken>{canaries.SESSION_TOKEN}</SessionToken><Expiration>{until}</Expiration></Credentials>",
    )


def buckets(names: list[str], *, token: str | None = None, after: float = 0) -> Reply:
    """Answer ListBuckets with one page, after so many seconds; with a token there is another page."""

    def reply(exchange: Exchange) -> None:
        exchange.pause(after)
        exchange.send(list_buckets_answer(names, token), content_type="application/xml")

    return reply


def list_buckets_answer(names: list[str], token: str | None = None) -> str:
    listed = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>2024-05-06T07:08:09.000Z</CreationDate>"
        "<BucketRegion>eu-west-1</BucketRegion></Bucket>"
        for name in names
    )
    more = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Owner><ID>o</ID></Owner><Buckets>{listed}</Buckets>{more}</ListAllMyBucketsResult>"
    )


def _caller_identity(exchange: Exchange) -> None:
    account_id = canaries.account_of(exchange.call.access_key)
    arn = (
        canaries.HUB_ARN
        if account_id == canaries.HUB_ACCOUNT
        else f"arn:aws:sts::{account_id}:assumed-role/external-role/cross-account"
    )
    exchange.send(
        _query(
            "GetCallerIdentity",
            f"<Arn>{arn}</Arn><UserId>AROAEXAMPLE:x</UserId><Account>{account_id}</Account>",
        )
    )


def caller_identity(account_id: str) -> Reply:
    """Answer GetCallerIdentity as some account, whoever asks."""

    def reply(exchange: Exchange) -> None:
        arn = f"arn:aws:sts::{account_id}:assumed-role/external-role/x"
        exchange.send(_query("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>A</UserId><Account>{account_id}</Account>"))

    return reply


def _query(operation: str, result: str) -> str:
    return (
        f'<{operation}Response xmlns="https://example.com/doc/2011-06-15/"><{operation}Result>{result}'
        f"</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )


def as_json(body: str) -> Reply:
    return lambda exchange: exchange.send(body, content_type="application/json")


_MODELS = (
    '{"modelSummaries": [{"modelArn": "arn:aws:bedrock:eu-west-1::foundation-model/a.b", "modelId": "a.b",'
    ' "modelName": "B", "providerName": "A"}]}'
)
_CONVERSED = (
    '{"output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}}, "stopReason": "end_turn",'
    ' "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, "metrics": {"latencyMs": 7}}'
)
_HEALTHY: dict[str, Reply] = {
    "AssumeRole": session(),
    "GetCallerIdentity": _caller_identity,
    "ListBuckets": buckets(["one", "two"]),
    "GetObject": lambda exchange: exchange.send(b"0123456789", content_type="application/octet-stream"),
    "ListAccountAliases": lambda exchange: exchange.send(
        _query(
            "ListAccountAliases", "<IsTruncated>false</IsTruncated><AccountAliases><member>x</member></AccountAliases>"
        )
    ),
    "GetAccountSummary": lambda exchange: exchange.send(
        _query("GetAccountSummary", "<SummaryMap><entry><key>Users</key><value>4</value></entry></SummaryMap>")
    ),
    "ListFoundationModels": as_json(_MODELS),
    "Converse": as_json(_CONVERSED),
}


# Replies of a bad day. AWS's error texts are full of what must not get out.


def refusal(reason: str = "") -> str:
    """AWS's sentence for a denial, with everything in it that must not get out."""
    return (
        f"User: {canaries.HUB_ARN} is not authorized to perform: sts:AssumeRole on resource: x{reason} "
        f"(ExternalId {canaries.EXTERNAL_ID}, key {canaries.HUB_SECRET_KEY}, token {canaries.SESSION_TOKEN})"
    )


TALKATIVE = refusal()


def error(status: int, code: str, message: str = TALKATIVE) -> Reply:
    """Answer as AWS refuses, in the form of the service that was asked."""

    def reply(exchange: Exchange) -> None:
        operation = exchange.call.operation
        if operation in ("ListFoundationModels", "Converse"):
            headers = {"x-amzn-ErrorType": code}
            exchange.send(f'{{"message": "{message}"}}', status, "application/json", headers=headers)
        elif operation in ("ListBuckets", "GetObject"):
            xml = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{REQUEST_ID}</RequestId></Error>"
            exchange.send(xml, status, "application/xml")
        else:
            exchange.send(
                '<ErrorResponse xmlns="https://example.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                f"<Code>{code}</Code><Message>{message}</Message></Error>"
                f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
                status,
            )

    return reply


def plain(status: int, body: bytes | str, content_type: str = "text/plain") -> Reply:
    """Answer with something that AWS did not write, such as a proxy's page."""
    return lambda exchange: exchange.send(body, status, content_type)


def html(status: int = 200) -> Reply:
    return plain(status, f"<html><body><h1>Sign in</h1><p>{TALKATIVE}</p></body></html>", "text/html")


def truncated(share: float = 0.5, *, honest: bool = False) -> Reply:
    """Answer well but break off after a share of the body; `honest`: with a Content-Length of just that."""

    def reply(exchange: Exchange) -> None:
        recorder = _Recorder(exchange)
        healthy(recorder)
        part = recorder.body[: int(len(recorder.body) * share)]
        exchange.send(part, content_type=recorder.content_type, promised=len(part if honest else recorder.body))

    return reply


def reset(exchange: Exchange) -> None:
    exchange.reset()


def reset_midway(exchange: Exchange) -> None:
    exchange.head(200, "text/xml", 10_000)
    exchange.write(b"<AssumeRoleResponse>")
    exchange.reset()


def closed(exchange: Exchange) -> None:
    """Hang up without a word."""
    exchange.close()


def silent(exchange: Exchange) -> None:
    """Say nothing, for longer than anybody waits."""
    exchange.pause(120)
    exchange.close()


def silent_midway(exchange: Exchange) -> None:
    """Begin well, and then say nothing."""
    exchange.head(200, "text/xml", 10_000)
    exchange.write(b"<AssumeRoleResponse>")
    silent(exchange)


def dripping(gap: float, pieces: int = 10) -> Reply:
    """Answer well, in pieces with so many seconds between them."""

    def reply(exchange: Exchange) -> None:
        recorder = _Recorder(exchange)
        healthy(recorder)
        body = recorder.body
        exchange.head(200, recorder.content_type, len(body))
        size = -(-len(body) // pieces)
        for start in range(0, len(body), size):
            exchange.pause(gap)
            exchange.write(body[start : start + size])

    return reply


class _Recorder(Exchange):
    """Takes down a healthy answer instead of sending it."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.handler, exchange.call, exchange.nth, exchange.stopping)
        self.body = b""
        self.content_type = ""

    def send(self, body: bytes | str, status: int = 200, content_type: str = "text/xml", **_: Any) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type
