"""Every entry point answers before its limit: the quick ones of tests/hangs, with a few seconds to go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.sweeps import deadline
from tests.fake_aws import Answer, FakeAws, Reply, Request, silent
from tests.fake_hub import ids
from tests.limits import Answered, ask, contract

ORGANIZATIONS = "POST /"
STORED = {"store": True, "run": "nightly", "part": "a", "date": "2026-01-31"}
PUT = "PUT /results/sweeps/check=identity/date=2026-01-31/run=nightly/a.jsonl"
ONE, OTHER = ids(2)

dripping = Reply(" " * 50, pieces=50, pause=0.2)  # it ends, so that a test can fail


@pytest.fixture(autouse=True)
def half_a_second_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.5)


def ask_while(aws: FakeAws, operation: str, answer: Answer, door: str, seconds: float, **event: Any) -> Answered:
    """Ask at a door, and let go of what hangs afterwards."""
    aws.tell(operation, answer, account=event.pop("of", None), always=True)
    answered = ask(door, event, seconds)
    aws.let_go.set()
    assert answered.seconds_left > 0
    return answered


@pytest.mark.parametrize("door", ["direct", "route"])
@pytest.mark.parametrize(
    ("operation", "answer", "error"),
    [("AssumeRole", silent, "AssumeRoleTimedOut"), ("ListBuckets", dripping, "CheckTimedOut")],
    ids=["sts-hangs", "s3-drips"],
)
def test_one_account(aws: FakeAws, operation: str, answer: Answer, error: str, door: str) -> None:
    answered = ask_while(aws, operation, answer, door, 1.5, account_id=ONE, check="s3_buckets")

    assert answered.told == contract(door, error)


@pytest.mark.parametrize("door", ["POST /sweeps", "list_accounts"])
def test_a_listing_that_drips(aws: FakeAws, door: str) -> None:
    answered = ask_while(aws, ORGANIZATIONS, dripping, door, 1.5, check="identity")

    assert answered.told == contract(door, "AccountsNotListed")


def test_a_listing_that_takes_too_long_is_told_as_incomplete(aws: FakeAws) -> None:
    def page(request: Request) -> Reply:
        aws.let_go.wait(0.1)
        more = {"NextToken": str(request.nth)} if request.nth < 100 else {}
        account = {"Id": f"{request.nth:012}", "State": "ACTIVE"}
        return Reply(json.dumps({"Accounts": [account], **more}))

    answered = ask_while(aws, ORGANIZATIONS, page, "POST /sweeps", 2.5, check="identity")

    assert answered.told == (200, None, None)
    assert answered.body["summary"]["listing_complete"] is False
    assert answered.adds_up


def test_of_two_accounts_one_drips(aws: FakeAws) -> None:
    answered = ask_while(aws, "ListBuckets", dripping, "sweep", 2, of=OTHER, check="s3_buckets", accounts=[ONE, OTHER])

    assert answered.outcomes == {ONE: "ok", OTHER: "CheckTimedOut"}


def test_results_that_s3_does_not_take(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESULTS_BUCKET", "results")

    answered = ask_while(aws, PUT, silent, "sweep", 1.5, check="identity", accounts=[ONE], **STORED)

    assert answered.told == contract("sweep", "ResultsNotStored")
