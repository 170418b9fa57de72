"""Every command of the pages and the templates runs in the sandbox, with the real `aws` and `chalice`.

The commands are taken out of the documents, in the order of tests/documented/table.py. What a reader has to fill in is
filled in here, in one place.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

import helper
import sandbox
from sandbox.accounts import ACQUIRED, EXTERNAL_ID, HUB, REGION, ROLE_STACK
from tests.documented.commands import Command, mentioned, written
from tests.documented.table import TABLE, Runs, fate
from tests.e2e.commands.shell import SECONDS, Shell
from tests.e2e.conftest import Project, client
from tests.e2e.test_deployed_app import ROLE
from tests.e2e.test_local import url  # noqa: F401
from tests.templates import blocks
from tests.tutorial.conftest import CHECK, FUNCTION, insert

STATE_MACHINE = f"arn:aws:states:{REGION}:{HUB}:stateMachine:cross-account-sandbox-sweep"
REPLACED = {
    r"^make ": "make -o .venv/requirements-dev.txt ",  # whoever runs this has installed it
    r"111122223333": HUB,
    r" --stage (?:dev|prod|sandbox)\b": "",
    r"^(chalice \w+|python sweep\.py)(?!.* (?:--list|--help)\b)": r"\1 --stage sandbox",
    r"\bStage=dev\b": "Stage=sandbox",
    r"cross-account-(?:dev|prod)\b": "cross-account-sandbox",
    r"a-long-random-string": EXTERNAL_ID,
    r"--state-machine-arn (?:\.\.\.|arn:\S+)": f"--state-machine-arn {STATE_MACHINE}",
}
"""By what a reader replaces it; what is only known in a sandbox, see `filled_in`."""


def filled_in(command: str) -> str:
    for pattern, value in REPLACED.items():
        command = re.sub(pattern, value, command, flags=re.MULTILINE)
    return command


def steps() -> Iterator[tuple[Command, Runs]]:
    """Each command once, in the order of the table."""
    seen = set()
    everywhere = [*written(), *mentioned()]
    for key, what in TABLE.items():
        for command in everywhere:
            found = fate(command.text)
            if isinstance(what, Runs) and found and found[0] == key and filled_in(command.text) not in seen:
                seen.add(filled_in(command.text))
                yield command, what


STEPS = list(steps())


class Place:
    """A project and a sandbox, and what has to be there before a command."""

    def __init__(
        self, project: Project, box: sandbox.Box, hub: boto3.Session, of: Callable[[str], boto3.Session]
    ) -> None:
        self.project, self.box, self.hub, self.of = project, box, hub, of
        self.folder = project.folder

    def client(self, service: str) -> Any:
        return client(self.box, self.hub, service)

    def check_and_function_of_the_docs(self) -> None:
        if (self.folder / "chalicelib/checks/aged_keys.py").exists():
            return
        insert(self.folder / "chalicelib/checks/__init__.py", '    "account_summary",\n', blocks(CHECK, "text")[0])
        (self.folder / "chalicelib/checks/aged_keys.py").write_text(blocks(CHECK, "python")[0])
        insert(self.folder / "app.py", '@app.route("/checks"', f"{blocks(FUNCTION, 'python')[0]}\n\n")

    def no_role_in_acquired(self) -> None:
        client(self.box, self.of(ACQUIRED), "cloudformation").delete_stack(StackName=ROLE_STACK)

    def articles_role(self) -> None:
        self.no_role_in_acquired()
        cloudformation = client(self.box, self.of(ACQUIRED), "cloudformation")
        cloudformation.create_stack(
            StackName="the-articles-stack",
            TemplateBody=json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Role": ROLE}}),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

    def first_night(self) -> None:
        """As the page says; and a `mail` that keeps what it is told."""
        (self.folder / "last.jsonl").touch()
        mail = self.folder / "bin" / "mail"
        mail.parent.mkdir()
        mail.write_text('#!/bin/sh\necho "$2" > mailed\n')
        mail.chmod(0o755)

    def ended_executions(self) -> None:
        states = self.client("stepfunctions")
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            running = states.list_executions(stateMachineArn=STATE_MACHINE, statusFilter="RUNNING")["executions"]
            if not running:
                return
            time.sleep(0.5)
        raise TimeoutError("executions are still running")

    def called_route(self) -> None:
        """What the routes' function says to this event does not count."""
        self.client("lambda").invoke(FunctionName="cross-account-sandbox", Payload="{}")

    def built_layer(self) -> None:
        helper.build_layer(helper.build_wheel(self.folder / "dist"))

    def role_and_zip_of_the_function(self) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName="billing-report", AssumeRolePolicyDocument=document)
        with zipfile.ZipFile(self.folder / "billing-report.zip", "w") as archive:
            archive.writestr("app.py", blocks("docs/the-helper.md", "python")[0])


@pytest.fixture(scope="module")
def place(
    project: Project, box: sandbox.Box, hub: boto3.Session, administrator: Callable[[str], boto3.Session]
) -> Place:
    return Place(project, box, hub, administrator)


@pytest.mark.parametrize(("command", "what"), STEPS, ids=[command.text for command, _ in STEPS])
def test_it_runs(command: Command, what: Runs, place: Place, shell: Shell, request: pytest.FixtureRequest) -> None:
    if what.before:
        getattr(place, what.before)()
    text = filled_in(command.text)
    if "r-abcd" in text:
        text = text.replace("r-abcd", place.client("organizations").list_roots()["Roots"][0]["Id"])
    if "http://127.0.0.1:8000" in text:
        text = text.replace("http://127.0.0.1:8000", request.getfixturevalue("url"))
    done = shell.run(text, what.profile, what.in_repository)
    assert done.returncode == what.status, done.stdout
    if what.shows:
        assert re.search(as_pattern(command.output), done.stdout), done.stdout


def as_pattern(shown: str) -> str:
    """What a page shows, but for what it leaves out and what differs from run to run: seconds and ids of requests."""
    differs = r"\[\.\.\..*?\]|\.\.\.|\b\d+(?:\.\d+)? s\b|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    return "(?s)" + ".*".join(re.escape(part) for part in re.split(differs, shown.strip()))
