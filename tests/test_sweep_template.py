"""The state machine as data: its retries and catches, its limits, its rights, and its expressions on made-up reports.

tests/e2e/test_state_machine.py runs it in the sandbox. Only here is tested what moto's engine leaves out: a batch that
ends without a report (it ignores ToleratedFailurePercentage), the bucket's policy, the schedule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonata import Jsonata  # type: ignore[import-untyped]

from chalicelib import cross_account, errors
from chalicelib.inputs.requests import STORE_KEYS, ListingRequest, StoreRequest, SweepRequest
from chalicelib.outputs import store
from sandbox.policy_evaluation import TrustRequest, evaluate_identity, evaluate_trust
from tests.templates import ROOT, listed, load_template
from tests.test_policies import CONFIG, config

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


def resolved(value: Any, values: dict[str, str] = VALUES) -> Any:
    """The template's intrinsic functions with the default parameters, in account 111122223333."""
    if isinstance(value, list):
        return [resolved(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return values[value["Ref"]]
    if "Fn::GetAtt" in value:
        return values[value["Fn::GetAtt"]]
    if "Fn::Sub" in value:
        return re.sub(r"\$\{([^}]+)\}", lambda match: values[match[1]], value["Fn::Sub"])
    if "Fn::If" in value:
        return resolved(value["Fn::If"][2], values)  # no condition holds with the default parameters
    return {key: resolved(item, values) for key, item in value.items()}


@cache
def machine() -> dict[str, Any]:
    definition: dict[str, Any] = resolved(RESOURCES["StateMachine"]["Properties"]["Definition"])
    return definition


def batch_states() -> dict[str, Any]:
    states: dict[str, Any] = machine()["States"]["SweepBatches"]["ItemProcessor"]["States"]
    return states


def states() -> dict[str, Any]:
    return machine()["States"] | batch_states()


TASKS = [name for name, state in states().items() if state["Type"] == "Task"]
FUNCTION_TASKS = [name for name in TASKS if name != "Tell"]
for_each_task = pytest.mark.parametrize("name", TASKS)


def statements(resource: str) -> list[dict[str, Any]]:
    properties = resolved(RESOURCES[resource]["Properties"])
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


def expressions(value: Any) -> Iterator[str]:
    """Every JSONata expression in it."""
    if isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, str) and value.strip().startswith("{%"):
        yield value


def evaluated(template: Any, variables: dict[str, Any] | None = None, **of_state: Any) -> Any:
    """What Step Functions makes of a field: `of_state` is input, result, context or errorOutput."""
    if isinstance(template, dict):
        return {key: evaluated(item, variables, **of_state) for key, item in template.items()}
    if not isinstance(template, str) or not template.startswith("{%"):
        return template
    expression = Jsonata(template.strip().removeprefix("{%").removesuffix("%}"))
    frame = expression.create_frame()
    for name, value in {"states": of_state, **(variables or {})}.items():
        frame.bind(name, value)
    return expression.evaluate(None, frame)


def report(batch: int, **more: Any) -> dict[str, Any]:
    return {"batch": batch, "ok": 0, "failed": [], "not_started": [], **more}


def concluded(batches: list[list[str]], reports: list[dict[str, Any]]) -> Any:
    output = machine()["States"]["SweepBatches"]["Output"]
    return evaluated(output, input={"batches": batches}, result=reports)


def where_to(name: str, data: Any, variables: dict[str, Any] | None = None) -> str:
    """Where a choice leads."""
    state = states()[name]
    for choice in state["Choices"]:
        if evaluated(choice["Condition"], variables, input=data):
            return str(choice["Next"])
    return str(state["Default"])


# The definition


def test_every_state_is_reached_and_every_way_leads_somewhere() -> None:
    for scope in (machine(), machine()["States"]["SweepBatches"]["ItemProcessor"]):
        named = set(re.findall(r'"(?:Next|Default|StartAt)": "(\w+)"', json.dumps(without_processor(scope))))
        assert named == set(scope["States"])


def without_processor(scope: dict[str, Any]) -> dict[str, Any]:
    return {**scope, "States": {n: {**s, "ItemProcessor": None} for n, s in scope["States"].items()}}


def test_the_language_is_one() -> None:
    assert machine()["QueryLanguage"] == "JSONata"
    assert "$.'" not in json.dumps(machine())
    assert len(list(expressions(machine()))) > 40


@pytest.mark.parametrize("expression", sorted(set(expressions(machine()))))
def test_every_expression_is_jsonata(expression: str) -> None:
    Jsonata(expression.strip().removeprefix("{%").removesuffix("%}"))


@for_each_task
def test_a_task_retries_what_throttles_for_long_with_backoff_and_jitter(name: str) -> None:
    retry = states()[name]["Retry"][0]
    assert "Lambda.TooManyRequestsException" in retry["ErrorEquals"]
    assert retry["JitterStrategy"] == "FULL"
    assert retry["BackoffRate"] > 1
    waits = [retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt for attempt in range(retry["MaxAttempts"])]
    at_most = sum(min(wait, retry["MaxDelaySeconds"]) for wait in waits)
    assert at_most / 2 > 450  # with full jitter half of it on average: the time that a long batch blocks a place


@for_each_task
def test_a_task_retries_anything_else_a_few_times(name: str) -> None:
    retry = states()[name]["Retry"][-1]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert 3 <= retry["MaxAttempts"] <= 5
    assert (retry["JitterStrategy"], retry["BackoffRate"]) == ("FULL", 2)


@for_each_task
def test_a_task_does_not_repeat_a_question_that_stays_wrong(name: str) -> None:
    retry = states()[name]["Retry"][1]
    assert retry["MaxAttempts"] == 0
    ours = {
        name for module in (cross_account, errors) for name, value in vars(module).items() if isinstance(value, type)
    }
    assert set(retry["ErrorEquals"]) <= ours


@for_each_task
def test_a_task_catches_everything(name: str) -> None:
    assert [catch["ErrorEquals"] for catch in states()[name]["Catch"]] == [["States.ALL"]]


@pytest.mark.parametrize("name", FUNCTION_TASKS)
def test_a_task_waits_longer_than_its_function_may_run(name: str) -> None:
    """Or a retry could be overwritten by the invocation that it replaces."""
    function = states()[name]["Arguments"]["FunctionName"].rpartition("-")[2]
    assert states()[name]["TimeoutSeconds"] > config(STAGE, function).lambda_timeout


@pytest.mark.parametrize("name", FUNCTION_TASKS)
def test_a_task_invokes_a_function_that_chalice_deploys(name: str) -> None:
    function = states()[name]["Arguments"]["FunctionName"]
    prefix = f"arn:aws:lambda:{REGION}:{HUB}:function:cross-account-{STAGE}-"
    assert function in {f"{prefix}sweep", f"{prefix}list_accounts"}


def test_the_map_is_distributed_and_its_concurrency_a_parameter() -> None:
    state = machine()["States"]["SweepBatches"]
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert evaluated(state["MaxConcurrency"]) == TEMPLATE["Parameters"]["BatchesAtOnce"]["Default"]
    assert state["ToleratedFailurePercentage"] == 100


# What the functions are sent


QUESTION = {"check": "s3_buckets", "regions": ["eu-west-1"]}
STORED = {"store": True, "run": "nightly", "date": "2026-01-31"}


def begun(given: Any) -> Any:
    context = {"Execution": {"Name": "nightly", "StartTime": "2026-01-31T23:59:59.123Z"}}
    return evaluated(machine()["States"]["Begin"]["Assign"], input=given, context=context)


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ({}, {"check": "preflight"}),
        ({"sweep": {}}, {"check": "preflight"}),
        ({"list_accounts": {"exclude": ["1"]}}, {"check": "preflight"}),
        ({"sweep": {"check": "s3_buckets", "accounts": ["1"], "regions": ["eu-west-1"]}}, QUESTION),
    ],
)
def test_the_question_is_the_input_s_or_the_parameter_s(given: Any, question: Any) -> None:
    assert begun(given) == {"question": question, "stored": STORED}


def test_the_question_is_tried_without_an_account() -> None:
    payload = evaluated(
        machine()["States"]["TryTheQuestion"]["Arguments"]["Payload"], {"question": QUESTION, "stored": STORED}
    )
    request = SweepRequest.from_event(payload)
    assert (request.accounts, request.regions) == ((), ("eu-west-1",))
    assert request.store == StoreRequest("nightly", "trial", "2026-01-31")


def test_a_round_of_a_batch_is_a_part_of_its_own() -> None:
    payload = batch_states()["Sweep"]["Arguments"]["Payload"]
    parts = set()
    for batch, number in ((0, 0), (0, 1), (11, 0), (1, 10)):
        item = {"batch": batch, "question": QUESTION, "stored": STORED}
        request = SweepRequest.from_event(evaluated(payload, {"left": ["1", "2"], "round": number}, input=item))
        assert request.accounts == ("1", "2")
        assert request.store is not None
        parts.add(request.store.part)
    assert parts == {"batch-0-round-0", "batch-0-round-1", "batch-11-round-0", "batch-1-round-10"}


def test_no_input_chooses_the_key_or_leaves_it_out() -> None:
    given = {"sweep": {"check": "identity", "store": False, "run": "x", "part": "y", "date": "2020-01-01"}}
    begin = begun(given)
    item = {"batch": 3, **begin}
    payload = evaluated(batch_states()["Sweep"]["Arguments"]["Payload"], {"left": ["1"], "round": 0}, input=item)
    assert {key: payload[key] for key in STORE_KEYS} == {**STORED, "part": "batch-3-round-0"}


@pytest.mark.parametrize("given", [None, {}, {"exclude": ["111111111111"]}])
def test_accounts_are_listed_in_batches(given: Any) -> None:
    data = {} if given is None else {"list_accounts": given}
    payload = evaluated(machine()["States"]["ListAccounts"]["Arguments"]["Payload"], input=data)
    assert ListingRequest.from_event(payload).batch_size == 100


@pytest.mark.parametrize("batches", [[], [["1"]], [["1", "2"]], [["1"], ["2"]], [["1", "2"], ["3"]]])
def test_batches_stay_batches_however_few(batches: list[list[str]]) -> None:
    """JSONata makes one element of a list of one, where it is not told otherwise."""
    listed_ = evaluated(machine()["States"]["ListAccounts"]["Output"], result={"Payload": {"batches": batches}})
    assert listed_ == {"batches": batches}
    assert evaluated(machine()["States"]["SweepBatches"]["Items"], input=listed_) == batches


@pytest.mark.parametrize(
    ("given", "next_state"),
    [
        ({}, "Begin"),
        ({"sweep": {}, "list_accounts": {}}, "Begin"),
        ({"check": "s3_buckets"}, "UnknownInput"),
        ({"sweep": {}, "exclude": []}, "UnknownInput"),
    ],
)
def test_an_input_that_nobody_would_read_is_refused(given: Any, next_state: str) -> None:
    assert where_to("IsTheInputKnown", given) == next_state


# What becomes of a batch


@pytest.mark.parametrize(
    ("left", "number", "next_state"), [([], 1, "Report"), (["1"], 1, "Sweep"), (["1"], 20, "Report")]
)
def test_a_batch_goes_on_with_what_was_not_started_but_not_for_ever(left: Any, number: int, next_state: str) -> None:
    assert where_to("IsTheBatchDone", {}, {"left": left, "round": number}) == next_state


@pytest.mark.parametrize("not_started", [[], ["3"], ["3", "4"]])
@pytest.mark.parametrize("failed", [[], ["2"], ["2", "5"]])
@pytest.mark.parametrize("before", [[], ["1"], ["1", "9"]])
def test_a_round_adds_to_the_batch(before: list[str], failed: list[str], not_started: list[str]) -> None:
    answer = {"summary": {"ok": 4}, "failed": failed, "not_started": not_started}
    variables = {"ok": 10, "round": 1, "failed": before, "left": ["x"]}
    assert evaluated(batch_states()["Sweep"]["Assign"], variables, result={"Payload": answer}) == {
        "left": not_started,
        "round": 2,
        "ok": 14,
        "failed": before + failed,
    }


def test_a_batch_that_fails_as_a_whole_reports_its_accounts_and_the_error() -> None:
    (catch,) = batch_states()["Sweep"]["Catch"]
    assert catch["Next"] == "ReportLost"
    error = {"Error": "Runtime.ExitError", "Cause": "x" * 5000}
    caught = evaluated(catch["Output"], input={"batch": 7, "accounts": ["1", "2", "3"]}, errorOutput=error)
    variables = {"left": ["2", "3"], "ok": 1, "failed": []}
    assert evaluated(batch_states()["ReportLost"]["Output"], variables, input=caught) == {
        "batch": 7,
        "ok": 1,
        "failed": [],
        "lost": ["2", "3"],
        "error": "Runtime.ExitError",
        "cause": "x" * 200,
    }


# The summary


def test_the_summary_adds_up() -> None:
    batches = [["1", "2", "3"], ["4", "5"], ["6", "7"], ["8"]]
    reports = [
        report(0, ok=2, failed=["3"]),
        report(1, ok=1, not_started=["5"]),
        {"batch": 2, "ok": 0, "failed": ["6"], "lost": ["7"], "error": "Sandbox.Timedout", "cause": "late"},
        report(3, ok=1),
    ]
    assert concluded(batches, reports) == {
        "summary": {
            "accounts": 8,
            "ok": 4,
            "failed": 2,
            "not_started": 1,
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
def test_a_batch_without_a_report_is_lost_and_not_forgotten(reports: list[dict[str, Any]]) -> None:
    batches = [["1"], ["2", "3"]]
    heard = {account for item in reports if "batch" in item for account in batches[item["batch"]]}
    found = concluded(batches, reports)
    assert set(found["lost"]) == {"1", "2", "3"} - heard
    assert found["summary"]["lost"] == len(found["lost"])
    assert found["summary"]["ok"] + found["summary"]["lost"] == found["summary"]["accounts"] == 3


@pytest.mark.parametrize("batches", [[], [[]], [["1"]]])
def test_a_small_summary_has_lists_all_the_same(batches: list[list[str]]) -> None:
    found = concluded(batches, [report(number, ok=len(batch)) for number, batch in enumerate(batches)])
    assert found["summary"]["accounts"] == found["summary"]["ok"] == sum(map(len, batches))
    assert [found[name] for name in ("failed", "not_started", "lost", "errors")] == [[]] * 4


def test_ten_errors_are_shown_of_any_number() -> None:
    batches = [[str(number)] for number in range(30)]
    reports = [report(number, lost=batches[number], error="E", cause="C") for number in range(30)]
    found = concluded(batches, reports)
    assert [error["batch"] for error in found["errors"]] == list(range(10))
    assert found["summary"]["batches_lost"] == 30


def test_what_is_known_of_10000_accounts_fits_in_a_state() -> None:
    """The worst: every batch is as small as can be, and lost, with the longest error, half of it quotes."""
    smallest = TEMPLATE["Parameters"]["BatchSize"]["MinValue"]
    ids = [f"{number:012d}" for number in range(10_000)]
    batches = [ids[start : start + smallest] for start in range(0, len(ids), smallest)]
    reports = [
        {"batch": number, "ok": 0, "failed": [], "lost": batch, "error": "E" * 60, "cause": '"' * 100 + "x" * 100}
        for number, batch in enumerate(batches)
    ]
    outcome = concluded(batches, reports)
    assert outcome["summary"]["lost"] == 10_000
    for data in ({"batches": batches}, reports, outcome):
        assert len(json.dumps(data, separators=(",", ":"))) < STATE_BYTES


# How it ends


def ended(tolerated: int = 0, **counts: int) -> str:
    summary = {"accounts": 100, "ok": 100, "failed": 0, "not_started": 0, "lost": 0, **counts}
    definition = resolved(
        RESOURCES["StateMachine"]["Properties"]["Definition"]["States"]["IsItComplete"],
        {**VALUES, "ToleratedPercentage": str(tolerated)},
    )
    for choice in definition["Choices"]:
        if evaluated(choice["Condition"], input={"summary": summary}):
            return str(choice["Next"])
    return str(definition["Default"])


def test_an_account_that_refused_is_no_failure_of_the_execution() -> None:
    assert ended(ok=60, failed=40) == "Done"


@pytest.mark.parametrize("counts", [{"lost": 1}, {"not_started": 1}])
def test_an_account_without_a_line_is_one(counts: dict[str, int]) -> None:
    assert ended(ok=99, **counts) == "Incomplete"
    assert ended(tolerated=1, ok=99, **counts) == "Done"


def test_tolerance_counts_accounts() -> None:
    assert ended(tolerated=10, ok=90, lost=5, not_started=5) == "Done"
    assert ended(tolerated=10, ok=89, lost=6, not_started=5) == "Incomplete"


def test_not_one_answer_is_a_failure_whatever_is_tolerated() -> None:
    assert ended(tolerated=100, ok=0, failed=100) == "NobodyAnswered"
    assert ended(accounts=0, ok=0) == "Done"


def test_a_failed_start_ends_with_its_own_error() -> None:
    for name in ("TryTheQuestion", "ListAccounts", "SweepBatches"):
        (catch,) = machine()["States"][name]["Catch"]
        caught = evaluated(catch["Output"], errorOutput={"Error": "AccountsNotListed", "Cause": "denied"})
        assert where_to("IsItComplete", caught) == "NotAsked"
        state = machine()["States"]["NotAsked"]
        assert evaluated(state["Error"], input=caught) == "AccountsNotListed"
        assert evaluated(state["Cause"], input=caught) == "denied"


def test_the_conclusion_says_where_the_results_lie() -> None:
    variables = {"question": QUESTION, "stored": STORED}
    found = evaluated(machine()["States"]["Conclude"]["Output"], variables, input={"summary": {"ok": 1}})
    assert found == {
        "check": "s3_buckets",
        "run": "nightly",
        "date": "2026-01-31",
        "location": f"s3://{BUCKET}/sweeps/check=s3_buckets/date=2026-01-31/run=nightly/",
        "summary": {"ok": 1},
    }
    request = SweepRequest.from_event({"check": "s3_buckets", "accounts": [], **STORED, "part": "x"})
    assert f"s3://{BUCKET}/{store.key(request, '')}".startswith(found["location"])


def test_a_message_is_small_whatever_happened() -> None:
    ids = [f"{number:012d}" for number in range(10_000)]
    data = {"summary": {"accounts": 10_000}, "failed": ids, "lost": ids, "errors": []}
    message = evaluated(
        machine()["States"]["Tell"]["Arguments"]["Message"], {"question": QUESTION, "stored": STORED}, input=data
    )
    assert len(message) < 10_000
    assert json.loads(message)["failed"] == ids[:100]


def test_a_topic_that_does_not_answer_changes_nothing() -> None:
    assert machine()["States"]["Tell"]["Catch"][0]["Next"] == machine()["States"]["Tell"]["Next"] == "Conclude"


# Rights


def may(resource: str, action: str, on: str, **keys: str) -> bool:
    document = {"Version": "2012-10-17", "Statement": statements(resource)}
    context: dict[str, Any] = {"aws:ResourceAccount": HUB, **keys}
    return evaluate_identity(document, action, on, context).allowed


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
def test_the_state_machine_may_do_its_work(action: str, on: str) -> None:
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
def test_the_state_machine_may_do_nothing_else(action: str, on: str) -> None:
    assert not may("StateMachineRole", action, on)


def test_it_tells_one_topic_if_there_is_one() -> None:
    assert RESOURCES["TellHowItEnded"]["Condition"] == "HasTopic"
    (statement,) = RESOURCES["TellHowItEnded"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": "NotificationTopicArn"})


def test_sweep_may_write_results_and_nothing_else() -> None:
    assert may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl")
    assert not may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/x.jsonl")
    assert not may("StoreResults", "s3:PutObject", "arn:aws:s3:::another/sweeps/x.jsonl")
    for action in ("GetObject", "DeleteObject", "ListBucket", "PutObjectAcl", "PutBucketPolicy"):
        assert not may("StoreResults", f"s3:{action}", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl")


def test_sweep_writes_to_no_bucket_of_that_name_in_another_account() -> None:
    elsewhere = {"aws:ResourceAccount": "999999999999"}
    assert not may("StoreResults", "s3:PutObject", f"arn:aws:s3:::{BUCKET}/sweeps/x.jsonl", **elsewhere)


def test_only_sweep_gets_it() -> None:
    assert resolved(RESOURCES["StoreResults"]["Properties"]["Roles"]) == [f"cross-account-{STAGE}-sweep"]


@pytest.mark.parametrize("resource", ["StateMachineRole", "StoreResults", "ScheduleRole"])
def test_no_right_is_a_wildcard(resource: str) -> None:
    for statement in statements(resource):
        assert not any("*" in action for action in listed(statement["Action"]))
        assert "*" not in listed(statement["Resource"])


@pytest.mark.parametrize(
    ("role", "service"), [("StateMachineRole", "states.amazonaws.com"), ("ScheduleRole", "scheduler.amazonaws.com")]
)
def test_a_role_is_for_one_service_acting_for_this_account(role: str, service: str) -> None:
    trust = resolved(RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"])

    def trusts(principal: str, account: str) -> bool:
        return evaluate_trust(trust, TrustRequest(service=principal, keys={"aws:SourceAccount": account})).allowed

    assert trusts(service, HUB)
    assert not trusts(service, "999999999999")
    assert not trusts("lambda.amazonaws.com", HUB)


@pytest.mark.parametrize("stage", sorted(CONFIG["stages"]))
def test_the_names_fit_what_iam_allows(stage: str) -> None:
    longest = TEMPLATE["Parameters"]["Stage"]["AllowedPattern"]
    assert re.fullmatch(longest, stage)
    assert len(f"cross-account-{'x' * 20}-state-machine") <= 64
    assert len(f"cross-account-{'x' * 20}-results-{HUB}") <= 63


# The document


def rows(heading: str) -> list[list[str]]:
    """The cells of a table under a heading of docs/thousands-of-accounts.md, without the backquotes."""
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## )", DOCUMENT, re.MULTILINE | re.DOTALL)
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().replace("`", "") for cell in line] for line in lines]


def test_the_document_names_each_parameter_and_its_default() -> None:
    written = {row[0]: row[1] for row in rows("Deploy and start") if row[0] in TEMPLATE["Parameters"]}
    assert set(written) == set(TEMPLATE["Parameters"])
    for name, parameter in TEMPLATE["Parameters"].items():
        default = str(parameter["Default"]) or "none"
        assert written[name] == ("see above" if name == "ResultsBucketName" else default)


def test_the_document_names_each_column() -> None:
    columns = [name for row in rows("The lines") for name in row[0].split(", ")]
    assert columns == [*store._COLUMNS, "check", "date", "run"]


def test_the_document_counts_what_the_template_does() -> None:
    at_once, batch = (TEMPLATE["Parameters"][name]["Default"] for name in ("BatchesAtOnce", "BatchSize"))
    accounts = (100, 1_000, 10_000)
    batches = [-(-count // batch) for count in accounts]
    assert f"| batches of {batch} | {batches[0]} | {batches[1]} | {batches[2]} |" in DOCUMENT
    assert f"| 80 | {80 * at_once} | {80 * at_once} | 600 per" in DOCUMENT
    outside = ["IsTheInputKnown", "Begin", "TryTheQuestion", "AreAccountsNamed", "ListAccounts", "SweepBatches"]
    outside += ["IsSomebodyToBeTold", "Conclude", "IsItComplete", "Done"]
    inside = ["BeginBatch", "Sweep", "IsTheBatchDone", "Report"]
    assert set(outside) <= set(machine()["States"])
    assert set(inside) <= set(batch_states())
    transitions = [len(outside) + (len(inside) + 1) * count for count in batches]
    assert f"| {transitions[0]} | {transitions[1]} | {transitions[2]} | 800 a second" in DOCUMENT


# The bucket


def test_the_bucket_is_encrypted_private_and_forgets() -> None:
    properties = resolved(RESOURCES["ResultsBucket"]["Properties"])
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "90")
    assert properties["BucketName"] == BUCKET


def test_results_outlive_the_stack() -> None:
    assert RESOURCES["ResultsBucket"]["DeletionPolicy"] == RESOURCES["ResultsBucket"]["UpdateReplacePolicy"] == "Retain"


def test_nobody_reads_or_writes_in_the_clear() -> None:
    (statement,) = statements("ResultsBucketPolicy")
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]


def test_the_sandbox_stores_where_the_template_makes_the_bucket() -> None:
    pattern = RESOURCES["ResultsBucket"]["Properties"]["BucketName"]["Fn::If"][2]["Fn::Sub"]
    expected = pattern.replace("${Stage}", "sandbox").replace("${AWS::AccountId}", "111111111111")
    assert config("sandbox").environment_variables["RESULTS_BUCKET"] == expected


def test_the_template_grants_where_settings_point() -> None:
    """The other stages store nothing until somebody names a bucket."""
    stages = {stage for stage in CONFIG["stages"] if config(stage).environment_variables["RESULTS_BUCKET"]}
    assert stages == {"sandbox"}


def test_a_schedule_starts_it_with_the_default_question() -> None:
    schedule = RESOURCES["Schedule"]
    assert schedule["Condition"] == RESOURCES["ScheduleRole"]["Condition"] == "HasSchedule"
    target = resolved({**schedule["Properties"]["Target"], "RoleArn": ""})
    assert target == {"Arn": VALUES["StateMachine"], "RoleArn": "", "Input": "{}"}
    (statement,) = statements("ScheduleRole")
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", VALUES["StateMachine"])


@pytest.mark.parametrize("value", ["rate(1 day)", "cron(0 4 * * ? *)", "at(2026-01-31T04:00:00)", ""])
def test_a_schedule_can_be_written(value: str) -> None:
    assert re.fullmatch(TEMPLATE["Parameters"]["ScheduleExpression"]["AllowedPattern"], value)
