"""Pages as one response."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.checks.api_call.arguments import model_of
from chalicelib.checks.api_call.operations import known
from chalicelib.checks.api_call.responses import merged

METADATA = {"ResponseMetadata": {"RequestId": "r"}}


def merge(operation: str, *pages: dict[str, Any]) -> dict[str, Any]:
    return merged(model_of(known(operation)), [page | METADATA for page in pages], 1_000)


@pytest.mark.parametrize(
    ("operation", "pages", "expected"),
    [
        ("iam:GetAccountSummary", [{"SummaryMap": {"Users": 1}}], {"SummaryMap": {"Users": 1}}),
        ("ec2:DescribeRegions", [{"Regions": []}], {"Regions": []}),
        (
            "iam:ListUsers",
            [{"Users": [1], "IsTruncated": True, "Marker": "m"}, {"Users": [2], "IsTruncated": False}],
            {"Users": [1, 2]},
        ),
        ("ec2:DescribeInstances", [{"Reservations": [1], "NextToken": "t"}, {}], {"Reservations": [1]}),
        (
            "ecs:DescribeGatewayResources",
            [{"gatewayResources": {"a": [1]}, "nextToken": "t"}, {"gatewayResources": {"a": [2]}}],
            {"gatewayResources": {"a": [1, 2]}},
        ),
        (
            "backup:ListTags",
            [{"Tags": {"a": "1"}, "NextToken": "t"}, {"Tags": {"b": "2"}}],
            {"Tags": {"a": "1", "b": "2"}},
        ),
        (
            "ssm:GetOpsMetadata",
            [{"ResourceId": "r", "Metadata": {"a": {}}, "NextToken": "t"}, {"ResourceId": "s", "Metadata": {"b": {}}}],
            {"ResourceId": "r", "Metadata": {"a": {}, "b": {}}},
        ),
        ("ce:GetTags", [{"Tags": [], "ReturnSize": 0, "TotalSize": 0}], {"Tags": [], "ReturnSize": 0, "TotalSize": 0}),
    ],
)
def test_what_grows_is_merged_and_the_rest_is_of_the_first_page(
    operation: str, pages: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    assert merge(operation, *pages) == expected


def test_times_bytes_and_what_is_no_number_become_text() -> None:
    page = {"When": datetime(2025, 1, 28, tzinfo=UTC), "Bytes": b"\x00\x01", "Nothing": float("inf")}
    assert merge("sts:GetCallerIdentity", page) == {
        "When": "2025-01-28T00:00:00+00:00",
        "Bytes": "AAE=",
        "Nothing": "Infinity",
    }
