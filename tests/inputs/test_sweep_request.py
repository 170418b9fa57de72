"""The events of `sweep` and `list_accounts`: valid as a whole, or refused in one sentence that names the field."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks import CHECKS, posture
from chalicelib.checks.check import Access, Needs, check
from chalicelib.cross_account import InvalidInput
from chalicelib.errors import UnknownCheck
from chalicelib.inputs.requests import (
    DEFAULT_CONCURRENCY,
    LISTING_KEYS,
    SWEEP_KEYS,
    ListingRequest,
    StoreRequest,
    SweepRequest,
)
from chalicelib.inputs.settings import Settings
from tests.fake_hub import ids

UNIT = "ou-ab12-34cd56ef"

WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"acounts": []}, "Unknown in the event: 'acounts'"),
    ({"role_arn": "x", "external_id": "y", "endpoint_url": "z"}, "'role_arn', 'external_id', 'endpoint_url'"),
    ({"batch_size": 10}, "Unknown in the event: 'batch_size'"),
    ({"accounts": "123456789012"}, "accounts must be a list, not a string"),
    ({"accounts": {}}, "accounts must be a list, not an object"),
    ({"accounts": None}, "accounts must be a list, not null; leave it out to sweep the whole organization"),
    ({"accounts": [], "organizational_unit": UNIT}, "but not both"),
    ({"accounts": [], "exclude": ids(1)}, "but not both"),
    ({"accounts": [], "account_tags": {"env": "prod"}}, "but not both"),
    ({"accounts": [], "tags": True}, "but not both"),
    *(
        ({"account_tags": value}, 'account_tags must be an object such as {"env": "prod"}, not ')
        for value in (None, "env=prod", ["env"], True)
    ),
    *(
        ({"account_tags": value}, "account_tags must have 1 to 50 tags")
        for value in ({}, dict.fromkeys(map(str, range(51)), ""))
    ),
    *(
        ({"account_tags": {"env": value}}, "account_tags must have a text for 'env', not ")
        for value in (None, 1, True, ["prod"], {})
    ),
    ({"account_tags": {"": "prod"}}, "account_tags has a tag without a name"),
    *(({"tags": value}, "tags must be true or false, not ") for value in (None, "true", 1, {})),
    *(
        ({"organizational_unit": value}, "organizational_unit must be the id of a unit or a root")
        for value in ("", UNIT + "\n", "ou-AB12-34cd56ef", "o-ab12345678", [UNIT])
    ),
    ({"exclude": "123456789012"}, "exclude must be a list, not a string"),
    *(
        ({"exclude": [value]}, "exclude must be a list of account ids")
        for value in ("", 123456789012, "123456789012\n", [])
    ),
    ({"regions": "eu-west-1"}, 'regions must be a list, or "all", not a string'),
    ({"regions": "ALL"}, 'regions must be a list, or "all", not a string'),
    ({"regions": ["all"]}, "region must be the name of an AWS region"),
    ({"checks": ["identity"]}, "A sweep takes check or checks, but not both"),
    ({"regions": [None]}, "regions must be names of AWS regions"),
    *(
        ({"regions": value}, "region must be the name of an AWS region")
        for value in (["eu-west-1", "evil.example.com"], [[]])
    ),
    ({"params": []}, "params must be an object, not a list"),
    ({"params": {"prefix": "a"}}, "preflight takes no parameter 'prefix'"),
    ({"check": "s3_buckets", "params": {"prefix": 7}}, "The parameter prefix of the check s3_buckets must be"),
    ({"check": "bedrock_converse"}, "needs the parameter model_id"),
    *(({"concurrency": value}, "concurrency must be a whole number from 1 to 64") for value in (0, 65, True, "8", 8.0)),
]


WRONG_EVENTS: list[tuple[Any, str]] = [
    (None, "The event must be a JSON object, not null"),
    ([], "The event must be a JSON object, not a list"),
    ("preflight", "The event must be a JSON object, not a string"),
    ({}, "A sweep needs a check"),
    ({"check": None}, "check must be a check's name, not null"),
    ({"check": 7}, "check must be a check's name, not a number"),
    ({"checks": []}, "checks must be a list of checks' names, and not be empty"),
    ({"checks": "identity"}, 'checks must be a list, or "posture", not a string'),
    ({"checks": ["identity", None]}, "check must be a check's name, not null"),
    (
        {"checks": ["identity", "s3_buckets"], "params": {"size": 1}},
        "None of these checks takes a parameter 'size'",
    ),
    ({"checks": ["identity", "s3_buckets"], "params": {"prefix": 1}}, "The parameter prefix of the check s3_buckets"),
    *(({"check": "preflight"} | fields, sentence) for fields, sentence in WRONG_FIELDS),
]


def sweep_of(**fields: Any) -> SweepRequest:
    return SweepRequest.from_event({"check": "preflight"} | fields, Settings())


def of_several(**fields: Any) -> SweepRequest:
    return SweepRequest.from_event({"checks": ["identity", "s3_buckets"]} | fields, Settings())


def refusal(request_class: type[SweepRequest] | type[ListingRequest], event: Any) -> str:
    """The message with which an event is refused; empty: it is accepted."""
    try:
        SweepRequest.from_event(event, Settings()) if request_class is SweepRequest else request_class.from_event(event)
    except InvalidInput as error:
        return error.public_message()
    return ""


def test_a_wrong_event_is_refused_with_a_sentence_that_names_the_field() -> None:
    for event, sentence in WRONG_EVENTS:
        assert sentence in refusal(SweepRequest, event), event


def test_an_unknown_check_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(UnknownCheck, match="preflight"):
        SweepRequest.from_event({"check": "nonsense"}, Settings())


def test_a_check_alone_means_the_whole_organization_in_the_functions_own_region() -> None:
    assert sweep_of() == SweepRequest(
        checks=(CHECKS["preflight"].asked({}),),
        accounts=None,
        listing=ListingRequest(None, frozenset()),
        regions=(None,),
        concurrency=DEFAULT_CONCURRENCY,
        store=None,
    )


@pytest.mark.parametrize("asked", [{"checks": "posture"}, {"check": "posture"}, {"checks": ["posture", "imds"]}])
def test_posture_means_all_checks_that_judge_in_every_enabled_region(asked: dict[str, Any]) -> None:
    request = SweepRequest.from_event(asked, Settings())
    assert [one.name for one in request.checks] == posture()
    assert (request.name, request.regions) == ("posture", "all")
    in_one = SweepRequest.from_event(asked | {"regions": ["us-east-1"]}, Settings())
    assert (in_one.name, in_one.regions) == ("posture", ("us-east-1",))


def test_posture_beside_another_check_is_both() -> None:
    request = SweepRequest.from_event({"checks": ["preflight", "posture"]}, Settings())
    assert [one.name for one in request.checks] == ["preflight", *posture()]
    assert request.name == f"preflight-and-{len(posture())}-more"


def test_an_empty_list_of_accounts_means_no_account_and_not_all_of_them() -> None:
    assert sweep_of(accounts=[]).accounts == ()


def test_an_event_with_every_field_is_read_completely() -> None:
    request = sweep_of(
        check="s3_buckets",
        organizational_unit=UNIT,
        account_tags={"env": "prod", "team": ""},
        exclude=ids(2),
        tags=True,
        regions=["us-east-1", "eu-west-1", "us-east-1"],
        params={"prefix": "logs"},
        concurrency=64,
        store=True,
        run="run-1",
        part="0",
        date="2026-01-31",
    )
    assert request == SweepRequest(
        checks=(CHECKS["s3_buckets"].asked({"prefix": "logs"}),),
        accounts=None,
        listing=ListingRequest(UNIT, frozenset(ids(2)), frozenset({("env", "prod"), ("team", "")}), tags=True),
        regions=("us-east-1", "eu-west-1"),  # in the order of the event, each once
        concurrency=64,
        store=StoreRequest("run-1", "0", "2026-01-31"),
    )


def test_null_is_the_same_as_absent() -> None:
    optional = set(SWEEP_KEYS) - {"check", "accounts", "account_tags", "tags", "store"}
    assert sweep_of(**dict.fromkeys(optional)) == sweep_of()


def test_malformed_accounts_are_left_to_the_sweep() -> None:
    accounts = ["123", 123456789012, None]
    assert sweep_of(accounts=accounts).accounts == tuple(accounts)


def test_a_sweep_asks_two_hundred_thousand_times_at_most() -> None:
    regions = ["eu-west-1", "us-east-1"]
    sweep_of(accounts=[""] * 200_000)
    sweep_of(accounts=[""] * 100_000, regions=regions)
    with pytest.raises(InvalidInput, match="100,001 accounts, each asked up to 2 times, is over 200,000"):
        sweep_of(accounts=[""] * 100_001, regions=regions)


def test_several_checks_are_asked_each_once_with_the_parameters_that_it_has() -> None:
    request = of_several(checks=["identity", "s3_buckets", "identity"], params={"prefix": "logs"})
    assert request.checks == (CHECKS["identity"].asked({}), CHECKS["s3_buckets"].asked({"prefix": "logs"}))
    assert request.name == "identity-s3_buckets"


def test_the_name_of_many_checks_is_short_enough_for_a_key() -> None:
    request = of_several()
    assert replace(request, checks=request.checks * 6).name == "identity-and-11-more"


def test_all_regions_are_those_that_each_account_has_enabled() -> None:
    assert sweep_of(regions="all").regions == "all"


def test_all_regions_count_as_many_as_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"100,000 accounts, each asked up to \d\d times"):
        sweep_of(accounts=[""] * 100_000, regions="all")


def test_a_global_check_counts_once() -> None:
    with pytest.raises(InvalidInput, match="100,001 accounts, each asked up to 3 times"):
        of_several(accounts=[""] * 100_001, regions=["eu-west-1", "us-east-1"])


def test_the_number_of_checks_counts() -> None:
    with pytest.raises(InvalidInput, match="100,001 accounts, each asked up to 2 times"):
        of_several(accounts=[""] * 100_001)


@pytest.mark.parametrize(
    ("permitted", "access", "refused"),
    [
        *(("none", access, True) for access in ("list", "read")),
        ("list", "list", False),
        ("list", "read", True),
        ("read", "read", False),
        ("none", None, False),
    ],
)
def test_the_setting_api_calls_permits_a_call_or_not(
    permitted: str, access: Access | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    @check(needs=lambda: Needs(("a:B",), access=access))
    def call(account: Any) -> None:
        """Call."""

    monkeypatch.setitem(CHECKS.entries, "call", call)
    expected = pytest.raises(InvalidInput, match="API_CALLS") if refused else nullcontext()
    with expected:
        SweepRequest.from_event({"check": "call"}, Settings(api_calls=permitted))


def test_a_region_that_does_not_exist_is_refused_by_name() -> None:
    for region in ("us-esat-1", "xx-nowhere-9"):
        with pytest.raises(InvalidInput, match=f"There is no AWS region {region}"):
            sweep_of(regions=["eu-west-1", region])


def test_not_started_of_an_answer_is_accepted_as_accounts() -> None:
    left = json.loads(json.dumps({"not_started": [*ids(2), "a number: 7"]}))["not_started"]
    assert sweep_of(accounts=left).accounts == tuple(left)


# ---- list_accounts


def test_a_listing_takes_its_own_keys() -> None:
    event = {"organizational_unit": "r-ab12", "exclude": ids(1), "batch_size": 500, "account_tags": {"env": "prod"}}
    tags, stored = frozenset({("env", "prod")}), {"store": True, "run": "nightly", "date": "2026-01-31"}
    assert ListingRequest.from_event(event | stored) == ListingRequest(
        "r-ab12", frozenset(ids(1)), tags, batch_size=500, store=StoreRequest("nightly", None, "2026-01-31")
    )


def test_a_listing_without_keys_means_every_account_with_its_name() -> None:
    assert ListingRequest.from_event({}) == ListingRequest(None, frozenset())


def test_a_batch_is_a_whole_number_of_accounts() -> None:
    for size in (0, -1, 10_001, True, "5", 5.0, []):
        message = refusal(ListingRequest, {"batch_size": size})
        assert message == "batch_size must be a whole number from 1 to 10000.", size


def test_a_listing_refuses_what_it_does_not_know() -> None:
    for event in (None, [], "x", {"check": "preflight"}, {"accounts": []}, {"store": True, "part": "0"}):
        assert refusal(ListingRequest, event), event


# ---- any event


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*ids(2), UNIT, "eu-west-1"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from([*SWEEP_KEYS, *LISTING_KEYS]) | st.text(max_size=5)


@given(ANYTHING | st.dictionaries(KEYS, ANYTHING, max_size=6).map(lambda event: {"check": "preflight"} | event))
def test_any_event_is_accepted_or_refused_in_one_sentence(event: Any) -> None:
    for request_class in (SweepRequest, ListingRequest):
        message = refusal(request_class, event)
        if message:
            assert len(message.splitlines()) == 1
            assert len(message) < 400
        else:
            assert set(event) <= {*SWEEP_KEYS, *LISTING_KEYS}


@given(
    accounts=st.lists(st.sampled_from(ids(3)) | st.integers() | st.none(), max_size=5),
    regions=st.lists(st.sampled_from(["eu-west-1", "us-gov-east-1", "ap-northeast-3"]), max_size=5),
    concurrency=st.none() | st.integers(1, 64),
    check=st.sampled_from(["preflight", "identity", "s3_buckets"]),
)
def test_any_valid_event_is_read_as_it_is(
    accounts: list[Any], regions: list[str], concurrency: int | None, check: str
) -> None:
    request = sweep_of(check=check, accounts=accounts, regions=regions, concurrency=concurrency)
    assert request.checks == (CHECKS[check].asked({}),)
    assert request.accounts == tuple(accounts)
    assert request.regions == (tuple(dict.fromkeys(regions)) or (None,))
    assert request.concurrency == (concurrency or DEFAULT_CONCURRENCY)
