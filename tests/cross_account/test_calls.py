from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.awsrequest import AWSHTTPSConnectionPool

from chalicelib.cross_account import Account, Hub
from chalicelib.cross_account.calls import Calls, CallsEnded
from tests.fake_aws import Answer, FakeAws, Reply, buckets, dripping, error, silent

ONE, TWO = "111111111111", "222222222222"
DRIP = dripping(5, pieces=100)
"""Longer than any test; each piece comes well before the timeout for reading."""
CLIENTS: dict[str, Callable[[Account], Any]] = {
    "shared": lambda account: account.client("s3"),
    "own": lambda account: account.session().client("s3"),
}
each_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
Client = Callable[[Account], Any]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def names(client: Any) -> list[str]:
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def account_in(calls: Calls, hub: Hub, account_id: str = ONE) -> Account:
    with calls.here():
        return hub.account(account_id)


def asked(aws: FakeAws, operation: str, times: int = 1) -> None:
    """Wait until so many requests have come."""
    while aws.counts[operation] < times:
        threading.Event().wait(0.005)


def under_way(pool: ThreadPoolExecutor, aws: FakeAws, client: Any) -> Future[list[str]]:
    future = pool.submit(names, client)
    asked(aws, "ListBuckets")
    return future


@each_client
@pytest.mark.parametrize("answer", [DRIP, silent], ids=["drips", "is-silent"])
def test_a_call_that_is_under_way_ends_in_its_thread(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor, client: Client, answer: Answer
) -> None:
    aws.tell("ListBuckets", answer)
    calls = Calls()
    future = under_way(pool, aws, client(account_in(calls, hub)))
    calls.end()
    assert future.exception(10)
    assert aws.counts["ListBuckets"] == 1


@each_client
def test_nothing_is_sent_any_more(hub: Hub, aws: FakeAws, client: Client) -> None:
    calls = Calls()
    s3 = client(account_in(calls, hub))
    calls.end()
    with pytest.raises(CallsEnded):
        s3.list_buckets()
    assert aws.counts["ListBuckets"] == 0


@each_client
def test_an_attempt_that_failed_is_not_tried_again(hub: Hub, aws: FakeAws, client: Client) -> None:
    calls = Calls()

    def too_late(_: Any) -> Reply:
        calls.end()
        return error("InternalError", 500)

    aws.tell("ListBuckets", too_late, always=True)
    with pytest.raises(CallsEnded):
        client(account_in(calls, hub)).list_buckets()
    assert aws.counts["ListBuckets"] == 1


@each_client
def test_a_name_that_is_resolved_too_late_is_not_connected_to_any_more(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, no_backoff: None, client: Client
) -> None:
    calls = Calls()
    s3 = client(account_in(calls, hub))
    resolve = socket.getaddrinfo

    def slowly(*args: Any) -> Any:
        calls.end()
        return resolve(*args)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with pytest.raises(CallsEnded):
        s3.list_buckets()
    assert aws.counts["ListBuckets"] == 0


def test_the_calls_of_other_work_go_on(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    aws.tell("ListBuckets", dripping(0.01, pieces=20), account=TWO)
    ended, other = Calls(), Calls()
    future = under_way(pool, aws, account_in(other, hub, TWO).client("s3"))
    ended.end()
    assert future.result(10) == aws.buckets.get(TWO, [f"bucket-of-{TWO}"])


def test_a_connection_that_other_work_uses_by_now_stays_open(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    ended, other = Calls(), Calls()
    names(account_in(ended, hub).client("s3"))  # the connection is kept, and the next call has it
    aws.tell("ListBuckets", dripping(0.01, pieces=20))
    future = pool.submit(names, account_in(other, hub, TWO).client("s3"))
    asked(aws, "ListBuckets", 2)
    ended.end()
    assert future.result(10)


def test_an_account_that_was_entered_belongs_to_its_work_in_every_thread(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor
) -> None:
    calls = Calls()
    account = account_in(calls, hub)
    calls.end()
    assert isinstance(pool.submit(names, account.client("s3")).exception(10), CallsEnded)


def test_a_session_that_is_still_being_assumed_is_not_kept(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    aws.tell("AssumeRole", DRIP)
    calls = Calls()
    future = pool.submit(account_in, calls, hub)
    asked(aws, "AssumeRole")
    calls.end()
    assert future.exception(10)
    assert not hub.account(ONE).cached


def test_who_asks_for_an_account_does_not_wait_for_work_that_has_been_given_up(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor
) -> None:
    aws.tell("AssumeRole", silent)
    pool.submit(hub.account, ONE)
    asked(aws, "AssumeRole")
    hub.end_invocation()
    assert names(hub.account(ONE).client("s3"))
    aws.let_go.set()


def test_without_any_work_nothing_ends(hub: Hub, aws: FakeAws) -> None:
    aws.tell("ListBuckets", buckets(["a"]))
    assert names(hub.account(ONE).client("s3")) == ["a"]


def test_connections_with_tls_end_as_well(hub: Hub) -> None:
    client = hub.account(ONE).client("s3")._shared
    pool = client._endpoint.http_session._manager.pool_classes_by_scheme["https"]("127.0.0.1", 443)
    assert isinstance(pool, AWSHTTPSConnectionPool)
    assert hasattr(pool._new_conn(), "shut_down")
