"""The real `aws` and `sam`, from an environment of their own: `make test-commands`."""

from __future__ import annotations

import pytest

import sandbox
from tests.e2e.commands.shell import Shell
from tests.e2e.conftest import Project
from tests.templates import ROOT


@pytest.fixture(scope="session")
def aws() -> str:
    """The path of the AWS CLI."""
    return _path_of("aws")


@pytest.fixture(scope="session")
def sam() -> str:
    """The path of the SAM CLI."""
    return _path_of("sam")


@pytest.fixture(scope="module")
def shell(project: Project, box: sandbox.Box, aws: str) -> Shell:
    return Shell(project, box, aws)


def _path_of(command: str) -> str:
    path = ROOT / "build" / "commands" / "bin" / command
    if not path.exists():
        pytest.skip(f"`{command}` is not installed: make test-commands installs it")
    return str(path)
