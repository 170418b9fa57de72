"""The wheel beside this app's own copy, in one process: two packages, and neither knows the other's state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

import chalicelib.cross_account as ours
from tests.fake_aws import FakeAws

ACCOUNTS = [f"{number:012}" for number in range(100_000_000_001, 100_000_000_005)]


@dataclass(frozen=True)
class Copy:
    """A hub with credentials of its own. Its region, which the signature names, tells whose request it was."""

    hub: Any
    key: str
    region: str

    def buckets(self, account_id: str) -> Any:
        pages = self.hub.account(account_id).client("s3").get_paginator("list_buckets").paginate()
        return (bucket["Name"] for page in pages for bucket in page["Buckets"])


@pytest.fixture
def copies(helper: Any, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> list[Copy]:
    assert helper.Hub is not ours.Hub
    made = []
    for package, key, region in ((helper, "AKIAONE", "eu-west-1"), (ours, "AKIAOTHER", "eu-central-1")):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        made.append(Copy(package.Hub(), key, region))
    aws.buckets = {account: [f"{account}-{number}" for number in range(6)] for account in ACCOUNTS}
    return made


def keys(aws: FakeAws, copy: Copy, operation: str) -> set[str]:
    """The access keys of a copy's requests, by their signatures."""
    return {request.access_key for request in aws.operations(operation) if request.region == copy.region}


def assert_each_signed_with_its_own(aws: FakeAws, copies: list[Copy]) -> None:
    one, other = copies
    for copy in copies:
        assert keys(aws, copy, "AssumeRole") == {copy.key}
        assert len(keys(aws, copy, "ListBuckets")) == len(ACCOUNTS)
    assert keys(aws, one, "ListBuckets") & keys(aws, other, "ListBuckets") == set()


def test_nested_pages_are_signed_by_the_copy_that_asks(aws: FakeAws, copies: list[Copy]) -> None:
    one, other = copies
    for account in ACCOUNTS:
        for outer in one.buckets(account):
            assert outer.startswith(account)
            for within in ACCOUNTS:
                assert list(other.buckets(within)) == aws.buckets[within]
    assert_each_signed_with_its_own(aws, copies)


def test_threads_are_signed_by_the_copy_that_asks(aws: FakeAws, copies: list[Copy]) -> None:
    calls = [(copy, account) for account in ACCOUNTS for copy in copies] * 8
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda call: list(call[0].buckets(call[1])), calls))
    assert found == [aws.buckets[account] for _, account in calls]
    assert_each_signed_with_its_own(aws, copies)


def test_a_call_of_one_copy_gives_the_others_client_no_credentials(copies: list[Copy]) -> None:
    for inside, outside in (copies, reversed(copies)):
        shared = outside.hub.account(ACCOUNTS[0]).client("s3")._shared
        raised: list[BaseException] = []

        def ask(shared: Any = shared, raised: list[BaseException] = raised, **_: Any) -> None:
            try:
                shared.list_buckets()
            except NoCredentialsError as error:
                raised.append(error)

        client = inside.hub.account(ACCOUNTS[1]).client("s3")
        client.meta.events._events.register("before-send.s3", ask)
        client.list_buckets()
        assert len(raised) == 1
