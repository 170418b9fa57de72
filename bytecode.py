"""The `chalice` of .venv (the Makefile puts it there): Chalice's own command, whose packages contain bytecode.

Chalice packages sources alone, and in Lambda Python cannot keep what it compiles, so that every cold start would
compile all that it imports: more than twice the CPU (`make bench`). Bytecode works in one minor version of Python: the
running one, for which Chalice deploys.
"""

from __future__ import annotations

import py_compile
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from chalice.cli import main as run_chalice
from chalice.deploy import packager
from chalice.utils import OSUtils

LAYER, FUNCTION = "/opt", "/var/task"
"""Where Lambda unpacks a zip."""

_PACKAGERS = {
    packager.LayerDeploymentPackager: LAYER,
    packager.AppOnlyDeploymentPackager: FUNCTION,
    packager.LambdaDeploymentPackager: FUNCTION,  # without `automatic_layer`
}
_FINISHED = b"with bytecode"
"""The comment of a zip that needs no more."""


def main() -> int:
    """Run Chalice's command; returns its exit status."""
    for made_by, place in _PACKAGERS.items():
        create = _with_bytecode(made_by.create_deployment_package, place)
        made_by.create_deployment_package = create  # type: ignore[method-assign]
    base = packager.BaseLambdaDeploymentPackager
    sources = _without_bytecode(base._iter_chalice_lib_if_needed)
    base._iter_chalice_lib_if_needed = sources  # type: ignore[method-assign]
    # The command's own path, which `chalice local` runs again when a file changes, and whose name is in its help.
    sys.argv[0] = str(Path(sys.executable).with_name("chalice"))
    return run_chalice()


def _with_bytecode(create_package: Callable[..., str], place: str) -> Callable[..., str]:
    @wraps(create_package)
    def create(*arguments: Any) -> str:
        package = create_package(*arguments)
        try:
            add_bytecode(Path(package), place)
        except zipfile.BadZipFile:  # Chalice was ended while it wrote, and takes what is there
            Path(package).unlink()
            add_bytecode(Path(create_package(*arguments)), place)
        return package

    return create


def _without_bytecode(files: Callable[..., Iterator[tuple[str, str]]]) -> Callable[..., Iterator[tuple[str, str]]]:
    """What Python keeps in chalicelib for itself goes by the times of the sources, which a package does not have."""

    @wraps(files)
    def sources(*arguments: Any) -> Iterator[tuple[str, str]]:
        return ((path, name) for path, name in files(*arguments) if "/__pycache__/" not in name)

    return sources


def beside(module: Path) -> Path:
    """The file with a module's bytecode; whatever PYTHONPYCACHEPREFIX says, which Lambda does not know."""
    return module.with_name("__pycache__") / f"{module.stem}.{sys.implementation.cache_tag}.pyc"


def add_bytecode(package: Path, place: str) -> None:
    """Compile every module of a zip into the zip, unless it has bytecode for this Python already; once.

    Args:
        package: the zip.
        place: the folder into which Lambda unpacks it, as it stands in tracebacks.

    Raises:
        OSError: the zip cannot be read or replaced. It is never replaced in part.
    """
    with zipfile.ZipFile(package) as before:
        if before.comment == _FINISHED:
            return
    with tempfile.TemporaryDirectory(dir=package.parent) as folder:
        finished = Path(shutil.copyfile(package, Path(folder, package.name)))  # another process may do the same
        with OSUtils().open_zip(str(finished), "a") as zipped:  # which keeps no times
            names = set(zipped.namelist())
            modules = sorted(name for name in names if name.endswith(".py") and str(beside(Path(name))) not in names)
            zipped.extractall(folder, modules)
            for name in modules:
                py_compile.compile(
                    f"{folder}/{name}",
                    cfile=str(folder / beside(Path(name))),
                    dfile=f"{place}/{name}",
                    quiet=2,  # some packages contain templates in another Python
                    optimize=0,  # whatever PYTHONOPTIMIZE says: a check's description is its docstring
                    # Unchecked hashes: Lambda keeps no source's time, and changes no source.
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            for path in sorted(Path(folder).rglob("*.pyc")):
                zipped.write(path, path.relative_to(folder))
            for entry in zipped.infolist():
                entry.external_attr |= 0o444 << 16  # whatever the umask was: Lambda runs as another user
            zipped.comment = _FINISHED
        finished.replace(package)


if __name__ == "__main__":
    sys.exit(main())
