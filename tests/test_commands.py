"""Every command of a person: --help helps and does nothing, what is wrong is one line, a signal ends it quietly."""

from __future__ import annotations

import importlib
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terminal.command import Parser

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "python -m acceptance": "acceptance.__main__",
    "python -m audit": "audit.__main__",
    "python -m audit.operations": "audit.operations",
    "python -m audit.prowler": "audit.prowler.__main__",
    "python -m bench": "bench.__main__",
    "python -m sandbox": "sandbox.__main__",
    "python -m sandbox.demo": "sandbox.demo",
    "python -m sandbox.demo_scale": "sandbox.demo_scale",
    "python -m sandbox.deploy_role": "sandbox.deploy_role",
    "python -m sandbox.deploy_sweep": "sandbox.deploy_sweep",
    "python -m tests.browser.screenshot": "tests.browser.screenshot",
    "python helper.py": "helper",
    "python install.py": "install",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_is_for_how_it_is_called_and_what_it_needs(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(COMMANDS[command]).main(["--help"])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.err) == (0, "")
    assert printed.out.startswith(f"usage: {command} ")
    assert re.search("^    (make|python) ", printed.out, re.MULTILINE), "an example"
    if "sandbox.deploy" in command:
        assert "needs a running sandbox" in printed.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_argument_is_told_in_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(COMMANDS[command]).main(["--wrong"])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert re.fullmatch(f"{command}: .+\n", printed.err)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("python -m sandbox", ["--port", "99999"]),
        ("python -m sandbox", ["--accounts", "-1"]),
        ("python -m sandbox", ["--accounts", "x"]),
        ("python -m sandbox", ["--template", "no-such.yaml"]),
        ("python -m sandbox.deploy_role", ["12"]),
        ("python -m sandbox.deploy_role", []),
        ("python -m sandbox.deploy_sweep", ["BatchSize"]),
        ("python -m sandbox.deploy_sweep", ["Stage=dev"]),
    ],
)
def test_so_is_a_wrong_value(command: str, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(COMMANDS[command]).main(wrong)
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert re.fullmatch(f"{command}: .+\n", printed.err)


def test_help_waits_for_no_moto() -> None:
    modules = ", ".join(module for module in COMMANDS.values() if module != "audit.operations")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; sys.exit('moto' in sys.modules)"], cwd=ROOT, check=False
    )
    assert done.returncode == 0


STUCK = """
import sys, time
from pathlib import Path
from tempfile import TemporaryDirectory
from terminal.command import cleaning_up_undisturbed, run

def main():
    with TemporaryDirectory(dir=sys.argv[1]) as folder, Slow(), cleaning_up_undisturbed():
        print(folder, flush=True)
        time.sleep(60)
    return 0

class Slow:
    def __enter__(self): ...
    def __exit__(self, *_):
        print("ending", flush=True)
        time.sleep(0.2)

run(main)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_with_its_folders_and_a_second_one_does_not_disturb_it(
    number: int, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)],
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # also below nohup
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.exists()
    process.send_signal(number)
    assert process.stdout.readline() == "ending\n"
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (128 + number, "Stopped.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    script = "from terminal.command import run\nrun(lambda: print('x' * 1_000_000) or 0)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == ""
    assert process.wait() == 141


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_nor_is_a_stream_that_the_shell_has_closed(closed: str) -> None:
    script = "import sys; from terminal.command import run; run(lambda: print('x', file=sys.stderr) or print('x') or 0)"
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    told = ("" if closed.startswith(">") else "x\n", "" if "2" in closed else "x\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, *told)


def test_an_option_is_not_abbreviated() -> None:
    parser = Parser("python -m x", "")
    parser.add_argument("--accounts")
    with pytest.raises(SystemExit):
        parser.parse_args(["--acc", "3"])
