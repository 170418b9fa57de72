"""The article's SAM project by `sam build` and `sam deploy`: written like it, or with ARTICLE=article.txt its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox
from tests.documented.commands import typed_in
from tests.e2e import article as article_files
from tests.e2e.conftest import NAMES, STAGING
from tests.templates import ROOT

PAGE = (ROOT / "docs" / "from-the-article.md").read_text()
(SECTION,) = re.findall(r"^## The article's project in the sandbox$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
_, *BEFORE, INVOKE = (command.text for command in typed_in(SECTION, ""))  # the first is for the shell of a person
DEPLOY = ("deploy", "--stack-name", "switch", "--resolve-s3", "--capabilities", "CAPABILITY_IAM")


@dataclass(frozen=True)
class Article:
    """The article's project in a folder, and the commands in it."""

    folder: Path
    environment: dict[str, str]
    aws_path: str
    sam_path: str

    def aws(self, *command: str, account: boto3.Session | None = None) -> str:
        """Fails if the command does. In the hub, or in another account."""
        given = account.get_credentials().get_frozen_credentials() if account else None
        other = dict(
            zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), given or (), strict=False)
        )
        done = self._run(self.aws_path, *command, **other)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, command: str) -> str:
        """Fails if the command does. What it prints, but for errors."""
        done = self._run("bash", "-c", command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sam(self, *command: str) -> str:
        """Fails if the command does."""
        done = self.sam_unchecked(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sam_unchecked(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._run(self.sam_path, *command)

    def answer(self, event: str, stack: str = "switch") -> Any:
        """What the deployed function returns."""
        found = self.aws("cloudformation", "list-stack-resources", "--stack-name", stack, "--output", "json")
        summaries = json.loads(found)["StackResourceSummaries"]
        ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in summaries}
        name = ids["SwitchAccountFunction"]
        self.aws("lambda", "invoke", "--function-name", name, "--payload", event, "answer.json")
        return json.loads((self.folder / "answer.json").read_text())

    def _run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(
            command, cwd=self.folder, env=environment, text=True, capture_output=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def article(box: sandbox.Box, aws: str, sam: str, tmp_path_factory: pytest.TempPathFactory) -> Article:
    folder = tmp_path_factory.mktemp("article")
    for name, text in (article_files.word_for_word() or article_files.WRITTEN_LIKE_IT).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    folders = [_folder_with_python_3_12(folder), Path(aws).parent, Path(sam).parent, environment["PATH"]]
    environment["PATH"] = os.pathsep.join(map(str, folders))
    of_box = {name: value for name, value in box.environment.items() if name != "PYTHONPATH"}
    return Article(folder, {**environment, **of_box, "SAM_CLI_TELEMETRY": "0", "HOME": str(folder)}, aws, sam)


def _folder_with_python_3_12(folder: Path) -> Path:
    """`sam build` looks for a python3.12, and asks it its version and pip's: this project has no dependencies.

    So this one is whatever runs the tests; -O leaves out the assertion by which sam asks for the version.
    """
    command = folder / "bin" / "python3.12"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -O "$@"\n')
    command.chmod(0o755)
    return command.parent


@pytest.fixture(scope="module")
def deployed(article: Article) -> Iterator[Article]:
    """By the commands of docs/from-the-article.md."""
    for command in BEFORE:
        article.shell(command)
    yield article
    shutil.rmtree(article.folder)


def test_the_article_s_function_answers_as_in_the_article(deployed: Article) -> None:
    assert json.loads(deployed.shell(INVOKE)) == {
        "statusCode": 200,
        "body": '{"message": "Successfully processed request"}',
    }


def test_it_reaches_no_account_whose_role_asks_for_an_external_id(deployed: Article) -> None:
    assert deployed.answer(json.dumps({"account_id": STAGING}))["statusCode"] == 500


def test_a_second_deployment_without_changes_says_so(deployed: Article) -> None:
    again = deployed.sam_unchecked(*DEPLOY)
    assert "No changes to deploy. Stack switch is up to date" in again.stderr


def test_changed_code_is_deployed(deployed: Article) -> None:
    path = deployed.folder / "functions" / "switch_account" / "app.py"
    path.write_text(path.read_text().replace("Successfully processed request", "Changed"))
    deployed.sam("build")
    deployed.sam(*DEPLOY)
    assert deployed.answer("file://events/account.json")["body"] == '{"message": "Changed"}'


def test_it_is_packaged_and_deployed_by_aws_as_well(deployed: Article) -> None:
    template = (".aws-sam/build/template.yaml", "packaged.yaml")
    deployed.aws("s3", "mb", "s3://packages-of-the-article")
    package = ("cloudformation", "package", "--template-file", template[0], "--output-template-file", template[1])
    deployed.aws(*package, "--s3-bucket", "packages-of-the-article")
    deploy = ("cloudformation", "deploy", "--template-file", template[1], "--stack-name", "packaged")
    deployed.aws(*deploy, "--s3-bucket", "packages-of-the-article", "--capabilities", "CAPABILITY_IAM")
    assert deployed.answer("file://events/account.json", "packaged")["statusCode"] == 200


def test_a_profile_that_names_the_sandbox_serves_as_well_as_the_environment(deployed: Article) -> None:
    given = {name: value for name, value in deployed.environment.items() if name.startswith("AWS_")}
    keys = "\n".join(f"{name} = {given[name.upper()]}" for name in (name.lower() for name in NAMES))
    config = deployed.folder / "config"
    config.write_text(f"[profile box]\nregion = us-east-1\nendpoint_url = {given['AWS_ENDPOINT_URL']}\n{keys}\n")
    others = {name: value for name, value in deployed.environment.items() if name not in given}
    profile = replace(deployed, environment={**others, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "box"})
    profile.sam("deploy", "--stack-name", "profile", "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
    assert profile.answer("file://events/account.json", "profile")["statusCode"] == 200


def test_the_application_is_deleted(deployed: Article) -> None:
    deployed.sam("delete", "--no-prompts", "--stack-name", "switch")
    functions = json.loads(deployed.aws("lambda", "list-functions", "--output", "json"))["Functions"]
    assert [one["FunctionName"] for one in functions if one["FunctionName"].startswith("switch-")] == []
