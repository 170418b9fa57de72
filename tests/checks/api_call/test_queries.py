"""JMESPath is parsed, and its functions looked at, before anything is sent."""

from __future__ import annotations

import pytest

from chalicelib.checks.api_call.queries import check_query, search
from chalicelib.cross_account import InvalidInput


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
    check_query(query)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "does not parse"),
        ("a[", "does not parse at character 3"),
        ("a]", "does not parse"),
        ("a" * 2_049, "2,048 characters"),
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
        check_query(query)
    assert len(str(caught.value)) < 400


def test_a_wrong_function_gets_the_nearest() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_query("lenght(@)")
    assert caught.value.hint == "Nearest: length."


@pytest.mark.parametrize("query", ["length(a)", "sort_by(@, &x)", "a[::0]", "sum(b)", "max(c)"])
def test_one_that_does_not_suit_the_response_is_a_sentence_of_the_check(query: str) -> None:
    with pytest.raises(InvalidInput, match="query does not suit the response") as caught:
        search(query, {"a": [1] if "::" in query else None, "b": ["x"], "c": [1, "x"]})
    assert caught.value.stage == "check"
