"""Streams that are closed, full, or lack characters."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from tests.fake_hub import ids
from tests.templates import ROOT
from tests.terminal.drive import ONE_BY_ONE, PLAN, ctrl_c

# ---- streams that are closed


@pytest.mark.parametrize("form", [[], ["--json"], ["--help"]], ids=str)
def test_stdout_that_is_read_no_more_is_no_error(run, monkeypatch, closed_pipe, form):
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    status, _, err = run("identity", "--accounts", ids(1)[0], *form)
    assert (status, err) == (141, "")


def test_the_page_is_written_although_stdout_is_read_no_more(run, monkeypatch, closed_pipe, folder):
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    run("identity", "--accounts", ids(1)[0], "--html", "page.html")
    assert ids(1)[0] in (folder / "page.html").read_text(encoding="utf-8")


def test_how_to_go_on_is_told_although_stdout_is_read_no_more(run, hang, monkeypatch, closed_pipe):
    hang(ids(2)[1], ctrl_c)
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    status, _, err = run("identity", "--accounts", ",".join(ids(2)), *ONE_BY_ONE)
    assert status == 130
    assert err.endswith(f"--accounts {ids(2)[1]}\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full, which takes nothing, is Linux's")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=str)
def test_an_answer_that_cannot_be_written_is_told(run, monkeypatch, form):
    with open("/dev/full", "wb", buffering=0) as raw, io.TextIOWrapper(raw, write_through=True) as full:
        monkeypatch.setattr(sys, "stdout", full)
        status, _, err = run("identity", "--accounts", ids(1)[0], *form)
    assert (status, err) == (1, "sweep.py: the answer could not be written: No space left on device.\n")


def test_the_answer_is_not_lost_if_stderr_is_read_no_more(run, hang, monkeypatch, closed_pipe):
    hang(ids(2)[1], ctrl_c)
    monkeypatch.setattr(sys, "stderr", closed_pipe)
    status, out, _ = run("identity", "--accounts", ",".join(ids(2)), *ONE_BY_ONE)
    assert status == 130
    assert "2 accounts: 1 ok" in out


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_it_runs_with_a_stream_that_the_shell_has_closed(run, monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    assert run("identity", "--accounts", ids(1)[0])[0] == 0
    getattr(sys, name).close()


def test_a_process_does_not_wait_for_threads_that_a_check_has_left_behind():
    code = (
        "import sys, threading\n"
        "from terminal.streams import leave\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "print('answered')\n"
        "leave(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "answered\n")


def test_a_process_whose_stdout_is_read_no_more_says_nothing(start):
    process = start("identity", "--accounts", ids(1)[0], "--json")
    process.stdout.close()
    assert (process.wait(60), PLAN.sub("", process.stderr.read())) == (141, "")
