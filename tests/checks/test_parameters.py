"""A check's signature as the schema of its parameters."""

from __future__ import annotations

from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks.parameters import parameters_of


def example(
    account: Any,
    *,
    text: str,
    number: int,
    ratio: float,
    yes: bool,
    names: list[str],
    either: str | None,
    old: Optional[int],  # noqa: UP045 - this spelling must work as well
    sizes: list[int | None],
    kind: Literal["a", 1],
    extra: dict,  # type: ignore[type-arg]
) -> None: ...


PARAMETERS = parameters_of(example)
GOOD = {
    "text": ["", "x"],
    "number": [0, -1, 10**30],
    "ratio": [0, 1, 0.5],
    "yes": [True, False],
    "names": [[], ["a", "b"]],
    "either": ["a", None],
    "old": [1, None],
    "sizes": [[], [1, None]],
    "kind": ["a", 1],
    "extra": [{}, {"a": [1]}],
}
BAD = {
    "text": [1, None, ["x"], True],
    "number": ["1", 1.0, True, None],
    "ratio": ["1", True, None],
    "yes": [1, 0, "true", None],
    "names": ["a", [1], [None], {"a": 1}, [["a"]]],
    "either": [1, ["a"]],
    "old": ["1", 1.0, True],
    "sizes": [["1"], [True], 1],
    "kind": ["b", True, 1.0, None, ["a"]],
    "extra": [[], "x", None],
}
NAMES = {
    "text": "str",
    "number": "int",
    "ratio": "float",
    "yes": "bool",
    "names": "list of str",
    "either": "str or null",
    "old": "int or null",
    "sizes": "list of int or null",
    "kind": "one of 'a', 1",
    "extra": "dict",
}


def test_every_argument_but_the_first_is_a_parameter() -> None:
    assert list(PARAMETERS) == list(NAMES)


def test_every_parameter_has_values_of_its_type_and_of_others() -> None:
    assert list(GOOD) == list(BAD) == list(NAMES)


def test_a_value_of_the_type_is_accepted() -> None:
    refused = [(name, value) for name in GOOD for value in GOOD[name] if not PARAMETERS[name].takes(value)]
    assert refused == []


def test_a_value_of_another_type_is_not_accepted() -> None:
    accepted = [(name, value) for name in BAD for value in BAD[name] if PARAMETERS[name].takes(value)]
    assert accepted == []


def test_a_type_is_named_as_its_author_wrote_it() -> None:
    assert {name: parameter.type_name for name, parameter in PARAMETERS.items()} == NAMES


def test_without_a_default_it_is_required() -> None:
    assert PARAMETERS["text"].as_dict() == {"type": "str", "required": True}


def test_with_a_default_it_is_not_required() -> None:
    for default in ("x", "", None):

        def function(account: Any, *, name: str | None = default) -> None: ...

        described = parameters_of(function)["name"].as_dict()
        assert described == {"type": "str or null", "required": False, "default": default}


def positional(account: Any, name: str) -> None: ...
def untyped(account: Any, *, name) -> None: ...  # type: ignore[no-untyped-def]
def open_ended(account: Any, **names: str) -> None: ...
def variadic(account: Any, *names: str) -> None: ...
def any_type(account: Any, *, name: Any) -> None: ...
def bytes_type(account: Any, *, name: bytes) -> None: ...
def bare_list(account: Any, *, name: list) -> None: ...  # type: ignore[type-arg]
def a_set(account: Any, *, name: set[str]) -> None: ...
def nested(account: Any, *, name: list[bytes]) -> None: ...
def no_arguments() -> None: ...
def no_account(*, name: str) -> None: ...


WRONG = {
    "must be keyword-only": [positional, untyped, open_ended, variadic],
    "A check's parameter cannot be": [any_type, bytes_type, bare_list, a_set, nested],
    "the first argument must be the account": [no_arguments, no_account],
}


def refused(function: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        parameters_of(function)


def test_a_signature_that_no_event_can_be_checked_against_is_a_type_error() -> None:
    for reason, functions in WRONG.items():
        for function in functions:
            refused(function, reason)


SIMPLE = {str: st.text(), int: st.integers(), bool: st.booleans(), float: st.floats(), dict: st.just({})}


@given(st.sampled_from(list(SIMPLE)), st.sampled_from(list(SIMPLE)), st.data())
def test_a_type_accepts_its_own_values_and_those_of_no_other_type(wanted: type, given_type: type, data: Any) -> None:
    def function(account: Any, *, value: str) -> None: ...

    function.__annotations__["value"] = wanted
    value = data.draw(SIMPLE[given_type])
    takes = wanted is given_type or (wanted is float and given_type is int)
    assert parameters_of(function)["value"].takes(value) is takes


@given(st.lists(st.one_of(st.text(), st.integers())))
def test_a_list_is_accepted_only_if_each_of_its_items_is(items: list[Any]) -> None:
    assert PARAMETERS["names"].takes(items) is all(isinstance(item, str) for item in items)
