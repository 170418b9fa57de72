"""--since: what has changed is shown in each form, and the rows of this sweep are kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import ids


@pytest.fixture
def monday(aws, run, folder) -> None:
    """One of two buckets is going to be another one."""
    aws.buckets[ids(1)[0]] = ["stays", "goes"]
    assert run("s3_buckets", "--accounts", ids(1)[0], "--output", "monday.jsonl")[0] == 0
    aws.buckets[ids(1)[0]] = ["stays", "comes"]


def names_in(path: Path) -> list[str]:
    return [json.loads(line)["result_name"] for line in path.read_text().splitlines()]


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
    assert (status, sorted(names_in(folder / "tuesday.jsonl"))) == (3, ["comes", "stays"])
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
