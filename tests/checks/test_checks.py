"""The table of checks, and what each check that ships with the app sends and returns."""

from __future__ import annotations

import json
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import checks
from chalicelib.checks import CHECKS, posture
from chalicelib.cross_account import Hub, WrongAccount
from chalicelib.errors import CheckCallFailed
from chalicelib.sweeps.ask import Question
from tests.fake_aws import KNOWN_CHECKS as SHIPPED
from tests.fake_aws import FakeAws, Reply, result

ACCOUNT = "123456789012"
CREATED = datetime(2025, 1, 28, 9, 30, tzinfo=UTC)
NOT_CHECKS = {
    "aws_errors",
    "check",
    "credential_report",
    "exceptions",
    "finding",
    "organization",
    "parameters",
    "policy_document",
    "role_actions",
}


def run(hub: Hub, name: str, **params: Any) -> Any:
    """Run a check of the table against `aws`, and pass its result through JSON as Lambda does."""
    asked = CHECKS[name].asked(params)
    returned = asked.run(hub.account(ACCOUNT, asked.needs.actions))
    assert json.loads(json.dumps(returned, allow_nan=False)) == returned
    return returned


def summary_of(name: str) -> Any:
    """The function that reads AWS's response. A check has its module's name, so it is found by the check's function."""
    return CHECKS[name].function.__globals__["summary"]


# ---- the table: also of the checks that a user adds


def test_every_check_beside_the_table_is_in_it() -> None:
    modules = {module.name for module in pkgutil.iter_modules(checks.__path__)}
    assert set(CHECKS) == modules - NOT_CHECKS, "a check is a file in chalicelib/checks and a line in its __init__.py"


def test_a_check_has_the_name_of_its_module_and_of_its_function() -> None:
    for name, check in CHECKS.items():
        function = check.function
        assert (check.name, function.__name__) == (name, name)
        assert function.__module__ == f"chalicelib.checks.{name}"


# ---- the checks that ship


def test_a_shipped_check_describes_itself_in_one_sentence() -> None:
    for name in (*SHIPPED, *posture()):
        assert CHECKS[name].description.endswith("."), name


def test_a_shipped_check_only_reads() -> None:
    """But for bedrock_converse. GenerateCredentialReport has AWS make a report of what there is."""
    reads = ("Get", "List", "Describe", "InvokeModel", "GenerateCredentialReport")
    for name in (*SHIPPED, *posture()):
        for action in CHECKS[name].actions:
            assert action.split(":")[1].startswith(reads), f"{name}: {action}"
            assert "*" not in action, f"{name}: {action}"


def test_the_checks_that_judge_have_no_parameters_so_that_posture_needs_none() -> None:
    assert [name for name in posture() if CHECKS[name].parameters] == []


def test_the_actions_of_all_checks_that_judge_fit_one_session_policy() -> None:
    checks = [CHECKS[name].asked({}) for name in posture()]
    question = Question(None, "posture", tuple(checks), "all", "request-1")  # type: ignore[arg-type]
    assert len(set(question.sessions.values())) == 1


def test_identity_returns_who_the_session_is(hub: Hub) -> None:
    assert run(hub, "identity") == {
        "account": ACCOUNT,
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/external-role/x",
        "user_id": "AROA:x",
    }


def test_identity_refuses_the_identity_of_another_account(hub: Hub, aws: FakeAws) -> None:
    aws.tell("GetCallerIdentity", result("GetCallerIdentity", "<Arn>a</Arn><UserId>u</UserId><Account>1</Account>"))
    with pytest.raises(WrongAccount):
        run(hub, "identity")


def test_preflight_returns_the_assumed_role(hub: Hub) -> None:
    assert run(hub, "preflight") == {"role": "external-role", "session": "x"}


def test_s3_buckets_reads_every_page(hub: Hub, aws: FakeAws) -> None:
    aws.buckets[ACCOUNT] = ["a", "b", "c"]
    returned = run(hub, "s3_buckets")
    assert (returned["count"], [bucket["name"] for bucket in returned["buckets"]]) == (3, ["a", "b", "c"])
    assert len(aws.operations("ListBuckets")) == 2


def test_s3_buckets_always_asks_for_pages(hub: Hub, aws: FakeAws) -> None:
    run(hub, "s3_buckets")
    assert aws.operations("ListBuckets")[0].query["max-buckets"] == "1000"


def test_s3_buckets_sends_a_prefix_only_if_there_is_one(hub: Hub, aws: FakeAws) -> None:
    for params in ({}, {"prefix": ""}, {"prefix": "a/ä"}):
        run(hub, "s3_buckets", **params)
    assert [request.query.get("prefix") for request in aws.operations("ListBuckets")] == [None, None, "a/ä"]


def test_s3_buckets_does_not_treat_a_response_without_buckets_as_empty(hub: Hub, aws: FakeAws) -> None:
    aws.tell("ListBuckets", Reply("<ListAllMyBucketsResult></ListAllMyBucketsResult>"))
    with pytest.raises(CheckCallFailed, match="Buckets"):
        run(hub, "s3_buckets")


def test_s3_buckets_sums_up_what_s3_lists() -> None:
    date = "2025-01-28T09:30:00+00:00"
    assert summary_of("s3_buckets")(
        [
            {"Name": "a", "CreationDate": CREATED, "BucketRegion": "eu-west-1"},
            {"Name": "without-a-region", "CreationDate": CREATED},
        ]
    ) == {
        "count": 2,
        "buckets": [
            {"name": "a", "created": date, "region": "eu-west-1"},
            {"name": "without-a-region", "created": date, "region": None},
        ],
    }


MODEL = {"modelId": "b.model", "modelName": "B", "providerName": "P", "inputModalities": ["TEXT"]}


def test_without_buckets_or_models_the_count_is_zero() -> None:
    assert summary_of("s3_buckets")([]) == {"count": 0, "buckets": []}
    assert summary_of("bedrock_models")([]) == {"count": 0, "models": []}


def test_bedrock_models_are_sorted_by_id() -> None:
    returned = summary_of("bedrock_models")([{"modelId": "b"}, {"modelId": "a"}])
    assert (returned["count"], [model["id"] for model in returned["models"]]) == (2, ["a", "b"])


def test_bedrock_models_describes_a_model_as_bedrock_does() -> None:
    model = {**MODEL, "outputModalities": ["IMAGE"], "modelLifecycle": {"status": "LEGACY"}}
    assert summary_of("bedrock_models")([model])["models"] == [
        {"id": "b.model", "name": "B", "provider": "P", "input": ["TEXT"], "output": ["IMAGE"], "status": "LEGACY"}
    ]


def test_bedrock_models_returns_null_for_what_bedrock_leaves_out() -> None:
    assert summary_of("bedrock_models")([{"modelId": "x"}])["models"] == [
        {"id": "x", "name": None, "provider": None, "input": [], "output": [], "status": None}
    ]


def test_bedrock_models_asks_for_one_provider_only_if_it_is_named(hub: Hub, aws: FakeAws) -> None:
    for params in ({}, {"provider": "Amazon"}):
        run(hub, "bedrock_models", **params)
    assert [request.query for request in aws.operations("ListFoundationModels")] == [{}, {"byProvider": "Amazon"}]


def test_bedrock_converse_returns_text_reason_and_usage(hub: Hub) -> None:
    assert run(hub, "bedrock_converse", model_id="m", prompt="The sky?") == {
        "text": "Blue.",
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    }


def test_bedrock_converse_sends_the_prompt_and_the_limit(hub: Hub, aws: FakeAws) -> None:
    run(hub, "bedrock_converse", model_id="a.model-v1:0", prompt="The sky?", max_tokens=9, system="Be brief.")
    request = aws.operations("Converse")[0]
    assert request.path == "/model/a.model-v1:0/converse"
    assert json.loads(request.body) == {
        "messages": [{"role": "user", "content": [{"text": "The sky?"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 9},
    }


def test_bedrock_converse_sends_a_system_prompt_only_if_there_is_one(hub: Hub, aws: FakeAws) -> None:
    run(hub, "bedrock_converse", model_id="m", prompt="The sky?")
    assert "system" not in json.loads(aws.operations("Converse")[0].body)


def converse_response(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "output": {"message": {"content": list(blocks)}},
        "stopReason": "max_tokens",
        "usage": {"inputTokens": 1, "outputTokens": 0, "totalTokens": 1},
    }


def test_bedrock_converse_joins_the_text_blocks() -> None:
    response = converse_response({"text": "a"}, {"toolUse": {}}, {"text": "b"})
    assert summary_of("bedrock_converse")(response) == {
        "text": "ab",
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 1, "output_tokens": 0, "total_tokens": 1},
    }


def test_bedrock_converse_returns_an_empty_text_if_there_are_no_blocks() -> None:
    assert summary_of("bedrock_converse")(converse_response())["text"] == ""


@pytest.mark.parametrize("missing", ["output", "usage", "stopReason"])
def test_bedrock_converse_needs_every_part_of_a_response(missing: str) -> None:
    response = converse_response()
    del response[missing]
    with pytest.raises(CheckCallFailed, match=missing):
        summary_of("bedrock_converse")(response)


def test_account_summary_returns_the_alias_and_the_counts(hub: Hub) -> None:
    returned = run(hub, "account_summary")
    assert (returned["alias"], returned["users"]) == (f"alias-{ACCOUNT}", 7)


@pytest.mark.parametrize(
    ("counts", "aliases", "expected"),
    [
        ({}, [], {"alias": None, "users": 0, "root_mfa": False, "root_access_keys": 0}),
        ({"AccountMFAEnabled": 1}, ["a"], {"alias": "a", "root_mfa": True}),
        ({"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 2}, [], {"root_mfa": False, "root_access_keys": 2}),
        (
            {"MFADevices": 3, "MFADevicesInUse": 2, "Roles": 5, "Groups": 4},
            [],
            {"mfa_devices": 3, "mfa_devices_in_use": 2, "roles": 5, "groups": 4},
        ),
    ],
    ids=["empty", "root with MFA", "root with keys", "counts"],
)
def test_account_summary_reads_iams_numbers(counts: Any, aliases: Any, expected: dict[str, Any]) -> None:
    assert expected.items() <= summary_of("account_summary")(counts, aliases).items()
