"""A copy of the project to deploy from, because Chalice records deployments in the project."""

import fcntl
import shutil
import sys
from io import StringIO
from pathlib import Path

from chalice.deploy.packager import DependencyBuilder, LayerDeploymentPackager, NoSuchPackageError, PackageDownloadError
from chalice.utils import UI, OSUtils

from bytecode import LAYER, add_bytecode
from sandbox.state_file import PROJECT

_DEPLOYABLE = (
    "app.py",
    "bytecode.py",
    "chalicelib",
    "requirements.txt",
    "events",
    "role-template.yaml",
    "sweep-template.yaml",
    "acceptance",
    "sandbox",
    "sweep.py",
    "terminal",
)


class LayerNotMade(RuntimeError):
    """A package of requirements.txt could not be downloaded; the message is for a person."""


def copy_project(folder: Path) -> Path:
    """Copy what `chalice` needs into an empty folder; returns the folder."""
    shutil.copytree(PROJECT / ".chalice", folder / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    for name in _DEPLOYABLE:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    add_layer(folder)
    return folder


def add_layer(folder: Path) -> None:
    """Add the layer that `chalice deploy` uploads, which is downloaded and compiled once.

    Chalice writes a zip in place and takes any that is there, so that two deployments from one folder at a time could
    upload half of one. Here only finished ones are shared.

    Raises:
        LayerNotMade: a package of requirements.txt could not be downloaded, of which Chalice itself only prints a line.
    """
    said = StringIO()
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packager = LayerDeploymentPackager(OSUtils(), DependencyBuilder(OSUtils()), UI(out=said))
    own = Path(packager.deployment_package_filename(str(folder), python))
    own.parent.mkdir()
    shared = PROJECT / ".chalice" / "deployments" / own.name
    shared.parent.mkdir(exist_ok=True)
    with (shared.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            try:
                packager.create_deployment_package(str(folder), python)
            except (NoSuchPackageError, PackageDownloadError) as error:
                said.write(f"Could not install dependencies: {error}")
            if "Could not install dependencies" in said.getvalue():
                raise LayerNotMade(
                    f"The packages of the layer come from the index that pip is set up with. {said.getvalue()}"
                )
            finished = shared.with_suffix(".new")
            shutil.copy2(own, finished)
            finished.replace(shared)
        add_bytecode(shared, LAYER)  # here, or each copy would
    shutil.copy2(shared, own)
