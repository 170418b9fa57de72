"""A copy of the project in which the steps of the docs have been taken, to the letter."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.templates import ROOT, blocks

CHECK = "docs/a-check-of-your-own.md"
VERDICTS = "docs/verdicts.md"
FUNCTION = "docs/a-function-of-your-own.md"
NOT_NEEDED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "deployed", "deployments", ".*_cache", ".hypothesis", "build", "dist"
)


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = shutil.copytree(ROOT, tmp_path_factory.mktemp("tutorial") / "project", ignore=NOT_NEEDED)
    add_check(project)
    add_check_that_judges(project)
    add_function(project)
    return project


def add_check(project: Path) -> None:
    check, test = blocks(CHECK, "python")
    (line,) = blocks(CHECK, "text")
    (statement,) = blocks(CHECK, "yaml")
    (row,) = blocks(CHECK, "markdown")
    (project / "chalicelib/checks/aged_keys.py").write_text(check)
    (project / "tests/test_aged_keys.py").write_text(test)
    insert(project / "chalicelib/checks/__init__.py", '    "account_summary",\n', line)
    insert(project / "role-template.yaml", "              - Sid: BedrockModels\n", statement)
    insert(project / "README.md", "| `account_summary` |", row)


def add_check_that_judges(project: Path) -> None:
    (check,) = blocks(VERDICTS, "python")
    (line,) = blocks(VERDICTS, "text")
    (statement,) = blocks(VERDICTS, "yaml")
    (row,) = blocks(VERDICTS, "markdown")
    (project / "chalicelib/checks/log_retention.py").write_text(check)
    insert(project / "chalicelib/checks/__init__.py", '    "open_security_groups",\n', line)
    insert(project / "role-template.yaml", "            - Sid: ConfigRecorder\n", statement)
    insert(project / "README.md", "| `open_security_groups` |", row)


def add_function(project: Path) -> None:
    (function,) = blocks(FUNCTION, "python")
    insert(project / "app.py", '@app.route("/checks"', f"{function}\n\n")
    insert(
        project / ".chalice/config.json",
        '    "api_handler": {',
        '    "count_buckets": {"log_retention_in_days": 90},\n',
    )


def insert(file: Path, before: str, added: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, added + before))


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
