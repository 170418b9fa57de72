"""The state machine as data: retries, catches, maximum sizes, permissions, and its expressions on example reports.

tests/e2e/test_state_machine.py runs it in the sandbox. Only these tests cover what moto does not implement: a batch
that ends without a report (moto ignores ToleratedFailurePercentage), the bucket policy and the schedule.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any
from unittest.mock import ANY

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]

from chalicelib import cross_account, errors
from chalicelib.inputs.requests import STORE_KEYS, ListingRequest, StoreRequest, SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.outputs import store
from chalicelib.sweeps.organization import Listing
from chalicelib.sweeps.outcome import Outcome, Target
from sandbox.decide import decide
from sandbox.moto_patches.state_machines import partition
from tests.policies import assume, caller, own
from tests.templates import ROOT, listed, load_template
from tests.test_policies import CONFIG, config

sys.setrecursionlimit(1_000)  # the import of jsonata makes it 10,000, for every test of this process

HUB, STAGE, REGION = "111122223333", "dev", "eu-west-1"
BUCKET = f"cross-account-{STAGE}-results-{HUB}"
STATE_BYTES = 256 * 1024
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
DOCUMENT = (ROOT / "docs" / "thousands-of-accounts.md").read_text()
TEMPLATE = load_template("sweep-template.yaml")
RESOURCES = TEMPLATE["Resources"]
VALUES = {
    "AWS::AccountId": HUB,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "ResultsBucket": BUCKET,
    "ResultsBucket.Arn": f"arn:aws:s3:::{BUCKET}",
    "StateMachine": f"arn:aws:states:{REGION}:{HUB}:stateMachine:cross-account-{STAGE}-sweep",
    **{name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()},
}


def resolve(value: Any, values: dict[str, str] = VALUES) -> Any:
    """Resolve the intrinsic functions of the template with the default parameters, in account 111122223333."""
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return values[value["Ref"]]
    if "Fn::GetAtt" in value:
        return values[value["Fn::GetAtt"]]
    if "Fn::Sub" in value:
        return re.sub(r"\$\{([^}]+)\}", lambda match: values[match[1]], value["Fn::Sub"])
    if "Fn::If" in value:
        return resolve(value["Fn::If"][2], values)  # all conditions are false with the default parameters
    return {key: resolve(item, values) for key, item in value.items()}


@cache
def machine() -> dict[str, Any]:
    definition: dict[str, Any] = resolve(RESOURCES["StateMachine"]["Properties"]["Definition"])
    return definition


def batch_states() -> dict[str, Any]:
    states: dict[str, Any] = machine()["States"]["SweepBatches"]["ItemProcessor"]["States"]
    return states


def states() -> dict[str, Any]:
    return machine()["States"] | batch_states()


TASKS = [name for name, state in states().items() if state["Type"] == "Task"]
FUNCTION_TASKS = [name for name in TASKS if name != "PublishToTopic"]
for_each_task = pytest.mark.parametrize("name", TASKS)
for_each_function_task = pytest.mark.parametrize("name", FUNCTION_TASKS)


def statements(resource: str) -> list[dict[str, Any]]:
    properties = resolve(RESOURCES[resource]["Properties"])
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


def expressions(value: Any) -> Iterator[str]:
    """Yield every JSONata expression in a value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, str) and value.strip().startswith("{%"):
        yield value


def evaluate(template: Any, variables: dict[str, Any] | None = None, **of_state: Any) -> Any:
    """Evaluate a field as Step Functions does; `of_state` is input, result, context or errorOutput."""
    if isinstance(template, dict):
        return {key: evaluate(item, variables, **of_state) for key, item in template.items()}
    if not isinstance(template, str) or not template.startswith("{%"):
        return template
    expression = Jsonata(template.strip().removeprefix("{%").removesuffix("%}"))
    frame = expression.create_frame()
    for name, value in {"states": of_state, **(variables or {})}.items():
        frame.bind(name, value)
    frame.bind("partition", Jsonata.JLambda(partition))
    return expression.evaluate(None, frame)


def report(batch: int, **more: Any) -> dict[str, Any]:
    return {"batch": batch, "ok": 0, "failed": [], "not_started": [], **more}


def summarize(batches: list[list[str]], reports: list[dict[str, Any]]) -> Any:
    output = machine()["States"]["SweepBatches"]["Output"]
    return evaluate(output, {"left_out": 7}, input={"batches": batches}, result=reports)


def next_state_of(name: str, data: Any, variables: dict[str, Any] | None = None) -> str:
    """Return the next state of a Choice state."""
    state = states()[name]
    for choice in state["Choices"]:
        if evaluate(choice["Condition"], variables, input=data):
            return str(choice["Next"])
    return str(state["Default"])


# The definition


def test_every_state_is_the_target_of_a_transition_and_every_target_exists() -> None:
    for scope in (machine(), machine()["States"]["SweepBatches"]["ItemProcessor"]):
        named = set(re.findall(r'"(?:Next|Default|StartAt)": "(\w+)"', json.dumps(without_processor(scope))))
        assert named == set(scope["States"])


def without_processor(scope: dict[str, Any]) -> dict[str, Any]:
    return {**scope, "States": {n: {**s, "ItemProcessor": None} for n, s in scope["States"].items()}}


def test_all_states_use_jsonata() -> None:
    assert machine()["QueryLanguage"] == "JSONata"
    assert "$.'" not in json.dumps(machine())
    assert len(list(expressions(machine()))) > 40


@pytest.mark.parametrize("expression", sorted(set(expressions(machine()))))
def test_every_expression_is_valid_jsonata(expression: str) -> None:
    Jsonata(expression.strip().removeprefix("{%").removesuffix("%}"))


@for_each_function_task
def test_a_lambda_task_retries_throttling_with_backoff_and_jitter(name: str) -> None:
    retry = states()[name]["Retry"][0]
    assert "Lambda.TooManyRequestsException" in retry["ErrorEquals"]
    assert retry["JitterStrategy"] == "FULL"
    assert retry["BackoffRate"] > 1
    waits = [retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt for attempt in range(retry["MaxAttempts"])]
    at_most = sum(min(wait, retry["MaxDelaySeconds"]) for wait in waits)
    assert at_most / 2 > 450  # full jitter waits half of it on average: as long as a long batch uses its concurrency


@for_each_task
def test_a_task_retries_all_other_errors_a_few_times(name: str) -> None:
    retry = states()[name]["Retry"][-1]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert 3 <= retry["MaxAttempts"] <= 5
    assert (retry["JitterStrategy"], retry["BackoffRate"]) == ("FULL", 2)


@for_each_function_task
def test_a_lambda_task_does_not_retry_an_invalid_event(name: str) -> None:
    retry = states()[name]["Retry"][1]
    assert retry["MaxAttempts"] == 0
    known = {
        name for module in (cross_account, errors) for name, value in vars(module).items() if isinstance(value, type)
    }
    assert set(retry["ErrorEquals"]) <= known


@for_each_task
def test_a_task_catches_all_errors(name: str) -> None:
    assert [catch["ErrorEquals"] for catch in states()[name]["Catch"]] == [["States.ALL"]]


@for_each_function_task
def test_a_task_timeout_is_longer_than_the_function_timeout(name: str) -> None:
    """Otherwise a late invocation could overwrite the file of its retry."""
    function = states()[name]["Arguments"]["FunctionName"].rpartition("-")[2]
    assert states()[name]["TimeoutSeconds"] > config(STAGE, function).lambda_timeout


@for_each_function_task
def test_a_task_invokes_a_function_that_chalice_deploys(name: str) -> None:
    function = states()[name]["Arguments"]["FunctionName"]
    prefix = f"arn:aws:lambda:{REGION}:{HUB}:function:cross-account-{STAGE}-"
    assert function in {f"{prefix}sweep", f"{prefix}list_accounts"}


def test_the_sns_task_retries_only_what_sns_can_raise() -> None:
    (retry,) = states()["PublishToTopic"]["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]


def test_the_map_is_distributed_and_its_concurrency_is_a_parameter() -> None:
    state = machine()["States"]["SweepBatches"]
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert evaluate(state["MaxConcurrency"]) == TEMPLATE["Parameters"]["BatchesAtOnce"]["Default"]
    assert state["ToleratedFailurePercentage"] == 100


# The events of the functions


QUESTION = {"check": "s3_buckets", "regions": ["eu-west-1"]}
STORED = {"store": True, "run": "nightly", "date": "2026-01-31"}


def set_variables(given: Any) -> Any:
    context = {"Execution": {"Name": "nightly", "StartTime": "2026-01-31T23:59:59.123Z"}}
    return evaluate(machine()["States"]["SetVariables"]["Assign"], input=given, context=context)


@pytest.mark.parametrize(
    ("given", "question", "check"),
    [
        ({}, {"check": "preflight"}, "preflight"),
        ({"sweep": {}}, {"check": "preflight"}, "preflight"),
        ({"list_accounts": {"exclude": ["1"]}}, {"check": "preflight"}, "preflight"),
        ({"sweep": {"check": "s3_buckets", "accounts": ["1"], "regions": ["eu-west-1"]}}, QUESTION, "s3_buckets"),
        ({"sweep": {"checks": ["identity"], "regions": "all"}}, {"checks": ["identity"], "regions": "all"}, ANY),
    ],
)
def test_the_question_comes_from_the_input_or_from_the_parameter(given: Any, question: Any, check: Any) -> None:
    assert set_variables(given) == {"question": question, "check": check, "stored": STORED, "left_out": 0}


@pytest.mark.parametrize("asked", [{"check": "s3_buckets"}, {"checks": ["s3_buckets", "identity"]}])
def test_results_are_where_the_output_says_also_those_of_several_checks(asked: Any) -> None:
    request = SweepRequest.from_event({**asked, "accounts": [], **STORED, "part": "x"}, Settings())
    assign = machine()["States"]["TestSweep"]["Assign"]
    variables = evaluate(assign, result={"Payload": {"check": request.name}}) | {"stored": STORED}
    found = evaluate(machine()["States"]["BuildOutput"]["Output"], variables, input={"summary": {"ok": 1}})
    assert found == {
        "check": request.name,
        "run": "nightly",
        "date": "2026-01-31",
        "location": f"s3://{BUCKET}/sweeps/check={request.name}/date=2026-01-31/run=nightly/",
        "summary": {"ok": 1},
    }
    assert f"s3://{BUCKET}/{store.results_key(request, '')}".startswith(found["location"])


def test_the_test_sweep_has_an_empty_list_of_accounts() -> None:
    payload = evaluate(
        machine()["States"]["TestSweep"]["Arguments"]["Payload"], {"question": QUESTION, "stored": STORED}
    )
    request = SweepRequest.from_event(payload, Settings())
    assert (request.accounts, request.regions) == ((), ("eu-west-1",))
    assert request.store == StoreRequest("nightly", "trial", "2026-01-31")


def test_each_round_of_a_batch_writes_its_own_part() -> None:
    payload = batch_states()["Sweep"]["Arguments"]["Payload"]
    parts = set()
    for batch, number in ((0, 0), (0, 1), (11, 0), (1, 10)):
        item = {"batch": batch, "question": QUESTION, "stored": STORED}
        event = evaluate(payload, {"left": ["1", "2"], "round": number}, input=item)
        request = SweepRequest.from_event(event, Settings())
        assert request.accounts == ("1", "2")
        assert request.store is not None
        parts.add(request.store.part)
    assert parts == {"batch-0-round-0", "batch-0-round-1", "batch-11-round-0", "batch-1-round-10"}


def test_the_input_cannot_change_the_key_of_the_results() -> None:
    given = {"sweep": {"check": "identity", "store": False, "run": "x", "part": "y", "date": "2020-01-01"}}
    begin = set_variables(given)
    item = {"batch": 3, **begin}
    payload = evaluate(batch_states()["Sweep"]["Arguments"]["Payload"], {"left": ["1"], "round": 0}, input=item)
    assert {key: payload[key] for key in STORE_KEYS} == {**STORED, "part": "batch-3-round-0"}


@pytest.mark.parametrize("given", [None, {}, {"exclude": ["111111111111"]}, {"account_tags": {"env": "prod"}}])
def test_accounts_are_listed_in_batches_and_stored_beside_the_results(given: Any) -> None:
    data = {} if given is None else {"list_accounts": given}
    payload = evaluate(machine()["States"]["ListAccounts"]["Arguments"]["Payload"], {"stored": STORED}, input=data)
    request = ListingRequest.from_event(payload)
    assert (request.batch_size, request.store) == (100, StoreRequest("nightly", None, "2026-01-31"))
    assert request.account_tags == frozenset((given or {}).get("account_tags", {}).items())


@pytest.mark.parametrize("batches", [[], [["1"]], [["1", "2"]], [["1"], ["2"]], [["1", "2"], ["3"]]])
def test_few_batches_remain_a_list_of_lists(batches: list[list[str]]) -> None:
    """JSONata converts a list of one item to the item, except in an array constructor."""
    result = {"Payload": {"batches": batches, "left_out": 7}}
    output = evaluate(machine()["States"]["ListAccounts"]["Output"], result=result)
    assert output == {"batches": batches}
    assert evaluate(machine()["States"]["ListAccounts"]["Assign"], result=result) == {"left_out": 7}
    assert evaluate(machine()["States"]["SweepBatches"]["Items"], input=output) == batches


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sweep": {}, "list_accounts": {}},
        {"sweep": {"accounts": []}},
        {"sweep": {"accounts": ["1"]}},
        {"sweep": {"accounts": [None, ["1"]]}},  # each of these is one account's failure
        {"list_accounts": {"accounts": None}},  # which list_accounts itself rejects
    ],
)
def test_a_valid_input_goes_on(given: Any) -> None:
    assert next_state_of("ValidateInput", given) == "SetVariables"


@pytest.mark.parametrize(
    "given", [{"check": "s3_buckets"}, {"sweep": {}, "exclude": []}, {"sweep": {"accounts": []}, "accounts": None}]
)
def test_an_unknown_field_in_the_input_is_rejected(given: Any) -> None:
    assert next_state_of("ValidateInput", given) == "InvalidInput"


@pytest.mark.parametrize("part", ["sweep", "list_accounts"])
@pytest.mark.parametrize("value", [None, "s3_buckets", 7, True, [], [{}], [{"accounts": ["1"]}]])
def test_an_event_that_is_not_an_object_is_rejected(part: str, value: Any) -> None:
    assert next_state_of("ValidateInput", value) == "InvalidInput"
    assert next_state_of("ValidateInput", {part: value}) == "InvalidInput"


@pytest.mark.parametrize("accounts", [None, "", "123456789012", {}, {"id": "123456789012"}, 123456789012, True, False])
def test_accounts_that_are_not_a_list_are_rejected_and_do_not_mean_the_whole_organization(accounts: Any) -> None:
    assert next_state_of("ValidateInput", {"sweep": {"check": "identity", "accounts": accounts}}) == "InvalidAccounts"
    assert next_state_of("HasAccounts", {"sweep": {"accounts": accounts}}) == "SplitIntoBatches"


def test_accounts_exclude_an_event_of_list_accounts() -> None:
    """Otherwise its "exclude" would be ignored without a word."""
    given = {"sweep": {"accounts": ["1"]}, "list_accounts": {"exclude": ["1"]}}
    assert next_state_of("ValidateInput", given) == "InvalidAccounts"


@pytest.mark.parametrize("name", ["InvalidInput", "InvalidAccounts"])
def test_an_input_that_is_rejected_fails_with_a_sentence(name: str) -> None:
    state = machine()["States"][name]
    assert (state["Type"], state["Error"]) == ("Fail", "InvalidInput")
    assert state["Cause"].endswith(".")


@pytest.mark.parametrize(
    ("given", "next_state"),
    [({}, "ListAccounts"), ({"sweep": {}}, "ListAccounts"), ({"sweep": {"accounts": []}}, "SplitIntoBatches")],
)
def test_only_an_input_without_accounts_lists_the_organization(given: Any, next_state: str) -> None:
    assert next_state_of("HasAccounts", given) == next_state


# Batches


def split(accounts: list[Any]) -> Any:
    output = machine()["States"]["SplitIntoBatches"]["Output"]
    return evaluate(output, input={"sweep": {"accounts": accounts}})["batches"]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_accounts_are_split_into_batches(count: int) -> None:
    accounts = [f"{number:012d}" for number in range(count)]
    batches = split(accounts)
    assert [account for batch in batches for account in batch] == accounts
    assert [len(batch) for batch in batches] == [100] * (count // 100) + [count % 100] * (count % 100 > 0)


def test_an_account_is_in_one_batch_once_however_often_it_is_named() -> None:
    accounts = [f"{number:012d}" for number in range(150)]
    batches = split(accounts + accounts[::-1] + accounts[:1] * 200)
    assert [account for batch in batches for account in batch] == accounts
    assert summarize(batches, [report(0, ok=100), report(1, ok=50)])["summary"]["accounts"] == 150


@pytest.mark.parametrize(
    ("left", "number", "next_state"), [([], 1, "ReportBatch"), (["1"], 1, "Sweep"), (["1"], 20, "ReportBatch")]
)
def test_a_batch_sweeps_the_accounts_that_remain_for_up_to_20_rounds(left: Any, number: int, next_state: str) -> None:
    assert next_state_of("NeedsAnotherRound", {}, {"left": left, "round": number}) == next_state


@pytest.mark.parametrize("not_started", [[], ["3"], ["3", "4"]])
@pytest.mark.parametrize("failed", [[], ["2"], ["2", "5"]])
@pytest.mark.parametrize("before", [[], ["1"], ["1", "9"]])
def test_a_round_adds_its_result_to_the_batch(before: list[str], failed: list[str], not_started: list[str]) -> None:
    payload = {"summary": {"ok": 4}, "failed": failed, "not_started": not_started}
    variables = {"ok": 10, "round": 1, "failed": before, "left": ["x"], "verdicts": {}}
    assert evaluate(batch_states()["Sweep"]["Assign"], variables, result={"Payload": payload}) == {
        "left": not_started,
        "round": 2,
        "ok": 14,
        "failed": before + failed,
        "verdicts": {},
    }


def test_verdicts_are_summed_over_rounds_and_batches() -> None:
    first, second = {"alarm": 2, "ok": 5}, {"alarm": 1, "ok": 0}
    payload = {"summary": {"ok": 4, "verdicts": second}, "failed": [], "not_started": []}
    variables = {"ok": 0, "round": 1, "failed": [], "left": [], "verdicts": first}
    verdicts = evaluate(batch_states()["Sweep"]["Assign"], variables, result={"Payload": payload})["verdicts"]
    reports = [
        report(0, ok=1) | {"verdicts": verdicts},
        report(1, ok=1) | {"verdicts": first},
        report(2, ok=1) | {"verdicts": {}},
    ]
    summary = summarize([["1"], ["2"], ["3"]], reports)["summary"]
    assert (summary["ok"], summary["verdicts"]) == (3, {"alarm": 5, "ok": 10})


def test_a_lost_batch_reports_its_accounts_and_the_error() -> None:
    (catch,) = batch_states()["Sweep"]["Catch"]
    assert catch["Next"] == "ReportLostBatch"
    error = {"Error": "Runtime.ExitError", "Cause": "x" * 5000}
    caught = evaluate(catch["Output"], input={"batch": 7, "accounts": ["1", "2", "3"]}, errorOutput=error)
    variables = {"left": ["2", "3"], "ok": 1, "failed": [], "verdicts": {}}
    assert evaluate(batch_states()["ReportLostBatch"]["Output"], variables, input=caught) == {
        "batch": 7,
        "ok": 1,
        "failed": [],
        "verdicts": {},
        "lost": ["2", "3"],
        "error": "Runtime.ExitError",
        "cause": "x" * 200,
    }


# The summary


def test_the_summary_is_the_sum_of_the_reports() -> None:
    batches = [["1", "2", "3"], ["4", "5"], ["6", "7"], ["8"]]
    reports = [
        report(0, ok=2, failed=["3"]),
        report(1, ok=1, not_started=["5"]),
        {"batch": 2, "ok": 0, "failed": ["6"], "lost": ["7"], "error": "Sandbox.Timedout", "cause": "late"},
        report(3, ok=1),
    ]
    assert summarize(batches, reports) == {
        "summary": {
            "accounts": 8,
            "ok": 4,
            "failed": 2,
            "not_started": 1,
            "left_out": 7,
            "lost": 1,
            "batches": 4,
            "batches_lost": 1,
        },
        "failed": ["3", "6"],
        "not_started": ["5"],
        "lost": ["7"],
        "errors": [{"batch": 2, "error": "Sandbox.Timedout", "cause": "late"}],
    }


@pytest.mark.parametrize("reports", [[], [report(0, ok=1)], [report(1, ok=2)], [{"Error": "States.DataLimitExceeded"}]])
def test_a_batch_without_a_report_counts_as_lost(reports: list[dict[str, Any]]) -> None:
    batches = [["1"], ["2", "3"]]
    reported = {account for item in reports if "batch" in item for account in batches[item["batch"]]}
    found = summarize(batches, reports)
    assert set(found["lost"]) == {"1", "2", "3"} - reported
    assert found["summary"]["lost"] == len(found["lost"])
    assert found["summary"]["ok"] + found["summary"]["lost"] == found["summary"]["accounts"] == 3


@pytest.mark.parametrize("batches", [[], [[]], [["1"]]])
def test_a_small_summary_also_has_lists(batches: list[list[str]]) -> None:
    found = summarize(batches, [report(number, ok=len(batch)) for number, batch in enumerate(batches)])
    assert found["summary"]["accounts"] == found["summary"]["ok"] == sum(map(len, batches))
    assert [found[name] for name in ("failed", "not_started", "lost", "errors")] == [[]] * 4


def test_the_output_has_a_maximum_of_ten_errors() -> None:
    batches = [[str(number)] for number in range(30)]
    reports = [report(number, lost=batches[number], error="E", cause="C") for number in range(30)]
    found = summarize(batches, reports)
    assert [error["batch"] for error in found["errors"]] == list(range(10))
    assert found["summary"]["batches_lost"] == 30


def test_the_data_of_10000_accounts_fits_in_a_state() -> None:
    """The worst case: all batches have the minimum size and are lost, with the longest error, half of it quotes."""
    smallest = TEMPLATE["Parameters"]["BatchSize"]["MinValue"]
    ids = [f"{number:012d}" for number in range(10_000)]
    batches = [ids[start : start + smallest] for start in range(0, len(ids), smallest)]
    lost = {"ok": 0, "failed": [], "verdicts": {}, "error": "E" * 60, "cause": '"' * 100 + "x" * 100}
    reports = [{"batch": number, "lost": batch, **lost} for number, batch in enumerate(batches)]
    outcome = summarize(batches, reports)
    assert outcome["summary"]["lost"] == 10_000
    for data in ({"batches": batches}, reports, outcome):
        assert len(json.dumps(data, separators=(",", ":"))) < STATE_BYTES


# The end of an execution


def final_state(tolerated: int = 0, **counts: int) -> str:
    summary = {"accounts": 100, "ok": 100, "failed": 0, "not_started": 0, "lost": 0, **counts}
    definition = resolve(
        RESOURCES["StateMachine"]["Properties"]["Definition"]["States"]["EvaluateSummary"],
        {**VALUES, "ToleratedPercentage": str(tolerated)},
    )
    for choice in definition["Choices"]:
        if evaluate(choice["Condition"], input={"summary": summary}):
            return str(choice["Next"])
    return str(definition["Default"])


def test_a_failed_account_does_not_fail_the_execution() -> None:
    assert final_state(ok=60, failed=40) == "Succeeded"


@pytest.mark.parametrize("counts", [{"lost": 1}, {"not_started": 1}])
def test_an_account_without_a_line_fails_the_execution(counts: dict[str, int]) -> None:
    assert final_state(ok=99, **counts) == "Incomplete"
    assert final_state(tolerated=1, ok=99, **counts) == "Succeeded"


def test_the_tolerated_percentage_counts_accounts() -> None:
    assert final_state(tolerated=10, ok=90, lost=5, not_started=5) == "Succeeded"
    assert final_state(tolerated=10, ok=89, lost=6, not_started=5) == "Incomplete"


def test_the_execution_fails_if_all_accounts_fail_at_any_tolerated_percentage() -> None:
    assert final_state(tolerated=100, ok=0, failed=100) == "AllFailed"
    assert final_state(accounts=0, ok=0) == "Succeeded"


def test_a_caught_error_is_the_error_of_the_execution() -> None:
    for name in ("TestSweep", "ListAccounts", "SweepBatches"):
        (catch,) = machine()["States"][name]["Catch"]
        caught = evaluate(catch["Output"], errorOutput={"Error": "AccountsNotListed", "Cause": "denied"})
        assert next_state_of("EvaluateSummary", caught) == "SweepFailed"
        state = machine()["States"]["SweepFailed"]
        assert evaluate(state["Error"], input=caught) == "AccountsNotListed"
        assert evaluate(state["Cause"], input=caught) == "denied"


def test_a_message_has_a_maximum_size() -> None:
    ids = [f"{number:012d}" for number in range(10_000)]
    data = {"summary": {"accounts": 10_000}, "failed": ids, "lost": ids, "errors": []}
    message = evaluate(
        machine()["States"]["PublishToTopic"]["Arguments"]["Message"],
        {"check": "s3_buckets", "stored": STORED},
        input=data,
    )
    assert len(message) < 10_000
    assert json.loads(message)["failed"] == ids[:100]


def test_an_sns_error_does_not_change_the_next_state() -> None:
    assert (
        machine()["States"]["PublishToTopic"]["Catch"][0]["Next"]
        == machine()["States"]["PublishToTopic"]["Next"]
        == "BuildOutput"
    )


# Permissions


def may(resource: str, action: str, on: str, **keys: str) -> bool:
    document = {"Version": "2012-10-17", "Statement": statements(resource)}
    return decide(own(document, action, on, {"aws:ResourceAccount": HUB, **keys})) == "Allowed"


FUNCTION = f"arn:aws:lambda:{REGION}:{HUB}:function:cross-account-{STAGE}-"
STATES = f"arn:aws:states:{REGION}:{HUB}:"


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("lambda:InvokeFunction", f"{FUNCTION}sweep"),
        ("lambda:InvokeFunction", f"{FUNCTION}list_accounts"),
        ("states:StartExecution", f"{STATES}stateMachine:cross-account-{STAGE}-sweep"),
        ("states:DescribeExecution", f"{STATES}execution:cross-account-{STAGE}-sweep/batches:x"),
        ("states:StopExecution", f"{STATES}execution:cross-account-{STAGE}-sweep/batches:x"),
    ],
)
def test_the_state_machine_has_the_permissions_it_needs(action: str, on: str) -> None:
    assert may("StateMachineRole", action, on)


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("lambda:InvokeFunction", f"{FUNCTION}switch_account"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{HUB}:function:cross-account-prod-sweep"),
        ("lambda:UpdateFunctionCode", f"{FUNCTION}sweep"),
        ("states:StartExecution", f"{STATES}stateMachine:another"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/sweeps/x"),
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/sweeps/x"),
        ("sts:AssumeRole", f"arn:aws:iam::{HUB}:role/external-role"),
        ("sns:Publish", f"arn:aws:sns:{REGION}:{HUB}:any"),
    ],
)
def test_the_state_machine_has_only_the_permissions_it_needs(action: str, on: str) -> None:
    assert not may("StateMachineRole", action, on)


def test_the_state_machine_may_publish_to_one_topic_if_it_is_set() -> None:
    assert RESOURCES["PublishToTopic"]["Condition"] == "HasTopic"
    (statement,) = RESOURCES["PublishToTopic"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": "NotificationTopicArn"})


def test_sweep_may_only_write_results() -> None:
    assert may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl")
    assert not may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/x.jsonl")
    assert not may("StoreResults", "s3:PutObject", "arn:aws:s3:::another/sweeps/x.jsonl")
    for action in ("GetObject", "DeleteObject", "ListBucket", "PutObjectAcl", "PutBucketPolicy"):
        assert not may("StoreResults", f"s3:{action}", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl")


def test_sweep_may_not_write_to_a_bucket_with_that_name_in_another_account() -> None:
    elsewhere = {"aws:ResourceAccount": "999999999999"}
    assert not may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl", **elsewhere)


def test_list_accounts_may_only_write_accounts() -> None:
    assert may("StoreAccounts", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/accounts/x.jsonl")
    for key in ("sweeps/x.jsonl", "x.jsonl"):
        assert not may("StoreAccounts", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/{key}")
    assert not may("StoreAccounts", "s3:GetObject", f"arn:aws:s3:::{BUCKET}/accounts/x.jsonl")
    elsewhere = {"aws:ResourceAccount": "999999999999"}
    assert not may("StoreAccounts", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/accounts/x.jsonl", **elsewhere)


def test_the_policies_allow_the_keys_that_are_written() -> None:
    sweep = SweepRequest.from_event({"check": "identity", "store": True}, Settings())
    assert may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/{store.results_key(sweep, 'run')}")
    assert may("StoreAccounts", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/{store.accounts_key(StoreRequest(), 'run')}")


@pytest.mark.parametrize(("policy", "function"), [("StoreResults", "sweep"), ("StoreAccounts", "list_accounts")])
def test_only_the_role_of_one_function_has_a_store_policy(policy: str, function: str) -> None:
    assert resolve(RESOURCES[policy]["Properties"]["Roles"]) == [f"cross-account-{STAGE}-{function}"]


@pytest.mark.parametrize("resource", ["StateMachineRole", "StoreResults", "StoreAccounts", "ScheduleRole"])
def test_permissions_do_not_have_wildcard_actions_or_resources(resource: str) -> None:
    for statement in statements(resource):
        assert not any("*" in action for action in listed(statement["Action"]))
        assert "*" not in listed(statement["Resource"])


SCHEDULES = f"arn:aws:scheduler:{REGION}:{HUB}:schedule-group/"


def trusts(role: str, service: str, account: str, source: str) -> bool:
    trust = resolve(RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"])
    keys = {"aws:SourceAccount": account, "aws:SourceArn": source}
    return decide(assume(trust, caller(service, **keys))) == "Allowed"


@pytest.mark.parametrize(
    ("role", "service", "source"),
    [
        ("StateMachineRole", "states.amazonaws.com", VALUES["StateMachine"]),
        ("ScheduleRole", "scheduler.amazonaws.com", f"{SCHEDULES}default"),
    ],
)
def test_a_role_trusts_one_service_in_this_account(role: str, service: str, source: str) -> None:
    assert trusts(role, service, HUB, source)
    assert not trusts(role, service, "999999999999", source)
    assert not trusts(role, "lambda.amazonaws.com", HUB, source)


def test_the_state_machine_s_role_trusts_this_state_machine_its_batches_and_versions() -> None:
    for suffix in ("", "/batches", ":1"):
        assert trusts("StateMachineRole", "states.amazonaws.com", HUB, VALUES["StateMachine"] + suffix)
    names = ("cross-account-prod-sweep", "payroll", f"x-cross-account-{STAGE}-sweep", f"cross-account-{STAGE}-sweep-x")
    for other in names:
        assert not trusts("StateMachineRole", "states.amazonaws.com", HUB, f"{STATES}stateMachine:{other}")
    assert not trusts("StateMachineRole", "states.amazonaws.com", HUB, f"arn:aws:states:us-east-1:{HUB}:stateMachine:x")


def test_the_schedule_s_role_trusts_the_group_that_the_schedule_is_in() -> None:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"""
    assert "GroupName" not in RESOURCES["Schedule"]["Properties"]  # so it is in the default one
    assert not trusts("ScheduleRole", "scheduler.amazonaws.com", HUB, f"{SCHEDULES}another")


@pytest.mark.parametrize("stage", sorted(CONFIG["stages"]))
def test_the_names_are_not_longer_than_aws_allows(stage: str) -> None:
    assert re.fullmatch(TEMPLATE["Parameters"]["Stage"]["AllowedPattern"], stage)
    assert len(f"cross-account-{'x' * 20}-state-machine") <= 64
    assert len(f"cross-account-{'x' * 20}-results-{HUB}") <= 63


# The document


def rows(heading: str) -> list[list[str]]:
    """Return the table cells under a heading of docs/thousands-of-accounts.md, without the backquotes."""
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## )", DOCUMENT, re.MULTILINE | re.DOTALL)
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().replace("`", "") for cell in line] for line in lines]


def test_the_document_has_each_parameter_and_its_default() -> None:
    written = {row[0]: row[1] for row in rows("Deploy and start") if row[0] in TEMPLATE["Parameters"]}
    assert set(written) == set(TEMPLATE["Parameters"])
    for name, parameter in TEMPLATE["Parameters"].items():
        default = str(parameter["Default"]) or "none"
        assert written[name] == ("see above" if name == "ResultsBucketName" else default)


def test_the_document_has_each_column() -> None:
    columns = [name for row in rows("Result lines") for name in row[0].split(", ")]
    outcome = Outcome("1", None, None, None, "identity", 1, tags={})
    assert columns == [*store.line_of(outcome), "date", "run"]


def test_the_document_has_each_column_of_the_accounts() -> None:
    columns = [name for row in rows("Names, units and tags") for name in row[0].split(", ")]
    assert columns == [*next(iter(store.account_lines(Listing([Target("1")])))), "date", "run"]


def test_the_document_has_the_numbers_of_the_template() -> None:
    at_once, batch = (TEMPLATE["Parameters"][name]["Default"] for name in ("BatchesAtOnce", "BatchSize"))
    accounts = (100, 1_000, 10_000)
    batches = [-(-count // batch) for count in accounts]
    assert f"| batches of {batch} | {batches[0]} | {batches[1]} | {batches[2]} |" in DOCUMENT
    assert f"| 80 | {80 * at_once} | {80 * at_once} | 600 per" in DOCUMENT
    outside = ["ValidateInput", "SetVariables", "TestSweep", "HasAccounts", "ListAccounts", "SweepBatches"]
    outside += ["HasTopic", "BuildOutput", "EvaluateSummary", "Succeeded"]
    inside = ["StartBatch", "Sweep", "NeedsAnotherRound", "ReportBatch"]
    assert set(outside) <= set(machine()["States"])
    assert set(inside) <= set(batch_states())
    transitions = [len(outside) + (len(inside) + 1) * count for count in batches]
    assert f"| {transitions[0]} | {transitions[1]} | {transitions[2]} | 800 a second" in DOCUMENT


# The bucket


def test_the_bucket_is_encrypted_and_private_and_results_expire() -> None:
    properties = resolve(RESOURCES["ResultsBucket"]["Properties"])
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "90")
    assert properties["BucketName"] == BUCKET


def test_an_overwritten_result_remains_as_long_as_it_was_to_remain_and_not_for_ever() -> None:
    properties = resolve(RESOURCES["ResultsBucket"]["Properties"])
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": rule["ExpirationInDays"]}


def test_the_bucket_remains_when_the_stack_is_deleted() -> None:
    assert RESOURCES["ResultsBucket"]["DeletionPolicy"] == RESOURCES["ResultsBucket"]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_requires_tls() -> None:
    (statement,) = statements("ResultsBucketPolicy")
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]


def test_the_sandbox_stores_in_the_bucket_of_the_template() -> None:
    pattern = RESOURCES["ResultsBucket"]["Properties"]["BucketName"]["Fn::If"][2]["Fn::Sub"]
    expected = pattern.replace("${Stage}", "sandbox").replace("${AWS::AccountId}", "111111111111")
    assert config("sandbox").environment_variables["RESULTS_BUCKET"] == expected


def test_only_the_sandbox_stage_has_a_results_bucket() -> None:
    """The other stages do not store results until their RESULTS_BUCKET is set."""
    stages = {stage for stage in CONFIG["stages"] if config(stage).environment_variables["RESULTS_BUCKET"]}
    assert stages == {"sandbox"}


def test_the_schedule_starts_the_state_machine_with_an_empty_input() -> None:
    schedule = RESOURCES["Schedule"]
    assert schedule["Condition"] == RESOURCES["ScheduleRole"]["Condition"] == "HasSchedule"
    target = resolve({**schedule["Properties"]["Target"], "RoleArn": ""})
    assert target == {"Arn": VALUES["StateMachine"], "RoleArn": "", "Input": "{}"}
    (statement,) = statements("ScheduleRole")
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", VALUES["StateMachine"])


@pytest.mark.parametrize("value", ["rate(1 day)", "cron(0 4 * * ? *)", "at(2026-01-31T04:00:00)", ""])
def test_the_parameter_accepts_each_form_of_schedule(value: str) -> None:
    assert re.fullmatch(TEMPLATE["Parameters"]["ScheduleExpression"]["AllowedPattern"], value)
