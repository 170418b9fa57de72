"""What `make` does before anything else: .venv, by uv or by pip, with hashes, and a sentence where it cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.templates import ROOT

PYTHON = f"""#!/bin/sh
# Writes down what it is asked. The project's own command is run by a real one, which takes this one for itself.
case "$*" in
    -c*version_info*) echo "$VERSION"; exit "$OLD" ;;
    -c*ensurepip*) exit "$NO_ENSUREPIP" ;;
esac
echo "python $*" >>asked
for last in "$@"; do :; done
case "$*" in
    "-m venv "*) mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
    "-m pip --python "*) [ "$NO_PIP" = 0 ] || exit 1 ;;
esac
case "$*" in
    "-m pip "*"config list") cat pip-config ;;
    "-m pip "*requirements-lock.txt) [ -x uv ] && cp uv .venv/bin/uv || {{ cat uv-unavailable >&2; exit 1; }} ;;
    "-m pip "*) cat pip-error >&2; exit "$PIP" ;;
    install.py*) exec {sys.executable} -c "import runpy, sys; sys.executable = '$0'; del sys.argv[0]
runpy.run_path('$PWD/install.py', run_name='__main__')" "$@" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>asked
env >uv-environment
cat uv-error >&2
eval "$UV"
"""
WORKING = {"VERSION": "3.13.0", "OLD": "0", "NO_ENSUREPIP": "0", "NO_PIP": "0", "PIP": "0", "UV": "exit 0"}


@dataclass
class Clone:
    """What make needs of a fresh clone, and beside it a Python and a uv that only write down what they are asked."""

    folder: Path

    def make(self, *targets: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "-s", *(targets or ["venv"]), f"PYTHON={self.folder / 'python'}"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **WORKING, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def asked(self) -> list[str]:
        """To install packages, in this order."""
        return [line for line in (self.folder / "asked").read_text().splitlines() if " install " in line]

    @property
    def environment_of_uv(self) -> dict[str, str]:
        lines = (self.folder / "uv-environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    for name in ("Makefile", "install.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "terminal", tmp_path / "terminal", ignore=shutil.ignore_patterns("__pycache__"))
    one = Clone(tmp_path)
    for name in ("requirements-dev.txt", "requirements-lock.txt"):
        one.write(name, f"{name} has hashes\n")
    (tmp_path / "audit").mkdir()
    for name in ("audit/requirements.txt", "pip-config", "uv-error", "uv-unavailable", "pip-error", "asked"):
        one.write(name, "")
    for name, script in (("python", PYTHON), ("uv", UV)):
        one.write(name, script)
        (tmp_path / name).chmod(0o755)
    return one


def test_pip_installs_uv_and_uv_the_rest_each_by_hash(clone: Clone) -> None:
    done = clone.make()
    assert done.returncode == 0, done.stderr
    own, rest = clone.asked
    assert re.fullmatch(
        r"python -m pip --python \.venv/bin/python install .*--require-hashes -r \S+/requirements-lock\.txt", own
    )
    assert re.fullmatch(r"uv pip install .*--python \.venv/bin/python --require-hashes -r requirements-dev\.txt", rest)


def test_uv_trusts_the_certificates_of_the_system_and_reads_no_other_configuration(clone: Clone) -> None:
    clone.make()
    assert {"--system-certs", "--no-config", "--no-python-downloads"} <= set(clone.asked[-1].split())


def test_a_python_without_a_pip_of_its_own_gives_one_to_the_environment_first(clone: Clone) -> None:
    done = clone.make(NO_PIP="1")
    assert done.returncode == 0, done.stderr
    asked = (clone.folder / "asked").read_text()
    assert asked.index("python -m ensurepip") < asked.index("python -m pip install")
    assert clone.asked[-1][:2] == "uv"


def test_only_one_line_is_printed_and_none_to_where_a_shell_reads(clone: Clone) -> None:
    clone.write("uv-error", "warning: hard links are not possible here\n")
    done = clone.make()
    assert done.stdout == ""
    assert re.fullmatch(r"Setting up \.venv with Python 3\.13\.0, once: .+\n", done.stderr)


def test_chalice_is_the_one_whose_packages_have_bytecode(clone: Clone) -> None:
    clone.make()
    subprocess.run([".venv/bin/chalice", "deploy", "--stage", "dev"], cwd=clone.folder, check=True)
    last = (clone.folder / "asked").read_text().splitlines()[-1]
    assert last == f"python -P {clone.folder}/bytecode.py deploy --stage dev"


def test_it_is_so_again_after_chalice_was_updated_by_pip(clone: Clone) -> None:
    clone.make()
    ours = (clone.folder / ".venv/bin/chalice").read_text()
    clone.write(".venv/bin/chalice", "pip's own\n")
    clone.make()
    assert (clone.folder / ".venv/bin/chalice").read_text() == ours


def test_it_is_done_once(clone: Clone) -> None:
    clone.make()
    before = clone.asked
    again = clone.make()
    (clone.folder / "requirements-dev.txt").touch()
    newer_date = clone.make()
    assert (again.stderr, newer_date.stderr, clone.asked) == ("", "", before)


def test_it_is_done_again_for_a_newer_makefile_where_an_earlier_one_left_no_uv(clone: Clone) -> None:
    clone.make()
    before = len(clone.asked)
    clone.write(".venv/requirements-dev.txt", "requirements-dev.txt has hashes\n")
    for name in (".venv/requirements-dev.txt", "requirements-dev.txt", "requirements-lock.txt"):
        os.utime(clone.folder / name, (0, 0))
    clone.make()
    assert len(clone.asked) > before


@pytest.mark.parametrize("changed", ["requirements-dev.txt", "requirements-lock.txt"])
def test_it_is_done_again_for_other_packages(clone: Clone, changed: str) -> None:
    clone.make()
    before = len(clone.asked)
    clone.write(changed, "another version\n")
    clone.make()
    assert len(clone.asked) > before


def test_where_uv_fails_pip_installs_by_hash_and_a_line_says_why(clone: Clone) -> None:
    clone.write(
        "uv-error", "error: Request failed\n  cause: client error\n  cause: UnknownIssuer\n\nhint: Consider it\n"
    )
    done = clone.make(UV="exit 2")
    assert done.returncode == 0
    assert done.stderr.splitlines()[1:] == ["pip installs the packages, which takes a minute. uv cannot: UnknownIssuer"]
    assert re.match(
        r"python -m pip .* install .*--require-hashes -r requirements-dev\.txt -c requirements-dev\.txt",
        clone.asked[-1],
    )


def test_where_uv_cannot_be_had_pip_installs(clone: Clone) -> None:
    (clone.folder / "uv").unlink()
    clone.write("uv-unavailable", "ERROR: Found no version\nERROR: No matching distribution found for uv==1.2.3\n")
    done = clone.make()
    assert done.returncode == 0
    assert done.stderr.endswith("uv cannot: No matching distribution found for uv==1.2.3\n")
    assert "-r requirements-dev.txt" in clone.asked[-1]


def test_where_uv_is_of_another_platform_pip_installs(clone: Clone) -> None:
    clone.write("uv", "\x7fELF")
    done = clone.make()
    assert done.returncode == 0
    assert done.stderr.endswith("uv cannot: Exec format error\n")


def test_where_pip_cannot_either_it_fails_and_the_next_run_tries_again(clone: Clone) -> None:
    clone.write("pip-error", "ERROR: Found no version\nERROR: No matching distribution found for moto==1.2.3\n")
    failed = clone.make(UV="exit 2", PIP="1")
    assert failed.returncode != 0
    assert (
        "The packages are not installed. pip cannot: No matching distribution found for moto==1.2.3\n" in failed.stderr
    )
    done = clone.make()
    assert (done.returncode, clone.asked[-1][:2]) == (0, "uv")


NO_NETWORK = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<HTTPSConnection object>: "
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/uv/\n"
    "ERROR: No matching distribution found for uv==1.2.3\n"
)


def test_without_a_network_it_says_so(clone: Clone) -> None:
    (clone.folder / "uv").unlink()
    for name in ("uv-unavailable", "pip-error"):
        clone.write(name, NO_NETWORK)
    done = clone.make(PIP="1")
    assert done.returncode != 0
    assert (
        "The packages are not installed. pip cannot: [Errno -3] Temporary failure in name resolution\n" in done.stderr
    )


def test_the_command_that_shows_more_is_printed_and_is_not_quiet(clone: Clone) -> None:
    (clone.folder / "uv").unlink()
    done = clone.make(PIP="1")
    last = done.stderr.splitlines()[-2]  # make's own is the last
    assert re.match(r"To see more: \S+ -m pip .*install --disable.* --require-hashes -r requirements-dev\.txt", last)


def test_ctrl_c_ends_it_and_the_next_run_starts_anew(clone: Clone) -> None:
    stopped = clone.make(UV="kill -INT $PPID; sleep 5")
    assert stopped.returncode != 0
    assert "pip installs" not in stopped.stderr
    assert "Setting up" in clone.make().stderr


def test_uv_asks_the_index_that_pip_is_set_up_with_and_believes_its_certificate(clone: Clone) -> None:
    clone.write(
        "pip-config", ":env:.index-url='https://env/simple'\nglobal.cert='/ca.pem'\nglobal.index-url='https://x'\n"
    )
    clone.make()
    of_uv = clone.environment_of_uv
    assert (of_uv["UV_DEFAULT_INDEX"], of_uv["SSL_CERT_FILE"]) == ("https://env/simple", "/ca.pem")


def test_an_index_with_a_password_is_printed_nowhere(clone: Clone) -> None:
    clone.write(
        "uv-error", "error: Request failed\n  cause: error sending request for url (https://me:secret@index/x/)\n"
    )
    done = clone.make(UV="exit 2")
    assert "error sending request for url [...]" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_what_the_shell_says_of_uv_and_of_another_environment_does_not_matter(clone: Clone) -> None:
    clone.make(VIRTUAL_ENV="/elsewhere", UV_EXCLUDE="moto", UV_NO_VERIFY_HASHES="1", UV_CACHE_DIR="/cache")
    assert "--python .venv/bin/python " in clone.asked[-1]
    of_uv = {name for name in clone.environment_of_uv if name.startswith("UV")}
    assert of_uv == {"UV", "UV_CACHE_DIR", "UV_HTTP_RETRIES", "UV_HTTP_TIMEOUT"}


def test_commands_write_bytecode_whatever_the_shell_says(clone: Clone) -> None:
    clone.make(PYTHONDONTWRITEBYTECODE="1")
    assert "PYTHONDONTWRITEBYTECODE" not in clone.environment_of_uv


def test_the_other_environments_are_installed_by_the_same_uv(clone: Clone) -> None:
    done = clone.make("build/audit/requirements.txt")
    assert done.returncode == 0, done.stderr
    assert clone.asked[-1].endswith("--python build/audit/bin/python --require-hashes -r audit/requirements.txt")
    assert (clone.folder / "build/audit/requirements.txt").exists()


def test_a_python_that_cannot_make_an_environment_is_told_what_it_lacks(clone: Clone) -> None:
    done = clone.make(NO_ENSUREPIP="1")
    assert done.returncode != 0
    assert "cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" in done.stderr


def test_without_a_python_of_a_version_that_it_needs_it_says_so(clone: Clone) -> None:
    done = clone.make(OLD="1")
    assert done.returncode != 0
    assert "No Python from 3.11 to 3.14 runs here." in done.stderr
