"""The rooms of chalicelib: how many there are, and which of them may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

from chalicelib import cross_account
from chalicelib.checks import CHECKS
from chalicelib.cross_account import CrossAccountError

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cross_account", "app_log", "errors", "checks", "inputs", "sweeps", "outputs", "pages")
"""A room imports only those to its left."""

MAX_ROOMS = 8
OUTSIDE = {
    "app",
    "audit",
    "bench",
    "bytecode",
    "chalice",
    "helper",
    "install",
    "moto",
    "sandbox",
    "sweep",
    "terminal",
    "tests",
}
"""What calls chalicelib, and what is not deployed with it."""

HELPER = "chalicelib.cross_account"
TABLE = "chalicelib.checks"


def named(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {named(path): path for path in sorted((ROOT / "chalicelib").rglob("*.py"))}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def modules_in(package: str) -> list[str]:
    return [module for module in MODULES if is_within(module, package)]


def imports(module: str) -> list[ast.Import | ast.ImportFrom]:
    """All that it has, also those within functions."""
    tree = ast.parse(MODULES[module].read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported(module: str) -> set[str]:
    """The full name of everything that a module imports, such as `chalicelib.errors.CheckDenied`."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in imports(module):
        source = ""
        if isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package) + "."
        names |= {source + alias.name for alias in node.names}
    return names


def module_of(name: str) -> str:
    """The module in which an imported name is defined: itself, or the one before its last dot."""
    return name if name in MODULES else name.rpartition(".")[0]


def imported_modules(module: str) -> set[str]:
    """Those of chalicelib that it imports."""
    return {module_of(name) for name in imported(module)} & MODULES.keys()


def place(module: str) -> int:
    """Of its room among the rooms."""
    return ROOMS.index(module.split(".")[1])


def test_chalicelib_has_at_most_eight_rooms() -> None:
    shown = [path.name for path in (ROOT / "chalicelib").iterdir() if not path.name.startswith((".", "__"))]
    assert len(shown) <= MAX_ROOMS, sorted(shown)


def test_every_room_has_its_place_in_the_order() -> None:
    assert {module.split(".")[1] for module in MODULES if "." in module} == set(ROOMS)


def test_no_room_imports_a_later_one() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        for other in sorted(imported_modules(module))
        if "." in module and "." in other and place(other) > place(module)
    ]
    assert wrong == []


def test_no_two_modules_import_each_other() -> None:
    wants = {module: imported_modules(module) for module in MODULES}
    done: set[str] = set()
    while ready := {module for module in wants.keys() - done if wants[module] <= done}:
        done |= ready
    assert wants.keys() - done == set()


def test_settings_know_no_checks() -> None:
    rooms = {other.split(".")[1] for other in imported_modules("chalicelib.inputs.settings")}
    assert rooms <= {"cross_account", "app_log"}


def test_only_the_helper_uses_relative_imports() -> None:
    """It is copied to other projects under another name; elsewhere an import says where it goes."""
    relative = {
        module for module in MODULES for node in imports(module) if isinstance(node, ast.ImportFrom) and node.level
    }
    assert relative <= set(modules_in(HELPER))


def test_the_helper_imports_by_full_name_only_boto3_and_the_standard_library() -> None:
    wrong: list[str] = []
    for module in modules_in(HELPER):
        for node in imports(module):
            if isinstance(node, ast.ImportFrom) and node.level:
                continue
            sources = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            allowed = sys.stdlib_module_names | {"boto3", "botocore", "jmespath"}  # which botocore brings
            wrong += [f"{module} imports {source}" for source in sources if source.split(".")[0] not in allowed]
    assert wrong == []


def test_the_helper_imports_nothing_of_the_app() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in modules_in(HELPER)
        for name in sorted(imported(module))
        if name.startswith("chalicelib") and not is_within(name, HELPER)
    ]
    assert wrong == []


def test_chalicelib_imports_nothing_from_outside() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        for name in sorted(imported(module))
        if name.split(".")[0] in OUTSIDE
    ]
    assert wrong == []


def test_a_check_knows_accounts_and_no_hub() -> None:
    """It cannot tell how its credentials came about."""
    public = {name: getattr(cross_account, name) for name in cross_account.__all__}
    errors = {
        name for name, value in public.items() if isinstance(value, type) and issubclass(value, CrossAccountError)
    }
    checks = {module for name in CHECKS for module in modules_in(f"{TABLE}.{name}")}
    of_checks = ("check", "finding", "organization", "credential_report", "policy_document", "role_actions")
    beside = {TABLE, *(f"{TABLE}.{name}" for name in of_checks)}  # the table: for what all of them declare
    known = {"chalicelib.errors", f"{HELPER}.aws_errors", f"{HELPER}.pages", *beside, *checks}
    wrong = [
        f"{check} imports {name}"
        for check in sorted(checks)
        for name in sorted(imported(check))
        if is_within(name, "chalicelib")
        and module_of(name) not in known
        and name not in {f"{HELPER}.{public_name}" for public_name in {"Account", *errors}}
    ]
    assert wrong == []


def test_chalicelib_is_imported_without_chalice() -> None:
    """In Lambda there is only chalice/app.py."""
    code = f"import sys, {', '.join(MODULES)}; print([name for name in sys.modules if name.split('.')[0] == 'chalice'])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
