"""Events that are refused before AWS is called: which field, in one short line, whatever was put into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract import CONTRACTS
from tests.fake_aws import EXTERNAL_ID, FakeAws
from tests.faults import drive
from tests.faults.cases import TARGET

MEGABYTE = 1_000_000


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": [value]}
    return value


def account(value: Any) -> dict[str, Any]:
    return {"account_id": value}


def with_target(**fields: Any) -> dict[str, Any]:
    return {"account_id": TARGET, **fields}


def converse(**params: Any) -> dict[str, Any]:
    return with_target(check="bedrock_converse", params=params)


MISSING = ("MissingAccountId", "Missing account_id")
MALFORMED = ("InvalidAccountId", "Invalid account ID format")


def invalid(*words: str) -> tuple[str, ...]:
    """An InvalidInput whose message has each of these words."""
    return ("InvalidInput", *words)


EVENTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    # no object at all
    "event-null": (None, invalid("The event must be a JSON object, not null.")),
    "event-list": ([], invalid("The event must be a JSON object, not a list.")),
    "event-list-of-events": ([account(TARGET)], invalid("event", "a list")),
    "event-string": (TARGET, invalid("The event must be a JSON object, not a string.")),
    "event-json-in-a-string": (json.dumps(account(TARGET)), invalid("event", "a string")),
    "event-empty-string": ("", invalid("event", "a string")),
    "event-megabyte-of-string": ("x" * MEGABYTE, invalid("event", "a string")),
    "event-number": (111111111111, invalid("The event must be a JSON object, not a number.")),
    "event-float": (1e300, invalid("event", "a number")),
    "event-true": (True, invalid("event", "a boolean")),
    "event-false": (False, invalid("event", "a boolean")),
    # account_id: absent
    "account-missing": ({}, MISSING),
    "account-missing-beside-a-check": ({"check": "identity"}, MISSING),
    "account-null": (account(None), MISSING),
    "account-empty": (account(""), MISSING),
    # account_id: of another type
    "account-number": (account(111111111111), MALFORMED),
    "account-zero": (account(0), MALFORMED),
    "account-float": (account(1.11111111111e11), MALFORMED),
    "account-number-of-a-thousand-digits": (account(10**1000), MALFORMED),
    "account-true": (account(True), MALFORMED),
    "account-false": (account(False), MALFORMED),
    "account-list": (account([TARGET]), MALFORMED),
    "account-empty-list": (account([]), MALFORMED),
    "account-object": (account({"id": TARGET}), MALFORMED),
    "account-deep": (account(deep(400)), MALFORMED),
    # account_id: a string of something else
    "account-11-digits": (account("1" * 11), MALFORMED),
    "account-13-digits": (account("1" * 13), MALFORMED),
    "account-letters": (account("11111111111a"), MALFORMED),
    "account-hexadecimal": (account("0x1111111111"), MALFORMED),
    "account-dashes": (account("1111-1111-1111"), MALFORMED),
    "account-underscores": (account("1111_1111_11"), MALFORMED),
    "account-decimal-point": (account("111111111.11"), MALFORMED),
    "account-exponent": (account("111111111e11"), MALFORMED),
    "account-plus": (account("+11111111111"), MALFORMED),
    "account-minus": (account("-11111111111"), MALFORMED),
    "account-unicode-minus": (account("−11111111111"), MALFORMED),
    "account-space-before": (account(" 111111111111"), MALFORMED),
    "account-space-behind": (account("111111111111 "), MALFORMED),
    "account-spaces-only": (account(" " * 12), MALFORMED),
    "account-no-break-space": (account("111111111111\u00a0"), MALFORMED),
    "account-zero-width-space": (account("111111111111\u200b"), MALFORMED),
    "account-byte-order-mark": (account("\ufeff111111111111"), MALFORMED),
    "account-newline-behind": (account("111111111111\n"), MALFORMED),
    "account-newline-before": (account("\n111111111111"), MALFORMED),
    "account-carriage-return": (account("111111111111\r\n"), MALFORMED),
    "account-line-separator": (account("111111111111\u2028"), MALFORMED),
    "account-fake-log-line": (account('x\n{"level":"ERROR","message":"fake"}'), MALFORMED),
    "account-nul": (account("111111111111\x00"), MALFORMED),
    "account-escape-sequence": (account("\x1b[31m111111111111\x1b[0m"), MALFORMED),
    "account-full-width-digits": (account("１２３４５６７８９０１２"), MALFORMED),
    "account-arabic-indic-digits": (account("١٢٣٤٥٦٧٨٩٠١٢"), MALFORMED),
    "account-devanagari-digits": (account("१२३४५६७८९०१२"), MALFORMED),
    "account-mathematical-digits": (account("𝟏" * 12), MALFORMED),
    "account-superscript-digits": (account("¹" * 12), MALFORMED),
    "account-one-full-width-digit": (account("11111111111１"), MALFORMED),
    "account-combining-mark": (account("111111111111\u0301"), MALFORMED),
    "account-right-to-left-override": (account("\u202e111111111111"), MALFORMED),
    "account-lone-surrogate": (account("11111111111\ud800"), MALFORMED),
    "account-arn": (account(f"arn:aws:iam::{TARGET}:root"), MALFORMED),
    "account-arn-injection": (account(f"{TARGET}:role/admin"), MALFORMED),
    "account-path-injection": (account("../../../etc"), MALFORMED),
    "account-two-ids": (account(f"{TARGET},222222222222"), MALFORMED),
    "account-star": (account("*"), MALFORMED),
    "account-megabyte-of-digits": (account("1" * MEGABYTE), MALFORMED),
    "account-megabyte-of-newlines": (account("\n" * MEGABYTE), MALFORMED),
    # keys that no event may have
    **{
        f"unknown-key-{key}": (with_target(**{key: EXTERNAL_ID}), invalid(f"Unknown in the event: {key!r}."))
        for key in (
            "role_arn",
            "role_name",
            "external_id",
            "endpoint_url",
            "session_policy",
            "duration_seconds",
            "bucket",
            "credentials",
            "accounts",
            "concurrency",
            "Account_Id",
            "account_id ",
            "account-id",
            "accountId",
            "__class__",
        )
    },
    "unknown-key-empty": (with_target(**{"": 1}), invalid("event", "''")),
    "unknown-key-with-a-newline": (with_target(**{"a\nb": 1}), invalid(r"Unknown in the event: 'a\nb'.")),
    "unknown-key-with-an-escape-sequence": (with_target(**{"\x1b[31m": 1}), invalid("event", r"\x1b[31m")),
    "unknown-key-lone-surrogate": (with_target(**{"\ud800": 1}), invalid("event", r"\ud800")),
    "unknown-key-cyrillic-look-alike": (with_target(**{"сheck": "identity"}), invalid("event", r"\u0441heck")),
    "unknown-key-megabyte": (with_target(**{"k" * MEGABYTE: 1}), invalid("event", "kkk...")),
    "unknown-keys-by-the-thousand": (with_target(**{f"key{n}": n for n in range(50_000)}), invalid("event", "key0")),
    "unknown-key-deep": (with_target(deep=deep(200)), invalid("event", "deep")),
    "unknown-key-beside-a-bad-account": ({"account_id": 1, "role_arn": "x"}, invalid("event", "role_arn")),
    # check
    "check-unknown": (with_target(check="nope"), ("UnknownCheck", "There is no check 'nope'.", "s3_buckets")),
    "check-empty": (with_target(check=""), ("UnknownCheck", "''")),
    "check-null": (with_target(check=None), invalid("check", "null")),
    "check-number": (with_target(check=1), invalid("check must be", "a number")),
    "check-true": (with_target(check=True), invalid("check", "a boolean")),
    "check-list": (with_target(check=["identity"]), invalid("check", "a list")),
    "check-object": (with_target(check={"name": "identity"}), invalid("check", "an object")),
    "check-in-capitals": (with_target(check="IDENTITY"), ("UnknownCheck", "IDENTITY")),
    "check-with-a-newline": (with_target(check="identity\n"), ("UnknownCheck", r"identity\n")),
    "check-with-a-module-path": (with_target(check="os.system"), ("UnknownCheck", "os.system")),
    "check-dunder": (with_target(check="__class__"), ("UnknownCheck", "__class__")),
    "check-megabyte": (with_target(check="c" * MEGABYTE), ("UnknownCheck", "ccc...")),
    "check-control-characters": (with_target(check="\x00\x07\x1b]0;x\x07"), ("UnknownCheck", r"\x00")),
    # region: it becomes part of a host name
    **{
        f"region-{name}": (with_target(region=value), invalid("region must be"))
        for name, value in {
            "empty": "",
            "word": "nowhere",
            "another-host": "us-east-1.evil.example/",
            "user-info": "us-east-1@evil.example",
            "fragment": "us-east-1#evil.example",
            "query": "us-east-1?x=evil.example",
            "port": "us-east-1:8080",
            "backslash": "us-east-1\\evil.example",
            "path": "us-east-1/../x",
            "newline": "us-east-1\n",
            "header": "us-east-1\r\nHost: evil.example",
            "nul": "us-east-1\x00",
            "space": " us-east-1",
            "capitals": "US-EAST-1",
            "full-width-digit": "us-east-１",
            "cyrillic-look-alike": "us-eаst-1",
            "percent": "us-east-1%2eevil.example",
            "availability-zone": "us-east-1a",
            "two-regions": "us-east-1,eu-west-1",
            "endpoint": "https://evil.example",
            "number": 1,
            "true": True,
            "list": ["us-east-1"],
            "object": {"region": "us-east-1"},
            "megabyte": "us-east-1" * 100_000,
            "aws-global": "aws-global",
        }.items()
    },
    # params
    "params-list": (with_target(params=[]), invalid("params must be", "a list")),
    "params-string": (with_target(params="{}"), invalid("params", "a string")),
    "params-number": (with_target(params=0), invalid("params", "a number")),
    "params-false": (with_target(params=False), invalid("params", "a boolean")),
    "params-to-a-check-without": (
        with_target(params={"x": 1}),
        invalid("The check identity takes no parameter 'x'", "none"),
    ),
    "params-unknown": (with_target(check="s3_buckets", params={"suffix": "a"}), invalid("suffix", "prefix")),
    "params-account": (with_target(check="s3_buckets", params={"account": "x"}), invalid("account")),
    "params-endpoint": (with_target(check="s3_buckets", params={"endpoint_url": "x"}), invalid("endpoint_url")),
    "params-key-with-a-newline": (with_target(check="s3_buckets", params={"a\nb": 1}), invalid(r"a\nb")),
    "params-key-megabyte": (with_target(check="s3_buckets", params={"k" * MEGABYTE: 1}), invalid("kkk...")),
    "params-null-for-a-string": (with_target(check="s3_buckets", params={"prefix": None}), invalid("prefix", "str")),
    "params-number-for-a-string": (with_target(check="s3_buckets", params={"prefix": 1}), invalid("prefix", "str")),
    "params-list-for-a-string": (with_target(check="s3_buckets", params={"prefix": ["a"]}), invalid("prefix", "str")),
    "params-deep-for-a-string": (with_target(check="s3_buckets", params={"prefix": deep(300)}), invalid("prefix")),
    "params-number-for-an-optional-string": (
        with_target(check="bedrock_models", params={"provider": 1}),
        invalid("provider", "str or null"),
    ),
    "params-all-missing": (
        with_target(check="bedrock_converse"),
        invalid("The check bedrock_converse needs the parameter", "model_id"),
    ),
    "params-null-and-so-all-missing": (with_target(check="bedrock_converse", params=None), invalid("model_id")),
    "params-one-missing": (converse(model_id="a.b"), invalid("prompt")),
    "params-boolean-for-an-integer": (
        converse(model_id="a", prompt="b", max_tokens=True),
        invalid("max_tokens", "int"),
    ),
    "params-float-for-an-integer": (converse(model_id="a", prompt="b", max_tokens=5.0), invalid("max_tokens", "int")),
    "params-string-for-an-integer": (converse(model_id="a", prompt="b", max_tokens="5"), invalid("max_tokens", "int")),
    "params-nan-for-an-integer": (
        converse(model_id="a", prompt="b", max_tokens=float("nan")),
        invalid("max_tokens", "int"),
    ),
    "params-null-for-an-integer": (converse(model_id="a", prompt="b", max_tokens=None), invalid("max_tokens", "int")),
    "params-megabyte-of-the-wrong-type": (converse(model_id=["x" * MEGABYTE], prompt="b"), invalid("model_id", "str")),
    # raise_on_error
    "raise-on-error-string": (with_target(raise_on_error="true"), invalid("raise_on_error must be", "a string")),
    "raise-on-error-number": (with_target(raise_on_error=1), invalid("raise_on_error", "a number")),
    "raise-on-error-null": (with_target(raise_on_error=None), invalid("raise_on_error", "null")),
    "raise-on-error-list": (with_target(raise_on_error=[True]), invalid("raise_on_error", "a list")),
}


def assert_refused(outcome: drive.Outcome, refusal: tuple[str, ...], aws: FakeAws) -> None:
    type_, *words = refusal
    told, message = outcome.fault, outcome.body["message"]
    assert told.keys() == {"type", "stage", "code", "hint", "request_id"}
    assert (told["type"], told["stage"], told["code"], told["request_id"]) == (type_, "input", None, None)
    assert outcome.status == CONTRACTS[type_].status_through(outcome.door)
    assert all(word in message for word in words), message
    assert message.isprintable()
    assert told["hint"].isprintable()
    assert len(outcome.text) < 5_000
    assert not aws.seen
    drive.assert_nothing_leaked(outcome.text)


@pytest.mark.parametrize("name", EVENTS)
def test_a_bad_event_is_refused(name: str, aws: FakeAws, log: drive.LogOfEverything) -> None:
    event, refusal = EVENTS[name]

    outcome = drive.direct(event)

    assert_refused(outcome, refusal, aws)
    assert outcome.body.keys() == {"message", "error"}
    drive.assert_nothing_leaked(log.text)
    assert len(log.text) < 20_000


@pytest.mark.parametrize("name", ["account-missing", "account-number", "unknown-key-role_arn", "check-unknown"])
def test_a_bad_event_is_raised_where_it_asks_for_that(name: str, aws: FakeAws) -> None:
    event, refusal = EVENTS[name]

    assert_refused(drive.raised(event), refusal, aws)


@pytest.mark.parametrize("door", drive.DOORS)
def test_an_account_that_is_not_allowed(door: str, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ACCOUNTS", "222222222222,333333333333")

    outcome = drive.ask(door, account(TARGET))

    assert_refused(outcome, ("AccountNotAllowed", f"Account {TARGET}"), aws)
    assert "ALLOWED_ACCOUNTS" in outcome.fault["hint"]
    assert "222222222222" not in outcome.text


@pytest.mark.parametrize("account_id", ["000000000000", "012345678901", "999999999999"])
def test_leading_zeros_and_the_hub_itself_are_account_ids(account_id: str, aws: FakeAws) -> None:
    drive.direct(account(account_id))

    assert aws.seen[0].form["RoleArn"] == f"arn:aws:iam::{account_id}:role/external-role"


def test_nulls_where_a_value_is_optional_are_no_fault(aws: FakeAws) -> None:
    assert drive.direct(with_target(region=None, params=None, raise_on_error=False)).status == 200


def test_an_event_is_left_as_it_came(aws: FakeAws) -> None:
    event = with_target(check="s3_buckets", params={"prefix": "a"}, region="us-east-1")
    before = json.dumps(event)

    drive.direct(event)

    assert json.dumps(event) == before
