"""--format, --output and the status: the same rows in each form, and what an exit code tells."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from chalicelib.checks.check import check
from terminal.options import FORMATS
from tests.fake_aws import Reply
from tests.fake_hub import ids

BUCKETS = ("s3_buckets", "--accounts", ",".join(ids(2)))


def names(text: str, form: str) -> list[str]:
    """The names of the buckets in a text of this form."""
    if form == "csv":
        return [row["result_name"] for row in csv.DictReader(text.splitlines())]
    if form == "jsonl":
        return [json.loads(line)["result_name"] for line in text.splitlines()]
    if form == "json":
        return [bucket["name"] for result in json.loads(text)["results"] for bucket in result["result"]["buckets"]]
    return [f"bucket-of-{account}" for account in ids(2) if f"bucket-of-{account}" in text]


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_has_what_was_found_and_nothing_else_is_on_stdout(run, form):
    status, out, _ = run(*BUCKETS, "--format", form)
    assert (status, sorted(names(out, form))) == (0, [f"bucket-of-{account}" for account in ids(2)])


ENDINGS = [(ending, form) for form, endings in FORMATS.items() for ending in endings]


@pytest.mark.parametrize(("ending", "form"), [*ENDINGS, (".CSV", "csv")])
def test_the_ending_of_the_file_decides_and_stdout_is_empty(run, folder, ending, form):
    status, out, err = run(*BUCKETS, "--output", f"found{ending}")
    assert (status, out) == (0, "")
    text = (folder / f"found{ending}").read_text(encoding="utf-8")
    assert sorted(names(text, form)) == [f"bucket-of-{account}" for account in ids(2)]
    assert err.startswith("2 accounts: 2 ok, 0 failed, 0 not started, 2 rows")


def test_a_format_that_is_named_wins_over_the_ending(run, folder):
    run(*BUCKETS, "--output", "found.csv", "--format", "jsonl")
    assert names((folder / "found.csv").read_text(), "jsonl")


def test_json_is_written_into_the_file_that_is_named(run, folder):
    run(*BUCKETS, "--json", "--output", "found.txt")
    assert names((folder / "found.txt").read_text(), "json")


def test_a_file_that_is_there_is_replaced(run, folder):
    (folder / "found.csv").write_text("of yesterday\n" * 1000)
    run(*BUCKETS, "--output", "found.csv")
    assert "of yesterday" not in (folder / "found.csv").read_text()


def test_if_nothing_is_found_the_file_is_empty(aws, run, folder):
    aws.buckets[ids(1)[0]] = []
    (folder / "found.jsonl").write_text("of yesterday\n")
    assert run("s3_buckets", "--accounts", ids(1)[0], "--output", "found.jsonl")[0] == 0
    assert (folder / "found.jsonl").read_text() == ""


def test_if_there_is_no_answer_a_file_is_kept_and_none_is_made(aws, run, folder):
    (folder / "found.csv").write_text("of yesterday\n")
    aws.tell("POST /", Reply('{"__type": "AccessDeniedException"}', 400), always=True)
    assert run("identity", "--output", "found.csv", "--html", "page.html")[0] == 1
    assert (folder / "found.csv").read_text() == "of yesterday\n"
    assert not (folder / "page.html").exists()


def test_several_checks_are_asked_in_one_session_and_each_has_a_table(aws, run):
    status, out, _ = run("identity", "s3_buckets", "--accounts", ids(1)[0])
    assert (status, len(aws.operations("AssumeRole"))) == (0, 1)
    first, second = out.split("\n\n")[:2]
    assert first.splitlines()[0] == "identity"
    assert second.splitlines()[:1] == ["s3_buckets"]
    assert f"bucket-of-{ids(1)[0]}" in second


# ---- the exit status


@check(actions=["a:B"])
def judging(account: Any, *, verdict: str) -> list[dict[str, str]]:
    """Judge one thing."""
    return [{"resource": "one", "verdict": "ok"}, {"resource": "two", "verdict": verdict}]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("verdict", "options", "status"),
    [("alarm", ("--fail-on", "alarm"), 4), ("alarm", (), 0), ("info", ("--fail-on", "alarm"), 0)],
)
def test_an_alarm_is_told_by_the_status_if_it_is_asked_for(run, added, form, verdict, options, status):
    added(judging)
    asked = ("judging", "--accounts", ids(1)[0], "--param", f"verdict={verdict}", "--format", form)
    assert run(*asked, *options)[0] == status


def test_an_account_that_failed_counts_more_than_an_alarm(run, added):
    added(judging)
    asked = ("judging", "--accounts", f"{ids(1)[0]},12", "--param", "verdict=alarm", "--fail-on", "alarm")
    assert run(*asked)[0] == 1


# ---- what has changed


@pytest.fixture
def monday(aws, run, folder) -> None:
    """One of two buckets is going to be another one."""
    aws.buckets[ids(1)[0]] = ["stays", "goes"]
    assert run("s3_buckets", "--accounts", ids(1)[0], "--output", "monday.jsonl")[0] == 0
    aws.buckets[ids(1)[0]] = ["stays", "comes"]


SINCE = ("s3_buckets", "--accounts", ids(1)[0], "--since", "monday.jsonl")


def test_what_has_changed_is_a_table_and_a_status(run, monday):
    status, out, _ = run(*SINCE)
    assert status == 3
    changes = [(line.split()[0], line.split()[2]) for line in out.splitlines() if ids(1)[0] in line]
    assert sorted(changes) == [("gone", "goes"), ("new", "comes")]
    assert "1 new, 1 gone, 0 changed, 1 the same." in out


def test_if_nothing_has_changed_the_status_is_0(run, monday, folder):
    run("s3_buckets", "--accounts", ids(1)[0], "--output", "tuesday.jsonl")
    status, out, _ = run("s3_buckets", "--accounts", ids(1)[0], "--since", "tuesday.jsonl")
    assert status == 0
    assert "0 new, 0 gone, 0 changed, 2 the same." in out


@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_what_has_changed_has_its_column_first_in_each_form(run, monday, form):
    status, out, _ = run(*SINCE, "--format", form)
    rows: list[dict[str, Any]] = {
        "csv": lambda: list(csv.DictReader(out.splitlines())),
        "jsonl": lambda: [json.loads(line) for line in out.splitlines()],
        "json": lambda: json.loads(out)["rows"],
    }[form]()
    assert status == 3
    assert sorted((row["change"], row["result_name"]) for row in rows) == [("gone", "goes"), ("new", "comes")]
    assert all(next(iter(row)) == "change" and "before" in row for row in rows)


def test_the_rows_of_this_sweep_go_into_the_file_to_compare_with_the_next_time(run, monday, folder):
    status, out, _ = run(*SINCE, "--output", "tuesday.jsonl")
    assert (status, sorted(names((folder / "tuesday.jsonl").read_text(), "jsonl"))) == (3, ["comes", "stays"])
    assert "comes" in out
    assert "stays" not in out


def test_an_account_of_the_file_is_no_control_sequence(run, monday, folder):
    with (folder / "monday.jsonl").open("a") as file:
        row = {"account": "\x1b[31m", "name": None, "unit": None, "region": None, "check": "s3_buckets", "a": 1}
        file.write(json.dumps(row) + "\n")
    _, out, err = run(*SINCE)
    assert "\ufffd[31m" in out
    assert "\x1b" not in out + err


def test_what_is_compared_with_is_not_overwritten(aws, run, monday, folder):
    before, asked = (folder / "monday.jsonl").read_text(), len(aws.seen)
    status, _, err = run(*SINCE, "--output", "./monday.jsonl")
    assert (status, err) == (2, "sweep.py: --since and --output name the same file, 'monday.jsonl'.\n")
    assert ((folder / "monday.jsonl").read_text(), len(aws.seen)) == (before, asked)
