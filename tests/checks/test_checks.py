from __future__ import annotations

import json
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import checks
from chalicelib.checks import CHECKS
from chalicelib.cross_account import Hub
from chalicelib.errors import CheckCallFailed, WrongAccount
from tests.fake_aws import FakeAws, Reply, result

ACCOUNT = "123456789012"
CREATED = datetime(2025, 1, 28, 9, 30, tzinfo=UTC)


def run(hub: Hub, name: str, **params: Any) -> Any:
    """Run a check of the table against `aws`, and take its answer through JSON as Lambda does."""
    check = CHECKS[name]
    check.validate(params)
    answer = check.run(hub.account(ACCOUNT, check.actions), params)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    return answer


def test_every_module_is_in_the_table() -> None:
    assert set(CHECKS) == {module.name for module in pkgutil.iter_modules(checks.__path__)}


@pytest.mark.parametrize("name", CHECKS)
def test_a_name_is_that_of_the_module_and_of_its_function(name: str) -> None:
    check = CHECKS[name]
    assert check.name == name
    assert check.function.__name__ == name
    assert check.function.__module__ == f"chalicelib.checks.{name}"


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_describes_itself_in_one_sentence(name: str) -> None:
    assert CHECKS[name].description.endswith(".")


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_only_reads(name: str) -> None:
    for action in CHECKS[name].actions:
        assert action.split(":")[1].startswith(("Get", "List", "Describe", "InvokeModel"))
        assert "*" not in action


def test_identity_answers_who_the_session_is(hub: Hub) -> None:
    assert run(hub, "identity") == {
        "account": ACCOUNT,
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/external-role/x",
        "user_id": "AROA:x",
    }


def test_identity_refuses_the_identity_of_another_account(hub: Hub, aws: FakeAws) -> None:
    aws.tell("GetCallerIdentity", result("GetCallerIdentity", "<Arn>a</Arn><UserId>u</UserId><Account>1</Account>"))
    with pytest.raises(WrongAccount):
        run(hub, "identity")


def test_preflight_answers_the_role_that_let_us_in(hub: Hub) -> None:
    assert run(hub, "preflight") == {"role": "external-role", "session": "x"}


def test_s3_buckets_reads_every_page(hub: Hub, aws: FakeAws) -> None:
    aws.buckets[ACCOUNT] = ["a", "b", "c"]
    answer = run(hub, "s3_buckets")
    assert (answer["count"], [bucket["name"] for bucket in answer["buckets"]]) == (3, ["a", "b", "c"])
    assert len(aws.operations("ListBuckets")) == 2


def test_s3_buckets_always_asks_for_pages(hub: Hub, aws: FakeAws) -> None:
    run(hub, "s3_buckets")
    assert aws.operations("ListBuckets")[0].query["max-buckets"] == "1000"


@pytest.mark.parametrize(("params", "sent"), [({}, None), ({"prefix": ""}, None), ({"prefix": "a/ä"}, "a/ä")])
def test_s3_buckets_sends_a_prefix_only_if_there_is_one(hub: Hub, aws: FakeAws, params: Any, sent: str | None) -> None:
    run(hub, "s3_buckets", **params)
    assert aws.operations("ListBuckets")[0].query.get("prefix") == sent


def test_s3_buckets_does_not_take_an_answer_without_buckets_for_none(hub: Hub, aws: FakeAws) -> None:
    aws.tell("ListBuckets", Reply("<ListAllMyBucketsResult></ListAllMyBucketsResult>"))
    with pytest.raises(CheckCallFailed, match="Buckets"):
        run(hub, "s3_buckets")


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([], {"count": 0, "buckets": []}),
        (
            [{"Name": "a", "CreationDate": CREATED, "BucketRegion": "eu-west-1"}],
            {
                "count": 1,
                "buckets": [{"name": "a", "created": "2025-01-28T09:30:00+00:00", "region": "eu-west-1"}],
            },
        ),
        (
            [{"Name": "old", "CreationDate": CREATED}],
            {"count": 1, "buckets": [{"name": "old", "created": "2025-01-28T09:30:00+00:00", "region": None}]},
        ),
    ],
    ids=["none", "one", "without a region"],
)
def test_s3_buckets_sums_up_what_s3_lists(buckets: Any, expected: Any) -> None:
    assert _summary("s3_buckets")(buckets) == expected


def _summary(name: str) -> Any:
    """The judge of a check. The module's name in the package is the check's, so it is found by the function."""
    return CHECKS[name].function.__globals__["summary"]


MODEL = {"modelId": "b.model", "modelName": "B", "providerName": "P", "inputModalities": ["TEXT"]}


@pytest.mark.parametrize(
    ("models", "ids"),
    [([], []), ([{"modelId": "b"}, {"modelId": "a"}], ["a", "b"])],
    ids=["none", "sorted"],
)
def test_bedrock_models_are_sorted_by_id(models: Any, ids: list[str]) -> None:
    answer = _summary("bedrock_models")(models)
    assert (answer["count"], [model["id"] for model in answer["models"]]) == (len(ids), ids)


def test_bedrock_models_say_what_bedrock_says_of_a_model() -> None:
    model = {**MODEL, "outputModalities": ["IMAGE"], "modelLifecycle": {"status": "LEGACY"}}
    assert _summary("bedrock_models")([model])["models"] == [
        {"id": "b.model", "name": "B", "provider": "P", "input": ["TEXT"], "output": ["IMAGE"], "status": "LEGACY"}
    ]


def test_bedrock_models_leave_open_what_bedrock_does_not_say() -> None:
    assert _summary("bedrock_models")([{"modelId": "x"}])["models"] == [
        {"id": "x", "name": None, "provider": None, "input": [], "output": [], "status": None}
    ]


@pytest.mark.parametrize(("params", "query"), [({}, {}), ({"provider": "Amazon"}, {"byProvider": "Amazon"})])
def test_bedrock_models_asks_for_one_provider_only_if_told(hub: Hub, aws: FakeAws, params: Any, query: Any) -> None:
    run(hub, "bedrock_models", **params)
    assert aws.operations("ListFoundationModels")[0].query == query


def test_bedrock_converse_answers_text_reason_and_usage(hub: Hub) -> None:
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


def test_bedrock_converse_sends_no_system_prompt_unless_told(hub: Hub, aws: FakeAws) -> None:
    run(hub, "bedrock_converse", model_id="m", prompt="The sky?")
    assert "system" not in json.loads(aws.operations("Converse")[0].body)


@pytest.mark.parametrize(
    ("content", "text"),
    [([], ""), ([{"text": "a"}, {"toolUse": {}}, {"text": "b"}], "ab")],
    ids=["nothing", "text around a tool"],
)
def test_bedrock_converse_joins_the_text_blocks(content: Any, text: str) -> None:
    answer = {
        "output": {"message": {"content": content}},
        "stopReason": "max_tokens",
        "usage": {"inputTokens": 1, "outputTokens": 0, "totalTokens": 1},
    }
    assert _summary("bedrock_converse")(answer) == {
        "text": text,
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 1, "output_tokens": 0, "total_tokens": 1},
    }


@pytest.mark.parametrize("missing", ["output", "usage", "stopReason"])
def test_bedrock_converse_needs_every_part_of_an_answer(missing: str) -> None:
    answer = {
        "output": {"message": {"content": []}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 0, "totalTokens": 1},
    }
    del answer[missing]
    with pytest.raises(CheckCallFailed, match=missing):
        _summary("bedrock_converse")(answer)


def test_account_summary_answers_the_alias_and_the_counts(hub: Hub) -> None:
    answer = run(hub, "account_summary")
    assert (answer["alias"], answer["users"]) == (f"alias-{ACCOUNT}", 7)


@pytest.mark.parametrize(
    ("counts", "aliases", "expected"),
    [
        ({}, [], {"alias": None, "users": 0, "root_mfa": False, "root_access_keys": 0}),
        ({"AccountMFAEnabled": 1}, ["a"], {"alias": "a", "root_mfa": True}),
        ({"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 2}, [], {"root_mfa": False, "root_access_keys": 2}),
        (
            {"MFADevices": 3, "MFADevicesInUse": 2, "Roles": 5},
            [],
            {"mfa_devices": 3, "mfa_devices_in_use": 2, "roles": 5},
        ),
    ],
    ids=["empty", "root with MFA", "root with keys", "counts"],
)
def test_account_summary_reads_iams_numbers(counts: Any, aliases: Any, expected: dict[str, Any]) -> None:
    answer = _summary("account_summary")(counts, aliases)
    assert expected.items() <= answer.items()
