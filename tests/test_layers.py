"""The house: no module reaches up, and none grows beyond what can be read at one sitting."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "chalicelib").rglob("*.py"))
UPSTAIRS = {"app", "bench", "chalice", "moto", "sandbox", "tests"}
MOST_LINES = 200


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> set[str]:
    """The full names of all that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides where it goes"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_chalicelib_reaches_no_higher_room(path: Path) -> None:
    assert {name.partition(".")[0] for name in imported(path)} & UPSTAIRS == set()


@pytest.mark.parametrize("name", ["errors", "settings"])
def test_errors_and_settings_are_the_ground_floor(name: str) -> None:
    inside = {module for module in imported(ROOT / "chalicelib" / f"{name}.py") if module.startswith("chalicelib")}
    assert inside <= {"chalicelib.errors"}


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name == "checks"], ids=named)
def test_a_check_knows_accounts_and_no_hub(path: Path) -> None:
    """It cannot tell how its credentials came about."""
    known = {"chalicelib.account", "chalicelib.check", "chalicelib.errors"}
    inside = {name for name in imported(path) if name.startswith("chalicelib")}
    assert {name for name in inside if not name.startswith("chalicelib.checks.")} <= known


@pytest.mark.parametrize("path", [ROOT / "app.py", *MODULES], ids=named)
def test_a_module_is_read_at_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_no_two_modules_import_each_other() -> None:
    wants = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): imported(path)
        for path in MODULES
    }
    done: set[str] = set()
    while ready := {name for name in wants.keys() - done if wants[name] & wants.keys() <= done}:
        done |= ready
    assert wants.keys() - done == set()


def test_chalicelib_is_imported_without_chalice() -> None:
    """In Lambda there is only chalice/app.py."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    code = f"import sys, {', '.join(names)}; print([name for name in sys.modules if name.split('.')[0] == 'chalice'])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
