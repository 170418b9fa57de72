"""--format and --output: the same rows in each form, and whole; what cannot be written ends the sweep."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from chalicelib.cross_account import InvalidInput
from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.exit_status import Status
from terminal.options import FORMATS
from terminal.output_file import ReplacedFile
from terminal.outputs import Output
from tests.fake_aws import Reply
from tests.fake_hub import ids


class Ids:
    """A format: the account's id, a line each."""

    def receive(self, outcomes: Sequence[Outcome]) -> str:
        return "".join(f"{outcome.account}\n" for outcome in outcomes)

    def finish(self, answer: Answer) -> str:
        return "the end\n"


def done(account: str) -> list[Outcome]:
    return [Outcome(account, None, None, None, "find", 1)]


@pytest.fixture
def open_files() -> Iterator[ExitStack]:
    with ExitStack() as files:
        yield files


def test_each_account_is_written_when_it_is_done_and_at_once():
    written: list[str] = []
    to = Output(Ids(), lambda text: written.append(text) or Status.DONE)
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

    to = Output(Ids(), write)
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


# ---- the command

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
