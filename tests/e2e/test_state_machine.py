"""sweep-template.yaml in the sandbox: a sweep of 110 accounts, and failures that must not lose an account.

moto executes the definition, and the deployed functions run under their own roles. The tests inject failures from
outside: too little Lambda concurrency, a permission that is removed and restored, a killed process.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox
from sandbox.accounts import REGION, TARGETS, generated_targets
from sandbox.demo_scale import documented_queries
from sandbox.deploy_sweep import deploy_sweep

from .conftest import ACQUIRED, HUB, LEGACY, STAGING, Project, client

GENERATED = 110 - len(TARGETS)
ACCOUNTS = [target.id for target in (*TARGETS, *generated_targets(GENERATED))]
"""But for the hub, which is left out."""
DENIED = {LEGACY, ACQUIRED}
FUNCTION, ROLE = "cross-account-sandbox-sweep", "cross-account-sandbox-sweep"
BATCH_SIZE = 50
"""The smallest that the template accepts."""
Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Machine:
    """The deployed state machine, and what the tests do with it."""

    box: sandbox.Box
    session: boto3.Session
    arn: str
    bucket: str
    queue: str

    def client(self, service: str) -> Any:
        return client(self.box, self.session, service)

    @cached_property
    def states(self) -> Any:
        return self.client("stepfunctions")

    def start(self, name: str, **parts: Any) -> str:
        response = self.states.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(parts))
        return str(response["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end, and return the execution, with its output if it succeeded and its cause if it failed."""
        wait_until(lambda: self.states.describe_execution(executionArn=execution)["status"] != "RUNNING", 120)
        found: dict[str, Any] = self.states.describe_execution(executionArn=execution)
        return found

    def stored(self, name: str) -> dict[str, Lines]:
        """Return the result lines of an execution, by part."""
        s3 = self.client("s3")
        found = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="sweeps/"):
            for item in page.get("Contents", []):
                match = re.fullmatch(
                    rf"sweeps/check=[\w-]+/date=[0-9-]{{10}}/run={name}/([\w-]+)\.jsonl", item["Key"], re.ASCII
                )
                if match:
                    text = s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read().decode()
                    found[match[1]] = [json.loads(line) for line in text.splitlines()]
        return found

    def published(self, name: str) -> dict[str, Any]:
        """Return the message about an execution on the topic."""
        messages = self.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        found = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
        (message,) = [message for message in found if message["run"] == name]
        return dict(message)

    def lines(self, name: str) -> Lines:
        return [line for lines in self.stored(name).values() for line in lines]

    def calls(self, service: str, action: str, since: float) -> list[dict[str, Any]]:
        return [call for call in self.box.calls(service, action) if call["time"] >= since]

    def invocations(self, since: float) -> int:
        """Return the number of invocations of sweep, including throttled ones."""
        return sum(FUNCTION in call["resource"] for call in self.calls("lambda", "InvokeFunction", since))

    def logged(self, text: str, since: float) -> int:
        """Return the number of lines in the log of sweep that contain a text."""
        events = self.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{FUNCTION}", startTime=int(since * 1000), limit=10_000
        )["events"]
        return sum(text in event["message"] for event in events)

    def processes(self) -> list[int]:
        """Return the ids of the processes of the function sweep in this sandbox."""
        listing = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
        return [int(pid) for pid, parent, line in rows if int(parent) == self.box.pid and line.endswith(" app.sweep")]


def wait_until(condition: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the condition was still false after {seconds} s")
        time.sleep(0.2)


@pytest.fixture(scope="module")
def box() -> Iterator[sandbox.Box]:
    with sandbox.running(accounts=GENERATED) as running:
        yield running


@pytest.fixture(scope="module")
def machine(box: sandbox.Box, hub: boto3.Session, deployed: Project) -> Machine:
    topic = client(box, hub, "sns").create_topic(Name="sweeps")["TopicArn"]
    queue = client(box, hub, "sqs").create_queue(QueueName="sweeps")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{HUB}:sweeps"
    client(box, hub, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    outputs = deploy_sweep(client(box, hub, "cloudformation"), BatchSize=str(BATCH_SIZE), NotificationTopicArn=topic)
    return Machine(box, hub, outputs["StateMachineArn"], outputs["ResultsBucketName"], queue)


@pytest.fixture
def deny_put_object(machine: Machine) -> Iterator[Callable[[str], None]]:
    """Deny sweep s3:PutObject on keys that match a pattern, until the end of the test."""
    iam = machine.client("iam")

    def deny(pattern: str) -> None:
        statement = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{machine.bucket}/{pattern}"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=ROLE, PolicyName="injected", PolicyDocument=document)

    yield deny
    if "injected" in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="injected")


def test_a_sweep_of_many_accounts_succeeds_with_throttling_and_a_batch_that_fails_twice(
    machine: Machine, deny_put_object: Callable[[str], None]
) -> None:
    since = time.time()
    machine.client("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=2)
    deny_put_object("sweeps/*/batch-2-*")
    execution = machine.start("all-accounts", sweep={"check": "s3_buckets"})

    def denied() -> int:
        puts = machine.calls("s3", "PutObject", since)
        return sum(call["outcome"] == "denied" and "batch-2-" in call["resource"] for call in puts)

    wait_until(lambda: denied() >= 2, 60)  # with full jitter the third attempt may start at once
    machine.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="injected")
    end = machine.end(execution)
    machine.client("lambda").delete_function_concurrency(FunctionName=FUNCTION)

    assert end["status"] == "SUCCEEDED", end
    output = json.loads(end["output"])
    batches = -(-len(ACCOUNTS) // BATCH_SIZE)
    assert output["summary"] == {
        "accounts": len(ACCOUNTS),
        "ok": len(ACCOUNTS) - len(DENIED),
        "failed": len(DENIED),
        "not_started": 0,
        "left_out": 1,
        "lost": 0,
        "batches": batches,
        "batches_lost": 0,
    }
    assert set(output["failed"]) == DENIED
    assert machine.published("all-accounts")["summary"] == output["summary"]
    assert (
        output["location"] == f"s3://{machine.bucket}/sweeps/check=s3_buckets/date={output['date']}/run=all-accounts/"
    )
    lines = machine.lines("all-accounts")
    assert Counter(line["account_id"] for line in lines) == Counter(ACCOUNTS)
    assert {line["account_id"] for line in lines if not line["ok"]} == DENIED
    started = machine.logged("START RequestId", since)
    assert started == 1 + batches + denied()  # the test sweep, each batch, and each failed attempt
    assert machine.invocations(since) > started, "Lambda did not throttle an invocation"


@pytest.fixture(scope="module")
def results(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bucket, as `aws s3 sync` makes it."""
    folder = tmp_path_factory.mktemp("results")
    s3 = machine.client("s3")
    for item in s3.list_objects_v2(Bucket=machine.bucket)["Contents"]:
        path = folder / item["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=machine.bucket, Key=item["Key"])["Body"].read())
    return folder


def test_the_documented_queries_return_the_stored_results(
    results: Path, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    *views, denials, buckets, by_unit = documented_queries()
    for view in views:
        database.execute(view)
    denied = database.execute(denials).fetchall()
    most = database.execute(buckets).fetchall()
    units = {unit: counts for unit, *counts in database.execute(by_unit).fetchall()}
    (count,) = database.execute("SELECT count(DISTINCT account_id) FROM results WHERE run = 'all-accounts'").fetchall()
    assert count == (len(ACCOUNTS),)
    assert [row[:3] for row in denied] == [("AssumeRoleDenied", "AccessDenied", len(DENIED))]
    assert denied[0][3] == sorted(DENIED)
    named = [(account, name, buckets) for account, name, _unit, buckets, _oldest in most[:2]]
    assert named == [("345678901234", "analytics", 3), ("123456789012", "production", 2)]
    assert units.pop("") == [1, 0, 0, ["hub"]]  # directly below the root
    assert sum(accounts for accounts, *_ in units.values()) == len(ACCOUNTS)


def test_killed_processes_do_not_lose_results(machine: Machine) -> None:
    since, accounts = time.time(), ACCOUNTS[: 2 * BATCH_SIZE]
    execution = machine.start("killed", sweep={"check": "s3_buckets", "accounts": accounts, "concurrency": 2})

    def assumed() -> int:
        return sum(FUNCTION in call["caller"] for call in machine.calls("sts", "AssumeRole", since))

    wait_until(lambda: assumed() > 15, 30)
    killed = machine.processes()
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert assumed() < len(accounts), "all roles were assumed before the processes were killed"

    end = machine.end(execution)
    assert end["status"] == "SUCCEEDED", end
    assert json.loads(end["output"])["summary"]["batches_lost"] == 0
    assert Counter(line["account_id"] for line in machine.lines("killed")) == Counter(accounts)
    assert machine.logged("Runtime.ExitError", since) > 0
    assert machine.logged("START RequestId", since) > 1 + 2  # the test sweep and the batches


def test_a_batch_that_always_fails_is_in_the_cause(machine: Machine, deny_put_object: Callable[[str], None]) -> None:
    accounts = ACCOUNTS[: BATCH_SIZE + 3]
    deny_put_object("sweeps/*/batch-1-*")
    end = machine.end(machine.start("lost", sweep={"check": "identity", "accounts": accounts}))
    assert (end["status"], end["error"]) == ("FAILED", "AccountsWithoutResult")
    cause = json.loads(end["cause"])
    assert (cause["summary"]["lost"], cause["summary"]["batches_lost"]) == (3, 1)
    assert cause["lost"] == accounts[BATCH_SIZE:]
    (error,) = cause["errors"]
    assert (error["batch"], error["error"]) == (1, "ResultsNotStored")
    assert [line["account_id"] for line in machine.lines("lost")] == accounts[:BATCH_SIZE]


def test_accounts_that_were_not_started_are_swept_in_another_round(machine: Machine) -> None:
    """With a timeout of 19 s, sweep has about two seconds for the accounts; the rest is reserved."""
    functions = machine.client("lambda")
    functions.update_function_configuration(FunctionName=FUNCTION, Timeout=19)
    accounts = [account for account in ACCOUNTS if account not in DENIED][:30]
    regions = [region["RegionName"] for region in machine.client("ec2").describe_regions()["Regions"]][:16]
    event = {"check": "identity", "accounts": accounts, "concurrency": 1, "regions": regions}
    end = machine.end(machine.start("rounds", sweep=event))
    functions.update_function_configuration(FunctionName=FUNCTION, Timeout=900)
    assert end["status"] == "SUCCEEDED", end.get("cause")
    stored = machine.stored("rounds")
    assert len([part for part in stored if part.startswith("batch-0-round-")]) > 1
    lines = [(line["account_id"], line["region"]) for part in stored.values() for line in part]
    assert Counter(lines) == Counter((account, region) for account in accounts for region in regions)


@pytest.mark.parametrize(
    ("sweep", "cause"),
    [
        ({"check": "s3_buckets", "regoins": ["eu-west-1"]}, "regoins"),
        ({"check": "api_call", "params": {"operation": "ec2:TerminateInstances"}}, "ec2:TerminateInstances is Write"),
    ],
    ids=["field", "operation"],
)
def test_an_invalid_event_fails_before_any_role_is_assumed(machine: Machine, sweep: Any, cause: str) -> None:
    since, name = time.time(), f"wrong-{sweep['check']}"
    end = machine.end(machine.start(name, sweep=sweep))
    assert (end["status"], end["error"]) == ("FAILED", "InvalidInput")
    assert cause in end["cause"]
    assert machine.published(name)["error"]["error"] == "InvalidInput"
    assert machine.calls("sts", "AssumeRole", since) == []
    assert machine.invocations(since) == 1


@pytest.mark.parametrize("accounts", [None, TARGETS[0].id])
def test_accounts_that_are_not_a_list_fail_before_anything_is_invoked(machine: Machine, accounts: Any) -> None:
    since = time.time()
    end = machine.end(machine.start(f"no-list-{accounts}", sweep={"check": "identity", "accounts": accounts}))
    assert (end["status"], end["error"]) == ("FAILED", "InvalidInput")
    assert '"accounts" must be a list' in end["cause"]
    assert machine.invocations(since) == 0


def test_an_account_that_is_named_twice_has_one_line_and_counts_once(machine: Machine) -> None:
    accounts = [account for account in ACCOUNTS if account not in DENIED][: BATCH_SIZE + 1]
    end = machine.end(machine.start("twice", sweep={"check": "identity", "accounts": accounts * 2}))
    summary = json.loads(end["output"])["summary"]
    assert (summary["accounts"], summary["ok"], summary["batches"]) == (len(accounts), len(accounts), 2)
    assert Counter(line["account_id"] for line in machine.lines("twice")) == Counter(accounts)


def test_a_batch_asks_an_operation_in_every_enabled_region_beside_a_check(machine: Machine) -> None:
    params = {"operation": "lambda:ListFunctions", "query": 'Functions[?Runtime != `"python2.7"`].FunctionName'}
    sweep = {"checks": ["s3_buckets", "api_call"], "params": params, "accounts": [STAGING], "regions": "all"}
    output = json.loads(machine.end(machine.start("functions", sweep=sweep))["output"])
    assert (output["check"], output["summary"]["ok"]) == ("s3_buckets-api_call", 1)
    found = {(line["check"], line["region"]): line["result"] for line in machine.lines("functions")}
    assert found["s3_buckets", None]["count"] == 1
    assert found["api_call", "us-east-1"] == ["send-invoices", "nightly-cleanup"]
    assert ("api_call", "eu-south-1") in found  # which it opted into


def test_without_the_policy_of_the_template_results_are_not_stored(machine: Machine, deployed: Project) -> None:
    iam = machine.client("iam")
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName="store-results")["PolicyDocument"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName="store-results")
    event = {"check": "identity", "accounts": [TARGETS[0].id], "store": True, "run": "denied"}
    run = deployed.chalice("invoke", "-n", "sweep", event=event)
    iam.put_role_policy(RoleName=ROLE, PolicyName="store-results", PolicyDocument=json.dumps(policy))
    assert run.returncode == 1
    assert "ResultsNotStored: S3 did not accept the results: AccessDenied" in run.stderr
    assert machine.stored("denied") == {}
    assert deployed.invoke("sweep", event)["location"].startswith(f"s3://{machine.bucket}/sweeps/check=identity/")


def test_chalice_deletes_the_role_and_the_policy_of_the_template(machine: Machine, deployed: Project) -> None:
    """IAM does not delete a role that still has a policy. This must be the last test: it deletes the functions."""
    run = deployed.chalice("delete")
    assert run.returncode == 0, run.stderr
    roles = machine.client("iam").list_roles()["Roles"]
    assert ROLE not in {role["RoleName"] for role in roles}
