"""The real `chalice` command, on a copy of the project, against a sandbox of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox
from sandbox.project_copy import copy_project

HUB = "111111111111"
PRODUCTION, STAGING, LEGACY, ACQUIRED = "123456789012", "234567890123", "456789012345", "567890123456"
NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Project:
    """A copy of the project, and the environment that `make sandbox` tells to export."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, event: object = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy; `event` goes to its standard input as JSON."""
        given = json.dumps(event) if stdin is None and event is not None else stdin or ""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=given,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def chalice(self, command: str, *options: str, event: object = None) -> subprocess.CompletedProcess[str]:
        return self.run("chalice", command, "--stage", "sandbox", *options, event=event)

    @cached_property
    def _functions(self) -> Any:
        key, secret, token = (self.environment[name] for name in NAMES)
        developer = boto3.Session(key, secret, token, region_name=self.environment["AWS_DEFAULT_REGION"])
        return developer.client("lambda", endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def invoke(self, function: str, event: object) -> Any:
        """What a function answered; fails if it raised. As `chalice invoke`, which takes half a second to start."""
        app = json.loads((self.folder / ".chalice" / "config.json").read_text())["app_name"]
        answer = self._functions.invoke(FunctionName=f"{app}-sandbox-{function}", Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    def invoke_switch_account(self, **event: object) -> tuple[int, dict[str, Any]]:
        """Its status and its body."""
        answer = self.invoke("switch_account", event)
        return answer["statusCode"], json.loads(answer["body"])

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        path = self.folder / file
        before = path.read_text()
        path.write_text(change(before))
        assert path.read_text() != before, f"the edit of {file} changed nothing"


@pytest.fixture(scope="module")
def box() -> Iterator[sandbox.Box]:
    with sandbox.running() as running:
        yield running


@pytest.fixture(scope="module")
def project(box: sandbox.Box, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Not deployed yet."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    folder = copy_project(tmp_path_factory.mktemp("project"))
    return Project(folder, {**environment, **box.environment})


@pytest.fixture(scope="module")
def deployed(project: Project) -> Project:
    done = project.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture(scope="module")
def hub(box: sandbox.Box) -> boto3.Session:
    """What boto3 sees in the hub, as the developer."""
    return session(box, *(box.environment[name] for name in NAMES))


@pytest.fixture(scope="module")
def administrator(box: sandbox.Box, hub: boto3.Session) -> Callable[[str], boto3.Session]:
    """A session in a target as its administrator."""

    def enter(account_id: str) -> boto3.Session:
        role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
        answer = client(box, hub, "sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        return session(box, answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    return enter


def session(box: sandbox.Box, key: str, secret: str, token: str) -> boto3.Session:
    return boto3.Session(key, secret, token, region_name=box.environment["AWS_DEFAULT_REGION"])


def client(box: sandbox.Box, account: boto3.Session, service: str) -> Any:
    return account.client(service, endpoint_url=box.endpoint_url)
