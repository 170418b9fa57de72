"""The IAM action and the resource of an HTTP request."""

import json
from typing import Any

import pytest

from sandbox.requested_access.before import Request, action_of, resource_of, tag_keys

ARN = "arn:aws:lambda:us-east-1:111111111111"


def request(service: str, operation: str, path: str = "/", method: str = "POST", **parts: Any) -> Request:
    body = json.dumps(parts["json"]).encode() if "json" in parts else parts.get("body", b"")
    return Request(service, operation, method, path, parts.get("form", {}), body, "111111111111", "us-east-1")


@pytest.mark.parametrize(
    ("tested", "action", "resource"),
    [
        (
            request("sts", "AssumeRole", form={"RoleArn": ["arn:aws:iam::1:role/x"]}),
            "sts:AssumeRole",
            "arn:aws:iam::1:role/x",
        ),
        (
            request("iam", "CreateRole", form={"RoleName": ["new"], "Path": ["/team/"]}),
            "iam:CreateRole",
            "arn:aws:iam::111111111111:role/team/new",
        ),
        (
            request("lambda", "Invoke", "/2015-03-31/functions/name/invocations"),
            "lambda:InvokeFunction",
            f"{ARN}:function:name",
        ),
        (
            request(
                "lambda", "Invoke", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3Aname/invocations"
            ),
            "lambda:InvokeFunction",
            "arn:aws:lambda:x:1:function:name",
        ),
        (
            request("lambda", "CreateFunction", "/2015-03-31/functions", json={"FunctionName": "name"}),
            "lambda:CreateFunction",
            f"{ARN}:function:name",
        ),
        (
            request("lambda", "GetLayerVersion", "/2018-10-31/layers/deps/versions/3", "GET"),
            "lambda:GetLayerVersion",
            f"{ARN}:layer:deps:3",
        ),
        (request("lambda", "ListFunctions", "/2015-03-31/functions", "GET"), "lambda:ListFunctions", "*"),
        (
            request("logs", "FilterLogEvents", json={"logGroupName": "/aws/lambda/x"}),
            "logs:FilterLogEvents",
            "arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/x:*",
        ),
        (
            request("bedrock", "Converse", "/model/amazon.nova-lite-v1%3A0/converse"),
            "bedrock:InvokeModel",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        ),
        (
            request("bedrock", "Converse", "/model/us.amazon.nova-lite-v1%3A0/converse"),
            "bedrock:InvokeModel",
            "arn:aws:bedrock:us-east-1:111111111111:inference-profile/us.amazon.nova-lite-v1:0",
        ),
        (
            request("sns", "Publish", form={"TopicArn": ["arn:aws:sns:x:1:topic"]}),
            "sns:Publish",
            "arn:aws:sns:x:1:topic",
        ),
        (request("apigateway", "ImportRestApi", "/restapis"), "apigateway:POST", "*"),
        (request("organizations", "ListAccounts"), "organizations:ListAccounts", "*"),
        (request("logs", "DescribeLogGroups", body=b"not json"), "logs:DescribeLogGroups", "*"),
    ],
    ids=lambda value: f"{value.service}:{value.operation}" if isinstance(value, Request) else "",
)
def test_action_and_resource_of_a_request(tested: Request, action: str, resource: str) -> None:
    assert (action_of(tested), resource_of(tested)) == (action, resource)


@pytest.mark.parametrize("operation", ["CreateFunction", "TagResource"])
def test_the_tags_of_a_lambda_request_are_known_completely(operation: str) -> None:
    tested = request("lambda", operation, json={"Tags": {"team": "billing", "a/b": ""}})
    assert tag_keys(tested) == {"aws:RequestTag/": (), "aws:RequestTag/team": "billing", "aws:RequestTag/a/b": ""}
    assert tag_keys(request("lambda", operation, json={})) == {"aws:RequestTag/": ()}


@pytest.mark.parametrize(
    "tested",
    [
        request("lambda", "Invoke", json={"Tags": {"team": "billing"}}),
        request("lambda", "CreateFunction", json={"Tags": ["team"]}),
        request("lambda", "CreateFunction", json={"Tags": {"team": "billing", "Team": "another"}}),
        request("iam", "CreateRole", form={"Tags.member.1.Key": ["team"]}),
    ],
    ids=["an event", "a list", "two spellings", "another service"],
)
def test_the_tags_of_other_requests_are_unknown(tested: Request) -> None:
    assert tag_keys(tested) == {}
