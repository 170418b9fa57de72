"""Something does not answer, or hardly: it is given up in time, told as what it is, and tried as often as it should."""

from __future__ import annotations

import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from botocore.config import Config

from chalicelib.cross_account import clients
from tests.fake_aws import Answer, FakeAws, buckets, dripping, error, silent, silent_midway
from tests.fake_aws.sockets import full_queue
from tests.faults import drive
from tests.faults.cases import MOST_BACKOFF_SECONDS, TARGET, Fault, assert_told, put_to, through_the_doors
from tests.test_policies import STAGES, config

READ_SECONDS = 0.3
"""Enough for an answer that comes, also on a busy machine."""
SILENT_SECONDS = 0.1
"""Where none comes."""
SERVICES = {
    "AssumeRole": "sts",
    "GetCallerIdentity": "sts",
    "ListBuckets": "s3",
    "GetAccountSummary": "iam",
    "ListFoundationModels": "bedrock",
    "Converse": "bedrock-runtime",
}


# The real timeouts, added up; everything else here has short ones


DIRECT = [("switch_account", service) for service in sorted(set(SERVICES.values()))]


@pytest.mark.parametrize(("function", "service"), [*DIRECT, ("api_handler", "sts")])
def test_the_longest_wait_for_a_service_ends_before_lambda_does(function: str, service: str, aws: FakeAws) -> None:
    client = clients.SharedClients().shared(service, "eu-west-1").meta.config
    attempt = max(client.connect_timeout, client.read_timeout)
    longest = client.retries["total_max_attempts"] * attempt + MOST_BACKOFF_SECONDS

    assert longest < min(config(stage, function).lambda_timeout for stage in STAGES)


def shorten(monkeypatch: pytest.MonkeyPatch, service: str, seconds: float = READ_SECONDS) -> None:
    """Shorten the timeouts of one service's client, and leave its attempts. A hub made after this has it."""
    usual = clients._CONFIG_OF_SERVICE.get(service, Config())
    short = usual.merge(Config(connect_timeout=seconds, read_timeout=seconds))
    monkeypatch.setitem(clients._CONFIG_OF_SERVICE, service, short)


# One hub, one server, an account for each case, all of them at once


@dataclass(frozen=True)
class Hang:
    """What hangs for one account, and how often each operation is asked for until its caller gives up."""

    operation: str
    replies: tuple[Answer, ...]
    type: str
    counts: dict[str, int]
    check: str = "identity"
    door: str = "direct"


OF_STS = ("AssumeRoleTimedOut", {"AssumeRole": 3})
HANGS = {
    "100000000001": Hang("AssumeRole", (silent,), *OF_STS),
    "100000000002": Hang("AssumeRole", (silent,), *OF_STS, door="http"),
    "100000000003": Hang("AssumeRole", (silent_midway,), *OF_STS),
    "100000000004": Hang("AssumeRole", (dripping(2 * READ_SECONDS, pieces=3),), *OF_STS),
    "100000000005": Hang("GetCallerIdentity", (silent,), "CheckTimedOut", {"AssumeRole": 1, "GetCallerIdentity": 3}),
    "100000000006": Hang("ListBuckets", (silent,), "CheckTimedOut", {"AssumeRole": 1, "ListBuckets": 3}, "s3_buckets"),
    "100000000007": Hang(
        "ListBuckets",
        (buckets(["a"], token="t"), silent),
        "CheckTimedOut",
        {"AssumeRole": 1, "ListBuckets": 4},
        "s3_buckets",
    ),
}


def test_accounts_that_hang_at_the_same_time_are_each_told_of_their_own(
    aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in ("sts", "s3"):
        shorten(monkeypatch, service)
    for account, hang in HANGS.items():
        aws.tell(hang.operation, *hang.replies, account=account, always=True)

    with ThreadPoolExecutor(len(HANGS)) as pool:
        asked = {
            account: pool.submit(drive.ask, hang.door, {"account_id": account, "check": hang.check})
            for account, hang in HANGS.items()
        }
        outcomes = {account: future.result() for account, future in asked.items()}

    for account, hang in HANGS.items():
        assert_told(outcomes[account], hang.type)
        assert Counter(each.operation for each in aws.seen if each.account == account) == hang.counts
    drive.assert_nothing_leaked(*(outcome.text for outcome in outcomes.values()), log.text)


# Through every door

ASK_AGAIN_STS = "STS did not respond in time. Retry."
ASK_AGAIN = "Retry; if it persists, see the service's health in that region."
PARAMS = {"bedrock_converse": {"model_id": "a.b", "prompt": "Hello"}}


def hanging(
    name: str, operation: str, check: str, *replies: Answer, attempts: int = 3, type: str = "CheckTimedOut"
) -> Fault:
    return Fault(
        name,
        replies,
        type,
        ASK_AGAIN_STS if type == "AssumeRoleTimedOut" else ASK_AGAIN,
        attempts=attempts,
        operation=operation,
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
    hanging("s3-after-an-error", "ListBuckets", "s3_buckets", error("InternalError", 500), silent),
    hanging("iam", "GetAccountSummary", "account_summary", silent),
    hanging("bedrock", "ListFoundationModels", "bedrock_models", silent),
    hanging("bedrock-converse", "Converse", "bedrock_converse", silent, attempts=1),
]


@pytest.mark.parametrize(("fault", "door"), through_the_doors(IMPATIENT))
def test_hanging(
    fault: Fault,
    door: str,
    aws: FakeAws,
    log: drive.LogOfEverything,
    backoff: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = len(fault.replies) > 1
    shorten(monkeypatch, SERVICES[fault.operation], READ_SECONDS if answers else SILENT_SECONDS)

    put_to(aws, fault, door, log, backoff)


@pytest.mark.parametrize("door", drive.DOORS)
def test_hanging_while_the_hub_looks_up_its_own_name(
    door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts")
    aws.tell("AssumeRole", error("AccessDenied", 403))
    aws.tell("GetCallerIdentity", silent, always=True)

    outcome = drive.ask(door, {"account_id": TARGET})

    assert_told(outcome, "AssumeRoleDenied", "AccessDenied")
    assert "GetCallerIdentity failed as well" in outcome.fault["hint"]
    assert aws.counts == {"AssumeRole": 1, "GetCallerIdentity": 3}
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_port_that_takes_no_connection(
    door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts", SILENT_SECONDS)
    with socket.socket() as busy, full_queue(busy) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        outcome = drive.ask(door, {"account_id": TARGET})

    assert_told(outcome, "AssumeRoleTimedOut")
    assert "A function in a VPC needs a route to the regional STS endpoint." in outcome.fault["hint"]
    assert len(backoff) == 2
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
def test_what_hung_once_and_then_answers_is_no_fault(
    door: str, aws: FakeAws, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "sts", 1)  # a busy machine needs that for the answer
    aws.tell("AssumeRole", silent)

    assert drive.ask(door, {"account_id": TARGET, "check": "s3_buckets"}).status == 200
    assert aws.counts == {"AssumeRole": 2, "ListBuckets": 1}
