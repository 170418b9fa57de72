"""JMESPath is parsed, and its functions looked at, before anything is sent."""

from __future__ import annotations

import re

import pytest

from chalicelib.checks.api_call import queries
from chalicelib.checks.api_call.arguments import model_of
from chalicelib.checks.api_call.operations import permitted
from chalicelib.checks.api_call.queries import check_query, search
from chalicelib.cross_account import InvalidInput
from chalicelib.errors import ResultTooLarge


@pytest.mark.parametrize(
    "query",
    [
        "Reservations[].Instances[].{id: InstanceId, type: InstanceType}",
        "sort_by(Volumes, &Size)[:3]",
        "merge(a, b, c)",
        "Things[?contains(Name, 'x') && Size > `5`].Name | [0]",
        "a" * 2_048,
    ],
)
def test_a_query_that_parses_passes(query: str) -> None:
    check_query(query, None)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "does not parse"),
        ("a[", "does not parse at character 3"),
        ("a]", "does not parse"),
        ("a" * 2_049, "the maximum is 2,048"),
        ("(" * 1_000 + "a" + ")" * 1_000, "nested too deeply"),
        ("lenght(@)", "no function 'lenght'"),
        ("a.b[?upper(c) == 'x']", "no function 'upper'"),
        ("length(@, @)", "length in query takes 1 arguments, not 2"),
        ("join(@)", "join in query takes 2 arguments, not 1"),
        ("merge()", "at least 1 arguments, not 0"),
        ("&a", "has to be a function's argument"),
        ("[&a]", "has to be a function's argument"),
    ],
)
def test_one_that_cannot_be_asked_is_a_sentence(query: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        check_query(query, None)
    assert len(str(caught.value)) < 400


INSTANCES = model_of(permitted("ec2:DescribeInstances")).output_shape


@pytest.mark.parametrize(
    "query",
    [
        "Reservations[].Instances[?State.Name == 'running'][].{id: InstanceId, az: Placement.AvailabilityZone}",
        "sort_by(Reservations[].Instances[], &LaunchTime)[-1].InstanceId",
        "length(Reservations) > `0` && Reservations[0].Instances[:2].Tags[].Key | [0]",
        "Reservations[*].Instances[*].[InstanceId, not_null(PublicIpAddress, PrivateIpAddress)]",
        "{all: Reservations, first: Reservations[0].Instances[0]} | first.InstanceId",
        "Reservations[].Groups[].*.anything",
        "Reservations[].Instances[?PublicIpAddress != null].InstanceId",
        "@",
    ],
)
def test_fields_that_the_response_may_have_pass(query: str) -> None:
    check_query(query, INSTANCES)


@pytest.mark.parametrize(
    ("query", "name", "hint"),
    [
        ("Reservation[].Instances[]", "Reservation", "There: Reservations."),
        ("Instances[]", "Instances", "There: "),
        ("Reservations[].Instances[].{id: InstanceID}", "InstanceID", "There: InstanceId, InstanceType, "),
        ("Reservations[].Instances[?state.Name == 'running']", "state", "There: State"),
        ("length(Reservations[0].Instances[].tags)", "tags", "There: "),
        ("Reservations[*].Instances[*].State.name | []", "name", "There: Name."),
    ],
)
def test_a_field_that_the_response_never_has_is_told_before_it_finds_nothing(query: str, name: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=f"The response has no '{name}' where query looks for it") as caught:
        check_query(query, INSTANCES)
    assert caught.value.hint.startswith(hint[:15])


def test_where_no_name_is_near_the_first_are_told_and_how_many_more_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_query("Reservations[].Instances[].xyz", INSTANCES)
    assert re.search(r"ElasticGpuAssociations and [0-9]+ more\.$", caught.value.hint)


def test_a_wrong_function_gets_the_nearest() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_query("lenght(@)", None)
    assert caught.value.hint == "Nearest: length."


@pytest.mark.parametrize("query", ["length(a)", "sort_by(@, &x)", "a[::0]", "sum(b)", "max(c)", "ceil(`1e999`)"])
def test_one_that_does_not_suit_the_response_is_a_sentence_of_the_check(query: str) -> None:
    with pytest.raises(InvalidInput, match="query does not suit the response") as caught:
        search(query, {"a": [1] if "::" in query else None, "b": ["x"], "c": [1, "x"]})
    assert caught.value.stage == "check"


ENDLESS = "@" + " | [@, @]" * 60
"""A few lists in memory, and 2 to the power of 60 texts."""


@pytest.mark.parametrize(
    "query",
    [
        "@" + " | join('', [@, @])" * 60,
        f"{ENDLESS} | to_string(@)",
        "[@]" + " | [@, @][]" * 60,
        f"[({ENDLESS}), ({ENDLESS})] | [0] == [1]",
        f"[({ENDLESS}), ({ENDLESS})] | [0] != [1]",
        f"contains([{ENDLESS}], ({ENDLESS}))",
    ],
    ids=["join", "to_string", "flatten", "equal", "not equal", "contains"],
)
def test_what_repeats_itself_without_end_is_too_large(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_RESULT", 100_000)
    check_query(query, None)
    with pytest.raises(ResultTooLarge):
        search(query, "x" * 1_000)
