"""`python -m sandbox`: it prints its environment, ends cleanly, and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import sandbox
from sandbox import leftovers
from sandbox.__main__ import main as run_sandbox
from sandbox.demo import Demo
from sandbox.shell import exports
from sandbox.state_file import PROJECT, State, read_state, remove_state, write_state

from .conftest import TEMPLATE, wait_until_gone

ENVIRONMENT = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_SESSION_TOKEN": "a b'c"}


def test_exports_survive_the_shell() -> None:
    script = f"{exports(ENVIRONMENT)}\nprintf '%s' \"$AWS_SESSION_TOKEN\""
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == "a b'c"


@pytest.mark.parametrize(("own", "expected"), [(None, "ours"), ("a b", "ours:a b")])
def test_the_shells_own_folders_of_modules_stay(own: str | None, expected: str) -> None:
    given = {"PATH": os.environ["PATH"], **({"PYTHONPATH": own} if own else {})}
    script = f"{exports({'PYTHONPATH': 'ours'})}\nprintf '%s' \"$PYTHONPATH\""
    assert subprocess.run(["sh", "-c", script], env=given, capture_output=True, text=True).stdout == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, "ours"), ({"NO_PROXY": "a"}, "ours,a"), ({"no_proxy": "b", "NO_PROXY": "a"}, "ours,b,a")],
)
def test_a_shell_behind_a_proxy_reaches_the_sandbox_and_what_it_reached_before(
    own: dict[str, str], expected: str
) -> None:
    script = f"{exports({'no_proxy': 'ours'})}\nprintf '%s' \"$no_proxy\""
    given = {"PATH": os.environ["PATH"], **own}
    assert subprocess.run(["sh", "-c", script], env=given, capture_output=True, text=True).stdout == expected


def test_an_account_before_the_endpoints_host_is_this_machine_and_a_sitecustomize_of_ones_own_still_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('own')")
    resolve = "import socket; print(socket.getaddrinfo('123456789012.127.0.0.1', 80)[0][4])"
    path = os.pathsep.join([str(PROJECT / "sandbox" / "names"), str(tmp_path)])
    run = subprocess.run([sys.executable, "-c", resolve], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("own\n('127.0.0.1', 80)\n", "")


@pytest.mark.parametrize("shell", [shell for shell in ("sh", "bash", "zsh") if shutil.which(shell)])
@pytest.mark.parametrize("own", [{}, {"AWS_PROFILE": "a b", "AWS_ENDPOINT_URL_S3": "x\nAWS_A=1", "NOT_AWS_A": "1"}])
def test_nothing_is_left_of_the_shells_own_aws(shell: str, own: dict[str, str]) -> None:
    script = 'set -e\neval "$1"\nenv | grep AWS_ | sort'
    run = subprocess.run(
        [shell, "-c", script, shell, exports(ENVIRONMENT)], env={"PATH": os.environ["PATH"], **own}, capture_output=True
    )
    ours = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    assert run.stdout.decode().splitlines() == sorted([*ours, *(["NOT_AWS_A=1"] if own else [])])
    assert run.stderr == b""


def test_nor_does_a_demo_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "environ", {**os.environ, "AWS_PROFILE": "work", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1"}
    )
    seen: list[str] = []
    Demo(tmp_path, ENVIRONMENT).step("All variables", "env", lambda output: seen.append(output) or "")
    assert set(re.findall(r"^AWS_\w+", seen[0], re.MULTILINE)) == set(ENVIRONMENT)
    assert not [name for name in os.environ if name.startswith("AWS_")]


def test_a_state_file_is_read_while_its_process_runs(tmp_path: Path) -> None:
    path = tmp_path / "build" / "sandbox.json"
    assert read_state(path) is None
    state = State(os.getpid(), ENVIRONMENT)
    write_state(state, path)
    assert read_state(path) == state
    remove_state(os.getpid() + 1, path)
    assert path.exists()
    remove_state(os.getpid(), path)
    assert not path.exists()


def test_the_state_file_is_its_users_alone_and_never_written_through_a_link(tmp_path: Path) -> None:
    path, planted = tmp_path / "sandbox.json", tmp_path / "planted"
    planted.write_text("untouched")
    path.symlink_to(planted)
    write_state(State(os.getpid(), ENVIRONMENT), path)
    assert (planted.read_text(), path.is_symlink()) == ("untouched", False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_place_of_the_state_file_is_ignored(tmp_path: Path) -> None:
    write_state(State(os.getpid(), ENVIRONMENT), tmp_path / "elsewhere.json")
    (tmp_path / "sandbox.json").symlink_to(tmp_path / "elsewhere.json")
    assert read_state(tmp_path / "sandbox.json") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_state_file_of_another_user_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    write_state(State(os.getpid(), ENVIRONMENT), path)
    os.chown(path, 65534, -1)
    assert read_state(path) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x", "environment": {}}'])
def test_a_broken_state_file_is_ignored(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(content)
    assert read_state(path) is None


def test_the_state_file_of_an_ended_process_is_ignored(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_state(State(ended.pid, ENVIRONMENT), tmp_path / "sandbox.json")
    assert read_state(tmp_path / "sandbox.json") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_it_runs_in_the_foreground_until_a_signal(number: int, tmp_path: Path) -> None:
    state_file = tmp_path / "sandbox.json"
    command = [sys.executable, "-m", "sandbox", "--template", str(TEMPLATE), "--state-file", str(state_file)]
    hints = tmp_path / "stderr"
    with hints.open("w") as stderr:
        process = subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=stderr)
    assert process.stdout is not None
    unset, first = process.stdout.readline(), process.stdout.readline()
    assert re.fullmatch(r"export AWS_ENDPOINT_URL=http://127\.0\.0\.1:\d+\n", first)
    env = subprocess.run(
        [*command[:3], "env", "--state-file", str(state_file)], cwd=PROJECT, capture_output=True, text=True
    )
    assert env.returncode == 0
    assert env.stdout.startswith(unset + first)
    again = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert again.returncode == 1
    assert "already running" in again.stderr
    process.send_signal(number)
    process.send_signal(signal.SIGTERM)  # a second signal must not block it
    with process.stdout as stdout:
        assert "export AWS_SESSION_TOKEN=" in stdout.read()
    assert process.wait(timeout=20) == 0
    assert "ready" in hints.read_text()
    assert "Traceback" not in hints.read_text()
    assert not state_file.exists()


def test_make_passes_on_the_number_of_accounts_and_the_port() -> None:
    make = [
        "make",
        "--dry-run",
        "--no-print-directory",
        "--old-file",
        ".venv/requirements-dev.txt",
        "sandbox",
        "ACCOUNTS=200",
        "PORT=5000",
    ]
    told = subprocess.run(make, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert told.endswith('/python -m sandbox --accounts "200" --port "5000"\n')


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit, match="2"):
            run_sandbox(["--port", port, "--state-file", str(tmp_path / "none.json")])
    told = f"python -m sandbox: argument --port: {port}: address already in use; without it, any free port is taken\n"
    assert capsys.readouterr() == ("", told)


def test_folders_of_processes_that_were_killed_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"sandbox-functions-{ended.pid}-a_b1c2d3"
    (left / "code").mkdir(parents=True)
    others = [tmp_path / name for name in ("sandbox-functions-old", f"sandbox-x-{ended.pid}-a-b", "mine")]
    for folder in others:
        folder.mkdir()
    elsewhere = tmp_path / "mine" / "kept"
    elsewhere.mkdir()
    (tmp_path / f"sandbox-link-{ended.pid}-abc").symlink_to(tmp_path / "mine")
    with leftovers.folder("own") as own:
        leftovers.remove()
        assert (left.exists(), Path(own).exists(), elsewhere.exists()) == (False, True, True)
        assert all(folder.exists() for folder in others)


def test_a_folder_that_another_sandbox_has_just_removed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda folder, _: [folder / "sandbox-gone-1-abc"])
    leftovers.remove()


def test_env_without_a_sandbox_prints_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "env", "--state-file", str(tmp_path / "none.json")]
    env = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (env.returncode, env.stdout) == (1, "")
    assert env.stderr == "No sandbox is running. Start one with: make sandbox\n"


def test_a_sandbox_that_cannot_start_raises_an_error() -> None:
    with pytest.raises(sandbox.SandboxNotStarted), sandbox.running(Path("no-such-template.yaml")):
        pass


def test_a_sandbox_ends_with_the_program_that_started_it() -> None:
    script = f"""
import json, os, sandbox
from pathlib import Path
with sandbox.running(Path({str(TEMPLATE)!r})) as box:
    print(json.dumps(box.pid), flush=True)
    os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    wait_until_gone(json.loads(ended.stdout))


def test_accounts_can_be_added_whatever_the_shells_aws_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    with sandbox.running(TEMPLATE, accounts=3) as box:
        assert box.environment["AWS_DEFAULT_REGION"] == "us-east-1"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells where a process writes")
def test_it_prints_nothing_into_the_pipe_that_nobody_reads_on(box: sandbox.Box) -> None:
    stdout, stderr = (os.stat(f"/proc/{box.pid}/fd/{number}") for number in (1, 2))
    assert os.path.samestat(stdout, stderr)
