"""Outcomes as rows: which results are how many rows, and that no column covers another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import CheckDenied
from chalicelib.outputs.rows import BASE, items_of, not_started, own_columns, rows_of
from chalicelib.sweeps.outcome import Outcome, Target

WHO = {"account": "123456789012", "name": "production", "unit": "Workloads/Prod", "region": "eu-west-1", "check": "x"}


def outcome(result: Any = None, **more: Any) -> Outcome:
    return Outcome("123456789012", "production", "Workloads/Prod", "eu-west-1", "x", 41, result, **more)


def test_a_row_begins_with_who_and_where() -> None:
    (row,) = rows_of(outcome({"users": 3, "root_mfa": True}))
    assert list(row) == [*BASE, "users", "root_mfa"]
    assert row == {**WHO, "users": 3, "root_mfa": True}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 2}]),
        ([{"id": 1}, {"other": 2}], [{"id": 1}, {"other": 2}]),
        (["a", 1, None, [2]], [{"result": "a"}, {"result": 1}, {"result": None}, {"result": [2]}]),
        ([], []),
        ({"count": 2, "buckets": [{"id": 1}, {"id": 2}]}, [{"id": 1}, {"id": 2}]),
        ({"count": 0, "buckets": []}, []),
        ({"Volumes": [{"id": 1}]}, [{"id": 1}]),
        ({"Volumes": []}, []),
        ({"Names": ["a", "b"]}, [{"Names": ["a", "b"]}]),
        ({"count": 1, "one": [{"id": 1}], "two": []}, [{"count": 1, "one": [{"id": 1}], "two": []}]),
        ({"count": {"id": 1}, "one": [{"id": 1}]}, [{"count": {"id": 1}, "one": [{"id": 1}]}]),
        ({"count": 1}, [{"count": 1}]),
        ({"count": [{"id": 1}]}, [{"id": 1}]),
        ({"users": 3}, [{"users": 3}]),
        ({}, []),
        ("text", [{"result": "text"}]),
        (None, []),
    ],
)
def test_a_list_is_a_row_for_each_item_and_anything_else_is_one(result: Any, expected: list[dict[str, Any]]) -> None:
    assert list(rows_of(outcome(result))) == [{**WHO, **own} for own in expected]


@pytest.mark.parametrize(
    ("item", "columns"),
    [
        ({"name": 1, "region": 2, "id": 3}, {"result_name": 1, "result_region": 2, "id": 3}),
        ({"tags": 1, "error": 2}, {"result_tags": 1, "result_error": 2}),
        ({"name": 1, "result_name": 2}, {"result_result_name": 1, "result_name": 2}),
        ({1: "a", "1": "b"}, {"result_1": "a", "1": "b"}),
        ({"Name": 1, "more": 2}, {"Name": 1, "more": 2}),
    ],
)
def test_a_column_whose_name_is_taken_gets_a_prefix(item: dict[Any, Any], columns: dict[str, Any]) -> None:
    assert own_columns(item) == columns


KEYS = st.sampled_from([*BASE, "tags", "error", "result", "result_name", "id", 1]) | st.text(max_size=3)


@given(st.lists(st.dictionaries(KEYS, st.integers())))
def test_nothing_is_lost_and_nothing_is_overwritten(result: list[dict[Any, int]]) -> None:
    rows = list(rows_of(outcome(result, tags={})))
    assert [{name: row[name] for name in BASE} for row in rows] == [WHO] * len(result)
    assert [list(row.values())[len(BASE) + 1 :] for row in rows] == [list(item.values()) for item in result]


def test_tags_follow_the_check_if_they_were_asked_for() -> None:
    (row,) = rows_of(outcome({"id": 1}, tags={"env": "prod"}))
    assert list(row) == [*BASE, "tags", "id"]
    assert row["tags"] == {"env": "prod"}


def test_a_failure_is_a_row_with_its_error() -> None:
    error = CheckDenied("denied", hint="do", code="AccessDenied", request_id="id")
    assert list(rows_of(outcome(error=error))) == [{**WHO, "error": error.as_dict()}]


def test_an_account_that_was_not_started_is_a_row_with_an_error_of_the_same_form() -> None:
    row = not_started(Target("123456789012", "production", "Workloads/Prod"), "x")
    assert {name: row[name] for name in BASE} == {**WHO, "region": None}
    assert row["error"]["type"] == "NotStarted"
    assert row["error"].keys() == CheckDenied("denied").as_dict().keys()


def test_a_name_that_is_no_account_id_is_shortened() -> None:
    (row,) = rows_of(Outcome("x" * 100, None, None, None, "x", 0, [1]))
    assert row["account"] == "x" * 64


def test_the_items_of_a_list_are_not_copied() -> None:
    buckets = [{"id": 1}]
    assert items_of({"count": 1, "buckets": buckets}) is items_of(buckets) is buckets
