"""An AWS on loopback: it records every request, knows every session it gave out, and answers as it is told.

What makes it a proof and not a decoration: who asked is read from the signature's access key, nothing else.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

HUB = "999999999999"
HUB_ARN = f"arn:aws:sts::{HUB}:assumed-role/cross-account-dev-switch_account/canary-hub-session"
HUB_KEY = "AKIACANARYHUB"
HUB_SECRET = "canary-hub-secret"
HUB_TOKEN = "canary-hub-token"
SECRET = "canary-session-secret"
TOKEN = "canary-session-token"
EXTERNAL_ID = "canary-external-id"


@dataclass(frozen=True)
class Request:
    """What the server received."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def _credential(self) -> list[str]:
        found = re.search(r"Credential=([^,]+)", self.headers.get("authorization", ""))
        scope = found[1] if found else self.query.get("X-Amz-Credential", "unsigned/-/-/-/-")
        return scope.split("/")

    @property
    def access_key(self) -> str:
        return self._credential[0]

    @property
    def token(self) -> str:
        return self.headers.get("x-amz-security-token", "")

    @property
    def service(self) -> str:
        return self._credential[3]

    @property
    def region(self) -> str:
        return self._credential[2]

    @property
    def signer(self) -> str:
        """The account whose credentials signed it."""
        found = re.fullmatch(r"ASIA([0-9]{12})n[0-9]+", self.access_key)
        return found[1] if found else HUB if self.access_key == HUB_KEY else self.access_key

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}

    @property
    def operation(self) -> str:
        if self.service in ("sts", "iam"):
            return self.form.get("Action", "")
        if self.service == "s3" and (self.method, self.path) == ("GET", "/"):
            return "ListBuckets"
        if self.path.endswith("/converse"):
            return "Converse"
        if self.path == "/foundation-models":
            return "ListFoundationModels"
        return f"{self.method} {self.path}"

    @property
    def account(self) -> str:
        """The account it is about: the one whose role is asked for, else the one that signed."""
        return self.form["RoleArn"].split(":")[4] if self.operation == "AssumeRole" else self.signer


@dataclass(frozen=True)
class Reply:
    body: str | bytes = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Reply | Callable[[Request], Reply]


def denied(operation: str = "sts:AssumeRole") -> Reply:
    """As STS says it: with the hub's ARN in the message."""
    return error("AccessDenied", 403, f"User: {HUB_ARN} is not authorized to perform: {operation} {EXTERNAL_ID}")


def error(code: str, status: int = 400, message: str = f"No. {HUB_ARN} {SECRET} {TOKEN}") -> Reply:
    """As STS and IAM write an error."""
    return Reply(
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>aws-request-id</RequestId></ErrorResponse>",
        status,
    )


def s3_error(code: str, status: int = 400, message: str = f"No. {HUB_ARN} {SECRET} {TOKEN}") -> Reply:
    return Reply(
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>",
        status,
        {"x-amz-request-id": "aws-request-id"},
    )


class FakeAws:
    """STS, S3, IAM and Bedrock, as far as the checks go.

    Attributes:
        seen: every request, in order.
        buckets: the names of each account's buckets; default one, `bucket-of-<account>`.
        lifetimes: seconds that the next sessions live; when used up, an hour.
        answering_account: the account whose ARN AssumeRole answers; default the one that was asked for.
    """

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.seen: list[Request] = []
        self.buckets: dict[str, list[str]] = {}
        self.lifetimes: deque[int] = deque()
        self.answering_account: str | None = None
        self._told: list[tuple[str, str | None, deque[Answer], bool]] = []
        self._sessions = 0

    def tell(self, operation: str, *answers: Answer, account: str | None = None, always: bool = False) -> None:
        """Answer the next requests of an operation (about an account) so; with `always` the last one for ever."""
        self._told.append((operation, account, deque(answers), always))

    def operations(self, operation: str) -> list[Request]:
        return [request for request in self.seen if request.operation == operation]

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.seen.append(request)
            told = self._told_answer(request)
        if told is None:
            told = self._default(request)
        return told if isinstance(told, Reply) else told(request)

    def _told_answer(self, request: Request) -> Answer | None:
        for operation, account, answers, always in self._told:
            if operation == request.operation and account in (None, request.account) and answers:
                return answers[0] if always and len(answers) == 1 else answers.popleft()
        return None

    def _default(self, request: Request) -> Answer:
        return {
            "AssumeRole": self._assume_role,
            "GetCallerIdentity": caller_identity,
            "ListBuckets": self._list_buckets,
            "ListAccountAliases": _account_aliases,
            "GetAccountSummary": _account_summary,
            "Converse": Reply(json.dumps(CONVERSE)),
            "ListFoundationModels": Reply(json.dumps({"modelSummaries": []})),
        }.get(request.operation, Reply(headers={"ETag": '"etag"'}))

    def _assume_role(self, request: Request) -> Reply:
        with self._lock:
            self._sessions += 1
            number = self._sessions
            seconds = self.lifetimes.popleft() if self.lifetimes else 3600
        expiration = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        answering = self.answering_account or request.account
        return result(
            "AssumeRole",
            f"<AssumedRoleUser><Arn>arn:aws:sts::{answering}:assumed-role/external-role/x</Arn>"
            f"<AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>ASIA{request.account}n{number}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}-{request.account}</SessionToken>"
            f"<Expiration>{expiration}</Expiration></Credentials>",
        )

    def _list_buckets(self, request: Request) -> Reply:
        names = self.buckets.get(request.signer, [f"bucket-of-{request.signer}"])
        size = min(int(request.query.get("max-buckets", "10000")), 2)  # two a page, whatever is asked for
        start = int(request.query.get("continuation-token", f"0-{request.signer}").split("-")[0])
        shown = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>2025-01-28T00:00:00.000Z</CreationDate>"
            f"<BucketRegion>{request.region}</BucketRegion></Bucket>"
            for name in names[start : start + size]
        )
        more = start + size < len(names)
        token = f"<ContinuationToken>{start + size}-{request.signer}</ContinuationToken>" if more else ""
        return Reply(f"<ListAllMyBucketsResult><Buckets>{shown}</Buckets>{token}</ListAllMyBucketsResult>")


CONVERSE: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Blue."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
    "metrics": {"latencyMs": 1},
}


def result(operation: str, inner: str) -> Reply:
    return Reply(
        f"<{operation}Response><{operation}Result>{inner}</{operation}Result>"
        f"<ResponseMetadata><RequestId>aws-request-id</RequestId></ResponseMetadata></{operation}Response>"
    )


def caller_identity(request: Request) -> Reply:
    arn = HUB_ARN if request.signer == HUB else f"arn:aws:sts::{request.signer}:assumed-role/external-role/x"
    return result("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>AROA:x</UserId><Account>{request.signer}</Account>")


def _account_aliases(request: Request) -> Reply:
    return result("ListAccountAliases", f"<AccountAliases><member>alias-{request.signer}</member></AccountAliases>")


def _account_summary(_request: Request) -> Reply:
    return result("GetAccountSummary", "<SummaryMap><entry><key>Users</key><value>7</value></entry></SummaryMap>")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue` at once

    def _handle(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        reply = self.server.aws.answer(  # type: ignore[attr-defined]
            Request(
                self.command,
                unquote(address.path),
                {key: values[0] for key, values in parse_qs(address.query, keep_blank_values=True).items()},
                {key.lower(): value for key, value in self.headers.items()},
                body,
            )
        )
        content = reply.body.encode() if isinstance(reply.body, str) else reply.body
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # so that no client has sockets to leave open
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _handle

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    aws: FakeAws


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """Start one on a free port of loopback, and stop it."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.aws = FakeAws()
    server.aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
