"""docs/operating-it.md, "Changing the external ID without denials", step by step: the targets never refuse the hub."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.accounts import ACQUIRED, ANALYTICS, EXTERNAL_ID, HUB, LEGACY, PRODUCTION, ROLE_STACK, STAGING, TARGETS
from tests.documented.commands import typed_in, written
from tests.e2e.commands.shell import Shell
from tests.e2e.conftest import Project
from tests.templates import ROOT

PAGE = "docs/operating-it.md"
NAMES = {target.id: target.name for target in TARGETS}


def steps(old: str, new: str) -> list[list[str]]:
    """The commands of each step, with these external IDs."""
    (section,) = re.findall(
        r"^## Changing the external ID without denials$(.*?)^## ", (ROOT / PAGE).read_text(), re.MULTILINE | re.DOTALL
    )
    found = []
    for step in re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]:
        commands = [command.text.replace("--stage prod", "--stage sandbox") for command in typed_in(step, PAGE)]
        found.append([command.replace("the-old-one", old).replace("the-new-one", new) for command in commands])
    return found


class Rotation:
    """A deployed hub that keeps no session, so that each question shows whether the targets let it in."""

    def __init__(self, shell: Shell, project: Project) -> None:
        self.shell, self.project = shell, project

    def set(self, **settings: str) -> None:
        """In the stage, as one edits it; it holds after `chalice deploy`."""

        def change(text: str) -> str:
            config = json.loads(text)
            config["stages"]["sandbox"]["environment_variables"].update(settings)
            return json.dumps(config, indent=2)

        self.project.edit(".chalice/config.json", change)

    def refused(self, *accounts: str) -> list[str]:
        """By which accounts the deployed hub is."""
        results = self.project.invoke("sweep", {"check": "preflight", "accounts": accounts})["results"]
        assert len(results) == len(accounts)
        return [result["account_id"] for result in results if not result["ok"]]

    def refused_with(self, external_id: str, account: str) -> bool:
        """Whether the role refuses who asks with another external ID, from the same hub."""
        before = (self.project.folder / ".chalice" / "config.json").read_text()
        self.set(EXTERNAL_ID=external_id)
        done = self.shell.run(f"python sweep.py preflight --stage sandbox --accounts {account}")
        self.project.edit(".chalice/config.json", lambda _: before)
        assert done.returncode == 0 or "AssumeRoleDenied" in done.stdout, done.stdout
        return done.returncode != 0

    def exchange(self, old: str, new: str, in_targets: Callable[[list[str]], Any], *accounts: str) -> None:
        """The three steps; `in_targets` runs the commands of one in the targets."""
        accept_both, (deploy, preflight), end_the_old = steps(old, new)
        in_targets(accept_both)
        assert not self.refused(*accounts)
        assert not self.refused_with(new, accounts[0])
        self.set(EXTERNAL_ID=new)
        self.shell.done(deploy)
        assert not self.refused(*accounts)
        answers = {each["account_id"]: each["ok"] for each in json.loads(self.shell.done(preflight))["results"]}
        assert [answers[account] for account in accounts] == [True] * len(accounts)
        in_targets(end_the_old)
        assert not self.refused(*accounts)
        assert self.refused_with(old, accounts[0])


@pytest.fixture(scope="module")
def rotation(shell: Shell, project: Project) -> Rotation:
    made = Rotation(shell, project)
    made.set(CACHE_CREDENTIALS="false")
    done = project.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_an_external_id_is_exchanged_without_a_denial(rotation: Rotation, shell: Shell) -> None:
    """Account by account; after each one the hub gets in everywhere."""
    accounts = (PRODUCTION, STAGING, ANALYTICS)

    def in_each(commands: list[str]) -> None:
        (command,) = [command for command in commands if "cloudformation deploy" in command]
        for account in accounts:
            shell.done(command, NAMES[account])
            assert not rotation.refused(*accounts), account

    assert not rotation.refused(*accounts)
    rotation.exchange(EXTERNAL_ID, "the-new-one", in_each, *accounts)


def test_and_in_a_stack_set_at_once(rotation: Rotation, shell: Shell) -> None:
    """It is created as the top of role-template.yaml says, in the place of the accounts' own stacks."""
    old = "the-external-id-of-the-set"
    for account in (PRODUCTION, STAGING, ANALYTICS, ACQUIRED):
        shell.done(f"aws cloudformation delete-stack --stack-name {ROLE_STACK}", NAMES[account])
    root = json.loads(shell.done("aws organizations list-roots"))["Roots"][0]["Id"]
    given = f"ParameterKey=HubAccountId,ParameterValue={HUB} ParameterKey=ExternalId,ParameterValue={old}"
    create = [command.text for command in written() if re.match(r"aws cloudformation create-stack-", command.text)]
    assert len(create) == 2
    for command in create:
        command = re.sub(r"ParameterKey=HubAccountId,ParameterValue=\d{12}", given, command)
        shell.done(command.replace("r-abcd", root))
    rotation.set(EXTERNAL_ID=old)
    shell.done("chalice deploy --stage sandbox")

    def in_all(commands: list[str]) -> None:
        for command in commands:
            if "stack-set" in command:
                told = shell.done(command)
        assert "list-stack-set-operations" not in commands[-1] or told == "SUCCEEDED\n"

    rotation.exchange(old, "the-next-one", in_all, PRODUCTION, STAGING, ANALYTICS, LEGACY, ACQUIRED)
