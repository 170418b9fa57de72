from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks import CHECKS
from chalicelib.errors import (
    AccountNotAllowed,
    CrossAccountError,
    InvalidAccountId,
    InvalidInput,
    MissingAccountId,
    UnknownCheck,
)
from chalicelib.requests import CheckRequest, valid_account_id
from chalicelib.settings import Settings

SETTINGS = Settings()
ACCOUNT = "123456789012"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["account_id", "check", "region", "params", "raise_on_error"]
LIKELY = st.sampled_from([ACCOUNT, "identity", "s3_buckets", "eu-west-1", {}, {"prefix": "a"}, True, "no such"])


def refused(event: Any, settings: Settings = SETTINGS) -> CrossAccountError:
    with pytest.raises(InvalidInput) as caught:
        CheckRequest.from_event(event, settings)
    return caught.value


def test_the_least_event_asks_for_the_identity() -> None:
    request = CheckRequest.from_event({"account_id": ACCOUNT}, SETTINGS)
    assert request == CheckRequest(ACCOUNT, CHECKS["identity"], None, {})


def test_the_fullest_event_is_taken_whole() -> None:
    event = {
        "account_id": ACCOUNT,
        "check": "s3_buckets",
        "region": "us-gov-west-1",
        "params": {"prefix": "logs-"},
        "raise_on_error": True,
    }
    assert CheckRequest.from_event(event, SETTINGS) == CheckRequest(
        ACCOUNT, CHECKS["s3_buckets"], "us-gov-west-1", {"prefix": "logs-"}
    )


def test_null_stands_for_no_region_and_no_params() -> None:
    request = CheckRequest.from_event({"account_id": ACCOUNT, "region": None, "params": None}, SETTINGS)
    assert (request.region, request.params) == (None, {})


def test_leading_zeros_belong_to_an_account_id() -> None:
    assert valid_account_id("012345678901") == "012345678901"


@pytest.mark.parametrize(
    ("event", "said"), [(None, "null"), ([], "a list"), ("x", "a string"), (3, "a number"), (True, "a boolean")]
)
def test_an_event_that_is_no_object_is_refused_by_its_type(event: Any, said: str) -> None:
    assert refused(event).message == f"The event must be a JSON object, not {said}."


@pytest.mark.parametrize("event", [{}, {"account_id": None}, {"account_id": ""}])
def test_no_account_id_is_missing(event: Any) -> None:
    assert type(refused(event)) is MissingAccountId


@pytest.mark.parametrize(
    "value",
    [
        123456789012,
        12345678901.0,
        0,
        False,
        True,
        [],
        {},
        [ACCOUNT],
        "12345678901",
        "1234567890123",
        " 123456789012",
        "123456789012 ",
        "123456789012\n",
        "1234 5678 9012",
        "1234-5678-9012",
        "１２３４５６７８９０１２",
        "١٢٣٤٥٦٧٨٩٠١٢",
        "²²²²²²²²²²²²",
        "12345678901x",
        "123456\x00789012",
        "*",
        "arn:aws:iam::123456789012:role/external-role",
        "9" * 5_000_000,
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_nothing_else_is_an_account_id(value: Any) -> None:
    assert type(refused({"account_id": value})) is InvalidAccountId


def test_a_number_is_no_account_id_and_is_told_so() -> None:
    assert refused({"account_id": 123456789012}).message == "An account_id is a string of 12 digits, not a number."


@given(st.one_of(st.text(), st.from_regex(r"\d{11,13}"), st.from_regex(r"[0-9]{12}", fullmatch=True), JSON))
def test_an_account_id_is_twelve_ascii_digits_or_it_is_refused(value: Any) -> None:
    good = isinstance(value, str) and len(value) == 12 and all(character in "0123456789" for character in value)
    try:
        taken = valid_account_id(value)
    except InvalidInput:
        taken = None
    assert taken == (value if good else None)


@pytest.mark.parametrize("key", ["role_arn", "external_id", "endpoint_url", "acount_id", "Account_id", ""])
def test_an_unknown_key_is_refused_by_name(key: str) -> None:
    assert f"Unknown in the event: {key!r}. It takes: account_id, " in refused({"account_id": ACCOUNT, key: 1}).message


def test_an_unknown_key_cannot_write_lines_of_its_own() -> None:
    message = refused({"x\nERROR forged": 1}).message
    assert "\n" not in message


def test_a_huge_unknown_key_is_cut() -> None:
    assert len(refused({"k" * 1_000_000: 1}).message) < 300


def test_many_unknown_keys_are_cut() -> None:
    assert len(refused({f"key{number}": 1 for number in range(10_000)}).message) < 300


@pytest.mark.parametrize("value", ["true", 1, 0, None, [], {}])
def test_raise_on_error_is_true_or_false(value: Any) -> None:
    assert refused({"account_id": ACCOUNT, "raise_on_error": value}).message.startswith("raise_on_error must be")


@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["identity"]])
def test_a_check_is_named_by_a_string(value: Any) -> None:
    assert refused({"account_id": ACCOUNT, "check": value}).message.startswith("check must be a check's name")


@pytest.mark.parametrize("value", ["", "Identity", "os.system", "__init__", "identity\n", "../identity"])
def test_an_unknown_check_is_answered_with_those_there_are(value: str) -> None:
    error = refused({"account_id": ACCOUNT, "check": value})
    assert type(error) is UnknownCheck
    assert "There are: identity, " in error.message


@pytest.mark.parametrize(
    "value",
    ["", "mars", 1, True, [], "EU-WEST-1", "eu-west-1\n", "eu-west-1.evil.example", "eu-west-1/", "a-b-1", "eu_west_1"],
)
def test_what_is_no_regions_name_is_refused(value: Any) -> None:
    assert refused({"account_id": ACCOUNT, "region": value}).message.startswith("region must be the name of an AWS")


@pytest.mark.parametrize("value", ["us-east-1", "ap-southeast-5", "us-gov-east-1", "us-iso-west-1", "eusc-de-east-1"])
def test_a_region_of_every_partition_is_taken(value: str) -> None:
    assert CheckRequest.from_event({"account_id": ACCOUNT, "region": value}, SETTINGS).region == value


@pytest.mark.parametrize("value", ["prefix", 1, True, ["prefix"]])
def test_params_are_an_object(value: Any) -> None:
    assert refused({"account_id": ACCOUNT, "params": value}).message.startswith("params must be an object")


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"prefx": "a"}, "'prefx'"),
        ({"prefix": 1}, "prefix"),
        ({"prefix": None}, "prefix"),
        ({"account": "x"}, "account"),
    ],
)
def test_wrong_params_are_refused_by_name(params: Any, named: str) -> None:
    error = refused({"account_id": ACCOUNT, "check": "s3_buckets", "params": params})
    assert named in error.message


def test_an_account_that_is_not_listed_is_refused_with_403() -> None:
    error = refused({"account_id": ACCOUNT}, Settings(allowed_accounts=frozenset({"210987654321"})))
    assert type(error) is AccountNotAllowed
    assert "ALLOWED_ACCOUNTS" in error.hint


def test_an_account_that_is_listed_is_taken() -> None:
    settings = Settings(allowed_accounts=frozenset({ACCOUNT}))
    assert CheckRequest.from_event({"account_id": ACCOUNT}, settings).account_id == ACCOUNT


def test_a_deeply_nested_event_is_refused_like_any_other() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert type(refused({"account_id": deep})) is InvalidAccountId


@given(JSON | st.dictionaries(st.sampled_from(FIELDS) | st.text(), LIKELY | JSON))
def test_any_json_gives_a_request_or_a_short_sentence(event: Any) -> None:
    refusal = None
    try:
        request = CheckRequest.from_event(event, SETTINGS)
    except InvalidInput as error:
        refusal = error
    if refusal is None:
        assert re.fullmatch("[0-9]{12}", request.account_id)
        assert set(event) <= set(FIELDS)
    else:
        assert len(refusal.message.splitlines()) == 1
        assert len(json.dumps(refusal.as_dict())) < 1000
