"""The command, as a test runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

import sweep as command
from chalicelib.app_log import logger
from chalicelib.inputs.settings import hub_of
from tests.fake_aws import FakeAws, Reply, Request, healthy
from tests.templates import ROOT
from tests.terminal.drive import PLAN


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """It lays a stage over the environment and turns the log to stderr, as befits a process of its own."""
    level, before, at_ctrl_c = logger.log_level, dict(os.environ), signal.getsignal(signal.SIGINT)
    yield
    logger.setLevel(level)
    hub_of.cache_clear()
    os.environ.clear()
    os.environ.update(before)
    signal.signal(signal.SIGINT, at_ctrl_c)


@pytest.fixture
def run(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Gives the exit status, stdout, and stderr but for the line with what is going to be asked."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(logger.registered_handler, "stream", sys.stdout)  # that of another run may be closed
        try:
            status = command.main(arguments)
        except SystemExit as ended:
            status = ended.code  # type: ignore[assignment]
        out, err = capsys.readouterr()
        return status, out, PLAN.sub("", err, count=1)

    return call


@pytest.fixture
def hang(aws: FakeAws) -> Iterator[Callable[..., None]]:
    """AWS does not let into an account until the test is over; something else may happen first."""
    held = threading.Event()

    def tell(account: str, first: Callable[[], None] = lambda: None) -> None:
        def answer(request: Request) -> Reply:
            first()
            held.wait(60)
            return healthy(request)

        aws.tell("AssumeRole", answer, account=account, always=True)

    yield tell
    held.set()
    for thread in threading.enumerate():
        if thread.name.startswith("sweep-"):
            thread.join(10)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current one, in which there is nothing."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def closed_pipe() -> Iterator[TextIO]:
    """What is written to it is read no more."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        yield stream


@pytest.fixture
def start(aws: FakeAws) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def call(*arguments: str) -> subprocess.Popen[str]:
        words, pipe = [sys.executable, "sweep.py", *arguments], subprocess.PIPE
        started.append(subprocess.Popen(words, cwd=ROOT, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()
