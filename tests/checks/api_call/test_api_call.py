"""api_call from the question to its result: what is refused before anything is sent, and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.checks import CHECKS, responses
from chalicelib.checks.check import Needs
from chalicelib.cross_account import Hub, InvalidInput, WrongAccount
from chalicelib.errors import ResultTooLarge
from tests.fake_aws import FakeAws, Reply, as_json, caller_identity
from tests.fake_aws.healthy import xml

ACCOUNT = "123456789012"
API_CALL = CHECKS["api_call"]
CALL = "POST /"  # of EC2 and of what speaks JSON


@pytest.fixture
def ask(hub: Hub) -> Callable[..., Any]:
    """Ask as a sweep does, and pass the result through JSON as Lambda does."""

    def call(operation: str, arguments: dict[str, Any] | None = None, query: str | None = None) -> Any:
        asked = API_CALL.asked({"operation": operation, "arguments": arguments, "query": query})
        returned = asked.run(hub.account(ACCOUNT, asked.needs.actions).in_region("eu-west-1"))
        assert json.loads(json.dumps(returned, allow_nan=False)) == returned
        return returned

    return call


def instances(*ids: str, token: str = "") -> Reply:
    listed = "".join(
        f"<item><instanceId>{one}</instanceId><launchTime>2025-01-28T09:30:00.000Z</launchTime></item>" for one in ids
    )
    more = f"<nextToken>{token}</nextToken>" if token else ""
    return xml(
        f"<DescribeInstancesResponse><requestId>r</requestId><reservationSet><item><instancesSet>{listed}"
        f"</instancesSet></item></reservationSet>{more}</DescribeInstancesResponse>"
    )


def test_what_it_needs_is_the_one_action_with_scope_and_access() -> None:
    needs = API_CALL.asked({"operation": "ec2:DescribeInstances"}).needs
    assert needs == Needs(("ec2:DescribeInstances",), "regional", "list")
    assert API_CALL.asked({"operation": "iam:GetAccountSummary"}).needs == Needs(
        ("iam:GetAccountSummary",), "global", "list"
    )
    assert API_CALL.asked({"operation": "lambda:GetAccountSettings"}).needs.access == "read"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "needs the parameter operation"),
        ({"operation": 1}, "operation of the check api_call must be str"),
        ({"operation": "ec2:DescribeInstances", "arguments": []}, "must be dict or null, not list"),
        ({"operation": "ec2:DescribeInstances", "query": 1}, "must be str or null, not int"),
        ({"operation": "ec2:DescribeInstances", "role_arn": "x"}, "takes no parameter 'role_arn'"),
        ({"operation": "ec2:TerminateInstances"}, "access level of ec2:TerminateInstances is Write"),
        ({"operation": "ec2:DescribeNothing"}, "has no operation"),
        ({"operation": "s3:ListObjectsV2"}, "s3:ListObjectsV2 needs the argument Bucket"),
        ({"operation": "ec2:DescribeInstances", "arguments": {"Regions": []}}, 'Unknown parameter in input: "Regions"'),
        ({"operation": "ec2:DescribeInstances", "query": "a["}, "does not parse"),
    ],
)
def test_a_wrong_question_is_refused_before_anything_is_sent(
    params: dict[str, Any], sentence: str, aws: FakeAws
) -> None:
    with pytest.raises(InvalidInput) as caught:
        API_CALL.asked(params)
    assert sentence in caught.value.message
    assert aws.seen == []


def test_pages_are_merged_as_boto3_merges_them(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, instances("i-1", token="more"), instances("i-2"))
    found = ask("ec2:DescribeInstances")
    assert list(found) == ["Reservations"]
    assert [one["Instances"][0] for one in found["Reservations"]] == [
        {"InstanceId": "i-1", "LaunchTime": "2025-01-28T09:30:00+00:00"},
        {"InstanceId": "i-2", "LaunchTime": "2025-01-28T09:30:00+00:00"},
    ]
    first, second = aws.operations(CALL)
    assert (first.region, first.signer) == ("eu-west-1", ACCOUNT)
    assert second.form["NextToken"] == "more"


def test_the_result_is_exactly_what_the_query_gives(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, instances("i-1", "i-2"), always=True)
    query = "Reservations[].Instances[].{id: InstanceId}"
    assert ask("ec2:DescribeInstances", query=query) == [{"id": "i-1"}, {"id": "i-2"}]
    assert ask("ec2:DescribeInstances", query="length(Reservations[].Instances[])") == 2
    assert ask("ec2:DescribeInstances", query="Nothing") is None


def test_arguments_are_sent(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, instances())
    ask("ec2:DescribeInstances", {"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]})
    form = aws.operations(CALL)[0].form
    assert (form["Filter.1.Name"], form["Filter.1.Value.1"]) == ("instance-state-name", "running")


def test_pages_that_botocore_does_not_know_are_merged_too(ask: Callable[..., Any], aws: FakeAws) -> None:
    first = {"WorkGroups": [{"Name": "a"}], "NextToken": "t"}
    aws.tell(CALL, as_json(first), as_json({"WorkGroups": [{"Name": "b"}]}))
    assert ask("athena:ListWorkGroups") == {"WorkGroups": [{"Name": "a"}, {"Name": "b"}]}
    assert json.loads(aws.operations(CALL)[1].body) == {"NextToken": "t"}


def test_what_json_cannot_hold_becomes_text(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, as_json('{"KeyId": "k", "PublicKey": "AAEC"}'))
    assert ask("kms:GetPublicKey", {"KeyId": "k"}) == {"KeyId": "k", "PublicKey": "AAEC"}
    aws.tell(CALL, as_json('{"MetricDataResults": [{"Id": "m", "Values": [NaN, 1.5]}]}'))
    found = ask("cloudwatch:GetMetricData", {"MetricDataQueries": [], "StartTime": "2025-01-28", "EndTime": 0})
    assert found["MetricDataResults"][0]["Values"] == ["NaN", 1.5]


def test_a_query_that_does_not_suit_the_response_is_told_after_the_call(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, instances("i-1"))
    with pytest.raises(InvalidInput, match="its function length got a null") as caught:
        ask("ec2:DescribeInstances", query="length(Instances)")
    assert caught.value.stage == "check"


def test_too_much_for_one_account_and_region_is_refused_and_no_further_page_asked(
    ask: Callable[..., Any], aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_RESULT", 500)
    aws.tell(CALL, *(instances("i-1", token=f"t{number}") for number in range(20)))
    with pytest.raises(ResultTooLarge, match="in this account and region") as caught:
        ask("ec2:DescribeInstances")
    assert "arguments or query" in caught.value.hint
    assert len(aws.operations(CALL)) < 10


def test_a_query_may_make_much_of_a_result_small(
    ask: Callable[..., Any], aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_RESULT", 100)
    aws.tell(CALL, instances("i-1", "i-2", "i-3"), always=True)
    assert ask("ec2:DescribeInstances", query="length(Reservations[].Instances[])") == 3
    with pytest.raises(ResultTooLarge):
        ask("ec2:DescribeInstances")


def test_a_query_that_repeats_without_end_is_too_large(ask: Callable[..., Any], aws: FakeAws) -> None:
    aws.tell(CALL, instances("i-1"))
    with pytest.raises(ResultTooLarge):
        ask("ec2:DescribeInstances", query=" | ".join(["[@, @]"] * 60))


def test_the_identity_of_another_account_is_refused(ask: Callable[..., Any], aws: FakeAws) -> None:
    assert ask("sts:GetCallerIdentity", query="Account") == ACCOUNT
    aws.tell("GetCallerIdentity", caller_identity("999999999999"))
    with pytest.raises(WrongAccount, match=ACCOUNT):
        ask("sts:GetCallerIdentity", query="Arn")


def test_a_function_that_never_asks_loads_nothing_of_it() -> None:
    mine = {f"chalicelib.checks.api_call.{name}" for name in ("arguments", "operations", "queries", "responses")}
    code = f"import sys, app; print(sorted({mine | {'difflib'}} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
