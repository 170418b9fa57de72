"""A sweep's results as lines in a bucket: what is written, under which key, and what the answer then says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from chalicelib.cross_account import HubCredentialsRejected, InvalidInput, InvalidSettings
from chalicelib.cross_account.clients import SharedClients
from chalicelib.errors import EveryAccountFailed, InternalError, ResultsNotStored
from chalicelib.inputs.requests import STORE_KEYS, StoreRequest, SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.outputs import store
from chalicelib.sweeps.outcome import Outcome
from tests.fake_aws import HUB, FakeAws, Reply, Request, denied, error

BUCKET = "results"
ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
KEYS = {"run": "nightly", "part": "batch-0-round-0", "date": "2026-01-31"}
PATH = f"/{BUCKET}/sweeps/check=s3_buckets/date=2026-01-31/run=nightly/batch-0-round-0.jsonl"
REQUEST_ID = "11111111-2222-3333-4444-555555555555"
Sweep = Callable[..., dict[str, Any]]


@pytest.fixture
def sweep(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """The function, as Lambda invokes it: JSON in and JSON out."""
    monkeypatch.setenv("RESULTS_BUCKET", BUCKET)

    def call(seconds: float = 60, **event: Any) -> dict[str, Any]:
        context = SimpleNamespace(
            aws_request_id=REQUEST_ID, get_remaining_time_in_millis=lambda: seconds * 1000, function_version="1"
        )
        answer: dict[str, Any] = json.loads(json.dumps(app.sweep({"check": "s3_buckets", **event}, context)))
        return answer

    return call


def puts(aws: FakeAws) -> list[Request]:
    return [request for request in aws.seen if request.method == "PUT"]


def key_of(**event: Any) -> str:
    return store.results_key(
        SweepRequest.from_event({"check": "identity", "store": True, **event}, Settings()), REQUEST_ID
    )


def lines(request: Request) -> list[dict[str, Any]]:
    return [json.loads(line) for line in request.body.decode().splitlines()]


def test_each_account_is_a_line_in_the_order_asked(sweep: Sweep, aws: FakeAws) -> None:
    sweep(accounts=[TWO, ONE], store=True, **KEYS)
    (put,) = puts(aws)
    assert put.path == PATH
    assert [(line["account_id"], line["ok"]) for line in lines(put)] == [(TWO, True), (ONE, True)]


def test_each_region_is_a_line(sweep: Sweep, aws: FakeAws) -> None:
    sweep(check="identity", accounts=[ONE, TWO], regions=["eu-west-1", "us-east-1"], store=True, **KEYS)
    (put,) = puts(aws)
    assert [(line["account_id"], line["region"]) for line in lines(put)] == [
        (account, region) for account in (ONE, TWO) for region in ("eu-west-1", "us-east-1")
    ]


def test_every_line_has_the_same_columns(sweep: Sweep, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account=TWO)
    sweep(accounts=[ONE, TWO, 3], store=True, **KEYS)
    (put,) = puts(aws)
    found = lines(put)
    columns = ("account_id", "name", "unit", "region", "check", "ok", "ms", "result", "error")
    assert {tuple(line) for line in found} == {columns}
    assert [line["ok"] for line in found] == [True, False, False]
    assert [line["error"] is None for line in found] == [True, False, False]
    assert [line["result"] is None for line in found] == [False, True, True]
    assert all(set(line["error"]) == {"type", "stage", "code", "hint", "request_id"} for line in found[1:])


def test_a_line_has_tags_only_if_they_were_asked_for() -> None:
    untagged = Outcome(ONE, "production", "", None, "identity", 1, {})
    assert "tags" not in store.line_of(untagged)
    assert store.line_of(replace(untagged, tags={"env": "prod"}))["tags"] == {"env": "prod"}


def test_the_answer_holds_counts_ids_and_the_place_instead_of_results(sweep: Sweep, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account=TWO)
    answer = sweep(accounts=[ONE, TWO, ONE], store=True, **KEYS)
    summary = answer.pop("summary")
    assert (summary["accounts"], summary["ok"], summary["failed"], summary["not_started"]) == (2, 1, 1, 0)
    assert answer == {
        "check": "s3_buckets",
        "failed": [TWO],
        "not_started": [],
        "left_out": [],
        "duplicates": [ONE],
        "location": f"s3:/{PATH}",
    }


def test_a_batch_in_which_every_account_failed_is_stored_and_raises_nothing(sweep: Sweep, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), always=True)
    answer = sweep(accounts=[ONE, TWO], store=True, **KEYS)
    assert answer["failed"] == [ONE, TWO]
    assert [line["error"]["type"] for line in lines(puts(aws)[0])] == ["AssumeRoleDenied"] * 2
    with pytest.raises(EveryAccountFailed):
        sweep(accounts=[ONE, TWO])


def test_an_account_that_fails_in_two_regions_is_one_failed_account(sweep: Sweep, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account=ONE, always=True)
    answer = sweep(accounts=[ONE, TWO], regions=["eu-west-1", "us-east-1"], store=True, **KEYS)
    assert answer["failed"] == [ONE]


def test_what_was_not_started_is_in_the_answer_and_in_no_line(sweep: Sweep, aws: FakeAws) -> None:
    answer = sweep(seconds=store.STORE_SECONDS + 1, accounts=[ONE, TWO], store=True, **KEYS)
    assert answer["not_started"] == [ONE, TWO]
    assert [put.body for put in puts(aws)] == [b""]


def test_without_store_nothing_is_written(sweep: Sweep, aws: FakeAws) -> None:
    assert "results" in sweep(accounts=[ONE])
    assert "results" in sweep(accounts=[ONE], store=False)
    assert puts(aws) == []


def test_the_hub_s_own_credentials_write(sweep: Sweep, aws: FakeAws) -> None:
    sweep(accounts=[ONE], store=True)
    assert [put.signer for put in puts(aws)] == [HUB]


def test_a_retried_invocation_writes_the_same_key(sweep: Sweep, aws: FakeAws) -> None:
    """Lambda retries an asynchronous invocation with the same request id and event."""
    for _ in range(2):
        sweep(accounts=[ONE, TWO], store=True)
    first, second = puts(aws)
    today = datetime.now(UTC).date()
    assert first.path == second.path
    assert first.path.startswith(f"/{BUCKET}/sweeps/check=s3_buckets/date={today}/run={REQUEST_ID}/")


@pytest.mark.parametrize("other", [[ONE], [TWO, ONE], [ONE, TWO, THREE], []])
def test_other_accounts_are_another_part(other: list[str]) -> None:
    assert key_of(accounts=[ONE, TWO]) != key_of(accounts=other)


def test_another_question_of_the_same_run_is_another_part() -> None:
    where: list[dict[str, Any]] = [
        {},
        {"accounts": [ONE]},
        {"exclude": [ONE]},
        {"organizational_unit": "r-ab12"},
        {"account_tags": {"env": "prod"}},
        {"account_tags": {"env": "test"}},
    ]
    how: list[dict[str, Any]] = [
        {},
        {"regions": ["eu-west-1"]},
        {"regions": ["eu-west-1", "us-east-1"]},
        {"params": {"prefix": "x"}},
        {"params": {"prefix": "y"}},
    ]
    assert len({key_of(**{"check": "s3_buckets", **one, **other}) for one in where for other in how}) == 6 * 5


def test_the_organization_is_one_part_also_after_an_account_joined(sweep: Sweep, aws: FakeAws) -> None:
    paths = {account: [f"o-a1b2c3d4e5/r-ab12/{account}/"] for account in (ONE, TWO)}
    accounts = [{"Id": id, "Name": "x", "Status": "ACTIVE", "Paths": paths[id]} for id in paths]
    aws.tell("POST /", Reply(json.dumps({"Accounts": accounts[:1]})), Reply(json.dumps({"Accounts": accounts})))
    sweep(store=True, exclude=[THREE])
    sweep(store=True, exclude=[THREE])
    first, second = puts(aws)
    assert first.path == second.path
    assert (len(lines(first)), len(lines(second))) == (1, 2)


@given(st.sampled_from(STORE_KEYS[1:]), st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text())))
def test_no_event_leads_out_of_the_key(name: str, value: Any) -> None:
    try:
        folders = key_of(**{name: value}).split("/")
    except InvalidInput:
        return
    assert [folder.partition("=")[0] for folder in folders[:-1]] == ["sweeps", "check", "date", "run"]
    assert folders[-1].endswith(".jsonl")
    assert all(folder.isascii() and folder.isprintable() and " " not in folder for folder in folders)


@pytest.mark.parametrize("name", ["run", "part"])
@pytest.mark.parametrize(
    "value", ["", "..", ".x", "a/b", "a\\b", "a=b", "a b", "a\n", "a%2fb", "é", "١", "x" * 101, 7, True, ["x"], {}]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"^{name} must be"):
        StoreRequest.from_fields({"store": True, name: value})


@pytest.mark.parametrize("value", ["", "2026-1-1", "20260101", "2026-02-30", "2026-01-01/x", "٢٠٢٦-01-01", 20260101])
def test_what_is_not_a_date_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^date must be a day"):
        StoreRequest.from_fields({"store": True, "date": value})


@pytest.mark.parametrize("name", STORE_KEYS[1:])
def test_a_key_without_store_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match='send "store": true'):
        SweepRequest.from_event({"check": "identity", name: KEYS[name]}, Settings())


@pytest.mark.parametrize("value", ["true", 1, "s3://elsewhere", ["x"]])
def test_store_is_true_or_false_and_names_no_bucket(value: Any) -> None:
    with pytest.raises(InvalidInput, match="store must be true or false"):
        SweepRequest.from_event({"check": "identity", "store": value}, Settings())


@pytest.mark.parametrize("name", ["bucket", "results_bucket", "location", "key", "prefix"])
def test_an_event_names_no_bucket(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        SweepRequest.from_event({"check": "identity", "store": True, name: "elsewhere"}, Settings())


def test_without_a_bucket_nothing_is_asked(sweep: Sweep, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESULTS_BUCKET", "")
    with pytest.raises(InvalidSettings, match="RESULTS_BUCKET"):
        sweep(accounts=[ONE], store=True)
    assert aws.seen == []


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404), ("SlowDown", 503), ("InternalError", 500)]
)
def test_results_that_s3_does_not_accept_fail_the_invocation(
    sweep: Sweep, aws: FakeAws, no_backoff: None, code: str, status: int
) -> None:
    aws.tell(f"PUT {PATH}", error(code, status), always=True)
    with pytest.raises(ResultsNotStored) as raised:
        sweep(accounts=[ONE], store=True, **KEYS)
    assert (raised.value.stage, raised.value.code) == ("store", code)
    assert "sweep-template.yaml" in raised.value.hint


def test_s3_is_tried_again_after_a_transient_error(sweep: Sweep, aws: FakeAws, no_backoff: None) -> None:
    aws.tell(f"PUT {PATH}", error("SlowDown", 503), error("InternalError", 500))
    sweep(accounts=[ONE, TWO], store=True, **KEYS)
    assert [len(lines(put)) for put in puts(aws)] == [2, 2, 2]


def test_a_part_too_large_for_memory_is_whole(sweep: Sweep, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MEMORY_BYTES", 1000)
    accounts = [f"{number:012d}" for number in range(50)]
    sweep(accounts=accounts, store=True, **KEYS)
    (put,) = puts(aws)
    assert [line["account_id"] for line in lines(put)] == accounts


def test_no_secret_is_stored(sweep: Sweep, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied(), account=TWO)
    sweep(accounts=[ONE, TWO], store=True)
    assert b"canary" not in puts(aws)[0].body


def test_the_time_kept_back_is_enough_for_a_failed_attempt_and_one_more() -> None:
    config = SharedClients().shared("s3", "eu-west-1").meta.config
    assert config.connect_timeout + config.read_timeout + 1 <= store.STORE_SECONDS


def test_a_hub_without_credentials_fails_at_the_stage_of_storing(
    sweep: Sweep, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(HubCredentialsRejected) as raised:
        sweep(accounts=[ONE], store=True)
    assert raised.value.stage == "store"


def test_an_unexpected_error_happens_at_the_stage_of_storing(
    sweep: Sweep, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "_write_lines", full)
    with pytest.raises(InternalError) as raised:
        sweep(accounts=[ONE], store=True)
    assert raised.value.stage == "store"


# ---- the accounts of the organization


@pytest.fixture
def list_accounts(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """The function, in an organization of two accounts with a tag, one of which is suspended."""
    monkeypatch.setenv("RESULTS_BUCKET", BUCKET)
    accounts = [
        {"Id": id, "Name": f"name of {id}", "State": state, "Paths": [f"o-a1b2c3d4e5/r-ab12/{id}/"]}
        for id, state in ((ONE, "ACTIVE"), (TWO, "SUSPENDED"))
    ]
    responses = {"ListAccounts": {"Accounts": accounts}, "ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]}}

    def organizations(request: Request) -> Reply:
        return Reply(json.dumps(responses[request.headers["x-amz-target"].split(".")[1]]))

    aws.tell("POST /", organizations, always=True)

    def call(seconds: float = 60, **event: Any) -> dict[str, Any]:
        context = SimpleNamespace(aws_request_id=REQUEST_ID, get_remaining_time_in_millis=lambda: seconds * 1000)
        answer: dict[str, Any] = json.loads(json.dumps(app.list_accounts(event, context)))
        return answer

    return call


def test_the_accounts_are_stored_outside_of_the_results(list_accounts: Sweep, aws: FakeAws) -> None:
    answer = list_accounts(store=True, run="nightly", date="2026-01-31", batch_size=50)
    (put,) = puts(aws)
    assert put.path == f"/{BUCKET}/accounts/date=2026-01-31/run=nightly/accounts.jsonl"
    assert answer == {"batches": [[ONE]], "count": 1, "left_out": 1, "location": f"s3:/{put.path}"}
    assert lines(put) == [
        {"id": ONE, "name": f"name of {ONE}", "unit": "", "tags": None, "left_out": None},
        {"id": TWO, "name": f"name of {TWO}", "unit": "", "tags": None, "left_out": "suspended"},
    ]


def test_the_tags_are_stored_if_they_are_asked_for(list_accounts: Sweep, aws: FakeAws) -> None:
    list_accounts(store=True, tags=True)
    assert [line["tags"] for line in lines(puts(aws)[0])] == [{"a": "b"}, None]


def test_accounts_are_stored_only_if_that_is_asked_for(list_accounts: Sweep, aws: FakeAws) -> None:
    assert "location" not in list_accounts()
    assert puts(aws) == []


def test_accounts_that_s3_does_not_accept_fail_the_invocation(list_accounts: Sweep, aws: FakeAws) -> None:
    path = f"/{BUCKET}/accounts/date=2026-01-31/run=nightly/accounts.jsonl"
    aws.tell(f"PUT {path}", error("AccessDenied", 403), always=True)
    with pytest.raises(ResultsNotStored, match="S3 did not accept the results: AccessDenied") as raised:
        list_accounts(store=True, run="nightly", date="2026-01-31")
    assert "list_accounts" in raised.value.hint


def test_without_a_bucket_no_account_is_listed(
    list_accounts: Sweep, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESULTS_BUCKET", "")
    with pytest.raises(InvalidSettings, match="RESULTS_BUCKET"):
        list_accounts(store=True)
    assert aws.seen == []
