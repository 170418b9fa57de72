"""jsonl and csv are written while the sweep runs, and nothing more is asked once they cannot be."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import pytest

from tests.fake_aws import Reply, Request, healthy
from tests.fake_hub import ids
from tests.terminal.drive import ONE_BY_ONE, Tty, ctrl_c

NEEDS_DEV_FULL = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="/dev/full, which is Linux's, takes nothing"
)


def accounts(path: Path) -> list[tuple[str, str]]:
    """Of each row of a file the account, and "ok" or the type of its error."""
    with path.open(newline="") as file:
        if path.suffix == ".csv":
            return [(row["account"], row["error"].split()[0] if row["error"] else "ok") for row in csv.DictReader(file)]
        rows = [json.loads(line) for line in file]
    return [(row["account"], row["error"]["type"] if row["error"] else "ok") for row in rows]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_what_an_account_came_to_is_in_the_file_before_the_next_but_one_is_asked(aws, run, folder, name):
    seen: list[str] = []

    def look(request: Request) -> Reply:
        seen.append((folder / name).read_text())
        return healthy(request)

    aws.tell("AssumeRole", look, account=ids(3)[2])
    assert run("identity", "--accounts", ",".join(ids(3)), *ONE_BY_ONE, "--output", name)[0] == 0
    assert ids(3)[0] in seen[0]
    assert accounts(folder / name) == [(account, "ok") for account in ids(3)]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_ctrl_c_leaves_a_file_with_every_account_and_the_command_for_another_one(run, hang, folder, name):
    hang(ids(3)[1], ctrl_c)
    status, out, err = run("identity", "--accounts", ",".join(ids(3)), *ONE_BY_ONE, "--output", name)
    assert (status, out) == (130, "")
    assert accounts(folder / name) == list(zip(ids(3), ("ok", "AssumeRoleTimedOut", "NotStarted"), strict=True))
    assert err.endswith(
        "sweep.py: stopped. Not done: 2 of 3 accounts. To go on with these:\n"
        f"  python sweep.py identity --concurrency 1 --accounts {','.join(ids(3)[1:])} --output "
        f"{name.replace('.', '-2.')}\n"
    )


def test_nothing_more_is_asked_once_stdout_is_read_no_more(aws, run, monkeypatch, closed_pipe, folder):
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    status, _, err = run("identity", "--accounts", ",".join(ids(30)), *ONE_BY_ONE, "--format", "jsonl")
    assert (status, err, list(folder.iterdir())) == (141, "", [])
    assert len(aws.operations("AssumeRole")) < 5


@NEEDS_DEV_FULL
def test_nothing_more_is_asked_once_the_disk_is_full_and_the_command_asks_all_that_is_not_in_the_file(aws, run, folder):
    where = ("--output", "/dev/full", "--format", "jsonl")
    status, _, err = run("identity", "--accounts", ",".join(ids(30)), *ONE_BY_ONE, *where)
    assert status == 1
    assert err.startswith("sweep.py: '/dev/full' was not written to its end: No space left on device.\n")
    assert "Not done: 30 of 30 accounts; their ids are in rest.txt." in err
    assert (folder / "rest.txt").read_text().split()[-30:] == ids(30)
    assert len(aws.operations("AssumeRole")) < 5


@NEEDS_DEV_FULL
def test_a_page_that_cannot_be_written_does_not_end_the_sweep(run):
    status, out, _ = run("identity", "--accounts", ",".join(ids(3)), "--html", "/dev/full", "--format", "jsonl")
    assert (status, len(out.splitlines())) == (1, 3)


def test_a_page_beside_rows_has_the_results(run, folder):
    run("s3_buckets", "--accounts", ",".join(ids(2)), "--format", "jsonl", "--html", "page.html")
    page = (folder / "page.html").read_text()
    assert all(f"bucket-of-{account}" in page for account in ids(2))


def test_what_went_wrong_is_told_on_stderr_beside_the_rows(aws, run, folder):
    aws.tell("ListBuckets", Reply("<Error><Code>AccessDenied</Code></Error>", 403), account=ids(2)[0], always=True)
    status, out, err = run("s3_buckets", "--accounts", ",".join(ids(2)), "--format", "csv")
    assert (status, sorted(row["account"] for row in csv.DictReader(out.splitlines()))) == (1, ids(2))
    assert f"CheckDenied AccessDenied: 1 account\n  {ids(2)[0]}\n" in err
    assert "2 accounts: 1 ok, 1 failed (1 denied), 0 not started, 1 row" in err


def test_a_bar_on_stderr_does_not_take_the_rows(run, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Tty())
    monkeypatch.setenv("TERM", "xterm")
    _, out, _ = run("s3_buckets", "--accounts", ids(1)[0], "--format", "jsonl")
    assert json.loads(out)["account"] == ids(1)[0]


def test_there_is_no_bar_between_rows_on_the_same_terminal(run, monkeypatch):
    stdout, stderr = Tty(), Tty()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    run("s3_buckets", "--accounts", ids(1)[0], "--format", "jsonl")
    assert json.loads(stdout.getvalue())["account"] == ids(1)[0]
    assert "\x1b" not in stderr.getvalue()
