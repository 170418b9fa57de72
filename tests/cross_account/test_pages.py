from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import PaginationError

from chalicelib.cross_account import Account, Hub
from chalicelib.cross_account.pages import Pages
from tests.fake_aws import FakeAws, Reply

ONE = "111111111111"


@pytest.fixture
def account(hub: Hub) -> Account:
    return hub.account(ONE)


def names(account: Account, **arguments: Any) -> list[str]:
    pages = account.pages("s3", "list_buckets", **arguments)
    return [bucket["Name"] for page in pages for bucket in page["Buckets"]]


def page_of(*names: str, token: str = "") -> Reply:
    buckets = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in names)
    more = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
    return Reply(f"<ListAllMyBucketsResult><Buckets>{buckets}</Buckets>{more}</ListAllMyBucketsResult>")


def test_one_page_is_one_request(account: Account, aws: FakeAws) -> None:
    assert names(account, Prefix="b") == [f"bucket-of-{ONE}"]
    (request,) = aws.operations("ListBuckets")
    assert (request.signer, request.query["prefix"]) == (ONE, "b")


def test_more_pages_are_all_read_in_order_and_each_once(account: Account, aws: FakeAws) -> None:
    aws.buckets = {ONE: [f"bucket-{number}" for number in range(7)]}
    assert names(account) == aws.buckets[ONE]
    assert len(aws.operations("ListBuckets")) == 4  # of two buckets each
    assert {request.signer for request in aws.operations("ListBuckets")} == {ONE}


def test_an_empty_page_is_a_page(account: Account, aws: FakeAws) -> None:
    aws.tell("ListBuckets", page_of())
    assert names(account) == []


def test_a_page_that_comes_back_for_ever_is_an_error(account: Account, aws: FakeAws) -> None:
    aws.tell("ListBuckets", page_of("a", token="again"), always=True)
    with pytest.raises(PaginationError):
        names(account)


def test_a_configuration_of_the_pagination_is_boto3s(account: Account, aws: FakeAws) -> None:
    aws.buckets = {ONE: [f"bucket-{number}" for number in range(7)]}
    assert names(account, PaginationConfig={"MaxItems": 3}) == aws.buckets[ONE][:3]


def test_an_operation_without_pages_has_one(account: Account) -> None:
    (page,) = account.pages("sts", "get_caller_identity")
    assert page["Account"] == ONE


def test_nothing_is_asked_before_the_first_page_is_wanted(account: Account, aws: FakeAws) -> None:
    account.pages("s3", "list_buckets")
    assert aws.operations("ListBuckets") == []


@pytest.mark.parametrize(
    ("service", "operation", "response", "more"),
    [
        ("iam", "ListUsers", {"Users": [{}], "IsTruncated": False, "Marker": "x"}, False),
        ("iam", "ListUsers", {"Users": [{}], "IsTruncated": True, "Marker": "x"}, True),
        ("iam", "ListUsers", {"Users": [{}], "IsTruncated": True}, False),
        ("ec2", "DescribeInstances", {"Reservations": []}, False),
        ("ec2", "DescribeInstances", {"Reservations": [], "NextToken": ""}, False),
        ("ec2", "DescribeInstances", {"Reservations": [], "NextToken": "x"}, True),
        ("s3", "ListObjects", {"IsTruncated": True, "Contents": [{"Key": "last"}]}, True),
        (
            "route53",
            "ListResourceRecordSets",
            {"IsTruncated": True, "NextRecordName": "x", "NextRecordType": "A"},
            True,
        ),
        ("dynamodb", "Scan", {"Items": [], "LastEvaluatedKey": {"id": {"S": "x"}}}, True),
        ("sts", "GetCallerIdentity", {"Account": ONE, "NextToken": "x"}, False),
        ("athena", "ListWorkGroups", {"WorkGroups": [], "NextToken": "x"}, True),
        ("athena", "ListWorkGroups", {"WorkGroups": []}, False),
        ("lightsail", "GetAlarms", {"alarms": [], "nextPageToken": "x"}, True),
        ("waf", "ListTagsForResource", {"TagInfoForResource": {}, "NextMarker": "x"}, True),
        ("s3", "ListBucketMetricsConfigurations", {"ContinuationToken": "x"}, False),
        ("s3", "ListBucketMetricsConfigurations", {"NextContinuationToken": "x"}, True),
    ],
)
def test_more_pages_are_those_that_botocores_paginator_would_ask_for_if_it_had_one(
    service: str, operation: str, response: dict[str, Any], more: bool
) -> None:
    core = botocore.session.Session()
    rule = Pages(core).rule(core.get_service_model(service), operation)
    assert rule.has_more(response) is more


def test_threads_that_ask_at_once_read_botocores_data_once(monkeypatch: pytest.MonkeyPatch) -> None:
    core = botocore.session.Session()
    service, loader, loaded = core.get_service_model("s3"), core.get_component("data_loader"), list[str]()
    original = loader.load_data
    monkeypatch.setattr(loader, "load_data", lambda name: loaded.append(name) or original(name))
    pages = Pages(core)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: pages.rule(service, "ListBuckets"), range(100)))
    assert loaded == ["s3/2006-03-01/paginators-1"]
