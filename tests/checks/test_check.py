"""What makes a function a check: its docstring, actions, parameters and a result that JSON can hold."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks.check import Asked, Check, Needs, check, from_pages, require_field
from chalicelib.cross_account import InvalidInput
from chalicelib.errors import CheckCallFailed, ResultNotJson


@check(actions=["s3:ListAllMyBuckets", "s3:GetBucketPolicy"])
def example(account: Any, *, name: str, size: int = 3, tags: list[str] | None = None) -> Any:
    """Ask something.

    This belongs to the docstring and not to the description.
    """
    return {"account": account, "name": name, "size": size, "tags": tags}


def returning(result: Any) -> Check:
    @check(actions=["sts:GetCallerIdentity"])
    def returns(account: Any) -> Any:
        """Return it."""
        return result

    return returns


def refused_params(params: dict[str, Any]) -> str:
    with pytest.raises(InvalidInput) as caught:
        example.asked(params)
    return caught.value.message


def refused_result(result: Any) -> ResultNotJson:
    with pytest.raises(ResultNotJson) as caught:
        returning(result).run(None, {})
    return caught.value


def test_a_check_describes_itself() -> None:
    assert example.as_dict() == {
        "name": "example",
        "description": "Ask something.",
        "actions": ["s3:ListAllMyBuckets", "s3:GetBucketPolicy"],
        "scope": "regional",
        "group": None,
        "controls": {},
        "parameters": {
            "name": {"type": "str", "required": True},
            "size": {"type": "int", "required": False, "default": 3},
            "tags": {"type": "list of str or null", "required": False, "default": None},
        },
    }


def test_a_check_runs_with_the_account_and_its_parameters() -> None:
    assert example.run("the account", {"name": "x", "tags": ["a"]}) == {
        "account": "the account",
        "name": "x",
        "size": 3,
        "tags": ["a"],
    }


def test_what_a_check_needs_is_what_it_declares() -> None:
    params = {"name": "x"}
    assert example.asked(params) == Asked(example, params, Needs(("s3:ListAllMyBuckets", "s3:GetBucketPolicy")))


def test_parameters_can_decide_what_a_check_needs() -> None:
    @check(needs=lambda service: Needs((f"{service}:List",), "global", "read"))
    def lists(account: Any, *, service: str) -> str:
        """Ask any service."""
        return service

    asked = lists.asked({"service": "s3"})
    assert asked.needs == Needs(("s3:List",), "global", "read")
    assert asked.run(None) == "s3"  # type: ignore[arg-type]


def test_a_check_needs_a_docstring() -> None:
    def silent(account: Any) -> None: ...

    with pytest.raises(TypeError, match="silent needs a docstring"):
        check(actions=["s3:ListAllMyBuckets"])(silent)


def test_a_check_needs_actions_each_with_its_service() -> None:
    def asks(account: Any) -> None:
        """Ask."""

    def refuse(actions: Any) -> None:
        with pytest.raises(TypeError, match="asks needs its IAM actions"):
            check(actions=actions)(asks)

    for actions in ([], [""], ["ListBuckets"], ["s3:ListAllMyBuckets", "x"], "s3:ListAllMyBuckets"):
        refuse(actions)


def test_valid_parameters_are_accepted() -> None:
    example.asked({"name": "x", "size": 1, "tags": ["a"]})


def test_wrong_parameters_are_refused_by_name() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "The check example needs the parameter name."),
        ({"name": "x", "sice": 1}, "The check example takes no parameter 'sice'; it takes: name, size, tags."),
        ({"name": "x", "account": 1}, "The check example takes no parameter 'account'; it takes: name, size, tags."),
        ({"name": "x", "size": True}, "The parameter size of the check example must be int, not bool."),
        ({"name": "x", "size": "1"}, "The parameter size of the check example must be int, not str."),
        ({"name": None}, "The parameter name of the check example must be str, not NoneType."),
        ({"name": "x", "tags": [1]}, "The parameter tags of the check example must be list of str or null, not list."),
    ]
    for params, sentence in wrong:
        assert refused_params(params) == sentence


def test_a_check_without_parameters_says_that_it_takes_none() -> None:
    with pytest.raises(InvalidInput, match=r"returns takes no parameter 'x'; it takes: none\."):
        returning(1).asked({"x": 1})


def test_the_name_of_an_unknown_parameter_is_truncated_and_stays_on_one_line() -> None:
    message = refused_params({"a\nb" * 100_000: 1})
    assert len(message.splitlines()) == 1
    assert len(message) < 200


VALUES = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from(["name", "size", "tags"]) | st.text(), VALUES))
def test_any_parameters_run_or_are_refused_before_anything_is_called(params: dict[str, Any]) -> None:
    fits = (
        set(params) <= {"name", "size", "tags"}
        and type(params.get("name")) is str
        and type(params.get("size", 3)) is int
        and (params.get("tags") is None or isinstance(params["tags"], list))
    )
    try:
        example.asked(params)
    except InvalidInput:
        assert not fits
    else:
        assert fits
        assert example.run("x", params)["name"] == params["name"]


CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)
DEEP: list[Any] = []
for _ in range(200_000):
    DEEP = [DEEP]
NOT_JSON: list[tuple[Any, str]] = [
    ({"when": datetime(2025, 1, 28, tzinfo=UTC)}, "Object of type datetime"),
    ({"raw": b"bytes"}, "Object of type bytes"),
    ({"some": {1, 2}}, "Object of type set"),
    (Decimal("1.5"), "Object of type Decimal"),
    ({("a", "b"): 1}, "keys must be str"),
    ({"ratio": math.nan}, "NaN, infinity or"),
    ([math.inf], "NaN, infinity or"),
    (object(), "Object of type object"),
    (CIRCULAR, "a value that contains itself"),
    (DEEP, ": list"),
]


def test_a_result_that_json_cannot_hold_is_refused_by_its_type() -> None:
    for result, shown in NOT_JSON:
        assert shown in refused_result(result).message


def test_a_refused_result_is_not_shown() -> None:
    error = refused_result({"password": b"hidden-value"})
    assert "hidden-value" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_what_the_check_raises_is_passed_on() -> None:
    @check(actions=["sts:GetCallerIdentity"])
    def raises(account: Any) -> None:
        """Raise."""
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        raises.run(None, {})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.sets(st.integers(), min_size=1),
    max_leaves=8,
)


@given(ANYTHING)
def test_every_result_is_strict_json_or_is_refused(value: Any) -> None:
    try:
        result = returning(value).run(None, {})
    except ResultNotJson:
        with pytest.raises((TypeError, ValueError)):
            json.dumps(value, allow_nan=False)
    else:
        assert json.loads(json.dumps(result, allow_nan=False)) == value


def test_a_field_that_is_empty_is_returned() -> None:
    assert require_field({"Buckets": []}, "Buckets") == []


def test_a_field_that_is_missing_is_not_treated_as_empty() -> None:
    with pytest.raises(CheckCallFailed, match=r"^AWS's response has no Buckets\."):
        require_field({"ResponseMetadata": {}}, "Buckets")
    with pytest.raises(CheckCallFailed, match="Buckets"):
        [*from_pages([{"Buckets": []}, {"ResponseMetadata": {}}], "Buckets")]
