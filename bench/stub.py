"""A minimal STS, S3 and CloudWatch Logs for the benchmark, on loopback, in a separate process.

With a file of answers (bench/recording.py) it first looks there for a request, and answers as the account that signed.

AssumeRole returns an access key that contains the account's id, ListBuckets a bucket named after the access key that
signed the request, and DescribeLogGroups a thousand such log groups: the name proves whose credentials were used. A
session token of another account than the key's is refused. Responses are fixed bytes over keep-alive connections, so
that the stub is not the bottleneck.

    python -m bench.stub SECONDS_OF_LATENCY [ANSWERS]

prints its port and stops at the end of its standard input, so that it does not run longer than its parent.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

HUB_KEY = "AKIAHUB000000000HUBK"
HUB_ACCOUNT = "999999999999"
RECORDED_ACCOUNT = "111122223333"
COUNTS_PATH = "/counts"
LOG_GROUPS = 1000
"""Of each account."""
_TOKEN_PADDING = "A" * 320  # a real session token is a few hundred characters long, and every request signs it

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_SCOPE = re.compile(rb"Credential=(\w+)/\d+/[\w-]+/([\w-]+)/")
_TOKEN = re.compile(rb"(?i)\r\nx-amz-security-token: *(\S+)")
_ROLE_ACCOUNT = re.compile(rb"RoleArn=arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole")
_TARGET = re.compile(rb"(?i)\r\nx-amz-target: *(\S+)")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_CREDENTIAL_REPORT = re.compile(r"(?<=<Content>)[^<]+")
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def key_of(method: str, path: str, target: str, body: str) -> str:
    """A request as the recording knows it: the same for every account."""
    return _ACCOUNT.sub("", f"{method} {path} {target} {body}")


def _key(head: bytes, body: bytes) -> str:
    method, path, _ = head.decode().split(" ", 2)
    target = _TARGET.search(head)
    return key_of(method, path, target[1].decode() if target else "", body.decode())


def access_key(account_id: str) -> str:
    return f"ASIA{account_id}STUB"


def session_token(account_id: str) -> str:
    return f"session-of-{account_id}-{_TOKEN_PADDING}"


def bucket_of(account_id: str) -> str:
    """The only bucket of an account."""
    return f"bucket-of-{account_id}"


def log_group_of(account_id: str, number: int) -> str:
    return f"/of/{account_id}/{number}"


class Stub:
    """Responds to requests and counts them.

    Attributes:
        counts: the number of requests by action, and of `refused` requests.
        connections: the number of open connections.
        under_way: the number of requests without a response so far; `most_under_way` is its maximum.
    """

    def __init__(self, latency: float, recorded: Mapping[str, tuple[int, str]]) -> None:
        self.latency = latency
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self.under_way = 0
        self.most_under_way = 0
        self._recorded = recorded
        self._log_groups = _describe_log_groups(HUB_ACCOUNT)
        self._cpu_before = time.process_time()

    def respond(self, head: bytes, body: bytes) -> bytes:
        scope = _SCOPE.search(head)
        if scope is None:
            return _response(403, "text/plain", "Unsigned")
        account_id = _account_of(scope[1].decode())
        service = scope[2].decode()
        if account_id is None or not _token_belongs(head, account_id):
            return self._refuse("InvalidToken")
        if recorded := self._recorded and self._recorded.get(_key(head, body)):
            self.counts["recorded"] += 1
            return _response(recorded[0], "text/plain", _of_account(account_id, recorded[1]))
        if service == "s3":
            self.counts["ListBuckets"] += 1
            return _response(200, "application/xml", _list_buckets(account_id))
        if service == "logs":
            self.counts["DescribeLogGroups"] += 1
            groups = self._log_groups.replace(HUB_ACCOUNT, account_id)
            return _response(200, "application/x-amz-json-1.1", groups)
        if service == "sts" and b"Action=AssumeRole&" in body:
            role_account = _ROLE_ACCOUNT.search(body)
            if role_account is None:
                return self._refuse("ValidationError")
            self.counts["AssumeRole"] += 1
            return _response(200, "text/xml", _assume_role(role_account[1].decode()))
        if service == "sts":
            self.counts["GetCallerIdentity"] += 1
            return _response(200, "text/xml", _get_caller_identity(account_id))
        # botocove calls Organizations first and continues without it, as in all accounts but the management account.
        return self._refuse("AccessDeniedException")

    def _refuse(self, code: str) -> bytes:
        self.counts["refused"] += 1
        return _response(400, "application/x-amz-json-1.1", json.dumps({"__type": code, "Message": "Refused"}))

    def report(self) -> bytes:
        report = {
            "counts": self.counts,
            "connections": self.connections,
            "most_under_way": self.most_under_way,
            "cpu": time.process_time() - self._cpu_before,
        }
        return _response(200, "application/json", json.dumps(report))


class _Connection(asyncio.Protocol):
    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._stub.connections += 1

    def connection_lost(self, error: Exception | None) -> None:
        self._stub.connections -= 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n") + 4) > 3:
            head = self._received[:end]
            length = _LENGTH.search(head)
            body_end = end + (int(length[1]) if length else 0)
            if len(self._received) < body_end:
                return
            body, self._received = self._received[end:body_end], self._received[body_end:]
            self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        stub = self._stub
        if head.startswith(f"GET {COUNTS_PATH} ".encode()):
            self._transport.write(stub.report())
            return
        stub.under_way += 1
        stub.most_under_way = max(stub.most_under_way, stub.under_way)
        response = stub.respond(head, body)
        if stub.latency:
            asyncio.get_running_loop().call_later(stub.latency, self._send, response)
        else:
            self._send(response)

    def _send(self, response: bytes) -> None:
        self._stub.under_way -= 1
        self._transport.write(response)


def _account_of(key: str) -> str | None:
    if key == HUB_KEY:
        return HUB_ACCOUNT
    account_id = key[4:16]
    return account_id if key == access_key(account_id) else None


def _token_belongs(head: bytes, account_id: str) -> bool:
    token = _TOKEN.search(head)
    if account_id == HUB_ACCOUNT:
        return token is None
    return token is not None and token[1].decode() == session_token(account_id)


def _of_account(account_id: str, recorded: str) -> str:
    def encoded(report: re.Match[str]) -> str:
        return b64encode(b64decode(report[0]).replace(RECORDED_ACCOUNT.encode(), account_id.encode())).decode()

    return _CREDENTIAL_REPORT.sub(encoded, recorded.replace(RECORDED_ACCOUNT, account_id))


def _response(status: int, content_type: str, body: str) -> bytes:
    return (
        f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\nx-amzn-RequestId: {_REQUEST_ID}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _assume_role(account_id: str) -> str:
    expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>'
        f"<AssumedRoleId>AROASTUB:bench</AssumedRoleId><Arn>{_session_arn(account_id)}</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{access_key(account_id)}</AccessKeyId><SecretAccessKey>no-secret-of-{account_id}"
        f"</SecretAccessKey><SessionToken>{session_token(account_id)}</SessionToken><Expiration>{expiration}"
        f"</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId>"
        "</ResponseMetadata></AssumeRoleResponse>"
    )


def _get_caller_identity(account_id: str) -> str:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{_session_arn(account_id)}</Arn><UserId>AROASTUB:bench</UserId><Account>{account_id}</Account>"
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )


def _session_arn(account_id: str) -> str:
    return f"arn:aws:sts::{account_id}:assumed-role/external-role/bench"


def _list_buckets(account_id: str) -> str:
    return (
        '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>stub</ID></Owner><Buckets>'
        f"<Bucket><Name>{bucket_of(account_id)}</Name><CreationDate>2025-01-28T00:00:00.000Z</CreationDate>"
        "<BucketRegion>eu-west-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>"
    )


def _describe_log_groups(account_id: str) -> str:
    groups = [
        {
            "logGroupName": log_group_of(account_id, number),
            "creationTime": 1_738_056_360_000,
            "retentionInDays": 30,
            "metricFilterCount": 0,
            "arn": f"arn:aws:logs:eu-west-1:{account_id}:log-group:{log_group_of(account_id, number)}:*",
            "storedBytes": 4096,
            "logGroupClass": "STANDARD",
        }
        for number in range(LOG_GROUPS)
    ]
    return json.dumps({"logGroups": groups})


async def serve(latency: float, recording: str | None = None) -> None:
    stub = Stub(latency, json.loads(Path(recording).read_text())["answers"] if recording else {})
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(stub), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), *sys.argv[2:]))
