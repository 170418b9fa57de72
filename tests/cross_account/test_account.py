from __future__ import annotations

import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest

import chalicelib.cross_account.session
from chalicelib.cross_account import Account, AssumeRoleDenied, Hub
from chalicelib.cross_account.session import RETRY_REFRESH_SECONDS
from tests.fake_aws import FakeAws, denied, dripping, error, session, session_key

ONE = "111111111111"
LIST = ("s3:ListAllMyBuckets",)


def read(account: Account) -> list[str]:
    """One call as that account."""
    return [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]


def test_a_session_of_900_seconds_is_not_renewed_at_every_call(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", session(lasting=900))
    account = hub.account(ONE, LIST)
    for _ in range(3):
        read(account)
    assert len(aws.operations("AssumeRole")) == 1


def test_a_session_with_less_than_five_minutes_left_is_renewed(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", session(lasting=250))
    account = hub.account(ONE, LIST, request_id="first")
    read(account), read(account)
    assert [request.access_key for request in aws.operations("ListBuckets")] == [session_key(ONE, 2)] * 2
    assert aws.operations("AssumeRole")[1].form == aws.operations("AssumeRole")[0].form


def in_fifty_threads(account: Account) -> list[BaseException | None]:
    with ThreadPoolExecutor(50) as pool:
        return [future.exception() for future in [pool.submit(read, account) for _ in range(50)]]


def run_out(account: Account, seconds_left: int) -> None:
    """Let time pass until the session has so many seconds left. botocore has no parameter for its clock."""
    session: Any = account._identity.credentials
    now = session._expiry_time - timedelta(seconds=seconds_left)
    session._time_fetcher = lambda: now


@pytest.mark.parametrize("seconds_left", [250, 30, -10])
def test_fifty_threads_renew_a_session_once(hub: Hub, aws: FakeAws, seconds_left: int) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, seconds_left)
    aws.tell("AssumeRole", session(lasting=8000))  # counted from the true time
    assert in_fifty_threads(account) == [None] * 50
    assert len(aws.operations("AssumeRole")) == 2


def test_with_less_than_a_minute_left_the_old_session_signs_nothing(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, 30)
    aws.tell("AssumeRole", denied())
    with pytest.raises(AssumeRoleDenied):
        read(account)
    assert aws.operations("ListBuckets") == []


def test_with_more_left_a_renewal_that_is_refused_is_put_off(
    hub: Hub, aws: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, 250)
    aws.tell("AssumeRole", denied())
    assert read(account) == [f"bucket-of-{ONE}"]


def test_a_session_that_is_dropped_does_not_wait_for_the_garbage_collector(hub: Hub) -> None:
    dropped = weakref.ref(hub.account(ONE, LIST)._identity.credentials)
    hub.forget(ONE, LIST)
    assert dropped() is None


def test_while_the_session_is_good_sts_gets_one_attempt_to_renew_it(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, 250)
    aws.tell("AssumeRole", error("InternalError", 500), always=True)
    read(account)
    assert len(aws.operations("AssumeRole")) == 2


def test_when_that_fails_no_call_asks_again_for_half_a_minute(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, 250)
    aws.tell("AssumeRole", denied(), always=True)
    read(account), read(account), read(hub.account(ONE, LIST))
    assert len(aws.operations("AssumeRole")) == 2
    now = time.monotonic()
    monkeypatch.setattr(chalicelib.cross_account.session.time, "monotonic", lambda: now + RETRY_REFRESH_SECONDS)
    read(account)
    assert len(aws.operations("AssumeRole")) == 3


@pytest.mark.parametrize("how", ["client", "session"])
def test_a_renewal_that_drips_is_given_up_and_the_good_session_is_used(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(chalicelib.cross_account.session, "ATTEMPT_SECONDS", 0.3)
    account = hub.account(ONE, LIST)
    run_out(account, 250)
    aws.tell("AssumeRole", dripping(2, pieces=100), always=True)
    maker: Any = account if how == "client" else account.session()
    maker.client("s3").list_buckets()
    assert aws.operations("ListBuckets")[-1].access_key == session_key(ONE, 1)


def test_a_session_that_has_run_out_is_assumed_anew_whatever_became_of_its_renewal(hub: Hub, aws: FakeAws) -> None:
    """A thread that has been given up may hold botocore's lock on it for as long as a resolver hangs."""
    account = hub.account(ONE, LIST)
    run_out(account, 30)
    credentials: Any = account._identity.credentials
    with credentials._refresh_lock:
        assert read(hub.account(ONE, LIST)) == [f"bucket-of-{ONE}"]


def test_in_its_last_minute_it_is_renewed_however_recently_that_has_failed(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE, LIST)
    run_out(account, 250)
    aws.tell("AssumeRole", denied())
    read(account)
    run_out(account, 30)
    aws.tell("AssumeRole", session(lasting=8000))
    read(account)
    assert aws.operations("ListBuckets")[-1].access_key == session_key(ONE, 3)


def test_the_session_for_other_code_is_boto3s_and_the_accounts(hub: Hub, aws: FakeAws) -> None:
    session = hub.account(ONE, LIST, region="eu-north-1").session()
    assert type(session) is boto3.Session
    assert session.client("s3").list_buckets()["Buckets"][0]["Name"] == f"bucket-of-{ONE}"
    assert [bucket.name for bucket in session.resource("s3").buckets.all()] == [f"bucket-of-{ONE}"]
    assert {request.region for request in aws.operations("ListBuckets")} == {"eu-north-1"}


def test_the_session_for_other_code_is_renewed_as_well(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE, LIST)
    client = account.session().client("s3")
    run_out(account, 30)
    client.list_buckets()
    assert aws.seen[-1].access_key == session_key(ONE, 2)


@pytest.mark.parametrize(
    ("asked", "named", "used"),
    [(None, None, "eu-west-1"), ("us-east-1", None, "us-east-1"), ("us-east-1", "ap-south-1", "ap-south-1")],
)
def test_a_client_works_in_the_region_named_else_the_accounts_else_the_hubs(
    hub: Hub, asked: str | None, named: str | None, used: str
) -> None:
    assert hub.account(ONE, LIST, region=asked).client("s3", named).meta.region_name == used


def test_an_account_in_another_region_has_the_same_session(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE, LIST)
    there = account.in_region("us-east-1")
    assert (account.region, there.region, there.in_region(None).region) == ("eu-west-1", "us-east-1", "us-east-1")
    there.client("s3").list_buckets()
    assert aws.seen[-1].access_key == session_key(ONE, 1)
    assert len(aws.operations("AssumeRole")) == 1


def test_the_repr_of_an_account_is_its_id(hub: Hub) -> None:
    assert repr(hub.account(ONE, LIST)) == f"<Account {ONE}>"
