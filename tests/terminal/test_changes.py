"""--since: which rows are new, gone or changed, and which cannot be compared."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.checks.finding import Finding, alarm, ok, skip, unknown
from chalicelib.cross_account import AssumeRoleDenied, InvalidInput
from chalicelib.errors import CheckDenied, RegionOff, ServiceNotOffered
from chalicelib.outputs.rows import not_started, rows_of
from chalicelib.sweeps.outcome import Answer, LeftOut, Outcome, Target, verdicts_of
from terminal.changes import Changes, Comparison

A, B, C = "100000000001", "100000000002", "100000000003"
DENIED = CheckDenied("denied", hint="ask")
NO_ROLE = AssumeRoleDenied("denied", hint="trust")
OFF = RegionOff("off", hint="enable")
NOT_OFFERED = ServiceNotOffered("not there", hint="leave out")

Run = Mapping[Any, Any]
"""By account, or account and region: the result, or the error."""


def outcomes(run: Run, check: str = "find", **more: Any) -> list[Outcome]:
    found = []
    for place, what in run.items():
        account, region = place if isinstance(place, tuple) else (place, None)
        result = {"error": what} if isinstance(what, Exception) else {"result": what}
        found.append(Outcome(account, None, None, region, check, 1, **result, **more))
    return found


def lines(found: Iterable[Outcome]) -> str:
    return "".join(json.dumps(row) + "\n" for outcome in found for row in rows_of(outcome))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return tmp_path / "old.jsonl"


def compare(old: Path, now: Run, *, checks: Iterable[str] = ("find",), **answer: Any) -> tuple[list[Any], Comparison]:
    changes, rows = Changes(old, set(checks)), []
    by_account: dict[str, list[Outcome]] = {}
    for outcome in outcomes(now):
        by_account.setdefault(outcome.account, []).append(outcome)
    for found in by_account.values():
        rows += changes.receive(found)
    return rows, changes.finish(Answer("find", outcomes(now), **answer))


def short(rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Of each row what became of it, its own columns, and the earlier values."""
    base = ("account", "name", "unit", "region", "check", "tags", "change", "before")
    return [
        (
            row["change"],
            {name: value for name, value in row.items() if name not in base},
            *filter(None, [row.get("before")]),
        )
        for row in rows
    ]


SAME: list[Any] = []


@pytest.mark.parametrize(
    ("then", "now", "changes"),
    [
        ([{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}], SAME),
        ([{"id": 1}], [{"id": 1}, {"id": 2}], [("new", {"id": 2})]),
        ([{"id": 1}, {"id": 2}], [{"id": 2}], [("gone", {"id": 1})]),
        ([{"id": 1, "size": 8}], [{"id": 1, "size": 9}], [("changed", {"id": 1, "size": 9}, {"size": 8})]),
        ([{"size": 8, "VolumeId": "v-1"}], [{"size": 8, "VolumeId": "v-2"}],
         [("new", {"size": 8, "VolumeId": "v-2"}), ("gone", {"size": 8, "VolumeId": "v-1"})]),
        ([{"image_id": "x", "arn": "a"}], [{"image_id": "y", "arn": "a"}],
         [("changed", {"image_id": "y", "arn": "a"}, {"image_id": "x"})]),
        ([{"id": 1, "arn": "a"}, {"id": 1, "arn": "b"}], [{"id": 1, "arn": "b"}], [("gone", {"id": 1, "arn": "a"})]),
        ({"count": 1, "buckets": [{"name": "a", "created": 1}]}, {"count": 1, "buckets": [{"name": "a", "created": 2}]},
         [("changed", {"result_name": "a", "created": 2}, {"created": 1})]),
        ([{"runtime": "a", "times": 2}, {"runtime": "b", "times": 1}], [{"runtime": "a", "times": 3}],
         [("changed", {"runtime": "a", "times": 3}, {"times": 2}), ("gone", {"runtime": "b", "times": 1})]),
        ({"users": 3, "mfa": 1}, {"users": 4, "mfa": 1}, [("changed", {"users": 4, "mfa": 1}, {"users": 3})]),
        (5, 6, [("changed", {"result": 6}, {"result": 5})]),
        (["a", "b"], ["b", "c"], [("new", {"result": "c"}), ("gone", {"result": "a"})]),
        ([{"on": True, "n": [1]}, {"on": False, "n": [2]}], [{"on": True, "n": [3]}, {"on": False, "n": [2]}],
         [("new", {"on": True, "n": [3]}), ("gone", {"on": True, "n": [1]})]),
        (["a", "a", "b"], ["a", "b", "b"], [("new", {"result": "b"}), ("gone", {"result": "a"})]),
        ([{"kind": "t3"}, {"kind": "t3"}], [{"kind": "t3"}], [("gone", {"kind": "t3"})]),
        ([{"id": 1, "of": ["x", "y"], "at": {"a": 1, "b": [2, 1]}}],
         [{"at": {"b": [1, 2], "a": 1}, "of": ["y", "x"], "id": 1}], SAME),
        ([{"id": 1, "ip": None}], [{"id": 1}], SAME),
        ([{"id": 1}], [{"id": 1, "ip": "::1"}], [("changed", {"id": 1, "ip": "::1"}, {"ip": None})]),
        ([{"id": 1, "at": (1, 2)}], [{"id": 1, "at": (2, 1)}], SAME),
        ([{"id": 1, "change": 1}], [{"id": 1, "change": 2}],
         [("changed", {"id": 1, "result_change": 2}, {"change": 1})]),
        ([], [{"id": 1}], [("new", {"id": 1})]),
        ([{"id": 1}], [], [("gone", {"id": 1})]),
        ([], [], SAME),
        ([{"id": None}], [{"id": None}], SAME),
        ([[1, 2]], [[2, 1]], SAME),
    ],
)  # fmt: skip
def test_rows_of_an_account_are_compared(old, then, now, changes):
    old.write_text(lines(outcomes({A: then})))
    rows, comparison = compare(old, {A: now})
    assert short(rows) == changes
    assert comparison.changed is bool(changes)


def test_the_column_that_tells_rows_apart_is_that_of_all_accounts(old):
    """In this account alone, the type would do."""
    fleet = {A: [{"type": "t3", "of": "i-1"}], B: [{"type": "t3", "of": "i-2"}, {"type": "t3", "of": "i-3"}]}
    old.write_text(lines(outcomes(fleet)))
    rows, _ = compare(old, {**fleet, A: [{"type": "t3", "of": "i-4"}]})
    assert [row["change"] for row in rows] == ["new", "gone"]


def test_rows_of_regions_and_of_checks_are_apart(old):
    then = {(A, "eu-west-1"): [{"id": 1}], (A, "eu-west-2"): [{"id": 2}]}
    old.write_text(lines(outcomes(then)) + lines(outcomes({A: [{"id": 1}]}, "other")))
    rows, comparison = compare(old, {(A, "eu-west-1"): [{"id": 2}], (A, "eu-west-2"): [{"id": 2}]})
    assert [(row["region"], *found) for row, found in zip(rows, short(rows), strict=True)] == [
        ("eu-west-1", "new", {"id": 2}),
        ("eu-west-1", "gone", {"id": 1}),
    ]
    assert [*comparison.sentences()] == ["1 new, 1 gone, 0 changed, 1 the same."]


def test_a_row_of_a_renamed_account_is_the_same(old):
    old.write_text(lines(outcomes({A: [{"id": 1}]}, tags={"owner": "x"})).replace('"name": null', '"name": "staging"'))
    assert compare(old, {A: [{"id": 1}]})[0] == []


FOUND = [{"id": 1}]


@pytest.mark.parametrize(
    ("then", "now", "sentence"),
    [
        (FOUND, DENIED, f"Not compared (answered then, CheckDenied now): 1 account: {A}."),
        (DENIED, FOUND, f"Not compared (CheckDenied then, answered now): 1 account: {A}."),
        (NO_ROLE, DENIED, f"Not compared (AssumeRoleDenied then, CheckDenied now): 1 account: {A}."),
        ([], DENIED, f"Not compared (no rows then, CheckDenied now): 1 account: {A}."),
        (FOUND, OFF, f"Not compared (answered then, RegionOff now): 1 account: {A}."),
        (OFF, FOUND, f"Not compared (RegionOff then, answered now): 1 account: {A}."),
        (OFF, OFF, None),
        (NOT_OFFERED, NOT_OFFERED, None),
    ],
)
def test_what_could_not_be_looked_at_is_not_a_change(old, then, now, sentence):
    old.write_text(lines(outcomes({A: then, B: FOUND})))
    rows, comparison = compare(old, {A: now, B: FOUND})
    assert (rows, comparison.changed) == ([], False)
    assert [*comparison.sentences()][1:] == ([sentence] if sentence else [])


def test_an_account_that_failed_before_its_regions_were_known_failed_in_all(old):
    old.write_text(lines(outcomes({A: NO_ROLE, B: FOUND})))
    rows, _ = compare(old, {(A, "eu-west-1"): FOUND, B: FOUND})
    assert rows == []


def test_an_account_that_fails_now_before_its_regions_are_known_fails_in_all(old):
    old.write_text(lines(outcomes({(A, "eu-west-1"): FOUND, (A, "eu-west-2"): FOUND})))
    _, comparison = compare(old, {A: NO_ROLE})
    assert comparison.not_compared["answered", "AssumeRoleDenied"] == {A: ["eu-west-1", "eu-west-2"]}


def test_an_account_that_was_not_started_is_not_compared(old):
    old.write_text(json.dumps(not_started(Target(A), "find")) + "\n" + lines(outcomes({B: FOUND})))
    rows, comparison = compare(old, {A: FOUND}, not_started=[Target(B)])
    assert rows == []
    assert comparison.not_compared == {
        ("NotStarted", "answered"): {A: [None]},
        ("in the file", "NotStarted"): {B: [None]},
    }


def test_a_region_in_which_two_checks_failed_is_told_once(old):
    old.touch()
    changes = Changes(old, {"find", "seek"})
    changes.receive([*outcomes({(A, "eu-west-1"): DENIED}), *outcomes({(A, "eu-west-1"): DENIED}, "seek")])
    (sentence,) = [*changes.finish(Answer("find-seek", [])).sentences()][1:]
    assert sentence == f"Not compared (no rows then, CheckDenied now): 1 account: {A} in eu-west-1."


def test_an_account_that_is_left_out_now_is_not_compared(old):
    old.write_text(lines(outcomes({A: FOUND})))
    _, comparison = compare(old, {}, left_out=[LeftOut(Target(A), "suspended")])
    assert [*comparison.sentences()][1:] == [f"Not compared (in the file then, suspended now): 1 account: {A}."]


def test_accounts_and_regions_that_are_not_asked_any_more_are_told(old):
    then = {(account, region): FOUND for account in (A, B) for region in ("eu-west-1", "eu-west-2")}
    old.write_text(lines(outcomes(then)))
    rows, comparison = compare(old, {(A, "eu-west-1"): FOUND})
    assert rows == []
    assert [*comparison.sentences()][1:] == [
        f"Not compared (answered then, not asked now): 1 account: {A} in eu-west-2.",
        f"Not compared (in the file then, not asked now): 1 account: {B}.",
    ]


def test_the_rows_of_an_account_without_any_before_are_new_and_it_is_told(old):
    old.write_text(lines(outcomes({A: FOUND})))
    rows, comparison = compare(old, {A: FOUND, B: FOUND, C: []})
    assert [(row["account"], row["change"]) for row in rows] == [(B, "new")]
    assert comparison.first_seen == [B]


def test_an_earlier_run_that_found_nothing_is_an_empty_file(old):
    old.touch()
    rows, comparison = compare(old, {A: FOUND})
    assert [row["change"] for row in rows] == ["new"]
    assert comparison.notes == ["The earlier run has no rows of find."]


def test_another_question_is_told(old):
    old.write_text(lines(outcomes({A: [{"id": 1, "type": "t3"}, {"id": 2, "type": "t3", "ip": "::1"}]})))
    _, comparison = compare(old, {A: [{"id": 1, "state": "on"}, {"id": 2, "state": "on"}]})
    assert comparison.notes == [
        "The rows of find have other columns (type only then; state only now): was it the same question?"
    ]


def test_many_accounts_are_told_as_a_few_and_a_number(old):
    old.touch()
    _, comparison = compare(old, {f"{number:012}": DENIED for number in range(1234)})
    (sentence,) = [*comparison.sentences()][1:]
    assert sentence.startswith("Not compared (no rows then, CheckDenied now): 1,234 accounts: 000000000000, 0")
    assert sentence.endswith("000000000009, 1,224 more.")


# ---- findings


def judged(*found: Finding) -> Outcome:
    return Outcome(A, None, None, None, "find", 1, list(found), verdicts=verdicts_of(found))


CLOSED, OPENED, DENIED_TO_US = ok("a", "Closed."), alarm("a", "Open.", port=22), unknown("a", "Denied.")
OTHER, MORE = ok("b", "Closed."), unknown(A, "There are more.")


@pytest.mark.parametrize(
    ("then", "now", "changes", "not_compared"),
    [
        ([CLOSED, OTHER], [OTHER, OPENED], [("changed", "a")], []),
        ([OPENED], [OPENED, OTHER], [("new", "b")], []),
        ([OPENED, OTHER], [OTHER], [("gone", "a")], []),
        ([skip(A, "None.")], [CLOSED], [("new", "a"), ("gone", A)], []),
        ([CLOSED, ok("a", "Fine.")], [ok("a", "Fine."), OPENED], [("changed", "a")], []),
        ([CLOSED, OTHER], [DENIED_TO_US, OTHER], [], [("answered", "unknown")]),
        ([DENIED_TO_US], [OPENED, OTHER], [("new", "b")], [("unknown", "answered")]),
        ([CLOSED, OTHER], [OPENED, MORE], [("changed", "a")], [("answered", "unknown")]),
        ([CLOSED, MORE], [OPENED, OTHER], [("changed", "a")], [("unknown", "answered")]),
        ([MORE], [MORE], [], [("unknown", "unknown")]),
    ],
)
def test_a_finding_is_the_earlier_one_of_its_resource_where_both_runs_could_look(old, then, now, changes, not_compared):
    old.write_text(lines([judged(*then)]))
    compared = Changes(old, {"find"})
    rows = compared.receive([judged(*now)])
    comparison = compared.finish(Answer("find", [judged(*now)]))
    assert [(row["change"], row["resource"]) for row in rows] == changes
    assert list(comparison.not_compared) == not_compared
    assert comparison.notes == []


def test_the_verdict_before_is_told(old):
    old.write_text(lines([judged(CLOSED)]))
    compared = Changes(old, {"find"})
    (row,) = compared.receive([judged(OPENED)])
    compared.finish(Answer("find", [judged(OPENED)]))
    assert (row["verdict"], row["before"]) == ("alarm", {"verdict": "ok", "reason": "Closed.", "port": None})


# ---- the file


def test_half_a_last_line_leaves_the_accounts_behind_it_out(old):
    whole = lines(outcomes({A: FOUND, B: FOUND, C: FOUND}))
    old.write_text(whole[:-20])
    rows, comparison = compare(old, {A: [], B: [{"id": 9}], C: [{"id": 9}]})
    assert short(rows) == [("gone", {"id": 1})]
    assert comparison.not_compared == {("the file ends there", "answered"): {B: [None], C: [None]}}
    assert comparison.notes == ["The earlier run's file ends in the middle of a row: that run was stopped."]


def test_a_file_without_the_last_line_end_is_whole(old):
    old.write_text(lines(outcomes({A: FOUND})).rstrip())
    assert compare(old, {A: FOUND})[1].notes == []


def test_of_two_runs_in_one_file_the_last_one_counts(old):
    old.write_text(lines(outcomes({A: [{"id": 1}, {"id": 2}], B: DENIED})) + lines(outcomes({A: FOUND, B: FOUND})))
    assert compare(old, {A: FOUND, B: FOUND})[0] == []


def test_a_line_that_stands_there_twice_counts_once(old):
    old.write_text(2 * lines(outcomes({A: [{"id": 1, "size": 2}, {"id": 2, "size": 2}]})))
    assert compare(old, {A: [{"id": 1, "size": 2}, {"id": 2, "size": 2}]})[0] == []


def test_the_lines_may_be_in_any_order(old):
    then = lines(outcomes({(account, region): [{"id": 1}, {"id": 2}] for account in (A, B) for region in ("x", "y")}))
    old.write_text("".join(sorted(then.splitlines(keepends=True), key=lambda line: json.loads(line)["region"])))
    now = {(account, region): [{"id": 2}, {"id": 1}] for account in (A, B) for region in ("x", "y")}
    assert compare(old, now)[0] == []


def test_windows_may_have_saved_it(old):
    old.write_bytes(b"\xef\xbb\xbf" + lines(outcomes({A: FOUND})).replace("\n", "\r\n").encode() + b"\r\n")
    assert compare(old, {A: FOUND})[0] == []


def test_it_may_come_from_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=[lines(outcomes({A: FOUND}))])
    writer.start()
    rows, _ = compare(pipe, {A: []})
    writer.join()
    assert [row["change"] for row in rows] == ["gone"]


ROW = lines(outcomes({A: FOUND}))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("hello", "line 1, is not a row that --format jsonl has written"),
        (ROW + "{}\n", "line 2, is not a row"),
        (ROW + "[1]\n", "line 2, is not a row"),
        (ROW + "\n" + ROW[:20] + "\n" + ROW, "line 3, is not a row"),
        (ROW.replace('"account": ', '"account_id": '), "line 1, is not a row"),
        (ROW.replace('"region": null', '"region": 1'), "line 1, is not a row"),
        (ROW.replace('"id": 1', '"error": "x"'), "line 1, is not a row"),
        (ROW.encode("utf-16"), "line 1, is not a row"),
        ("[" * 100_000, "line 1, is not a row"),
        (ROW.replace('"find"', '"other"') + ROW.replace('"find"', '"another"'),
         "has no rows of find or seek, only of another, other."),
    ],
)  # fmt: skip
def test_another_file_is_refused_in_one_sentence(old, content, what):
    old.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput, match=r"--since: the file '.*old\.jsonl'") as refused:
        Changes(old, {"find", "seek"})
    assert what in str(refused.value)


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, why):
    with pytest.raises(InvalidInput, match=f"cannot be read: {why}"):
        Changes(tmp_path / name, {"find"})
