"""Functions as Lambda has them: the zip and the layer that `chalice package` makes, and others with the same layer.

Beside the app: the helper in a function of four lines, boto3 with two clients, and an empty function, which shows what
Python and AWS's runtime client cost by themselves.
"""

from __future__ import annotations

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from bench.peers_environment import BUILD
from bench.stub import bucket_of
from helper import build_wheel
from sandbox.project_copy import copy_project

PLACE = BUILD / "cold-start"
WITH_BYTECODE, WITHOUT, RUNTIME, TEMPLATE = (PLACE / name for name in ("bytecode", "source", "runtime", "sam.json"))
"""In the first two each function has a folder, and `layer` is its layer, /opt in Lambda."""

ACCOUNT = "100000000000"
_RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


@dataclass(frozen=True)
class Function:
    """A function with the app's layer.

    Attributes:
        title: its name in the table.
        answer: what its response contains.
        source: the module of its handler; without one it is the deployed app.
    """

    title: str
    answer: str
    source: str = ""


_NOTHING = """
def handler(event, context):
    return "ready"
"""

_HELPER = """
from cross_account import Hub

hub = Hub.from_environment()

def handler(event, context):
    return hub.account(event["account_id"]).client("s3").list_buckets()["Buckets"][0]["Name"]
"""

FUNCTIONS = {
    "app": Function("cross-account (this), `s3_buckets`", bucket_of(ACCOUNT)),
    "helper": Function("the helper alone, in four lines: the same call", bucket_of(ACCOUNT), _HELPER),
    "clients": Function(
        "`import boto3` and two clients, no call",
        "ready",
        'import boto3\n\nclients = boto3.client("sts"), boto3.client("s3")\n' + _NOTHING,
    ),
    "empty": Function("an empty function", "ready", _NOTHING),
}


def deploy() -> None:
    """Package the app, and unpack it and the other functions as Lambda does, with bytecode and without.

    Raises:
        RuntimeError: the package has no bytecode, because this `chalice` is not the Makefile's.
    """
    shutil.rmtree(PLACE, ignore_errors=True)
    with TemporaryDirectory() as folder:
        package = _package(Path(folder))
        _unpack(package / "deployment.zip", WITH_BYTECODE / "app")
        _unpack(package / "layer-deployment.zip", WITH_BYTECODE / "layer")
        _unpack(build_wheel(Path(folder)), WITH_BYTECODE / "helper")
        shutil.copy2(package / "sam.json", TEMPLATE)
    if not any((WITH_BYTECODE / "app").rglob("*.pyc")):
        raise RuntimeError("What chalice packages here has no bytecode: rm -r .venv, and make sets it up anew.")
    for name, function in FUNCTIONS.items():
        if function.source:
            module = WITH_BYTECODE / name / "main.py"
            module.parent.mkdir(exist_ok=True)
            module.write_text(function.source)
            _compile(module.parent)
    shutil.copytree(WITH_BYTECODE, WITHOUT, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (file for name in _RUNTIME_CLIENT for file in files(name) or ()):
        if file.parts[0] != ".." and file.suffix != ".pyc":
            (RUNTIME / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.locate(), RUNTIME / file)  # type: ignore[call-overload]
    _compile(RUNTIME)


def _package(folder: Path) -> Path:
    project, package = folder / "project", folder / "package"
    project.mkdir()
    command = [Path(sys.executable).with_name("chalice"), "package", "--stage", "dev", package]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "eu-west-1"}
    subprocess.run(command, cwd=copy_project(project), env=environment, stdout=subprocess.DEVNULL, check=True)
    return package


def _unpack(zipped: Path, folder: Path) -> None:
    with ZipFile(zipped) as archive:
        archive.extractall(folder)


def _compile(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def properties() -> dict[str, Any]:
    """Of the app's function, in the template that Chalice made."""
    deployed: dict[str, Any] = json.loads(TEMPLATE.read_text())["Resources"]["SwitchAccount"]["Properties"]
    return deployed
