"""The direct invocation and the routes, from the event to the answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chalice.app import IAMAuthorizer
from chalice.test import Client
from hypothesis import given
from hypothesis import strategies as st

import app as entry_points
from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check, check
from chalicelib.checks.finding import Findings, alarm
from chalicelib.cross_account import CrossAccountError
from tests.failures import FAILURES, Failure
from tests.fake_aws import EXTERNAL_ID, FakeAws, error

ACCOUNT, OTHER = "123456789012", "210987654321"
ROOT = Path(entry_points.__file__).parent
Invoke = Callable[[Any], tuple[int, Any]]
Http = Callable[..., tuple[int, Any]]
Add = Callable[[Check], Check]


@check(actions=["s3:ListAllMyBuckets"])
def first_bucket(account, *, suffix: str = "!"):  # type: ignore[no-untyped-def]
    """Name the account's first bucket, as a user's own check would."""
    buckets = account.client("s3").list_buckets()["Buckets"]
    return {"bucket": buckets[0]["Name"] + suffix}


@check(actions=["s3:ListAllMyBuckets"], group="data")
def wrong_buckets(account: Any) -> Findings:
    """Find buckets, all of which are wrong."""
    for bucket in account.client("s3").list_buckets()["Buckets"]:
        yield alarm(bucket["Name"], "It is wrong.")


def test_a_cold_start_imports_no_check_before_it_is_asked() -> None:
    said = (
        "import sys, app; from chalicelib.checks import CHECKS; print([one for one in CHECKS.entries.values() if one])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"


def test_a_first_answer_imports_its_check_and_nothing_of_boto3_a_sweep_or_a_page(aws: FakeAws) -> None:
    said = f"""
import sys, types, app
context = types.SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 60_000)
assert app.switch_account({{"account_id": "{ACCOUNT}", "check": "s3_buckets"}}, context)["statusCode"] == 200
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert [name for name in CHECKS if f"chalicelib.checks.{name}" in loaded] == ["s3_buckets"]
    of_a_sweep = {f"chalicelib.sweeps.{name}" for name in ("sweep", "organization", "members", "units", "worklist")}
    late = {"boto3", "s3transfer", "tomllib", "chalicelib.pages", "chalicelib.outputs.store", *of_a_sweep}
    assert {name for name in loaded if name in late or name.split(".")[0] in late} == set()


def test_the_cold_start_leaves_the_garbage_collector_at_work() -> None:
    """In a process of its own: here another test may have imported it all before."""
    said = "import gc, app; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("name", ["account.json"])
@pytest.mark.usefixtures("aws")
def test_the_articles_event_is_answered_as_in_the_article_and_with_evidence(invoke: Invoke, name: str) -> None:
    event = json.loads((ROOT / "events" / name).read_text())
    assert invoke(event) == (
        200,
        {
            "message": "Successfully processed request",
            "account_id": event["account_id"],
            "check": "identity",
            "result": {
                "account": event["account_id"],
                "arn": f"arn:aws:sts::{event['account_id']}:assumed-role/external-role/x",
                "user_id": "AROA:x",
            },
        },
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON | st.dictionaries(st.sampled_from(["account_id", "check", "region", "params"]) | st.text(), JSON))
def test_any_json_without_a_good_account_id_is_400_in_the_envelope(event: Any) -> None:
    answer = json.loads(json.dumps(entry_points.switch_account(event, None)))
    assert answer["statusCode"] == 400
    assert set(json.loads(answer["body"])) == {"message", "error"}


def test_an_account_that_is_not_allowed_is_403_and_aws_is_not_called(
    aws: FakeAws, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_ACCOUNTS", ACCOUNT)
    status, body = invoke({"account_id": OTHER})
    assert (status, body["error"]["type"]) == (403, "AccountNotAllowed")
    assert aws.seen == []


def test_params_and_region_reach_the_check(aws: FakeAws, invoke: Invoke) -> None:
    event = {"account_id": ACCOUNT, "check": "s3_buckets", "region": "us-east-2", "params": {"prefix": "log"}}
    assert invoke(event)[0] == 200
    (request,) = aws.operations("ListBuckets")
    assert (request.region, request.query["prefix"]) == ("us-east-2", "log")


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failure_is_answered_with_its_status_class_stage_and_code(
    prepared: Callable[[Failure], str], invoke: Invoke, failure: Failure
) -> None:
    status, body = invoke({"account_id": ACCOUNT, "check": prepared(failure)})
    assert (status, body["message"]) == (500, failure.contract.message)
    told = body["error"]
    assert (told["type"], told["stage"], told["code"]) == (failure.name, failure.contract.stage, failure.code)
    assert told["hint"]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_with_raise_on_error_it_is_raised_by_its_class_name(
    prepared: Callable[[Failure], str], context: Any, failure: Failure
) -> None:
    event = {"account_id": ACCOUNT, "check": prepared(failure), "raise_on_error": True}
    with pytest.raises(CrossAccountError) as caught:
        entry_points.switch_account(event, context)
    assert type(caught.value).__name__ == failure.name


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_route_answers_a_failure_with_a_status_of_http(
    prepared: Callable[[Failure], str], http: Http, failure: Failure
) -> None:
    status, body = http("POST", f"/accounts/{ACCOUNT}/checks/{prepared(failure)}")
    assert (status, body["error"]["type"]) == (failure.contract.http_status, failure.name)


def test_a_second_invocation_asks_sts_no_more(aws: FakeAws, invoke: Invoke) -> None:
    for _ in range(2):
        invoke({"account_id": ACCOUNT, "check": "s3_buckets"})
    assert len(aws.operations("AssumeRole")) == 1


def test_another_check_of_the_same_account_has_a_session_of_its_own(aws: FakeAws, invoke: Invoke) -> None:
    for name in ("s3_buckets", "account_summary"):
        invoke({"account_id": ACCOUNT, "check": name})
    policies = [json.loads(request.form["Policy"]) for request in aws.operations("AssumeRole")]
    assert [policy["Statement"][0]["Action"] for policy in policies] == [
        sorted(CHECKS["s3_buckets"].actions),
        sorted(CHECKS["account_summary"].actions),
    ]


def test_without_caching_every_invocation_asks_sts(
    aws: FakeAws, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_CREDENTIALS", "false")
    for _ in range(2):
        invoke({"account_id": ACCOUNT})
    assert len(aws.operations("AssumeRole")) == 2


def test_without_caching_a_failed_check_drops_its_session_as_well(
    aws: FakeAws, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_CREDENTIALS", "false")
    aws.tell("ListBuckets", error("AccessDenied", 403))
    for _ in range(2):
        invoke({"account_id": ACCOUNT, "check": "s3_buckets"})
    assert len(aws.operations("AssumeRole")) == 2


def test_a_session_that_the_account_rejects_is_forgotten(aws: FakeAws, invoke: Invoke) -> None:
    aws.tell("ListBuckets", error("ExpiredToken"))
    assert [invoke({"account_id": ACCOUNT, "check": "s3_buckets"})[0] for _ in range(2)] == [500, 200]
    assert len(aws.operations("AssumeRole")) == 2


def test_a_denied_check_keeps_its_session(aws: FakeAws, invoke: Invoke) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403))
    assert [invoke({"account_id": ACCOUNT, "check": "s3_buckets"})[0] for _ in range(2)] == [500, 200]
    assert len(aws.operations("AssumeRole")) == 1


def test_a_changed_setting_makes_another_hub(aws: FakeAws, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke({"account_id": ACCOUNT})
    monkeypatch.setenv("EXTERNAL_ID", EXTERNAL_ID)
    invoke({"account_id": ACCOUNT})
    assert [request.form.get("ExternalId") for request in aws.operations("AssumeRole")] == [None, EXTERNAL_ID]


def test_the_session_is_named_after_the_invocation(aws: FakeAws, invoke: Invoke, context: Any) -> None:
    invoke({"account_id": ACCOUNT})
    assert aws.seen[0].form["RoleSessionName"] == f"cross-account-{context.aws_request_id}"


@pytest.mark.parametrize("body", [None, {}, {"region": "eu-west-1", "params": {}}])
@pytest.mark.usefixtures("aws")
def test_a_route_runs_a_check(http: Http, body: Any) -> None:
    status, answer = http("POST", f"/accounts/{ACCOUNT}/checks/identity", body)
    assert (status, answer["result"]["account"]) == (200, ACCOUNT)


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        (f"/accounts/{ACCOUNT}/checks/none", None, 404, "UnknownCheck"),
        (f"/accounts/{OTHER}/checks/identity", None, 403, "AccountNotAllowed"),
        ("/accounts/12345/checks/identity", None, 400, "InvalidAccountId"),
        (f"/accounts/{ACCOUNT}/checks/identity", {"region": "mars"}, 400, "InvalidInput"),
        (f"/accounts/{ACCOUNT}/checks/identity", {"account_id": OTHER}, 400, "InvalidInput"),
        (f"/accounts/{ACCOUNT}/checks/identity", {"raise_on_error": True}, 400, "InvalidInput"),
        (f"/accounts/{ACCOUNT}/checks/identity", [], 400, "InvalidInput"),
        (f"/accounts/{ACCOUNT}/checks/identity", {"params": {"x": 1}}, 400, "InvalidInput"),
    ],
)
def test_a_route_refuses_bad_input_and_aws_is_not_called(
    aws: FakeAws, http: Http, monkeypatch: pytest.MonkeyPatch, path: str, body: Any, status: int, name: str
) -> None:
    monkeypatch.setenv("ALLOWED_ACCOUNTS", ACCOUNT)
    answered, told = http("POST", path, body)
    assert (answered, told["error"]["type"]) == (status, name)
    assert aws.seen == []


@pytest.mark.parametrize("raw", [b"{", b"no json", b"\xff\xfe", b"[" * 100_000, b"\x00"], ids=lambda raw: str(raw)[:10])
def test_a_body_that_is_no_json_is_400_in_our_own_form(http: Http, raw: bytes) -> None:
    status, body = http("POST", f"/accounts/{ACCOUNT}/checks/identity", raw=raw)
    assert (status, body["message"], body["error"]["type"]) == (400, "The body must be a JSON object.", "InvalidInput")


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, methods in entry_points.app.routes.items() for method in methods]
)
def test_every_route_wants_a_signed_request(path: str, method: str) -> None:
    assert isinstance(entry_points.app.routes[path][method].authorizer, IAMAuthorizer)


def test_the_checks_are_listed_as_they_describe_themselves(http: Http) -> None:
    status, body = http("GET", "/checks")
    assert (status, body) == (200, {"checks": [known.as_dict() for known in CHECKS.values()]})


@pytest.mark.usefixtures("aws")
def test_a_users_own_check_runs_by_just_being_in_the_table(added: Add, invoke: Invoke) -> None:
    added(first_bucket)
    status, body = invoke({"account_id": ACCOUNT, "check": "first_bucket", "params": {"suffix": "?"}})
    assert (status, body["result"]) == (200, {"bucket": f"bucket-of-{ACCOUNT}?"})


@pytest.mark.usefixtures("aws")
def test_a_users_own_check_is_a_route(added: Add, http: Http) -> None:
    added(first_bucket)
    status, body = http("POST", f"/accounts/{ACCOUNT}/checks/first_bucket")
    assert (status, body["result"]) == (200, {"bucket": f"bucket-of-{ACCOUNT}!"})


@pytest.mark.usefixtures("aws")
def test_a_check_that_judges_returns_its_findings(added: Add, invoke: Invoke) -> None:
    added(wrong_buckets)
    status, body = invoke({"account_id": ACCOUNT, "check": "wrong_buckets"})
    assert (status, body["result"]) == (200, [alarm(f"bucket-of-{ACCOUNT}", "It is wrong.")])


def test_a_check_that_judges_and_could_not_look_is_an_error_and_unknown(
    aws: FakeAws, added: Add, invoke: Invoke, http: Http
) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403), always=True)
    added(wrong_buckets)
    status, body = invoke({"account_id": ACCOUNT, "check": "wrong_buckets"})
    assert (status, body["error"]["type"]) == (500, "CheckDenied")
    missing = "The action sts:AssumeRole is missing."  # as the fake's denial names it, whatever was asked
    reason = f"The check wrong_buckets (ListBuckets) in account {ACCOUNT}: denied, AccessDenied. {missing}"
    assert body["result"] == [{"resource": ACCOUNT, "verdict": "unknown", "reason": reason}]
    assert http("POST", f"/accounts/{ACCOUNT}/checks/wrong_buckets") == (403, body)


@pytest.mark.usefixtures("aws")
def test_a_sweep_counts_verdicts(added: Add, http: Http) -> None:
    added(wrong_buckets)
    status, body = http("POST", "/sweeps", {"check": "wrong_buckets", "accounts": [ACCOUNT, OTHER]})
    assert (status, body["summary"]["verdicts"]["alarm"], body["summary"]["ok"]) == (200, 2, 2)


def test_a_users_own_check_is_listed(added: Add, http: Http) -> None:
    added(first_bucket)
    assert http("GET", "/checks")[1]["checks"][-1] == {
        "name": "first_bucket",
        "description": "Name the account's first bucket, as a user's own check would.",
        "actions": ["s3:ListAllMyBuckets"],
        "scope": "regional",
        "group": None,
        "controls": {},
        "parameters": {"suffix": {"type": "str", "required": False, "default": "!"}},
    }


def test_chalice_hands_over_its_own_event_and_context(aws: FakeAws, client: Client) -> None:
    answer = client.lambda_.invoke("switch_account", {"account_id": ACCOUNT}).payload
    assert json.loads(json.dumps(answer))["statusCode"] == 200
    assert len(aws.seen) == 2
