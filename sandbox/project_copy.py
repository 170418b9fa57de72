"""A copy of the project to deploy from, because Chalice records deployments in the project."""

import shutil
from pathlib import Path

from sandbox.state_file import PROJECT

_DEPLOYABLE = (
    "app.py",
    "chalicelib",
    "requirements.txt",
    "events",
    "role-template.yaml",
    "sweep-template.yaml",
    "sandbox",
)


def copy_project(folder: Path) -> Path:
    """Copy what `chalice` needs into an empty folder; returns the folder.

    Chalice's cache of built layers is shared: building one downloads 17 MB.
    """
    shutil.copytree(PROJECT / ".chalice", folder / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    cache = PROJECT / ".chalice" / "deployments"
    cache.mkdir(exist_ok=True)
    (folder / ".chalice" / "deployments").symlink_to(cache, target_is_directory=True)
    for name in _DEPLOYABLE:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return folder
