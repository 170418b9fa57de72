"""Something does not answer, or hardly: with the real timeouts all at once, with short ones through every door."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.config import Config

import app
from chalicelib import shared_clients
from tests.faults import canaries, drive
from tests.faults.canaries import TARGET
from tests.faults.cases import Fault, assert_told
from tests.faults.faulty_aws import (
    Exchange,
    FaultyAws,
    Reply,
    buckets,
    dripping,
    error,
    healthy,
    silent,
    silent_midway,
)

LAMBDA_SECONDS = 60
"""The timeout of a direct invocation, in .chalice/config.json."""


# In real time: one hub, one server, an account for each case, all of them at once


@dataclass(frozen=True)
class Hang:
    """What hangs for one account, and how long its caller may have to wait: attempts x timeout, and a busy machine."""

    replies: dict[str, Reply]
    type: str
    seconds: tuple[float, float]
    calls: dict[str, int]
    check: str = "identity"
    door: str = "direct"


def page_two_hangs(exchange: Exchange) -> None:
    silent(exchange) if "continuation-token" in exchange.call.fields else buckets(["a"], token="t")(exchange)


HANGS = {
    "sts": Hang({"AssumeRole": silent}, "AssumeRoleTimedOut", (14, 25), {"AssumeRole": 3}),
    "sts-through-the-route": Hang(
        {"AssumeRole": silent}, "AssumeRoleTimedOut", (14, 25), {"AssumeRole": 3}, door="http"
    ),
    "sts-in-the-middle-of-its-answer": Hang(
        {"AssumeRole": silent_midway}, "AssumeRoleTimedOut", (14, 25), {"AssumeRole": 3}
    ),
    "sts-with-pauses-just-too-long": Hang(
        {"AssumeRole": dripping(6, pieces=3)}, "AssumeRoleTimedOut", (14, 25), {"AssumeRole": 3}
    ),
    "get-caller-identity-of-the-session": Hang(
        {"GetCallerIdentity": silent}, "CheckTimedOut", (14, 25), {"AssumeRole": 1, "GetCallerIdentity": 3}
    ),
    "s3": Hang({"ListBuckets": silent}, "CheckTimedOut", (29, 45), {"AssumeRole": 1, "ListBuckets": 3}, "s3_buckets"),
    "s3-on-page-two": Hang(
        {"ListBuckets": page_two_hangs}, "CheckTimedOut", (29, 45), {"AssumeRole": 1, "ListBuckets": 4}, "s3_buckets"
    ),
}
ACCOUNTS = {name: f"{number:012}" for number, name in enumerate(HANGS, start=100_000_000_001)}


def by_account(operation: str) -> Reply:
    """Answer an operation as the case of the account says; healthy without."""
    replies = {ACCOUNTS[name]: hang.replies[operation] for name, hang in HANGS.items() if operation in hang.replies}

    def reply(exchange: Exchange) -> None:
        account = account_of(exchange.call)
        replies.get(account, healthy)(exchange)

    return reply


def account_of(call: Any) -> str:
    if call.operation == "AssumeRole":
        return str(call.fields["RoleArn"]).split(":")[4]
    return canaries.account_of(call.access_key)


@pytest.fixture(scope="module")
def hung() -> Iterator[tuple[dict[str, drive.Outcome], FaultyAws, str]]:
    """Let all of them hang at the same time, which takes as long as the slowest; the tests look at what came of it."""
    with pytest.MonkeyPatch.context() as patch, FaultyAws() as aws, drive.everything_logged() as log:
        drive.forget_the_environment(patch)
        for name, value in drive.environment(aws.url).items():
            patch.setenv(name, value)
        for operation in ("AssumeRole", "GetCallerIdentity", "ListBuckets"):
            aws.on(operation, by_account(operation))
        app._hub.cache_clear()
        drive.direct({"account_id": TARGET, "check": "s3_buckets"})  # warm, so that what is measured is the waiting
        with ThreadPoolExecutor(len(HANGS)) as pool:
            asked = {
                name: pool.submit(drive.ask, hang.door, {"account_id": ACCOUNTS[name], "check": hang.check})
                for name, hang in HANGS.items()
            }
        yield {name: future.result() for name, future in asked.items()}, aws, log.text
        app._hub.cache_clear()


@pytest.mark.parametrize("name", HANGS)
def test_hanging_in_real_time_ends_well_before_lambda_does(
    name: str, hung: tuple[dict[str, drive.Outcome], FaultyAws, str]
) -> None:
    outcomes, aws, log = hung
    hang, outcome = HANGS[name], outcomes[name]

    least, most = hang.seconds
    assert least < outcome.seconds < most < LAMBDA_SECONDS
    assert outcome.fault["type"] == hang.type
    assert outcome.fault["stage"] == ("assume" if hang.type == "AssumeRoleTimedOut" else "check")
    assert outcome.status == (504 if hang.door == "http" else 500)
    of_this = [call.operation for call in aws.calls if account_of(call) == ACCOUNTS[name]]
    assert {operation: of_this.count(operation) for operation in of_this} == hang.calls
    drive.assert_nothing_leaked(outcome.text, log)


# With shortened timeouts

ASK_AGAIN_STS = "STS did not answer in time; ask again."
ASK_AGAIN = "Ask again; if it lasts, see the service's health in that region."
READ_SECONDS = 0.3
PARAMS = {"bedrock_converse": {"model_id": "a.b", "prompt": "Hello"}}


def hanging(
    name: str, operation: str, check: str, *replies: Reply, attempts: int = 3, type: str = "CheckTimedOut"
) -> Fault:
    of_sts = type == "AssumeRoleTimedOut"
    return Fault(
        name,
        replies,
        type,
        504,
        ASK_AGAIN_STS if of_sts else ASK_AGAIN,
        attempts=attempts,
        operation=operation,
        stage="assume" if of_sts else "check",
        check=check,
        params=PARAMS.get(check, {}),
    )


IMPATIENT = [
    hanging("sts", "AssumeRole", "identity", silent, type="AssumeRoleTimedOut"),
    hanging("sts-in-the-middle", "AssumeRole", "identity", silent_midway, type="AssumeRoleTimedOut"),
    hanging("sts-with-pauses", "AssumeRole", "identity", dripping(1), type="AssumeRoleTimedOut"),
    hanging("s3", "ListBuckets", "s3_buckets", silent),
    hanging("s3-in-the-middle", "ListBuckets", "s3_buckets", silent_midway),
    hanging("s3-on-page-two", "ListBuckets", "s3_buckets", buckets(["a"], token="t"), silent, attempts=4),
    hanging("s3-after-an-error", "ListBuckets", "s3_buckets", error(500, "InternalError"), silent),
    hanging("iam", "GetAccountSummary", "account_summary", silent),
    hanging("bedrock", "ListFoundationModels", "bedrock_models", silent),
    hanging("bedrock-converse", "Converse", "bedrock_converse", silent, attempts=1),
]
SERVICES = {
    "AssumeRole": "sts",
    "ListBuckets": "s3",
    "GetAccountSummary": "iam",
    "ListFoundationModels": "bedrock",
    "Converse": "bedrock-runtime",
}


def shorten(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """Shorten the timeouts of one service's client, and leave its attempts. A hub made after this has it."""
    usual = shared_clients._CONFIGS.get(service, shared_clients._CONFIG)
    short = usual.merge(Config(connect_timeout=READ_SECONDS, read_timeout=READ_SECONDS))
    monkeypatch.setitem(shared_clients._CONFIGS, service, short)


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("fault", IMPATIENT, ids=str)
def test_hanging(
    fault: Fault,
    door: str,
    aws: FaultyAws,
    log: drive.LogOfEverything,
    backoff: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorten(monkeypatch, SERVICES[fault.operation])
    aws.on(fault.operation, *fault.replies)

    outcome = drive.ask(door, fault.event)

    assert_told(outcome, fault)
    assert aws.count(fault.operation) == fault.attempts
    assert outcome.seconds < 10
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
def test_hanging_while_the_hub_looks_up_its_own_name(
    door: str, aws: FaultyAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts")
    aws.on("AssumeRole", error(403, "AccessDenied")).on("GetCallerIdentity", silent)

    outcome = drive.ask(door, {"account_id": TARGET})

    assert outcome.fault["type"] == "AssumeRoleDenied"
    assert "STS did not answer GetCallerIdentity either" in outcome.fault["hint"]
    assert aws.counts() == {"AssumeRole": 1, "GetCallerIdentity": 3}
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_port_that_takes_no_connection(
    door: str, aws: FaultyAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts")
    with socket.socket() as busy, full_queue(busy) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        outcome = drive.ask(door, {"account_id": TARGET})

    assert outcome.fault["type"] == "AssumeRoleTimedOut"
    assert "A function in a VPC needs a way to the regional STS endpoint." in outcome.fault["hint"]
    assert outcome.status == {"direct": 500, "raised": None, "http": 504}[door]
    assert len(backoff) == 2
    drive.assert_nothing_leaked(outcome.text, log.text)


class full_queue:
    """A listening socket whose queue of connections is full, so that one more is neither taken nor refused."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.waiting: list[socket.socket] = []

    def __enter__(self) -> str:
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(0)
        address = self.server.getsockname()
        for _ in range(16):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            self.waiting.append(client)
        return f"http://127.0.0.1:{address[1]}"

    def __exit__(self, *_: object) -> None:
        for client in self.waiting:
            client.close()


@pytest.mark.parametrize("door", drive.DOORS)
def test_what_hung_once_and_then_answers_is_no_fault(
    door: str, aws: FaultyAws, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts")
    aws.on("AssumeRole", silent, healthy)

    assert drive.ask(door, {"account_id": TARGET, "check": "s3_buckets"}).status == 200
    assert aws.counts() == {"AssumeRole": 2, "ListBuckets": 1}
