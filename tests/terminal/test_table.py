"""Rows as columns: as wide as a terminal, or in full where something else reads them."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from chalicelib.checks.finding import alarm, info, ok, skip, unknown
from chalicelib.sweeps.outcome import Answer, Outcome, verdicts_of
from terminal.table import LEAST, as_table, fitting, in_columns
from tests.terminal.drive import Tty


def row(**own: Any) -> dict[str, Any]:
    base = {"account": "100000000001", "name": "production", "unit": "Workloads/Prod", "region": None, "check": "find"}
    return base | own


WIDE = [row(bucket="a-bucket-with-a-long-name-of-40-characters", created="2026-01-31T12:00:00+00:00", size=7)] * 2


@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    assert all(cell_len(line) <= width for line in in_columns(WIDE, width).lines)


def test_in_a_wide_terminal_everything_is_there():
    head, line, _ = in_columns(WIDE, 200).lines
    assert head.split() == ["account", "name", "unit", "bucket", "created", "size"]
    assert line.split() == [
        "100000000001",
        "production",
        "Workloads/Prod",
        "a-bucket-with-a-long-name-of-40-characters",
        "2026-01-31T12:00:00+00:00",
        "7",
    ]


def test_in_a_narrow_terminal_the_widest_columns_give_up_most():
    head, line, _ = in_columns(WIDE, 80).lines
    assert head.split() == ["account", "name", "unit", "bucket", "created", "size"]
    assert line.startswith("100000000001  production  ")
    assert [len(cell) for cell in line.split()] == [12, 10, 14, 15, 15, 1]
    assert line.count("\u2026") == 2


def test_what_there_is_no_room_for_is_named_the_unit_first_and_then_the_last_columns():
    found = in_columns(WIDE, 40)
    assert found.lines[0].split() == ["account", "name", "bucket"]
    assert found.left_out == ["unit", "created", "size"]


def test_the_account_is_always_whole():
    assert fitting({"account": 12, "name": 30, "bucket": 30}, 5) == {"account": LEAST}


def test_where_something_else_reads_it_every_value_is_in_full():
    name, description = "production-website", "x" * 5000
    _, line = in_columns([row(bucket=name, description=description)], None).lines
    assert line.split()[-2:] == [name, description]


def test_one_long_value_does_not_move_the_column_behind_it_in_other_rows():
    _, first, second = in_columns([row(a="x" * 5000, b="1"), row(a="y", b="2")], None).lines
    assert len(first) > 5000
    assert len(second) < 120


def test_columns_are_aligned_also_where_characters_are_two_cells_wide():
    lines = in_columns([row(name="\u6771\u4eac", a="x"), row(name="tokyo", a="x")], None).lines
    assert len({cell_len(line) for line in lines}) == 1


def test_a_row_may_lack_a_column_that_another_has():
    head, first, second = in_columns([row(a=1), row(b=2)], None).lines
    assert (head.split()[-2:], first.split()[-1], second.split()[-1]) == (["a", "b"], "1", "2")
    assert len(second) > len(first)


def test_columns_of_the_account_that_say_nothing_are_not_shown_and_own_ones_are():
    nothing = {"account": "1", "name": None, "unit": "", "region": None, "check": "find", "tags": {}, "found": None}
    assert in_columns([nothing], None).lines == ["account  found", "1"]


VALUES = [
    (None, ""),
    (True, "true"),
    (1.5, "1.5"),
    ("a\nb\x1b[31m\u202e", "a\ufffdb\ufffd[31m\ufffd"),
    (["a", 1, None], "a, 1, "),
    ({"env": "prod", "team": "x"}, "env=prod, team=x"),
    ([{"a": 1}], '[{"a": 1}]'),
    ({"a": {"b": "\u00e9"}}, '{"a": {"b": "\u00e9"}}'),
    ([], ""),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=repr)
def test_a_value_is_written_as_a_person_writes_it_in_one_line(value, text):
    _, line = in_columns([{"account": "1", "f": value}], None).lines
    assert line == f"1        {text}".rstrip()


def test_a_columns_name_from_elsewhere_is_no_control_sequence():
    found = in_columns([{"account": "1", "\x1b[31m": 1, "\x1b[32m": 1}], 20)
    assert "\x1b" not in "".join([*found.lines, *found.left_out])


def test_numbers_are_aligned_to_the_right():
    lines = in_columns([{"account": "1", "n": 5}, {"account": "1", "n": 1000}, {"account": "1"}], None).lines
    assert lines == ["account     n", "1           5", "1        1000", "1"]


# ---- verdicts


def judged(check: str, *found: Any) -> Outcome:
    return Outcome("1", None, None, None, check, 1, list(found), verdicts=verdicts_of(found))


ANSWER = Answer(
    "posture",
    [
        judged("imds", info("i-1", "None."), ok("i-2", "It is required."), unknown("i-3", "Denied.")),
        judged("flow_logs", skip("vpc-1", "None.")),
        judged("buckets", {**alarm("b", "Open."), "verdict": "muted"}, alarm("c", "Open."), ok("d", "Shut.")),
    ],
)


def test_of_findings_the_worst_come_first_and_those_that_are_fine_are_counted():
    assert [line.split()[:3] for line in as_table(ANSWER, (), None).splitlines() if line] == [
        ["buckets"],
        ["account", "resource", "verdict"],
        ["1", "c", "alarm"],
        ["1", "b", "muted"],
        ["imds"],
        ["account", "resource", "verdict"],
        ["1", "i-3", "unknown"],
        ["1", "i-1", "info"],
        ["Not", "shown:", "2"],
    ]
    assert as_table(ANSWER, (), None).endswith("\nNot shown: 2 ok, 1 skipped. --format csv has them.\n\n")


def test_a_verdict_has_its_colour_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    lines = as_table(ANSWER, (), Tty()).splitlines()
    assert [line[:5] for line in lines if "alarm" in line or "unknown" in line] == ["\x1b[31m", "\x1b[33m"]


def test_a_query_may_call_anything_a_verdict():
    outcome = Outcome("1", None, None, None, "api_call", 1, [{"verdict": ["a"]}, {"verdict": "fine"}])
    assert [line.split() for line in as_table(Answer("api_call", [outcome]), (), None).splitlines()[1:3]] == [
        ["1", "a"],
        ["1", "fine"],
    ]
