"""The queries of docs/asking-anything.md, on two small stored runs and on the terminal's rows."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.checks.finding import alarm, ok
from chalicelib.errors import CheckDenied
from chalicelib.outputs.store import line_of
from chalicelib.sweeps.outcome import Outcome
from terminal.formats import JsonLines
from tests.fake_hub import ids
from tests.templates import ROOT, blocks

PAGE = "docs/asking-anything.md"
BOTH, FAILING, ANSWERING, LEFT, JOINED = ids(5)
DENIED = CheckDenied("denied", hint="ask")


def outcomes(**results: Any) -> list[Outcome]:
    found = []
    for account, what in results.items():
        result = {"error": what} if isinstance(what, Exception) else {"result": what}
        found.append(Outcome(account.lstrip("_"), "production", "", None, "s3_buckets", 1, **result))
    return found


def buckets(**created: int) -> dict[str, Any]:
    return {"count": len(created), "buckets": [{"name": name, "created": day} for name, day in created.items()]}


def stored(run: str, found: list[Outcome]) -> None:
    file = Path(f"sweeps/check=s3_buckets/date=2026-01-31/run={run}/batch-1.jsonl")
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(line_of(outcome)) + "\n" for outcome in found))


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Any) -> list[list[tuple[Any, ...]]]:
    """What the page's statements give, in their order."""
    monkeypatch.chdir(tmp_path)
    one = buckets(one=1)
    then = {BOTH: buckets(same=1, newer=1, dropped=1), FAILING: one, ANSWERING: DENIED, LEFT: one}
    now = {BOTH: buckets(same=1, newer=2, added=1), FAILING: DENIED, ANSWERING: one, JOINED: one}
    stored("monday", outcomes(**then))
    stored("tuesday", outcomes(**now))
    database.execute(blocks("docs/thousands-of-accounts.md", "sql")[0])
    return [database.execute(statement).fetchall() for statement in blocks(PAGE, "sql")]


def test_two_stored_runs_are_compared_where_both_could_look(answers):
    assert [row[:4] for row in answers[1]] == [
        ("changed", BOTH, "", "newer"),
        ("gone", BOTH, "", "dropped"),
        ("new", BOTH, "", "added"),
    ]


def test_the_accounts_that_could_not_be_compared_are_told(answers):
    assert answers[2] == [
        (FAILING, None, "answered", "CheckDenied"),
        (ANSWERING, None, "CheckDenied", "answered"),
        (LEFT, None, "answered", None),
        (JOINED, None, None, "answered"),
    ]


@pytest.mark.parametrize("failures", [{BOTH: DENIED}, {}], ids=["one failed", "none failed"])
def test_sql_and_parquet_are_one_line_over_the_terminals_rows(tmp_path, monkeypatch, database, failures):
    monkeypatch.chdir(tmp_path)
    found = outcomes(_012345678901=buckets(a=1, b=1), **failures)
    Path("instances.jsonl").write_text(JsonLines().receive(found), encoding="utf-8")
    counted, written = re.findall(r'^\$ duckdb -c "(.*)"$', (ROOT / PAGE).read_text(), re.MULTILINE)
    assert database.execute(counted).fetchall() == [("production", None, 2)]
    database.execute(written)
    failed = database.execute("SELECT account FROM 'instances.parquet' WHERE error IS NOT NULL").fetchall()
    assert failed == [(account,) for account in failures]
    assert database.execute("SELECT min(account) FROM 'instances.parquet'").fetchone() == ("012345678901",)


@pytest.mark.parametrize(("status", "mail"), [(0, ""), (3, "Buckets have changed"), (1, "Not every account answered")])
def test_the_nightly_job_tells_the_exit_statuses_apart(tmp_path, status, mail):
    (job,) = blocks(PAGE, "sh")
    (tmp_path / "next.jsonl").touch()
    commands = f'python() {{ return {status}; }}\nmail() {{ echo "$2"; }}\n'
    done = subprocess.run(["sh", "-c", commands + job], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (mail, "")


def test_alarms_are_counted_over_a_stored_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    monkeypatch.chdir(tmp_path)
    found = {
        BOTH: [alarm("a", "Wrong."), alarm("b", "Wrong."), ok("c", "Right.")],
        FAILING: DENIED,
        LEFT: [ok("a", "Right.")],
    }
    judged = [replace(outcome, verdicts=outcome.verdicts or {"unknown": 1}) for outcome in outcomes(**found)]
    stored("nightly", judged)
    stored("another", judged)
    database.execute(blocks("docs/thousands-of-accounts.md", "sql")[0])
    (query,) = blocks("docs/verdicts.md", "sql")
    assert database.execute(query).fetchall() == [("s3_buckets", 1, 2)]
