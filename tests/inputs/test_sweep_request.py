from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks import CHECKS
from chalicelib.errors import InvalidInput, UnknownCheck
from chalicelib.sweep_request import DEFAULT_CONCURRENCY, LISTING_KEYS, SWEEP_KEYS, ListingRequest, SweepRequest
from tests.fake_hub import ids

UNIT = "ou-ab12-34cd56ef"

WRONG = [
    (None, "The event must be a JSON object, not null"),
    ([], "The event must be a JSON object, not a list"),
    ("preflight", "The event must be a JSON object, not a string"),
    ({}, "A sweep needs a check"),
    ({"check": None}, "check must be a check's name, not null"),
    ({"check": 7}, "check must be"),
    ({"check": "preflight", "acounts": []}, "Unknown in the event: 'acounts'"),
    ({"check": "preflight", "role_arn": "x", "external_id": "y", "endpoint_url": "z"}, "'role_arn', 'external_id'"),
    ({"check": "preflight", "batch_size": 10}, "batch_size"),
    ({"check": "preflight", "accounts": "123456789012"}, "accounts must be a list, not a string"),
    ({"check": "preflight", "accounts": {}}, "accounts must be a list, not an object"),
    ({"check": "preflight", "accounts": None}, "accounts must be a list, not null"),
    ({"check": "preflight", "accounts": [], "organizational_unit": UNIT}, "but not both"),
    ({"check": "preflight", "accounts": [], "exclude": ids(1)}, "but not both"),
    ({"check": "preflight", "organizational_unit": ""}, "organizational_unit must be"),
    ({"check": "preflight", "organizational_unit": UNIT + "\n"}, "organizational_unit must be"),
    ({"check": "preflight", "organizational_unit": "ou-AB12-34cd56ef"}, "organizational_unit must be"),
    ({"check": "preflight", "organizational_unit": "o-ab12345678"}, "organizational_unit must be"),
    ({"check": "preflight", "organizational_unit": [UNIT]}, "organizational_unit must be"),
    ({"check": "preflight", "exclude": "123456789012"}, "exclude must be a list"),
    ({"check": "preflight", "exclude": [""]}, "exclude must be"),
    ({"check": "preflight", "exclude": [123456789012]}, "exclude must be"),
    ({"check": "preflight", "exclude": ["123456789012\n"]}, "exclude must be"),
    ({"check": "preflight", "exclude": [[]]}, "exclude must be"),
    ({"check": "preflight", "regions": "eu-west-1"}, "regions must be a list"),
    ({"check": "preflight", "regions": [None]}, "regions must be names"),
    ({"check": "preflight", "regions": ["eu-west-1", "evil.example.com"]}, "region must be"),
    ({"check": "preflight", "regions": [[]]}, "region must be"),
    ({"check": "preflight", "params": []}, "params must be an object"),
    ({"check": "preflight", "params": {"prefix": "a"}}, "preflight takes no parameter 'prefix'"),
    ({"check": "s3_buckets", "params": {"prefix": 7}}, "prefix"),
    ({"check": "bedrock_converse"}, "model_id"),
    ({"check": "preflight", "concurrency": 0}, "concurrency must be a whole number from 1 to 64"),
    ({"check": "preflight", "concurrency": 65}, "concurrency must be"),
    ({"check": "preflight", "concurrency": True}, "concurrency must be"),
    ({"check": "preflight", "concurrency": "8"}, "concurrency must be"),
    ({"check": "preflight", "concurrency": 8.0}, "concurrency must be"),
]


@pytest.mark.parametrize(("event", "sentence"), WRONG, ids=lambda value: json.dumps(value)[:60])
def test_a_wrong_event_is_refused_with_a_sentence_that_names_the_field(event, sentence):
    with pytest.raises(InvalidInput) as raised:
        SweepRequest.from_event(event)
    assert sentence in raised.value.public_message()


def test_an_unknown_check_is_refused_with_those_there_are():
    with pytest.raises(UnknownCheck, match="preflight"):
        SweepRequest.from_event({"check": "nonsense"})


def test_a_check_alone_means_the_whole_organization_in_the_functions_own_region():
    request = SweepRequest.from_event({"check": "preflight"})
    assert request.check is CHECKS["preflight"]
    assert request.accounts is None
    assert request.listing == ListingRequest(None, frozenset())
    assert (request.regions, request.params, request.concurrency) == ((None,), {}, DEFAULT_CONCURRENCY)


def test_an_empty_list_of_accounts_means_none_and_not_all_of_them():
    assert SweepRequest.from_event({"check": "preflight", "accounts": []}).accounts == ()


def test_everything_asked_for_is_taken():
    request = SweepRequest.from_event(
        {
            "check": "s3_buckets",
            "organizational_unit": UNIT,
            "exclude": ids(2),
            "regions": ["us-east-1", "eu-west-1", "us-east-1"],
            "params": {"prefix": "logs"},
            "concurrency": 64,
        }
    )
    assert request.listing == ListingRequest(UNIT, frozenset(ids(2)))
    assert request.regions == ("us-east-1", "eu-west-1")  # in the order asked, each once
    assert (request.params, request.concurrency) == ({"prefix": "logs"}, 64)


def test_null_is_the_same_as_absent():
    optional = ("organizational_unit", "exclude", "regions", "params", "concurrency")
    event = {"check": "preflight"}
    assert SweepRequest.from_event(event | dict.fromkeys(optional)) == SweepRequest.from_event(event)


def test_malformed_accounts_are_left_to_the_sweep():
    accounts = ["123", 123456789012, None]
    assert SweepRequest.from_event({"check": "preflight", "accounts": accounts}).accounts == tuple(accounts)


def test_not_started_of_an_answer_is_good_for_accounts():
    left = json.loads(json.dumps({"not_started": [*ids(2), "a number: 7"]}))["not_started"]
    assert SweepRequest.from_event({"check": "preflight", "accounts": left}).accounts == tuple(left)


def test_a_listing_takes_its_own_keys():
    event = {"organizational_unit": "r-ab12", "exclude": ids(1), "batch_size": 500}
    assert ListingRequest.from_event(event) == ListingRequest("r-ab12", frozenset(ids(1)), 500)
    assert ListingRequest.from_event({}) == ListingRequest(None, frozenset())


@pytest.mark.parametrize("size", [0, -1, 10_001, True, "5", 5.0, []])
def test_a_batch_is_a_whole_number_of_accounts(size):
    with pytest.raises(InvalidInput, match="batch_size must be a whole number from 1 to 10000"):
        ListingRequest.from_event({"batch_size": size})


@pytest.mark.parametrize("event", [None, [], "x", {"check": "preflight"}, {"accounts": []}])
def test_a_listing_refuses_what_it_does_not_know(event):
    with pytest.raises(InvalidInput):
        ListingRequest.from_event(event)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*ids(2), UNIT, "eu-west-1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
keys = st.sampled_from([*SWEEP_KEYS, *LISTING_KEYS]) | st.text(max_size=5)


@given(anything | st.dictionaries(keys, anything, max_size=6).map(lambda event: {"check": "preflight"} | event))
def test_any_event_is_either_taken_or_refused_in_one_sentence(event: Any):
    for kind in (SweepRequest, ListingRequest):
        refusal = _refusal(kind, event)
        if refusal is None:
            assert set(event) <= {*SWEEP_KEYS, *LISTING_KEYS}
        else:
            assert len(refusal.splitlines()) == 1
            assert len(refusal) < 400


def _refusal(kind: Any, event: Any) -> str | None:
    try:
        kind.from_event(event)
    except InvalidInput as refused:
        return refused.public_message()
    return None


@given(
    accounts=st.lists(st.sampled_from(ids(3)) | st.integers() | st.none(), max_size=5),
    regions=st.lists(st.sampled_from(["eu-west-1", "us-gov-east-1", "ap-northeast-3"]), max_size=5),
    concurrency=st.none() | st.integers(1, 64),
    check=st.sampled_from(["preflight", "identity", "s3_buckets"]),
)
def test_any_good_event_is_taken_as_it_stands(accounts, regions, concurrency, check):
    event = {"check": check, "accounts": accounts, "regions": regions, "concurrency": concurrency}
    request = SweepRequest.from_event(event)
    assert request.accounts == tuple(accounts)
    assert request.regions == (tuple(dict.fromkeys(regions)) or (None,))
    assert request.concurrency == (concurrency or DEFAULT_CONCURRENCY)
