"""The metrics of an invocation, as the line that CloudWatch reads out of the log."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import app as entry_points
from chalicelib.checks.check import check
from chalicelib.checks.finding import VERDICTS, Findings, alarm, ok
from chalicelib.cross_account import CrossAccountError
from chalicelib.outputs.metrics import deployment_stage
from tests.fake_aws import FakeAws, error
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids

Lines = Callable[[], list[dict[str, Any]]]
ACCOUNT = "123456789012"
COUNTS = ("assumed", "denied", "throttled", "checked", "failed")


@pytest.fixture
def lambda_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a deployed stage whose METRICS is true."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cross-account-prod-switch_account")
    monkeypatch.setenv("METRICS", "true")


@pytest.fixture
def context(context: Any) -> Any:
    context.get_remaining_time_in_millis = lambda: 900_000
    return context


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines of metrics on stdout."""

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line for line in found if "_aws" in line]

    return read


def counts(line: dict[str, Any]) -> dict[str, float]:
    return {name: sum(line[name]) for name in COUNTS}


def sweep(context: Any, accounts: list[str], check: str = "identity") -> Any:
    return entry_points.sweep({"check": check, "accounts": accounts}, context)


@pytest.mark.usefixtures("aws", "lambda_function")
def test_a_check_is_a_line_in_cloudwatchs_format(lines: Lines, context: Any) -> None:
    entry_points.switch_account({"account_id": ACCOUNT, "check": "s3_buckets"}, context)
    (line,) = lines()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("cross-account", [["check", "stage"]])
    assert (line["check"], line["stage"]) == ("s3_buckets", "prod")
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {**dict.fromkeys(COUNTS, "Count"), "milliseconds": "Milliseconds"}
    assert counts(line) == {"assumed": 1, "denied": 0, "throttled": 0, "checked": 1, "failed": 0}
    assert len(line["milliseconds"]) == 1


@check(actions=["s3:ListAllMyBuckets"], group="data")
def two_buckets(account: Any) -> Findings:
    """Find two buckets."""
    yield from (alarm("a", "Wrong."), ok("b", "Right."))


@pytest.mark.usefixtures("aws", "lambda_function")
def test_the_findings_of_a_check_that_judges_count_by_verdict(added: Any, lines: Lines, context: Any) -> None:
    added(two_buckets)
    sweep(context, ids(3), "two_buckets")
    (line,) = lines()
    verdicts = {verdict: sum(line[verdict]) for verdict in VERDICTS}
    assert verdicts == {"alarm": 3, "unknown": 0, "info": 0, "muted": 0, "ok": 3, "skip": 0}


@pytest.mark.usefixtures("aws", "lambda_function")
def test_no_account_is_in_it(lines: Lines, context: Any) -> None:
    entry_points.switch_account({"account_id": ACCOUNT}, context)
    assert ACCOUNT not in json.dumps(lines())


@pytest.mark.usefixtures("aws", "lambda_function")
def test_a_session_that_was_still_valid_does_not_count(lines: Lines, context: Any) -> None:
    for _ in range(2):
        entry_points.switch_account({"account_id": ACCOUNT}, context)
    assert [counts(line)["assumed"] for line in lines()] == [1, 0]


@pytest.mark.usefixtures("lambda_function")
def test_a_denied_account_is_denied_and_failed(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("AssumeRole", sts_denies())
    entry_points.switch_account({"account_id": ACCOUNT}, context)
    assert counts(lines()[0]) == {"assumed": 0, "denied": 1, "throttled": 0, "checked": 0, "failed": 1}


@pytest.mark.usefixtures("lambda_function", "no_backoff")
def test_a_throttled_account_is_throttled_and_failed(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("AssumeRole", error("Throttling"), always=True)
    entry_points.switch_account({"account_id": ACCOUNT}, context)
    assert counts(lines()[0]) == {"assumed": 0, "denied": 0, "throttled": 1, "checked": 0, "failed": 1}


@pytest.mark.usefixtures("lambda_function")
def test_a_check_that_is_denied_is_not_an_account_that_is_denied(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403))
    entry_points.switch_account({"account_id": ACCOUNT, "check": "s3_buckets"}, context)
    assert counts(lines()[0]) == {"assumed": 1, "denied": 0, "throttled": 0, "checked": 0, "failed": 1}


@pytest.mark.usefixtures("lambda_function")
def test_a_sweep_counts_its_accounts(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("AssumeRole", sts_denies(), account=ids(5)[2], always=True)
    sweep(context, ids(5))
    (line,) = lines()
    assert counts(line) == {"assumed": 4, "denied": 1, "throttled": 0, "checked": 4, "failed": 1}
    assert len(line["milliseconds"]) == 5


@pytest.mark.usefixtures("lambda_function")
def test_a_sweep_in_which_every_account_failed_is_counted_before_it_raises(
    aws: FakeAws, lines: Lines, context: Any
) -> None:
    aws.tell("AssumeRole", sts_denies(), always=True)
    with pytest.raises(CrossAccountError):
        sweep(context, ids(3))
    assert counts(lines()[0]) == {"assumed": 0, "denied": 3, "throttled": 0, "checked": 0, "failed": 3}


@pytest.mark.usefixtures("aws", "lambda_function")
def test_more_than_a_hundred_accounts_are_lines_of_at_most_a_hundred_values(lines: Lines, context: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    sweep(context, ids(230))
    found = lines()
    assert [len(line["milliseconds"]) for line in found] == [100, 100, 30]
    assert sum(sum(line.get("checked", [])) for line in found) == 230


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "variables",
    [
        {"METRICS": "false", "AWS_LAMBDA_FUNCTION_NAME": "cross-account-dev-sweep"},
        {"METRICS": "true"},
    ],
    ids=["switched off", "not in Lambda"],
)
def test_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, lines: Lines, context: Any, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    entry_points.switch_account({"account_id": ACCOUNT}, context)
    sweep(context, ids(2))
    assert lines() == []


@pytest.mark.usefixtures("aws", "lambda_function")
def test_bad_input_writes_no_line(lines: Lines, context: Any) -> None:
    entry_points.switch_account({"account_id": "1"}, context)
    assert lines() == []


@pytest.mark.parametrize(
    ("function", "stage"),
    [
        ("cross-account-dev-switch_account", "dev"),
        ("cross-account-prod-sweep", "prod"),
        ("cross-account-prod-list_accounts", "prod"),
        ("cross-account-dev", "dev"),
        ("cross-account-eu-west-sweep", "eu-west"),
        ("cross-account-sweep", "sweep"),
        ("cross-account-dev-SwitchAccount-1A2b3C", "dev"),
        ("cross-account-dev-APIHandler-1A2b3C", "dev"),
        ("my-stack-SwitchAccount-1A2B3C", "my-stack-SwitchAccount-1A2B3C"),
        ("", None),
    ],
)
def test_the_stage_is_in_the_functions_name(monkeypatch: pytest.MonkeyPatch, function: str, stage: str | None) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    assert deployment_stage() == stage


@pytest.mark.parametrize("function", ["switch_account", "sweep", "list_accounts"])
def test_every_shipped_function_knows_its_stage(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", f"cross-account-prod-{function}")
    assert deployment_stage() == "prod"


@pytest.mark.usefixtures("lambda_function")
def test_an_invocation_does_not_report_the_one_before_it(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("AssumeRole", sts_denies())
    for _ in range(2):
        entry_points.switch_account({"account_id": ACCOUNT}, context)
    assert [counts(line) for line in lines()] == [
        {"assumed": 0, "denied": 1, "throttled": 0, "checked": 0, "failed": 1},
        {"assumed": 1, "denied": 0, "throttled": 0, "checked": 1, "failed": 0},
    ]


@pytest.mark.usefixtures("lambda_function")
def test_an_account_that_is_denied_is_denied_once_for_all_regions(aws: FakeAws, lines: Lines, context: Any) -> None:
    aws.tell("AssumeRole", sts_denies(), account=ids(2)[0], always=True)
    event = {"check": "identity", "accounts": ids(2), "regions": ["eu-west-1", "us-east-1"]}
    entry_points.sweep(event, context)
    assert counts(lines()[0]) == {"assumed": 1, "denied": 1, "throttled": 0, "checked": 2, "failed": 2}


@pytest.mark.usefixtures("lambda_function")
def test_a_sweep_whose_accounts_cannot_be_listed_writes_why(
    aws: FakeAws, lines: Lines, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGANIZATION_ACCOUNT_ID", ACCOUNT)
    aws.tell("AssumeRole", sts_denies(), always=True)
    with pytest.raises(CrossAccountError):
        entry_points.sweep({"check": "identity"}, context)
    assert counts(lines()[0]) == {"assumed": 0, "denied": 1, "throttled": 0, "checked": 0, "failed": 0}


def test_the_metrics_cost_no_import_that_the_logger_does_not_cost() -> None:
    code = "import sys; from aws_lambda_powertools import Logger; print('aws_lambda_powertools.metrics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
