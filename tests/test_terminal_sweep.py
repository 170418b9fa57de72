"""`python sweep.py`: what it asks, what it shows on which stream, and how it exits."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from rich.progress import Progress

import chalicelib.sweeps.sweep as sweeps
import sweep as command
from chalicelib.app_log import logger
from chalicelib.checks.check import check
from chalicelib.inputs.settings import hub_of
from terminal import going_on
from terminal.going_on import how_to_go_on
from tests.fake_aws import FakeAws, Reply, Request, error, healthy
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids, outcome
from tests.templates import ROOT

ORGANIZATION = "POST /"


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It lays a stage over the environment and turns the log to stderr, as befits a process of its own."""
    level, before, at_ctrl_c = logger.log_level, dict(os.environ), signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(logger.registered_handler, "stream", sys.stdout)
    yield
    logger.setLevel(level)
    hub_of.cache_clear()
    os.environ.clear()
    os.environ.update(before)
    signal.signal(signal.SIGINT, at_ctrl_c)


@pytest.fixture
def run(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Gives the exit status, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            status = command.main(arguments)
        except SystemExit as ended:
            status = ended.code  # type: ignore[assignment]
        return status, *capsys.readouterr()

    return call


def organization_of(*accounts: str) -> Reply:
    found = [{"Id": id_, "Name": "x", "State": "ACTIVE", "Paths": [f"o-a1b2c3d4e5/r-ab12/{id_}/"]} for id_ in accounts]
    return Reply(json.dumps({"Accounts": found}))


# ---- the answer


def test_a_table_goes_to_stdout_and_nothing_to_stderr(run):
    status, out, err = run("s3_buckets", "--accounts", ",".join(ids(2)))
    assert (status, err) == (0, "")
    for account in ids(2):
        (line,) = [line for line in out.splitlines() if account in line]
        assert '{"count": 1' in line
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


def test_a_failure_is_a_line_of_the_table_with_its_next_step_below(aws, run):
    aws.tell("AssumeRole", sts_denies(), account=ids(3)[1], always=True)
    status, out, err = run("identity", "--accounts", ",".join([*ids(3), ids(3)[0]]))
    assert (status, err) == (1, "")
    assert [ids(3)[1] in line for line in out.splitlines() if "AssumeRoleDenied AccessDenied " in line] == [True]
    assert "3 accounts: 2 ok, 1 failed" in out
    assert "\nAssumeRoleDenied AccessDenied: AssumeRole of arn:aws:iam::" in out
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
    assert (status, err) == (1, "sweep.py: '/dev/full' was not written: No space left on device.\n")
    assert "1 accounts: 1 ok" in out


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


WRONG = [
    ([], "the following arguments are required: check"),
    (["nonsense"], "There is no check 'nonsense'. There are: identity, preflight"),
    (["identity", "--nonsense"], "unrecognized arguments: --nonsense"),
    (["identity", "--acc", "1"], "unrecognized arguments: --acc"),
    (["identity", "--accounts", ""], "argument --accounts: it is empty"),
    (["identity", "--accounts", " , "], "argument --accounts: it is empty"),
    (["identity", "--accounts", "1", "--organizational-unit", "ou-ab12-34cd56ef"], "not allowed with argument"),
    (["identity", "--accounts", "1", "--exclude", "100000000001"], "but not both"),
    (["identity", "--organizational-unit", "all"], "organizational_unit must be the id of a unit"),
    (["identity", "--exclude", "1"], "exclude must be a list of account ids"),
    (["identity", "--regions", "ireland"], "region must be the name of an AWS region"),
    (["identity", "--concurrency", "many"], "argument --concurrency: invalid int value: 'many'"),
    (["identity", "--concurrency", "0"], "concurrency must be a whole number from 1 to 64"),
    (["identity", "--html", "no/such/folder/page.html"], "the directory of 'no/such/folder/page.html' does not exist"),
    (
        ["identity", "--accounts", "@no-such-file"],
        "the file 'no-such-file' could not be read: No such file or directory",
    ),
    (["identity", "--accounts", "@."], "the file '.' could not be read: Is a directory"),
    (["identity", "--accounts", f"@{os.devnull}"], f"the file '{os.devnull}' is empty"),
    (["identity", "--accounts", f"@{sys.executable}"], "is not a text in UTF-8"),
    (
        ["identity", "--timeout", "soon"],
        "argument --timeout: it must be a number of seconds above 0, such as 90, not 'soon'",
    ),
    (["identity", "--timeout", "0"], "argument --timeout: it must be a number of seconds above 0"),
    (["identity", "--timeout", "nan"], "argument --timeout: it must be a number of seconds above 0"),
    (["identity", "--timeout", "inf"], "argument --timeout: it must be a number of seconds above 0"),
    (["s3_buckets", "--param", "prefix"], "--param takes NAME=VALUE, not 'prefix'"),
    (["s3_buckets", "--param", "sufix=x"], "takes no parameter 'sufix'"),
    (["bedrock_converse"], "needs the parameter model_id"),
    (["identity", "--stage", "staging"], "There is no stage 'staging' in .chalice/config.json. There are: dev"),
]


@pytest.mark.parametrize(
    ("arguments", "sentence"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else value[:25]
)
def test_a_wrong_command_gets_one_line_and_aws_is_not_called(aws, run, arguments, sentence):
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("sweep.py: ")
    assert sentence in err
    assert aws.seen == []


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
    assert "\nHubCredentialsRejected: " in out


# ---- the stage


@pytest.fixture
def config(monkeypatch, tmp_path) -> Callable[..., None]:
    def write(**more: Any) -> None:
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"version": "2.0", "app_name": "x", "stages": {"dev": {}, "prod": {}}} | more))
        monkeypatch.setattr(command, "CONFIG", file)

    return write


def test_settings_are_those_of_the_stage_as_chalice_reads_them(config):
    config(
        environment_variables={"ROLE_NAME": "for-all", "ROLE_PATH": "/", "LOG_LEVEL": "INFO"},
        stages={
            "dev": {},
            "prod": {
                "environment_variables": {"ROLE_NAME": "in-prod", "EXTERNAL_ID": "in-prod"},
                "lambda_functions": {
                    "sweep": {"environment_variables": {"EXTERNAL_ID": "of-the-sweep"}},
                    "switch_account": {"environment_variables": {"EXTERNAL_ID": "of-another"}},
                },
            },
        },
    )
    assert command._variables("dev") == {"ROLE_NAME": "for-all", "ROLE_PATH": "/", "LOG_LEVEL": "INFO"}
    assert command._variables("prod") == {
        "ROLE_NAME": "in-prod",
        "ROLE_PATH": "/",
        "LOG_LEVEL": "INFO",
        "EXTERNAL_ID": "of-the-sweep",
    }


def test_the_stages_settings_are_laid_over_the_shells(aws, run, config, monkeypatch):
    config(environment_variables={"ROLE_NAME": "of-the-stage"})
    monkeypatch.setenv("ROLE_NAME", "of-the-shell")
    monkeypatch.setenv("EXTERNAL_ID", "of-the-shell")
    assert run("identity", "--accounts", ids(1)[0], "--stage", "prod")[0] == 0
    (assumed,) = aws.operations("AssumeRole")
    assert assumed.form["RoleArn"].endswith("role/of-the-stage")
    assert assumed.form["ExternalId"] == "of-the-shell"


def test_the_default_stage_is_dev(aws, run, config):
    config(stages={"dev": {"environment_variables": {"ROLE_NAME": "in-dev"}}})
    assert run("identity", "--accounts", ids(1)[0])[0] == 0
    assert aws.operations("AssumeRole")[0].form["RoleArn"].endswith("role/in-dev")


def test_a_wrong_setting_of_the_stage_is_named(run, config):
    config(environment_variables={"SESSION_SECONDS": "7"})
    status, out, err = run("identity", "--accounts", ids(1)[0])
    assert (status, out) == (2, "")
    assert "SESSION_SECONDS" in err


@pytest.mark.parametrize("stage", json.loads(command.CONFIG.read_text())["stages"])
def test_every_stage_of_the_project_can_be_used(stage):
    assert command._variables(stage)["ROLE_NAME"] == "external-role"


# ---- the terminal


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_only_drawn_on_a_terminal(monkeypatch, capsys):
    assert command._bar().disable
    monkeypatch.setattr(sys, "stderr", Tty())
    assert not command._bar().disable


def test_the_bar_is_on_stderr_and_counts_the_accounts(aws, run, monkeypatch):
    stderr = Tty()
    made: list[Progress] = []

    def bar(make=command._bar) -> Progress:
        made.append(make())
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


def test_what_came_from_elsewhere_cannot_write_to_the_terminal(run):
    status, out, _ = run("identity", "--accounts", f"{ids(1)[0]},\x1b[31mred[bold]")
    assert status == 1
    assert "\x1b" not in out
    assert "\ufffd[31mred[bold]" in out


# ---- ending early, and going on


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


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


ONE_BY_ONE = ("--concurrency", "1")


def test_ctrl_c_prints_what_is_done_and_how_to_go_on(run, hang):
    hang(ids(3)[1], ctrl_c)
    status, out, err = run("identity", "--accounts", ",".join(ids(3)), *ONE_BY_ONE)
    assert status == 130
    assert "3 accounts: 1 ok, 1 failed, 1 not started" in out
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
    monkeypatch.setattr(going_on, "REST", "no/such/folder/rest.txt")
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


# ---- streams that are closed


@pytest.fixture
def closed_pipe() -> Iterator[TextIO]:
    """What is written to it is read no more."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        yield stream


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


# ---- a process of its own


@pytest.fixture
def start(aws: FakeAws) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def call(*arguments: str) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        words, pipe = [sys.executable, "sweep.py", *arguments], subprocess.PIPE
        started.append(subprocess.Popen(words, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()


def test_a_process_whose_accounts_hang_ends_at_ctrl_c_and_its_command_goes_on(aws, start, hang):
    process = start("s3_buckets", "--accounts", ",".join(ids(2)), *ONE_BY_ONE, "--param", "prefix=it's")
    hang(ids(2)[1], lambda: process.send_signal(signal.SIGINT))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "2 accounts: 1 ok" in out) == (130, True)
    aws.reset()
    again = subprocess.run(err.splitlines()[-1], shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (again.returncode, again.stderr) == (0, "")
    assert "1 accounts: 1 ok" in again.stdout


def test_one_more_ctrl_c_ends_the_printing_at_once(aws, start, hang):
    aws.buckets[ids(2)[0]] = ["more-than-a-pipe-holds" * 10_000]
    process = start("s3_buckets", "--accounts", ",".join(ids(2)), *ONE_BY_ONE, "--json")
    hang(ids(2)[1], lambda: process.send_signal(signal.SIGINT))
    assert process.stdout.read(1) == "{"
    process.send_signal(signal.SIGINT)
    assert (process.wait(60), process.stderr.read()) == (130, "")


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
    assert (process.wait(60), process.stderr.read()) == (141, "")
