"""What `make helper` builds: the same bytes each time, this package alone, and an import without side effects."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from chalicelib.cross_account import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "chalicelib" / "cross_account"
WHEEL, LAYER = f"cross_account-{__version__}-py3-none-any.whl", "cross-account-layer.zip"
INFO = f"cross_account-{__version__}.dist-info"
MODULES = {f"cross_account/{path.name}" for path in [*PACKAGE.glob("*.py"), PACKAGE / "py.typed"]}
METADATA = {f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}
SDK = Path(boto3.__file__).parents[1]


def copied(folder: Path, date: int) -> Path:
    """What the helper is built from, in another folder and of another date, with bytecode and tests lying in it."""
    for name in ("Makefile", "helper.py", "pyproject.toml", "LICENSE", ".gitignore"):
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "terminal", folder / "terminal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE, folder / "chalicelib/cross_account", ignore=shutil.ignore_patterns("__pycache__"))
    for stray in ("__pycache__/hub.cpython-311.pyc", "../checks/check.py", "../../tests/test_hub.py"):
        path = folder / "chalicelib/cross_account" / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for path in folder.rglob("*"):
        os.utime(path, (date, date))
    return folder


def made(folder: Path, **environment: str) -> str:
    """Run the real `make helper`, but for the packages that it would install first; return what it prints."""
    command = ["make", "-s", "-o", "venv", "helper", f"BIN={Path(sys.executable).parent}"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed_and_dist(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = copied(tmp_path_factory.mktemp("helper") / "one", date=1_600_000_000)
    return made(folder), folder / "dist"


@pytest.fixture(scope="module")
def dist(printed_and_dist: tuple[str, Path]) -> Path:
    return printed_and_dist[1]


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_make_helper_prints_both_files_and_their_sizes(printed_and_dist: tuple[str, Path]) -> None:
    printed, dist = printed_and_dist
    sizes = [(f"dist/{name}", round((dist / name).stat().st_size / 1000)) for name in (WHEEL, LAYER)]
    assert printed == "".join(f"{name}  {size} KB\n" for name, size in sizes)


def test_another_folder_and_another_date_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    again = copied(tmp_path / "another-name", date=1_700_000_000)
    made(again, SOURCE_DATE_EPOCH="1710000000")
    digests = [
        [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WHEEL, LAYER)]
        for folder in (dist, again / "dist")
    ]
    assert digests[0] == digests[1]


def test_the_wheel_holds_the_package_and_its_metadata_and_nothing_else(dist: Path) -> None:
    assert set(contents(dist / WHEEL)) == MODULES | METADATA


def test_the_layer_holds_the_wheels_files_where_lambda_looks(dist: Path) -> None:
    wheel = contents(dist / WHEEL)
    assert contents(dist / LAYER) == {f"python/{name}": content for name, content in wheel.items()}


def test_every_file_of_the_layer_can_be_read_by_any_user(dist: Path) -> None:
    with zipfile.ZipFile(dist / LAYER) as layer:
        assert {entry.external_attr >> 16 for entry in layer.infolist()} == {0o644}


def test_the_modules_are_those_of_the_repository(dist: Path) -> None:
    wheel = contents(dist / WHEEL)
    assert {name: wheel[name] for name in MODULES} == {name: (PACKAGE.parent / name).read_bytes() for name in MODULES}


@pytest.mark.parametrize("name", [WHEEL, LAYER])
def test_it_is_as_large_as_its_document_says(dist: Path, name: str) -> None:
    (told,) = re.findall(r"each about (\d+) KB", (ROOT / "docs/the-helper.md").read_text())
    assert (dist / name).stat().st_size / 1000 == pytest.approx(int(told), rel=0.1)


def test_its_document_names_the_wheel_of_this_version() -> None:
    text = (ROOT / "docs/the-helper.md").read_text()
    assert set(re.findall(r"cross_account-\S+\.whl", text)) == {WHEEL}


def test_boto3_is_an_extra_and_nothing_is_required(dist: Path) -> None:
    metadata = contents(dist / WHEEL)[f"{INFO}/METADATA"].decode()
    assert re.findall("^Requires-Dist: (.*)$", metadata, re.MULTILINE) == ["boto3>=1.39; extra == 'boto3'"]


def test_the_oldest_boto3_is_the_one_that_the_code_asks_for() -> None:
    from chalicelib.cross_account import MIN_BOTO3

    oldest = ".".join(str(part) for part in MIN_BOTO3)
    assert f'boto3 = ["boto3>={oldest}"]' in (ROOT / "pyproject.toml").read_text()
    assert f"boto3=={oldest}.0" in (ROOT / "tests/oldest-boto3.in").read_text()


def test_pip_builds_the_same_from_the_repository(dist: Path, tmp_path: Path) -> None:
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(copied(tmp_path / "clone", 1_650_000_000)))
    assert contents(tmp_path / WHEEL) == contents(dist / WHEEL)


def pip(command: str, *arguments: str) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, *options, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


# ---- installed


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel alone in it, as pip unpacks it."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", str(folder), str(dist / WHEEL))
    return folder


def python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run code with these folders in front of the SDK's, in an empty directory."""
    environment = {"PYTHONPATH": os.pathsep.join(str(folder) for folder in (*path, SDK)), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=path[0], env=environment, capture_output=True, text=True, timeout=60
    )


SNAPSHOT = """
import gc, json, logging, os, signal, socket, sys, threading, warnings
import boto3, botocore.session

def snapshot():
    root = logging.getLogger()
    loggers = {
        name: [one.level, one.propagate, one.disabled, repr(one.filters), repr(one.handlers)]
        for name, one in logging.Logger.manager.loggerDict.items() if isinstance(one, logging.Logger)
    }
    return {
        "gc": [gc.isenabled(), gc.get_threshold()],
        "root logger": [root.level, repr(root.handlers), repr(root.filters)],
        "loggers": loggers,
        "logging": [logging.raiseExceptions, logging.root.manager.disable, repr(logging.getLoggerClass())],
        "environment": dict(os.environ),
        "warnings": repr(warnings.filters),
        "socket": socket.getdefaulttimeout(),
        "signals": {str(number): repr(signal.getsignal(number)) for number in signal.valid_signals()},
        "threads": [thread.name for thread in threading.enumerate()],
        "hooks": [repr(sys.excepthook), repr(threading.excepthook), sys.getrecursionlimit(), sys.getswitchinterval()],
        "path": sys.path[:],
        "default session": repr(boto3.DEFAULT_SESSION),
    }

before = snapshot()
from cross_account import Hub, assume
after = snapshot()
fresh = [0, True, False, "[]", "[]"]
new = {name: one for name, one in after["loggers"].items() if name not in before["loggers"]}
after["loggers"] = {name: one for name, one in after["loggers"].items() if name in before["loggers"]}
changed = [name for name in before if before[name] != after[name]]
print(json.dumps([changed, [name for name, one in new.items() if one != fresh]]))
"""


def test_an_import_changes_nothing_in_the_process(installed: Path) -> None:
    done = python(SNAPSHOT, installed)
    assert (done.stdout, done.stderr) == ("[[], []]\n", "")


def test_its_import_adds_only_its_own_modules_to_those_of_botocore(installed: Path) -> None:
    code = (
        "import sys, botocore.session; before = set(sys.modules); import cross_account\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - {'concurrent'})"  # .futures
    )
    assert python(code, installed).stdout == "cross_account\n"


def test_a_boto3_too_old_is_told_in_a_sentence(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "botocore.py").write_text('__version__ = "1.34.0"\n')
    done = python("import cross_account", tmp_path, installed)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: cross_account needs boto3 1.39 or newer, and its botocore, which is 1.34.0 here. Put a newer "
        "boto3 into the function's package or into a layer."
    )


def test_a_type_checker_sees_its_types(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "function.py").write_text('from cross_account import Hub\nHub().account("123456789012", region=1)\n')
    options = ["--cache-dir", os.devnull, "--no-site-packages", "--follow-imports", "silent"]  # boto3 has no types
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "function.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert 'Argument "region" to "account" of "Hub" has incompatible type "int"; expected "str | None"' in done.stdout
