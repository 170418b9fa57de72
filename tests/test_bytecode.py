"""What `chalice` packages has bytecode of its own; the command itself is run by tests/e2e and tests/test_package.py."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

import bytecode
from bytecode import FUNCTION, LAYER, add_bytecode, beside
from tests.templates import ROOT

FOLDER = "python/lib/python3.x/site-packages"
MODULE = f"{FOLDER}/number.py"
BYTECODE = str(beside(Path(MODULE)))


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A module, one in another Python, one that brings its bytecode, and data."""
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr(MODULE, "def fail():\n    'Never.'\n")
        zipped.writestr(f"{FOLDER}/broken.py", "print 'Python 2'\n")
        zipped.writestr(f"{FOLDER}/other.py", "")
        zipped.writestr(str(beside(Path(f"{FOLDER}/other.py"))), "its own")
        zipped.writestr(f"{FOLDER}/data.json", "{}")
    return path


def contents(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as zipped:
        names = zipped.namelist()
        assert len(names) == len(set(names))
        return {name: zipped.read(name) for name in names}


def test_each_module_has_its_bytecode_and_all_else_stays(layer: Path) -> None:
    before = contents(layer)
    add_bytecode(layer, LAYER)
    after = contents(layer)
    assert after.keys() - before.keys() == {BYTECODE}
    assert {name: after[name] for name in before} == before


def test_bytecode_is_for_this_python_and_is_used_whatever_the_sources_time(layer: Path) -> None:
    add_bytecode(layer, LAYER)
    unchecked = 0b01  # PEP 552
    assert contents(layer)[BYTECODE][:8] == MAGIC_NUMBER + unchecked.to_bytes(4, "little")


@pytest.mark.parametrize("place", [LAYER, FUNCTION])
def test_a_traceback_names_the_file_as_lambda_has_it(layer: Path, tmp_path: Path, place: str) -> None:
    add_bytecode(layer, place)
    (tmp_path / "number.pyc").write_bytes(contents(layer)[BYTECODE])
    code = "import number; print(number.fail.__code__.co_filename)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{place}/{MODULE}"


def test_it_is_in_the_zip_for_those_as_well_who_keep_their_own_elsewhere(
    layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    add_bytecode(layer, LAYER)
    assert BYTECODE in contents(layer)


def test_what_has_it_stays_as_it_is(layer: Path) -> None:
    add_bytecode(layer, LAYER)
    before = layer.read_bytes(), layer.stat().st_ino
    add_bytecode(layer, LAYER)
    assert (layer.read_bytes(), layer.stat().st_ino) == before


def test_lambdas_user_may_read_what_was_packaged_under_a_strict_umask(layer: Path) -> None:
    with zipfile.ZipFile(layer, "a") as zipped:
        entry = zipfile.ZipInfo(f"{FOLDER}/private.py")
        entry.external_attr = 0o600 << 16
        zipped.writestr(entry, "")
    add_bytecode(layer, LAYER)
    with zipfile.ZipFile(layer) as zipped:
        assert {entry.external_attr >> 16 & 0o444 for entry in zipped.infolist()} == {0o444}


def test_what_another_process_has_finished_meanwhile_is_not_added_twice(
    layer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def late(source: Path, target: Path) -> Path:
        monkeypatch.undo()
        add_bytecode(layer, LAYER)
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", late)
    add_bytecode(layer, LAYER)
    assert BYTECODE in contents(layer)  # which finds no name twice


def test_what_an_interrupted_chalice_left_is_packaged_again(layer: Path) -> None:
    whole = layer.read_bytes()
    layer.write_bytes(whole[:50])

    def create() -> str:
        if not layer.exists():
            layer.write_bytes(whole)
        return str(layer)

    assert bytecode._with_bytecode(create, LAYER)() == str(layer)
    assert BYTECODE in contents(layer)


def test_docstrings_stay_whatever_pythonoptimize_says(layer: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from bytecode import *; add_bytecode(Path({str(layer)!r}), LAYER)"
    subprocess.run([sys.executable, "-OO", "-c", code], cwd=ROOT, check=True)
    (tmp_path / "number.pyc").write_bytes(contents(layer)[BYTECODE])
    done = subprocess.run(
        [sys.executable, "-c", "import number; print(number.fail.__doc__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "Never.\n"


def test_the_same_sources_make_the_same_zip_at_any_time(layer: Path) -> None:
    add_bytecode(layer, LAYER)
    with zipfile.ZipFile(layer) as zipped:
        assert zipped.getinfo(BYTECODE).date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "told"),
    [("UNCHECKED_HASH", 0), ("CHECKED_HASH", 0), ("TIMESTAMP", 1), (None, 1)],
    ids=["with", "with one that is checked", "with a developer's", "without"],
)
def test_a_function_says_once_that_it_came_without_bytecode(tmp_path: Path, kind: str | None, told: int) -> None:
    (tmp_path / "shipped.py").write_text("")
    if kind:
        py_compile.compile(
            str(tmp_path / "shipped.py"), invalidation_mode=py_compile.PycInvalidationMode[kind], doraise=True
        )
    code = "import shipped; from chalicelib.app_log import warn_of_compiling; warn_of_compiling(part='shipped')"
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.count('"parts":["part"]') == told


def test_in_lambda_the_app_looks_at_its_zip_and_at_its_layer() -> None:
    """Neither is a package here."""
    environment = os.environ | {"AWS_LAMBDA_FUNCTION_NAME": "cross-account-prod"}
    done = subprocess.run(
        [sys.executable, "-c", "import app"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert '"parts":["function","layer"]' in done.stdout
