"""What a function of one's own relies on, with whichever boto3 is installed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tests.fake_aws import FakeAws, Reply, account_of, denied, error, silent

ONE, OTHER = "123456789012", "234567890123"


def names_of(account) -> list[str]:
    return [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]


def test_the_boto3_is_not_older_than_the_helper_allows(helper) -> None:
    assert tuple(int(part) for part in boto3.__version__.split(".")[:2]) >= helper.MIN_BOTO3


def test_assume_returns_what_sts_returns(helper, aws: FakeAws) -> None:
    credentials = helper.Hub().assume(ONE)
    assert set(credentials) == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert account_of(credentials["AccessKeyId"]) == ONE


def test_the_role_and_the_external_id_come_from_the_environment(helper, aws: FakeAws, monkeypatch) -> None:
    monkeypatch.setenv("ROLE_NAME", "billing-role")
    monkeypatch.setenv("EXTERNAL_ID", "of-the-environment")
    helper.Hub.from_environment().account(ONE)
    (asked,) = aws.operations("AssumeRole")
    assert (asked.form["RoleArn"], asked.form["ExternalId"]) == (
        f"arn:aws:iam::{ONE}:role/billing-role",
        "of-the-environment",
    )


def test_one_client_lists_the_buckets_of_each_account(helper, aws: FakeAws) -> None:
    hub = helper.Hub()
    one, other = hub.account(ONE), hub.account(OTHER)
    assert one.client("s3")._shared is other.client("s3")._shared
    assert (names_of(one), names_of(other)) == ([f"bucket-of-{ONE}"], [f"bucket-of-{OTHER}"])


def test_pages_of_two_accounts_in_turn_do_not_mix(helper, aws: FakeAws) -> None:
    aws.buckets = {account: [f"{account}-{number}" for number in range(4)] for account in (ONE, OTHER)}
    hub = helper.Hub()
    pages = [hub.account(account).client("s3").get_paginator("list_buckets").paginate() for account in (ONE, OTHER)]
    seen = [[bucket["Name"] for bucket in page["Buckets"]] for pair in zip(*pages, strict=True) for page in pair]
    assert seen == [[f"{account}-{n}", f"{account}-{n + 1}"] for n in (0, 2) for account in (ONE, OTHER)]


def test_outside_a_call_a_client_has_no_credentials(helper, aws: FakeAws) -> None:
    with pytest.raises(NoCredentialsError):
        helper.Hub().account(ONE).client("s3")._shared.list_buckets()


def test_a_session_of_its_own_signs_with_the_account(helper, aws: FakeAws) -> None:
    session = helper.Hub().account(ONE).session()
    assert session.client("s3").list_buckets()["Buckets"][0]["Name"] == f"bucket-of-{ONE}"


def test_a_first_answer_needs_no_boto3(helper, aws: FakeAws) -> None:
    code = f"""
import sys
sys.path.append({str(Path(helper.__file__).parents[1])!r})
from cross_account import Hub
account = Hub().account("{ONE}")
client = account.client("s3")
assert client.list_buckets()["Buckets"] == next(account.pages("s3", "list_buckets"))["Buckets"]
assert hasattr(client, "upload_file") and not hasattr(client, "no_such_operation")
print([name for name in sys.modules if name.split(".")[0] in ("boto3", "s3transfer")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_without_boto3_only_what_is_boto3s_own_is_missing(helper, aws: FakeAws, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setitem(sys.modules, "boto3.s3", None)
    account = helper.Hub().account(ONE)
    assert names_of(account) == [f"bucket-of-{ONE}"]
    for missing in (account.session, partial(account.client("s3").upload_file, "file", "bucket", "key")):
        with pytest.raises(ModuleNotFoundError, match="boto3"):
            missing()


def test_actions_become_the_session_policy(helper, aws: FakeAws) -> None:
    helper.Hub().account(ONE, ["s3:ListAllMyBuckets"])
    assert '"Action":["s3:ListAllMyBuckets"]' in aws.operations("AssumeRole")[0].form["Policy"]


def test_a_denial_is_a_client_error_with_a_hint(helper, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    with pytest.raises(ClientError) as raised:
        helper.Hub().account(ONE)
    assert isinstance(raised.value, helper.AssumeRoleDenied)
    assert raised.value.response["Error"]["Code"] == "AccessDenied"
    assert f"arn:aws:iam::{ONE}:role/external-role" in raised.value.hint


@pytest.mark.parametrize(
    "account_id", ["12345678901", "1234567890123", "123456789012\n", "１２３４５６７８９０１２", 123456789012]
)
def test_a_bad_id_is_refused_before_anything_is_sent(helper, aws: FakeAws, account_id: object) -> None:
    with pytest.raises(ValueError, match="12 digits") as raised:
        helper.Hub().account(account_id)
    assert isinstance(raised.value, helper.InvalidAccountId)
    assert aws.seen == []


@pytest.mark.usefixtures("no_backoff")
def test_an_account_that_is_throttled_leaves_the_others_their_retries(helper, aws: FakeAws) -> None:
    hub = helper.Hub()
    one, other = hub.account(ONE), hub.account(OTHER)
    aws.tell("ListBuckets", error("SlowDown", 503), account=ONE, always=True)
    for _ in range(60):  # two retries of 5 tokens each: the 500 of one client would be gone
        with pytest.raises(ClientError):
            one.client("s3").list_buckets()
    assert len([request for request in aws.operations("ListBuckets") if request.signer == ONE]) < 3 * 60
    aws.tell("ListBuckets", error("SlowDown", 503), error("SlowDown", 503), account=OTHER)
    assert names_of(other) == [f"bucket-of-{OTHER}"]


def test_end_invocation_drops_sessions_unless_they_are_cached(helper, aws: FakeAws) -> None:
    for cache in (True, False):
        hub = helper.Hub(cache_credentials=cache)
        hub.account(ONE)
        hub.end_invocation()
        assert hub.account(ONE).cached is cache


# ---- what it reaches into botocore for, or tells it by a parameter that came late


def test_a_token_of_the_environment_signs_nothing(helper, aws: FakeAws, monkeypatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "foreign")
    account = helper.Hub().account(ONE)
    for client in (account.client("bedrock"), account.session().client("bedrock")):
        client.list_foundation_models()
    assert [request.signer for request in aws.operations("ListFoundationModels")] == [ONE, ONE]


def test_each_account_is_sent_to_the_endpoint_that_it_discovered_itself(helper, aws: FakeAws) -> None:
    def discover(request) -> Reply:
        cell = f"{aws.url}/cell-of-{request.signer}"
        return Reply(json.dumps({"Endpoints": [{"Address": cell, "CachePeriodInMinutes": 60}]}))

    aws.tell("POST /", discover, always=True)
    hub = helper.Hub()
    for account in (ONE, OTHER):
        hub.account(account).client("timestream-write").list_databases()
    cells = [(request.path, request.signer) for request in aws.seen if request.path.startswith("/cell")]
    assert cells == [(f"/cell-of-{account}", account) for account in (ONE, OTHER)]


def test_a_shared_client_discovers_nothing(helper, aws: FakeAws, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_DISCOVERY_ENABLED", "true")
    helper.Hub().account(ONE).client("dynamodb").describe_table(TableName="t")
    assert [request.headers["x-amz-target"] for request in aws.operations("POST /")] == [
        "DynamoDB_20120810.DescribeTable"
    ]


def test_a_shared_client_takes_no_handler_but_transfers(helper, aws: FakeAws, tmp_path) -> None:
    client = helper.Hub().account(ONE).client("s3")
    with pytest.raises(RuntimeError, match=r"account\.session\(\)"):
        client.meta.events.register("before-send", print)
    (tmp_path / "file").write_text("x")
    client.upload_file(str(tmp_path / "file"), "bucket", "key")
    assert aws.operations("PUT /bucket/key")[0].signer == ONE


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_a_call_ends_with_the_work_it_belongs_to(helper, aws: FakeAws, own: bool) -> None:
    calls_of = importlib.import_module(f"{helper.__name__}.calls")
    calls = calls_of.Calls()
    aws.tell("ListBuckets", silent, always=True)
    with calls.made_here():
        account = helper.Hub().account(ONE)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit((account.session() if own else account).client("s3").list_buckets)
        while not aws.operations("ListBuckets"):
            threading.Event().wait(0.005)
        calls.end()
        assert isinstance(asked.exception(5), calls_of.CallsEnded), "well before the 10 s of a timeout"
