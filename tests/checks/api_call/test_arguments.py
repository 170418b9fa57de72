"""The arguments of an operation: botocore's model validates them, and some are refused for what they would do."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.checks.api_call.arguments import REFUSED, validated
from chalicelib.checks.api_call.operations import permitted
from chalicelib.cross_account import InvalidInput

PERIOD = {"Namespace": "n", "MetricName": "m", "Period": 60}


def given(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return validated(permitted(operation), arguments)


def test_times_are_text_and_bytes_base64() -> None:
    times = {"StartTime": "2025-01-28T00:00:00Z", "EndTime": 1738022400}
    assert given("cloudwatch:GetMetricStatistics", PERIOD | times) == PERIOD | times
    assert given("comprehend:ClassifyDocument", {"EndpointArn": "arn:x", "Bytes": "AAEC"})["Bytes"] == b"\x00\x01\x02"


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence"),
    [
        ("ec2:DescribeInstances", {"MaxResults": "5"}, "Invalid type for parameter MaxResults"),
        ("ec2:DescribeInstances", {"MaxResults": True}, r"arguments\.MaxResults must be a number"),
        ("ec2:DescribeInstances", {"InstanceIds": "i-1"}, "Invalid type for parameter InstanceIds"),
        ("ec2:DescribeInstances", {"Filters": [{"Value": "x"}]}, "Unknown parameter in Filters"),
        ("ec2:DescribeInstances", {"X": 1, "Y": 2, "MaxResults": "5"}, r"\(and 2 more\)"),
        ("ce:GetCostForecast", {"TimePeriod": {}, "Metric": "m", "Granularity": "DAILY"}, "Missing required parameter"),
        ("ce:GetCostForecast", {"TimePeriod": {}}, "needs the arguments Metric, Granularity"),
        (
            "comprehend:ClassifyDocument",
            {"EndpointArn": "a", "Bytes": "%"},
            r"arguments\.Bytes must be bytes in base64",
        ),
        ("cloudwatch:GetMetricStatistics", PERIOD | {"StartTime": "soon", "EndTime": 0}, "parameter StartTime"),
        ("forecast:ListForecasts", {"MaxResults": float("nan")}, "must be a number"),
        ("sts:GetCallerIdentity", {"Account": "x"}, "Unknown parameter"),
    ],
)
def test_what_does_not_suit_the_model_is_told_in_one_line(
    operation: str, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        given(operation, arguments)
    assert operation in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 500


def test_arguments_without_end_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"And": [deep]}
    asked = {"TimePeriod": {"Start": "a", "End": "b"}, "Granularity": "DAILY", "Metrics": [], "Filter": deep}
    for operation, arguments in (
        ("ce:GetCostAndUsage", asked),
        ("omics:GetRun", {"id": "1", "export": deep}),
        ("ec2:DescribeInstances", {"DryRun": deep}),
    ):
        with pytest.raises(InvalidInput, match="nested too deeply"):
            given(operation, arguments)


BUCKET = "arn:aws:s3:us-east-1:111111111111:accesspoint/x"
TURNED = [
    ("apigateway:GetApiKey", {"apiKey": "k", "includeValue": True}),
    ("apigateway:GetApiKeys", {"includeValues": True}),
    ("ec2:DescribeImageAttribute", {"ImageId": "ami-1", "Attribute": "uefiData"}),
    ("ec2:DescribeInstanceAttribute", {"InstanceId": "i-1", "Attribute": "userData"}),
    ("omics:GetRun", {"id": "1", "export": ["DEFINITION"]}),
    ("s3:GetObjectAcl", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
    ("s3:GetObjectTagging", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
    ("s3:ListObjectsV2", {"Bucket": BUCKET}),
    ("s3:ListObjectsV2", {"Bucket": "b--use1-az1--x-s3"}),
    ("s3:ListObjectsV2", {"Bucket": "accesspoint--use1-az1--xa-s3"}),
    ("s3:ListObjectsV2", {"Bucket": "accesspoint--op-s3"}),
    ("s3:ListObjectsV2", {"Bucket": "bucket\n"}),
    ("s3:ListObjectsV2", {"Bucket": "example.com/"}),
    ("s3control:GetAccessPoint", {"AccountId": "111111111111", "Name": BUCKET}),
    ("s3control:ListAccessPoints", {"AccountId": "111111111111", "Bucket": BUCKET}),
]


@pytest.mark.parametrize(("operation", "arguments"), TURNED)
def test_arguments_that_turn_a_read_into_more_are_refused(operation: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"^api_call does not ask {operation} with "):
        given(operation, arguments)


def test_every_refused_argument_has_its_case() -> None:
    tried = {name for operation, _ in TURNED for name in (operation, operation.partition(":")[0])}
    assert set(REFUSED) <= tried


def test_the_same_operations_are_asked_without_those_values() -> None:
    assert given("apigateway:GetApiKeys", {"includeValues": False})
    assert given("ec2:DescribeInstanceAttribute", {"InstanceId": "i-1", "Attribute": "groupSet"})
    assert given("s3:ListObjectsV2", {"Bucket": "a.bucket-of_123"})
