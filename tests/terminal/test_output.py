"""What is written is whole, and what cannot be written ends the sweep."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import pytest

from chalicelib.cross_account import InvalidInput
from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.output import Output, ReplacedFile
from terminal.status import Status
from tests.fake_hub import ids


class Ids:
    """A form: the account's id, a line each."""

    def __init__(self, text: StringIO) -> None:
        self._text = text

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        self._text.writelines(f"{outcome.account}\n" for outcome in outcomes)

    def finish(self, answer: Answer) -> None:
        self._text.write("the end\n")


def done(account: str) -> list[Outcome]:
    return [Outcome(account, None, None, None, "find", 1)]


def output(write) -> Output:
    text = StringIO()
    return Output(Ids(text), text, write)


@pytest.fixture
def open_files() -> Iterator[ExitStack]:
    with ExitStack() as files:
        yield files


def test_each_account_is_written_when_it_is_done_and_at_once():
    written: list[str] = []
    to = output(lambda text: written.append(text) or Status.DONE)
    to.receive([*done("1"), *done("1")])
    to.receive(done("2"))
    to.receive([])
    to.finish(Answer("find", ()))
    assert written == ["1\n1\n", "2\n", "the end\n"]


def test_once_it_cannot_be_written_nothing_more_is_and_what_is_lost_is_known():
    written: list[str] = []

    def write(text: str) -> Status:
        written.append(text)
        return Status.FAILED if "2" in text else Status.DONE

    to = output(write)
    for account in ("1", "2", "3"):
        to.receive(done(account))
    to.finish(Answer("find", ()))
    assert (written, to.lost, to.status) == (["1\n", "2\n"], ["2", "3"], Status.FAILED)


def test_what_was_in_a_file_stays_until_there_is_something_to_write(tmp_path, open_files):
    path = tmp_path / "rows.jsonl"
    path.write_text("of yesterday, and longer\n")
    file = ReplacedFile(path, open_files)
    assert path.read_text() == "of yesterday, and longer\n"
    assert (file.write("new\n"), file.write("newer\n")) == (Status.DONE, Status.DONE)
    assert path.read_text() == "new\nnewer\n"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path, open_files):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match=r"^The file '.*' cannot be written: Not a directory\.$"):
        ReplacedFile(tmp_path / "file" / "rows.jsonl", open_files)
    with pytest.raises(InvalidInput, match=r"cannot be written: File name too long\.$"):
        ReplacedFile(tmp_path / ("x" * 300), open_files)


def test_a_disk_that_is_full_leaves_whole_lines(tmp_path, open_files, monkeypatch, capsys):
    path = tmp_path / "rows.jsonl"
    file = ReplacedFile(path, open_files)
    file.write("1\n")
    file._file = FullDisk(file._file)  # type: ignore[assignment]  # no disk of a test can be filled up
    assert file.write("2\n") is Status.FAILED
    assert path.read_text() == "1\n"
    assert capsys.readouterr().err == f"sweep.py: {str(path)!a} was not written to its end: No space left on device.\n"


class FullDisk:
    """It takes one more byte."""

    def __init__(self, file) -> None:
        self._file = file
        self._room = 1

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room = 0
        return self._file.write(data[:1])

    def truncate(self, length: int) -> int:
        return self._file.truncate(length)


def test_what_is_no_regular_file_is_written_as_well(open_files):
    assert ReplacedFile(Path(os.devnull), open_files).write("1\n") is Status.DONE


def test_half_a_character_is_no_reason_to_lose_the_rest(tmp_path, open_files):
    ReplacedFile(tmp_path / "page.html", open_files).write("a\ud800b")
    assert (tmp_path / "page.html").read_text() == "a?b"


def test_a_named_pipe_that_is_read_no_more_is_no_error(tmp_path, open_files):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = ReplacedFile(tmp_path / "pipe", open_files)
    assert file.write(f"{ids(1)[0]}\n") is Status.DONE
    os.close(reader)
    assert file.write("more\n") is Status.CLOSED
