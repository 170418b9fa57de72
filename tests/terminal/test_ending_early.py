"""Ctrl-C and --timeout: what is done is not lost, and how to go on."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import threading
from dataclasses import replace

import pytest

import chalicelib.sweeps.sweep as sweeps
from chalicelib.inputs.settings import hub_of
from terminal import ending_early
from terminal.ending_early import how_to_go_on
from tests.fake_aws import Reply, Request, healthy
from tests.fake_hub import ids, outcome
from tests.templates import ROOT
from tests.terminal.drive import ONE_BY_ONE, ORGANIZATION, PLAN, ctrl_c, organization_of


def test_ctrl_c_prints_what_is_done_and_how_to_go_on(run, hang):
    hang(ids(3)[1], ctrl_c)
    status, out, err = run("identity", "--accounts", ",".join(ids(3)), *ONE_BY_ONE)
    assert status == 130
    assert "3 accounts: 1 ok, 1 failed (1 cut off), 1 not started" in out
    assert err == (
        "sweep.py: stopped. Not done: 2 of 3 accounts. To go on with these:\n"
        f"  python sweep.py identity --concurrency 1 --accounts {','.join(ids(3)[1:])}\n"
    )


def test_ctrl_c_is_no_failure_of_an_account_with_a_hint(run, hang):
    hang(ids(2)[1], ctrl_c)
    _, out, _ = run("identity", "--accounts", ",".join(ids(2)), *ONE_BY_ONE)
    assert "longer timeout" not in out


def test_ctrl_c_keeps_the_json_and_the_page(run, hang, folder):
    hang(ids(2)[1], ctrl_c)
    asked = ("identity", "--accounts", ",".join(ids(2)), *ONE_BY_ONE)
    status, out, _ = run(*asked, "--json", "--html", "page.html")
    assert (status, outcome(json.loads(out))) == (130, {ids(2)[0]: "ok", ids(2)[1]: "AssumeRoleTimedOut"})
    assert ids(2)[0] in (folder / "page.html").read_text(encoding="utf-8")


def test_ctrl_c_keeps_the_regions_that_are_done(aws, run, hang):
    hold = threading.Event()

    def stop(request: Request) -> Reply:
        ctrl_c()
        hold.wait(60)
        return healthy(request)

    aws.tell("GetCallerIdentity", healthy, stop)
    status, out, err = run("identity", "--accounts", ids(1)[0], "--regions", "eu-west-1,us-east-1,us-east-2", "--json")
    hold.set()
    assert (status, [result["ok"] for result in json.loads(out)["results"]]) == (130, [True, False, False])
    assert "Not done: 1 of 1 accounts." in err


def test_ctrl_c_before_any_account_is_done_is_one_sentence(run, hang, folder):
    for account in ids(20):
        hang(account, ctrl_c if account == ids(20)[0] else lambda: None)
    status, out, err = run("identity", "--accounts", ",".join(ids(20)), *ONE_BY_ONE)
    assert (status, out, list(folder.iterdir())) == (130, "", [])
    assert err == (
        "sweep.py: stopped before any account was done, so there is nothing to show. The same command starts again.\n"
    )


def test_ctrl_c_while_the_organization_is_listed_is_one_sentence(aws, run):
    hold = threading.Event()

    def stop(request: Request) -> Reply:
        ctrl_c()
        hold.wait(60)
        return organization_of(*ids(1))

    aws.tell(ORGANIZATION, stop)
    status, out, err = run("identity")
    hold.set()
    assert (status, out, err.count("\n"), aws.operations("AssumeRole")) == (130, "", 1, [])
    assert err.startswith("sweep.py: stopped before any account was done")


def test_many_accounts_that_are_not_done_are_in_a_file_that_can_be_asked(aws, run, hang, folder):
    hang(ids(20)[1], ctrl_c)
    asked = ("identity", "--accounts", ",".join(ids(20)), *ONE_BY_ONE, "--json")
    _, _, err = run(*asked)
    assert "Not done: 19 of 20 accounts; their ids are in rest.txt. To go on with these:" in err
    assert err.endswith("--accounts @rest.txt\n")
    aws.reset()
    hub_of.cache_clear()  # as in another process; this one's waits for the one that hangs
    status, out, _ = run("identity", "--accounts", "@rest.txt", "--json")
    assert (status, outcome(json.loads(out))) == (0, dict.fromkeys(ids(20)[1:], "ok"))


def test_the_file_of_those_that_are_not_done_replaces_no_other(run, hang, folder):
    (folder / "rest.txt").write_text("mine")
    (folder / "rest-2.txt").write_text("mine, too")
    hang(ids(20)[1], ctrl_c)
    _, _, err = run("identity", "--accounts", ",".join(ids(20)), *ONE_BY_ONE)
    assert err.endswith("--accounts @rest-3.txt\n")
    assert [(folder / name).read_text() for name in ("rest.txt", "rest-2.txt")] == ["mine", "mine, too"]


def test_where_no_file_can_be_written_the_ids_are_in_the_command(run, hang, monkeypatch):
    monkeypatch.setattr(ending_early, "REST", "no/such/folder/rest.txt")
    hang(ids(20)[1], ctrl_c)
    _, _, err = run("identity", "--accounts", ",".join(ids(20)), *ONE_BY_ONE)
    assert "could not be written (No such file or directory)" in err
    assert err.endswith(f"--accounts {','.join(ids(20)[1:])}\n")


TYPED = [
    ("--stage prod --timeout 5 --json", "--stage prod --timeout 5 --json --accounts 1,2"),
    ("--param 'prefix=a b' --param=x=y", "--param 'prefix=a b' --param=x=y --accounts 1,2"),
    ("--accounts=3,4 --regions us-east-1", "--regions us-east-1 --accounts 1,2"),
    ("--organizational-unit ou-1 --exclude 3,4", "--accounts 1,2"),
    ("--html new.html", "--accounts 1,2 --html new.html"),
    ("--html page.html", "--accounts 1,2 --html page-2.html"),
]


@pytest.mark.parametrize(("typed", "printed"), TYPED)
def test_the_command_to_go_on_is_the_same_but_for_the_accounts_and_the_page(folder, typed, printed):
    (folder / "page.html").touch()
    words = shlex.split(f"python sweep.py s3_buckets {typed}")
    last_line = how_to_go_on(words, "s3_buckets", ["1", "2"], 9).splitlines()[-1]
    assert last_line == f"  python sweep.py s3_buckets {printed}"


def test_accounts_come_from_a_file(run, folder):
    one, two, three, four = ids(4)
    (folder / "ids.txt").write_text(f"\ufeff# mine\n{one},{two}\t{three}\r\n\n  {four}  # the last\n", encoding="utf-8")
    status, out, err = run("identity", "--accounts", "@ids.txt", "--json")
    assert (status, err, list(outcome(json.loads(out)))) == (0, "", ids(4))


def test_accounts_to_leave_out_come_from_a_file(aws, run, folder):
    aws.tell(ORGANIZATION, organization_of(*ids(3)))
    (folder / "ids.txt").write_text("\n".join(ids(2)))
    _, out, _ = run("identity", "--exclude", "@ids.txt", "--json")
    assert list(outcome(json.loads(out))) == ids(3)[2:]


def test_a_timeout_ends_what_hangs_and_tells_how_to_go_on(run, hang):
    hang(ids(1)[0])
    status, out, err = run("identity", "--accounts", ids(1)[0], "--timeout", "0.2", "--json")
    assert (status, json.loads(out)["summary"]["ok"]) == (1, 0)
    assert err == (
        "sweep.py: time is up. Not done: 1 of 1 accounts. To go on with these:\n"
        f"  python sweep.py identity --timeout 0.2 --json --accounts {ids(1)[0]}\n"
    )


def test_after_the_timeout_nothing_is_started(aws, run):
    status, out, _ = run("identity", "--accounts", ",".join(ids(2)), "--timeout", "0.000001", "--json")
    assert (status, json.loads(out)["not_started"], aws.seen) == (1, ids(2), [])


def test_a_sweep_that_is_done_before_its_timeout_succeeds(run):
    status, _, err = run("identity", "--accounts", ids(1)[0], "--timeout", "60")
    assert (status, err) == (0, "")


def test_an_organization_that_was_not_listed_to_its_end_is_told(aws, run, monkeypatch):
    list_targets = sweeps.list_targets
    monkeypatch.setattr(sweeps, "list_targets", lambda *arguments: replace(list_targets(*arguments), complete=False))
    aws.tell(ORGANIZATION, organization_of(*ids(1)))
    status, _, err = run("identity")
    assert status == 1
    assert err == (
        "sweep.py: there was no time to list the whole organization: it has more accounts than these. Ask again with a "
        "longer --timeout, or with --organizational-unit.\n"
    )


# ---- a process of its own


def test_a_process_whose_accounts_hang_ends_at_ctrl_c_and_its_command_goes_on(aws, start, hang):
    process = start("s3_buckets", "--accounts", ",".join(ids(2)), *ONE_BY_ONE, "--param", "prefix=it's")
    hang(ids(2)[1], lambda: process.send_signal(signal.SIGINT))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "2 accounts: 1 ok" in out) == (130, True)
    aws.reset()
    again = subprocess.run(err.splitlines()[-1], shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (again.returncode, PLAN.sub("", again.stderr)) == (0, "")
    assert "1 account: 1 ok" in again.stdout


def test_one_more_ctrl_c_ends_the_printing_at_once(aws, start, hang):
    aws.buckets[ids(2)[0]] = ["more-than-a-pipe-holds" * 10_000]
    process = start("s3_buckets", "--accounts", ",".join(ids(2)), *ONE_BY_ONE, "--json")
    hang(ids(2)[1], lambda: process.send_signal(signal.SIGINT))
    assert process.stdout.read(1) == "{"
    process.send_signal(signal.SIGINT)
    assert (process.wait(60), PLAN.sub("", process.stderr.read())) == (130, "")
