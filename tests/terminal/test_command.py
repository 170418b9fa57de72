"""`python sweep.py`: what it asks, what it shows on which stream, and how it exits."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

import pytest
from rich.progress import Progress

import sweep as command
from chalicelib.checks.check import check
from tests.fake_aws import Reply, error
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids, outcome
from tests.terminal.drive import ORGANIZATION, Tty, organization_of

# ---- the answer


def test_a_table_goes_to_stdout_and_nothing_to_stderr(run):
    status, out, err = run("s3_buckets", "--accounts", ",".join(ids(2)))
    assert (status, err) == (0, "")
    for account in ids(2):
        (line,) = [line for line in out.splitlines() if account in line]
        assert f"bucket-of-{account}" in line
    assert "2 accounts: 2 ok, 0 failed, 0 not started" in out


def test_json_is_the_functions_answer_and_nothing_else(run, client):
    status, out, err = run("identity", "--accounts", ",".join(ids(2)), "--json")
    assert (status, err) == (0, "")
    answer = json.loads(out)
    function = client.lambda_.invoke("sweep", {"check": "identity", "accounts": ids(2)}).payload
    assert outcome(answer) == outcome(function)
    assert answer.keys() == function.keys()


def test_without_accounts_it_asks_the_organization(aws, run):
    aws.tell(ORGANIZATION, organization_of(*ids(4)), always=True)
    status, out, _ = run("identity", "--exclude", f"{ids(4)[0]}, {ids(4)[3]}", "--json")
    assert (status, outcome(json.loads(out))) == (0, dict.fromkeys(ids(4)[1:3], "ok"))


def test_an_organization_of_which_no_account_is_selected_is_not_well(aws, run):
    aws.tell(ORGANIZATION, organization_of(*ids(1)))
    status, out, _ = run("identity", "--exclude", ids(1)[0])
    assert (status, "No account was asked" in out) == (1, True)


def test_below_a_unit(aws, run):
    aws.tell(ORGANIZATION, organization_of(*ids(1)), Reply('{"OrganizationalUnits": []}'))
    status, out, _ = run("identity", "--organizational-unit", "ou-ab12-34cd56ef", "--json")
    assert (status, list(outcome(json.loads(out)))) == (0, ids(1))
    first, second = aws.operations(ORGANIZATION)
    assert json.loads(first.body) == json.loads(second.body) == {"ParentId": "ou-ab12-34cd56ef"}


def test_regions_and_concurrency_reach_the_sweep(aws, run):
    status, out, _ = run(
        "identity", "--accounts", ids(1)[0], "--regions", "us-east-1,eu-central-1", "--concurrency", "1"
    )
    assert (status, len(aws.operations("AssumeRole"))) == (0, 1)
    assert "us-east-1" in out
    assert [request.region for request in aws.operations("GetCallerIdentity")] == ["us-east-1", "eu-central-1"]


def test_a_parameter_is_text_if_the_check_takes_text_and_else_json(aws, run):
    asked = ["model_id=amazon.nova", "prompt=7", "max_tokens=12", "system=a=b"]
    status, _, err = run("bedrock_converse", "--accounts", ids(1)[0], *[word for p in asked for word in ("--param", p)])
    assert (status, err) == (0, "")
    (request,) = aws.operations("Converse")
    body = json.loads(request.body)
    assert request.path == "/model/amazon.nova/converse"
    assert body["messages"][0]["content"] == [{"text": "7"}]
    assert body["inferenceConfig"] == {"maxTokens": 12}
    assert body["system"] == [{"text": "a=b"}]


def test_each_run_is_named_in_cloudtrail(aws, run):
    run("identity", "--accounts", ids(1)[0])
    (assumed,) = aws.operations("AssumeRole")
    assert assumed.form["RoleSessionName"].startswith("cross-account-terminal-")


# ---- failures


def test_a_failure_is_below_the_table_with_its_account_and_its_next_step(aws, run):
    aws.tell("AssumeRole", sts_denies(), account=ids(3)[1], always=True)
    status, out, err = run("identity", "--accounts", ",".join([*ids(3), ids(3)[0]]))
    assert (status, err) == (1, "")
    assert "3 accounts: 2 ok, 1 failed" in out
    expected = f"\nAssumeRoleDenied AccessDenied: 1 account\n  {ids(3)[1]}\n  AssumeRole of arn:aws:iam::{ids(3)[1]}:"
    assert expected in out
    assert f"Named more than once: {ids(3)[0]}" in out


def test_json_with_a_failure_exits_1_and_is_still_the_answer(aws, run):
    aws.tell("ListBuckets", error("AccessDenied", 403), account=ids(2)[0], always=True)
    status, out, err = run("s3_buckets", "--accounts", ",".join(ids(2)), "--json")
    assert (status, err) == (1, "")
    assert list(outcome(json.loads(out)).values()) == ["CheckDenied", "ok"]


@pytest.mark.parametrize("form", ["table", "--json"])
def test_if_every_account_failed_each_is_shown_all_the_same(aws, run, form):
    aws.tell("AssumeRole", sts_denies(), always=True)
    status, out, err = run("identity", "--accounts", ",".join(ids(2)), *([form] if form == "--json" else []))
    assert (status, err) == (1, "")
    if form == "--json":
        assert outcome(json.loads(out)) == dict.fromkeys(ids(2), "AssumeRoleDenied")
    else:
        assert "2 accounts: 0 ok, 2 failed" in out


def test_a_page_is_written_beside_the_table_with_the_names_of_the_organization(aws, run, tmp_path):
    aws.tell(ORGANIZATION, organization_of(*ids(2)))
    status, out, err = run("identity", "--html", str(tmp_path / "page.html"))
    assert (status, err) == (0, "")
    assert "2 accounts: 2 ok" in out
    assert f"<bdi>x</bdi> <code>{ids(2)[1]}</code>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_says_what_was_asked(run, tmp_path):
    run("s3_buckets", "--accounts", ids(1)[0], "--param", "prefix=logs", "--html", str(tmp_path / "page.html"))
    assert "asked with" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "prefix" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_is_written_also_if_every_account_failed(aws, run, tmp_path):
    aws.tell("AssumeRole", sts_denies(), always=True)
    status, _, _ = run("identity", "--accounts", ids(1)[0], "--html", str(tmp_path / "page.html"))
    assert status == 1
    assert "AssumeRoleDenied" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full, which takes nothing, is Linux's")
def test_a_page_that_cannot_be_written_is_told_and_the_answer_is_not_lost(aws, run):
    status, out, err = run("identity", "--accounts", ids(1)[0], "--html", "/dev/full")
    assert (status, err) == (1, "sweep.py: '/dev/full' was not written to its end: No space left on device.\n")
    assert "1 account: 1 ok" in out


def test_accounts_that_cannot_be_listed_are_a_failure(aws, run):
    aws.tell(ORGANIZATION, Reply('{"__type": "AccessDeniedException"}', 400), always=True)
    status, out, err = run("identity")
    assert (status, out) == (1, "")
    assert err.startswith("sweep.py: AWS Organizations did not list the accounts: AccessDeniedException")
    status, out, again = run("identity", "--json")
    assert (status, again, json.loads(out)["error"]["code"]) == (1, err, "AccessDeniedException")


def test_a_check_that_breaks_is_told_on_stderr_and_does_not_spoil_the_json(run, added):
    @check(actions=["a:B"])
    def fragile(account: Any) -> int:
        """Break in one account."""
        return {ids(2)[1]: 1}[account.id]

    added(fragile)
    status, out, err = run("fragile", "--accounts", ",".join(ids(2)), "--json")
    assert (status, list(outcome(json.loads(out)).values())) == (1, ["CheckFailed", "ok"])
    assert json.loads(err)["message"] == "check raised"


def test_without_a_region_it_says_which_setting(run, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    status, out, err = run("identity", "--accounts", ids(1)[0])
    assert (status, out) == (2, "")
    assert "AWS_DEFAULT_REGION" in err


def test_without_credentials_it_says_so(run, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    status, out, err = run("identity", "--accounts", ids(1)[0])
    assert (status, err) == (1, "")
    assert out.startswith("HubCredentialsRejected: 1 account\n")


# ---- the terminal


def test_the_bar_is_only_drawn_on_a_terminal(monkeypatch, capsys):
    assert command._bar(hidden=False).disable
    monkeypatch.setattr(sys, "stderr", Tty())
    assert not command._bar(hidden=False).disable
    assert command._bar(hidden=True).disable


def test_the_bar_is_on_stderr_and_counts_the_accounts(aws, run, monkeypatch):
    stderr = Tty()
    made: list[Progress] = []

    def bar(make=command._bar, **how: bool) -> Progress:
        made.append(make(**how))
        return made[0]

    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(command, "_bar", bar)
    status, out, _ = run("identity", "--accounts", ",".join([*ids(3), ids(3)[0]]), "--json")
    assert (status, len(json.loads(out)["results"])) == (0, 3)
    (task,) = made[0].tasks
    assert (task.completed, task.total) == (3, 3)
    assert "identity" in stderr.getvalue()


def test_the_table_is_drawn_with_what_the_terminal_has(run, monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert run("s3_buckets", "--accounts", ids(1)[0])[0] == 0
    assert ids(1)[0] in stdout.buffer.getvalue().decode("ascii")


@pytest.mark.parametrize(("width", "created"), [(80, "2025-01-28T00:00"), (200, "2025-01-28T00:00:00+00:00")])
def test_the_table_is_as_wide_as_the_terminal(aws, run, monkeypatch, width, created):
    aws.buckets[ids(1)[0]] = ["a-name-of-sixty-three-characters-as-many-as-a-bucket-may-have-x"]
    stdout = Tty()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    run("s3_buckets", "--accounts", ids(1)[0])
    head, row = stdout.getvalue().splitlines()[:2]
    assert head.startswith("\x1b[1;4maccount  ")
    assert created in row
    assert len(row) <= width


def test_piped_the_table_is_plain_and_has_every_value_in_full(aws, run, monkeypatch):
    name = "a-name-of-sixty-three-characters-as-many-as-a-bucket-may-have-x"
    aws.buckets[ids(1)[0]] = [name]
    monkeypatch.setenv("COLUMNS", "80")
    out = run("s3_buckets", "--accounts", ids(1)[0])[1]
    assert name in out
    assert out.isascii()
    assert "\x1b" not in out


def test_what_came_from_elsewhere_cannot_write_to_the_terminal(run):
    status, out, _ = run("identity", "--accounts", f"{ids(1)[0]},\x1b[31mred[bold]")
    assert status == 1
    assert "\x1b" not in out
    assert "\ufffd[31mred[bold]" in out
