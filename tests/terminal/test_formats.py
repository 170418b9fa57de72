"""JSON lines and CSV, written as the accounts are done: whole, safe to open, and never held in memory."""

from __future__ import annotations

import csv
import gc
import io
import json
import re
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks.finding import VERDICTS
from chalicelib.errors import CheckDenied, RegionOff
from chalicelib.outputs.rows import BASE, rows_of
from chalicelib.pages.contents import contents_of
from chalicelib.sweeps.outcome import Answer, Outcome, Target
from terminal.formats import Csv, JsonLines, judged_csv
from tests.pages.reports import posture

Format = Callable[..., JsonLines | Csv]
FORMATS = pytest.mark.parametrize("format", [JsonLines, Csv])
WHO = ("123456789012", "production", None, "eu-west-1", "x")
WHO_CELLS = '"123456789012","production",,"eu-west-1","x"'
DENIED = CheckDenied("denied", hint="do", code="AccessDenied")


def ok(result: Any, **more: Any) -> Outcome:
    return Outcome(*WHO, 41, result, **more)


def failed(error: Any = DENIED) -> Outcome:
    return Outcome(*WHO, 41, error=error)


def answer(*not_started: str) -> Answer:
    return Answer("x", (), [Target(account) for account in not_started])


def written(format: Format, *accounts: list[Outcome], not_started: tuple[str, ...] = ()) -> str:
    made = format(("x", "y"))
    return "".join(map(made.receive, accounts)) + made.finish(answer(*not_started))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


# ---- JSON lines


def test_each_row_is_an_object_on_a_line_of_its_own() -> None:
    outcomes = [ok([{"id": 1}, {"id": "Zürich\n\u2028\x1b[31m\ud800"}]), failed()]
    text = written(JsonLines, outcomes)
    assert [json.loads(line) for line in text.splitlines()] == [
        {"error": None, **row} for one in outcomes for row in rows_of(one)
    ]
    assert text.endswith("}\n")
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)


def test_what_was_not_started_is_a_line_with_that_error_for_each_check() -> None:
    lines = written(JsonLines, [ok([])], not_started=("210987654321",)).splitlines()
    assert [(row["account"], row["check"], row["error"]["type"]) for row in map(json.loads, lines)] == [
        ("210987654321", check, "NotStarted") for check in ("x", "y")
    ]


def test_of_a_check_that_judges_what_was_not_started_and_what_failed_is_unknown() -> None:
    text = JsonLines(("open_security_groups",)).finish(answer("210987654321"))
    failure = Outcome(*WHO, 41, error=DENIED, verdicts={"unknown": 1})
    rows = [json.loads(line) for line in (JsonLines().receive([failure]) + text).splitlines()]
    assert [(row["resource"], row["verdict"], row["reason"], row["error"]["type"]) for row in rows] == [
        ("123456789012", "unknown", "denied", "CheckDenied"),
        ("210987654321", "unknown", "There was no time left for it.", "NotStarted"),
    ]


# ---- CSV


def test_text_is_quoted_and_what_is_no_text_is_not() -> None:
    item = {"a": "x", "b": -1.5, "c": True, "d": None, "e": {"k": ["ü", 'q"']}, "f": "", "g": 'say "no", or\r\nnot'}
    text = written(Csv, [ok([item])])
    assert text == (
        '"account","name","unit","region","check","a","b","c","d","e","f","g","error","more"\r\n'
        + WHO_CELLS
        + ',"x",-1.5,true,,"{""k"":[""ü"",""q\\""""]}","","say ""no"", or\r\nnot",,\r\n'
    )


def test_the_columns_are_those_of_the_first_account_that_answers_with_rows() -> None:
    text = written(Csv, [failed()], [ok([])], [ok([{"a": 1}, {"b": 2}]), failed()], [ok([{"a": 3, "c": "4"}])])
    assert text.splitlines() == [
        '"account","name","unit","region","check","a","b","error","more"',
        f'{WHO_CELLS},,,"CheckDenied AccessDenied",',
        f"{WHO_CELLS},1,,,",
        f"{WHO_CELLS},,2,,",
        f'{WHO_CELLS},,,"CheckDenied AccessDenied",',
        f'{WHO_CELLS},3,,,"{{""c"":""4""}}"',
    ]


def test_an_own_column_called_more_is_in_more() -> None:
    (row,) = read(written(Csv, [ok([{"more": 1, "a": 2}])]))
    assert (row["a"], row["more"]) == ("2", '{"more":1}')


@pytest.mark.parametrize(
    ("accounts", "not_started", "errors"),
    [
        ([], (), []),
        ([[ok([])]], (), []),
        ([[failed(RegionOff("off"))]], (), ["RegionOff"]),
        ([[failed()]], ("210987654321",), ["CheckDenied AccessDenied", "NotStarted", "NotStarted"]),
    ],
)
def test_without_any_row_of_a_result_there_are_a_header_and_the_failures(
    accounts: list[list[Outcome]], not_started: tuple[str, ...], errors: list[str]
) -> None:
    text = written(Csv, *accounts, not_started=not_started)
    assert text.startswith('"account","name","unit","region","check","error","more"\r\n')
    assert [row["error"] for row in read(text)] == errors


def test_tags_are_a_column_if_they_were_asked_for() -> None:
    (row,) = read(written(Csv, [ok([{"id": 1}], tags={"env": "prod"})]))
    assert list(row) == [*BASE, "tags", "id", "error", "more"]
    assert row["tags"] == '{"env":"prod"}'


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        (" =1", "' =1"),
        ("\x00=1", "'\ufffd=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("a\t =1", "a\t' =1"),
        ("-12", "-12"),
        ("+1.5e-3", "+1.5e-3"),
        ("012", "012"),
        ("a=1", "a=1"),
        ("a, -b", "a, -b"),
        ("\x1b[31m\x9b\ud800", "'\ufffd[31m\ufffd\ufffd"),
    ],
)
def test_a_spreadsheet_sees_no_formula_and_a_terminal_no_control_sequence(text: str, safe: str) -> None:
    (row,) = read(written(Csv, [ok([{"a": text, text: "b"}])]))
    assert (row["a"], list(row)[6]) == (safe, safe)


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(), CELLS, max_size=3), max_size=3))
def test_any_result_is_whole_rows_of_utf_8_without_a_formula(result: list[dict[str, Any]]) -> None:
    text = written(Csv, [ok(result)]).encode().decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert len(rows) == len(result)
    for row in rows:
        assert len(row) == len(header)
        for cell in row:
            is_number = re.fullmatch(r"\+[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", cell)  # as text, which is let through
            assert is_number or not cell.lstrip().startswith(("=", "+", "@"))
            assert not cell.startswith(("\t", "\r", "\n"))


# ---- as they come


class Row(dict[str, Any]):
    """An item that counts how many of its kind there are."""

    live = most = 0

    def __init__(self, **columns: Any) -> None:
        super().__init__(columns)
        Row.live += 1
        Row.most = max(Row.most, Row.live)

    def __del__(self) -> None:
        Row.live -= 1


class Found(list[Any]):
    """A result whose items are made when they are read."""

    def __iter__(self) -> Iterator[Row]:
        return (Row(id=number) for number in range(1000))


@FORMATS
def test_of_a_thousand_rows_not_even_two_are_held_at_once(format: Format) -> None:
    Row.live = Row.most = 0
    text = written(format, [ok(Found())], [ok(Found())])
    assert text.count("\n") >= 2000
    assert Row.most <= 2  # the one before goes when the next one is bound


@FORMATS
def test_an_account_that_is_written_is_let_go(format: Format) -> None:
    made = format()
    result = Found()
    gone = weakref.ref(result)
    made.receive([ok(result)])
    del result
    gc.collect()
    assert gone() is None


@FORMATS
def test_what_an_account_comes_to_is_whole_lines_at_once(format: Format) -> None:
    text = format().receive([ok([{"id": "one"}])])
    assert "one" in text
    assert text.endswith("\n")


# ---- CSV of checks that judge


def test_what_checks_that_judge_found_is_by_check_and_of_each_the_worst_first() -> None:
    found = posture(4)
    rows = read(judged_csv(found, ["imds"]))
    checks = list(dict.fromkeys(row["check"] for row in rows))
    assert checks == contents_of(found).checks
    ranks = [(checks.index(row["check"]), VERDICTS.index(row["verdict"])) for row in rows]  # type: ignore[arg-type]
    assert ranks == sorted(ranks)
    assert {row["more"] for row in rows} == {""}


def test_accounts_that_were_not_started_are_unknown_and_none_leaves_a_header() -> None:
    (row,) = read(judged_csv(answer("123456789012"), ["imds"]))
    assert (row["account"], row["check"], row["verdict"]) == ("123456789012", "imds", "unknown")
    assert judged_csv(answer(), ["imds"]).startswith('"account","name"')
