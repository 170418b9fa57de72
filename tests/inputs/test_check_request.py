"""The event of `switch_account`: valid as a whole, or refused in one sentence that names the field."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks import CHECKS
from chalicelib.cross_account import AccountNotAllowed, InvalidAccountId, InvalidInput, MissingAccountId
from chalicelib.errors import UnknownCheck
from chalicelib.inputs.requests import CHECK_KEYS, CheckRequest
from chalicelib.inputs.settings import Settings

SETTINGS = Settings()
ACCOUNT, OTHER = "123456789012", "210987654321"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
LIKELY = st.sampled_from([ACCOUNT, "identity", "s3_buckets", "eu-west-1", {}, {"prefix": "a"}, True, "no such"])


def request_for(**fields: Any) -> CheckRequest:
    return CheckRequest.from_event({"account_id": ACCOUNT} | fields, SETTINGS)


def refusal(event: Any, settings: Settings = SETTINGS) -> InvalidInput | None:
    """The error with which an event is refused; None: it is accepted."""
    try:
        CheckRequest.from_event(event, settings)
    except InvalidInput as error:
        return error
    return None


def refused(event: Any, settings: Settings = SETTINGS) -> InvalidInput:
    error = refusal(event, settings)
    assert error, f"accepted: {ascii(event)[:80]}"
    return error


def messages(field: str, values: list[Any]) -> dict[str, str]:
    """The message for each value of a field."""
    return {ascii(value)[:40]: refused({"account_id": ACCOUNT, field: value}).message for value in values}


def test_an_event_with_only_an_account_asks_for_the_identity() -> None:
    assert request_for() == CheckRequest(ACCOUNT, CHECKS["identity"].asked({}), None)


def test_an_event_with_every_field_is_read_completely() -> None:
    request = request_for(check="s3_buckets", region="us-gov-west-1", params={"prefix": "logs-"}, raise_on_error=True)
    assert request == CheckRequest(ACCOUNT, CHECKS["s3_buckets"].asked({"prefix": "logs-"}), "us-gov-west-1")


def test_null_means_no_region_and_no_params() -> None:
    request = request_for(region=None, params=None)
    assert (request.region, request.asked.params) == (None, {})


def test_an_event_that_is_not_an_object_is_refused_by_its_type() -> None:
    for event, shown in [(None, "null"), ([], "a list"), ("x", "a string"), (3, "a number"), (True, "a boolean")]:
        assert refused(event).message == f"The event must be a JSON object, not {shown}."


# ---- account_id


def test_an_event_without_an_account_id_is_told_so() -> None:
    types = [type(refused(event)) for event in ({}, {"account_id": None}, {"account_id": ""})]
    assert types == [MissingAccountId] * 3


NOT_IDS = [
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
]


def test_nothing_else_is_an_account_id() -> None:
    accepted = [ascii(value)[:40] for value in NOT_IDS if type(refusal({"account_id": value})) is not InvalidAccountId]
    assert accepted == []


def test_a_deeply_nested_account_id_is_refused_like_any_other() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert type(refused({"account_id": deep})) is InvalidAccountId


def test_leading_zeros_belong_to_an_account_id() -> None:
    assert request_for(account_id="012345678901").account_id == "012345678901"


def test_a_number_is_not_an_account_id_and_the_message_says_so() -> None:
    assert refused({"account_id": 123456789012}).message == "An account_id is a string of 12 digits, not a number."


@given(st.one_of(st.text(), st.from_regex(r"\d{11,13}"), st.from_regex(r"[0-9]{12}", fullmatch=True), JSON))
def test_an_account_id_is_twelve_ascii_digits_or_it_is_refused(value: Any) -> None:
    good = isinstance(value, str) and len(value) == 12 and all(character in "0123456789" for character in value)
    if good:
        assert request_for(account_id=value).account_id == value
    else:
        assert type(refused({"account_id": value})) in (MissingAccountId, InvalidAccountId)


def test_an_account_that_is_not_allowed_is_refused_with_403() -> None:
    error = refused({"account_id": ACCOUNT}, Settings(allowed_accounts=frozenset({OTHER})))
    assert (type(error), error.status) == (AccountNotAllowed, 403)
    assert "ALLOWED_ACCOUNTS" in error.hint


def test_an_allowed_account_is_accepted() -> None:
    assert refusal({"account_id": ACCOUNT}, Settings(allowed_accounts=frozenset({ACCOUNT}))) is None


# ---- keys


def test_an_unknown_key_is_refused_by_name() -> None:
    for key in ("role_arn", "external_id", "endpoint_url", "acount_id", "Account_id", ""):
        message = refused({"account_id": ACCOUNT, key: 1}).message
        assert message == f"Unknown in the event: {key!r}. It takes: account_id, check, region, params, raise_on_error."


def test_an_unknown_key_cannot_write_lines_of_its_own() -> None:
    message = refused({"x\nERROR forged": 1}).message
    assert "\n" not in message


def test_a_huge_unknown_key_is_truncated() -> None:
    assert len(refused({"k" * 1_000_000: 1}).message) < 300


def test_of_many_unknown_keys_only_a_few_are_shown() -> None:
    assert len(refused({f"key{number}": 1 for number in range(10_000)}).message) < 300


# ---- the other fields


def test_raise_on_error_is_true_or_false() -> None:
    for value, message in messages("raise_on_error", ["true", 1, 0, None, [], {}]).items():
        assert message.startswith("raise_on_error must be true or false, not "), value


def test_a_check_is_named_by_a_string() -> None:
    for value, message in messages("check", [None, 1, True, [], {}, ["identity"]]).items():
        assert message.startswith("check must be a check's name, not "), value


def test_an_unknown_check_is_refused_with_the_names_of_the_known_ones() -> None:
    for value in ("", "Identity", "os.system", "__init__", "identity\n", "../identity"):
        error = refused({"account_id": ACCOUNT, "check": value})
        assert type(error) is UnknownCheck, value
        assert "There are: identity, " in error.message, value


def test_what_is_not_the_name_of_a_region_is_refused() -> None:
    wrong = ["", "mars", "EU-WEST-1", "eu-west-1\n", "eu-west-1.evil.example", "eu-west-1/", "a-b-1", "eu_west_1"]
    for value, message in messages("region", [*wrong, 1, True, []]).items():
        assert message.startswith("region must be the name of an AWS region"), value


def test_a_region_of_every_partition_is_accepted() -> None:
    for region in ("us-east-1", "ap-southeast-5", "us-gov-east-1", "us-iso-west-1", "eusc-de-east-1"):
        assert request_for(region=region).region == region


def test_params_are_an_object() -> None:
    for value, message in messages("params", ["prefix", 1, True, ["prefix"]]).items():
        assert message.startswith("params must be an object, not "), value


def test_wrong_params_are_refused_by_name() -> None:
    for params, name in [
        ({"prefx": "a"}, "parameter 'prefx'"),
        ({"prefix": 1}, "parameter prefix"),
        ({"prefix": None}, "parameter prefix"),
        ({"account": "x"}, "parameter 'account'"),
    ]:
        assert name in refused({"account_id": ACCOUNT, "check": "s3_buckets", "params": params}).message


@given(JSON | st.dictionaries(st.sampled_from(CHECK_KEYS) | st.text(), LIKELY | JSON))
def test_any_json_gives_a_request_or_a_short_sentence(event: Any) -> None:
    error = refusal(event)
    if error is None:
        assert re.fullmatch("[0-9]{12}", event["account_id"])
        assert set(event) <= set(CHECK_KEYS)
    else:
        assert len(error.message.splitlines()) == 1
        assert len(json.dumps(error.as_dict())) < 1000


def test_posture_is_no_check_of_one_account() -> None:
    with pytest.raises(UnknownCheck, match="posture is not one check but all that judge: only a sweep asks them"):
        request_for(check="posture")
