"""The steps of the docs end with a green suite, and a forgotten step is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.templates import ROOT
from tests.tutorial.conftest import run

SUITE = ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"]
SLOW = ["browser", "e2e", "hangs", "sandbox", "tutorial"]
"""Folders whose tests know nothing of checks, or need a sandbox."""


def test_the_whole_suite_is_green_after_the_steps_of_the_docs(followed: Path) -> None:
    done = run(followed, *SUITE, *(f"--ignore=tests/{folder}" for folder in SLOW))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "test"),
    [
        ("role-template.yaml", "tests/test_role_template.py"),
        ("README.md", "tests/test_readme.py"),
    ],
)
def test_a_forgotten_step_is_named(followed: Path, tmp_path: Path, file: str, test: str) -> None:
    project = shutil.copytree(followed, tmp_path / "project")
    shutil.copy(ROOT / file, project / file)
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider", test)
    assert done.returncode == 1
    assert "aged_keys" in done.stdout
    assert "log_retention" in done.stdout


@pytest.mark.parametrize("tool", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_code_of_the_docs_is_written_like_the_rest(followed: Path, tool: list[str]) -> None:
    checked = ["app.py", "chalicelib/checks/aged_keys.py", "chalicelib/checks/log_retention.py"]
    tests = ["tests/test_aged_keys.py"] if tool[0] == "ruff" else []
    done = run(followed, *tool, *checked, *tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_function_of_the_docs_returns_what_it_says(followed: Path) -> None:
    """Against the fake AWS, in a process of its own."""
    script = """
import json, os
from types import SimpleNamespace
from tests.environment import set_environment
from tests.fake_aws import fake_aws
import pytest
with pytest.MonkeyPatch.context() as patch, fake_aws() as aws:
    set_environment(patch)
    patch.setenv("AWS_ENDPOINT_URL", aws.url)
    import app
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000)
    found = app.count_buckets({"account_id": "123456789012"}, context)
    print(json.dumps([found, json.loads(aws.operations("AssumeRole")[0].form["Policy"])["Statement"][0]["Action"]]))
"""
    (followed / "call.py").write_text(script)
    done = run(followed, "call")
    (followed / "call.py").unlink()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [{"buckets": 1}, ["s3:ListAllMyBuckets"]]
