from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from layer import add_bytecode

MODULE = "python/lib/python3.x/site-packages/number.py"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer with a module, a module in invalid Python, and data."""
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr(MODULE, "NUMBER = 42\n")
        zipped.writestr(MODULE.replace("number", "broken"), "print 'Python 2'\n")
        zipped.writestr("python/lib/python3.x/site-packages/data.json", "{}")
    return path


def bytecode_of(layer: Path) -> bytes:
    with zipfile.ZipFile(layer) as zipped:
        (name,) = [name for name in zipped.namelist() if name.endswith(".pyc")]
        assert name == importlib.util.cache_from_source(MODULE)
        return zipped.read(name)


def test_modules_get_bytecode_and_invalid_source_stays_unchanged(layer: Path) -> None:
    with zipfile.ZipFile(layer) as before:
        contents = {name: before.read(name) for name in before.namelist()}
    assert add_bytecode(layer) == 1
    with zipfile.ZipFile(layer) as after:
        assert {name: after.read(name) for name in contents} == contents


def test_the_bytecode_runs_without_reading_the_source(layer: Path, tmp_path: Path) -> None:
    add_bytecode(layer)
    compiled = tmp_path / "number.pyc"
    compiled.write_bytes(bytecode_of(layer))
    spec = importlib.util.spec_from_file_location("number", compiled)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NUMBER == 42
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 0b01  # by hash, unchecked (PEP 552)


def test_a_second_run_changes_nothing(layer: Path) -> None:
    add_bytecode(layer)
    before = layer.read_bytes()
    assert add_bytecode(layer) == 0
    assert layer.read_bytes() == before


def test_the_same_wheels_make_the_same_bytecode(layer: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    again.write_bytes(layer.read_bytes())
    add_bytecode(layer)
    add_bytecode(again)
    assert bytecode_of(again) == bytecode_of(layer)
