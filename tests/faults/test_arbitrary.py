"""Anything may come as an event, and anything may come back from AWS: the answer is always one of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.contract import AWS, CONTRACTS
from tests.fake_aws import EXTERNAL_ID, HUB, REQUEST_ID, TALKATIVE, FakeAws, Reply, Request, buckets, fake_aws, session
from tests.faults import drive
from tests.faults.cases import TARGET

TYPES_OF_AWS = {type for type, contract in CONTRACTS.items() if contract.message == AWS}
HTTP_STATUSES = {contract.http_status for contract in CONTRACTS.values()}


@pytest.fixture(scope="module")
def warm() -> Iterator[tuple[FakeAws, drive.LogOfEverything]]:
    """One server, one hub that keeps no session, and no waiting: the fixture of a test lasts for all its examples."""
    with (
        fake_aws() as aws,
        drive.warm_hub(aws, CACHE_CREDENTIALS="false") as log,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
        yield aws, log


def assert_of_the_contract(outcome: drive.Outcome, aws: FakeAws) -> None:
    """Whatever it is, it is one of the answers in the README."""
    assert len(outcome.text) < 100_000
    if outcome.status == 200:
        assert set(outcome.body) == {"message", "account_id", "check", "result"}
        return
    told = outcome.fault
    assert set(outcome.body) == {"message", "error"}
    assert set(told) == {"type", "stage", "code", "hint", "request_id"}
    assert outcome.body["message"].isprintable()
    assert told["code"] is None or told["code"].isprintable()
    assert told["request_id"] is None or told["request_id"].isprintable()
    if told["stage"] == "input":
        assert outcome.status in (400, 403, 404)
        assert not aws.seen
    else:
        assert outcome.status in ({500} if outcome.door == "direct" else HTTP_STATUSES)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
nearly_events = st.fixed_dictionaries(
    {},
    optional={
        "account_id": st.just(TARGET)
        | st.text(st.characters(categories=["Nd"]), min_size=12, max_size=12)
        | json_values,
        "check": st.sampled_from(["identity", "s3_buckets", "bedrock_converse", "account_summary"]) | json_values,
        "region": st.just("eu-west-1") | st.from_regex(r"[a-z]{2}-[a-z]+-[0-9].?") | json_values,
        "params": st.fixed_dictionaries(
            {}, optional={"prefix": json_values, "model_id": json_values, "prompt": json_values, "x": json_values}
        )
        | json_values,
        "raise_on_error": st.just(False) | json_values.filter(lambda value: value is not True),
    },
)


@settings(max_examples=100, deadline=None)
@given(event=json_values | nearly_events)
def test_any_event_is_answered(warm: tuple[FakeAws, drive.LogOfEverything], event: Any) -> None:
    assume(not isinstance(event, dict) or event.get("account_id") != HUB)  # whose name is rightly in the result
    aws, log = warm
    aws.reset()
    log.lines.clear()

    outcome = drive.direct(event)

    assert outcome.status in (200, 400, 500)
    assert_of_the_contract(outcome, aws)
    assert "unexpected" not in log.text
    drive.assert_nothing_leaked(outcome.text, log.text)


@settings(max_examples=75, deadline=None)
@given(body=st.binary(max_size=200) | nearly_events.map(json.dumps).map(str.encode))
def test_any_body_is_answered(warm: tuple[FakeAws, drive.LogOfEverything], body: bytes) -> None:
    aws, log = warm
    aws.reset()
    log.lines.clear()

    outcome = drive.post(f"/accounts/{TARGET}/checks/s3_buckets", body)

    assert_of_the_contract(outcome, aws)
    assert "unexpected" not in log.text
    drive.assert_nothing_leaked(outcome.text, log.text)


@st.composite
def mangled(draw: st.DrawFn, whole: bytes) -> bytes:
    """A good answer with a piece cut out, doubled or replaced."""
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, min(len(whole), start + 60)))
    piece = draw(
        st.sampled_from(
            [b"", whole[start:end] * 2, b"<x>", b"</x>", b"<Code>", b"&lt;", b"&#10;", b"\x00", b"\xff", b"-1"]
        )
        | st.binary(max_size=20)
    )
    return whole[:start] + piece + whole[end:]


tags = st.sampled_from(
    ["Error", "Code", "Message", "ErrorResponse", "AssumeRoleResult", "Credentials", "Expiration", "Arn"]
)
trees = st.recursive(
    st.sampled_from(["", "x", "a b", "AccessDenied", "Throttling", "2030-01-01T00:00:00Z", "&#10;", TALKATIVE]),
    lambda inner: st.tuples(tags, st.lists(inner, max_size=3)).map(lambda t: f"<{t[0]}>{''.join(t[1])}</{t[0]}>"),
    max_leaves=10,
)
ERROR = (
    f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{TALKATIVE}</Message></Error>"
    f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
)
statuses = st.sampled_from([200, 400, 403, 429, 500, 503]) | st.integers(200, 599)
content_types = st.sampled_from(["text/xml", "application/xml", "application/json", "text/html", "", "x/y; charset=x"])


def bodies(good: bytes) -> st.SearchStrategy[bytes]:
    xml = trees.map(str.encode) | trees.map(lambda tree: f"<AssumeRoleResponse>{tree}</AssumeRoleResponse>".encode())
    return st.binary(max_size=300) | mangled(good) | mangled(ERROR.encode()) | xml


ASSUME_ROLE = f"Action=AssumeRole&RoleArn=arn:aws:iam::{TARGET}:role/external-role&RoleSessionName=x"
SESSION = session()(Request("POST", "/", {}, {"authorization": "Credential=x/x/x/sts/x"}, ASSUME_ROLE.encode()))


def assert_told_as_aws_fault(outcome: drive.Outcome, aws: FakeAws, log: drive.LogOfEverything) -> None:
    assert_of_the_contract(outcome, aws)
    assert outcome.status == 200 or outcome.fault["type"] in TYPES_OF_AWS
    assert "unexpected" not in log.text
    drive.assert_nothing_leaked(outcome.text, log.text)


@settings(max_examples=250, deadline=None)
@given(body=bodies(SESSION.content), status=statuses, content_type=content_types, door=st.sampled_from(drive.DOORS))
def test_whatever_sts_answers_is_told(
    warm: tuple[FakeAws, drive.LogOfEverything], body: bytes, status: int, content_type: str, door: str
) -> None:
    aws, log = warm
    aws.reset()
    log.lines.clear()
    aws.tell("AssumeRole", Reply(body, status, {"Content-Type": content_type}), always=True)

    outcome = drive.ask(door, {"account_id": TARGET})

    if outcome.door == "raised" and outcome.error:
        outcome.status = 500
    assert_told_as_aws_fault(outcome, aws, log)
    assert aws.counts["AssumeRole"] <= 3


@settings(max_examples=200, deadline=None)
@given(
    body=bodies(buckets(["one", "two"], token="t").content),
    status=statuses,
    content_type=content_types,
    door=st.sampled_from(["direct", "http"]),
)
def test_whatever_s3_answers_is_told(
    warm: tuple[FakeAws, drive.LogOfEverything], body: bytes, status: int, content_type: str, door: str
) -> None:
    aws, log = warm
    aws.reset()
    log.lines.clear()
    mangled_page = Reply(body, status, {"Content-Type": content_type})
    aws.tell("ListBuckets", *[mangled_page] * 3, buckets([]), always=True)

    outcome = drive.ask(door, {"account_id": TARGET, "check": "s3_buckets"})

    assert_told_as_aws_fault(outcome, aws, log)


def test_the_answer_that_these_mangle_is_a_good_one(warm: tuple[FakeAws, drive.LogOfEverything]) -> None:
    aws, _ = warm
    aws.reset()
    aws.tell("AssumeRole", SESSION)

    assert drive.direct({"account_id": TARGET, "check": "s3_buckets"}).status == 200
    assert aws.seen[0].form["ExternalId"] == EXTERNAL_ID
