"""One run: the accounts, the name of everything in it, the app in the hub and the role in the target."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from sandbox.deploy_stack import deploy_stack
from sandbox.project_copy import copy_project

STAGE = "acceptance"
VIEW_ONLY_ACCESS = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
_COMMAND_SECONDS = 600
_PATIENCE_SECONDS = 60  # until a change of IAM has reached everything in AWS, usually a few; the sandbox needs none
_LATER_SECONDS = 20  # or a role that lets too much in is still denied for what it was before
_CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})

UNDECLARED = '''
from chalicelib.checks.check import check


@check(actions=["sts:GetCallerIdentity"])
def undeclared(account):
    """Ask for what the role allows and this check has not declared."""
    return account.client("iam").list_roles(MaxItems=1)["IsTruncated"]
'''


class NotKept(Exception):
    """A promise was not kept; the message says what was expected and what came."""


@dataclass(frozen=True)
class Account:
    """An account, as the profile of its administrator enters it."""

    id: str
    session: boto3.Session

    def client(self, service: str) -> Any:
        return self.session.client(service, config=_CONFIG)  # type: ignore[call-overload]


def enter(profile: str) -> Account:
    """The account of a profile.

    Raises:
        Exception: there is no such profile, or its credentials are not accepted.
    """
    session = boto3.Session(profile_name=profile)
    identity = session.client("sts", config=_CONFIG).get_caller_identity()
    return Account(identity["Account"], session)


@dataclass
class Trial:
    """Everything that it makes is called `name`, or begins with that.

    Attributes:
        project: an empty folder for the copy of the project.
        external_id: what the hub sends and the target requires.
        said: the output of every command so far.
    """

    hub: Account
    target: Account
    project: Path
    name: str = field(default_factory=lambda: f"cross-account-{secrets.token_hex(3)}")
    external_id: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    said: list[str] = field(default_factory=list, repr=False)

    def copy_project(self) -> None:
        """With the name, a stage of its own, and a check more that asks for too much.

        Raises:
            NotKept: a file is not as it was, so that what is to be changed is not found.
        """
        copy_project(self.project)
        variables = {
            "ROLE_NAME": self.name,
            "ROLE_PATH": "/",
            "EXTERNAL_ID": self.external_id,
            "ALLOWED_ACCOUNTS": "*",
            "API_CALLS": "list",
            "CACHE_CREDENTIALS": "false",  # or who was let in where it should not be, is still in at the next promise
        }
        stages = {STAGE: {"environment_variables": variables}}
        self._edit(
            ".chalice/config.json",
            lambda text: json.dumps({**json.loads(text), "app_name": self.name, "stages": stages}, indent=2),
        )
        for policy in ("policy.json", "policy-organization.json"):
            self._edit(f".chalice/{policy}", lambda text: text.replace(":role/external-role", f":role/{self.name}"))
        self._edit("app.py", lambda text: text.replace('app_name="cross-account"', f'app_name="{self.name}"'))
        self._edit("chalicelib/checks/__init__.py", lambda text: text.replace("\n)\n", '\n    "undeclared",\n)\n', 1))
        (self.project / "chalicelib" / "checks" / "undeclared.py").write_text(UNDECLARED)

    def _edit(self, file: str, change: Callable[[str], str]) -> None:
        before = (self.project / file).read_text()
        after = change(before)
        if after == before:
            raise NotKept(f"{file} is not as acceptance/trial.py expects it: it did not find what to change.")
        (self.project / file).write_text(after)

    def chalice(self, command: str, *arguments: str, event: object = None) -> str:
        """Run `chalice` in the copy, as the hub's administrator; returns what it prints.

        Raises:
            NotKept: it fails.
        """
        given = "" if event is None else json.dumps(event)
        done = subprocess.run(
            [str(Path(sys.executable).with_name("chalice")), command, "--stage", STAGE, *arguments],
            cwd=self.project,
            env=self._environment(),
            input=given,
            text=True,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        self.said += [done.stdout, done.stderr]
        if done.returncode:
            raise NotKept(f"chalice {command} ended with status {done.returncode}: {_without_traceback(done.stderr)}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """The hub's credentials as keys, so that a profile that asks for a code asks once."""
        credentials = self.hub.session.get_credentials()
        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        variables = {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token,
            "AWS_DEFAULT_REGION": self.hub.session.region_name,
        }
        others = {
            name: text
            for name, text in os.environ.items()
            if not name.endswith(("_PROFILE", "SESSION_TOKEN", "SECURITY_TOKEN"))
        }  # the shell's token does not belong to these keys
        return {**others, **{name: text for name, text in variables.items() if text}}

    def invoke(self, function: str, **event: object) -> Any:
        """What a function of the app returns."""
        return json.loads(self.chalice("invoke", "-n", function, event=event))

    def ask(self, **event: object) -> tuple[int, dict[str, Any]]:
        """The status and the body of `switch_account` for the target."""
        answer = self.invoke("switch_account", **{"account_id": self.target.id, **event})
        return answer["statusCode"], json.loads(answer["body"])

    def give_role(self, **parameters: str) -> None:
        """Deploy role-template.yaml in the target, or update it there. Without parameters it lets the hub in.

        Raises:
            StackFailed: with the reason.
        """
        wanted = {
            "HubAccountId": self.hub.id,
            "HubRoleName": f"{self.name}-*",
            "ExternalId": self.external_id,
            "ManagedPolicyArns": VIEW_ONLY_ACCESS,
            "RoleName": self.name,
            **parameters,
        }
        deploy_stack(self.target.client("cloudformation"), self.name, self.project / "role-template.yaml", {}, wanted)
        if parameters and not self.is_local:
            time.sleep(_LATER_SECONDS)

    def delete_role(self) -> None:
        """Delete its stack."""
        cloudformation = self.target.client("cloudformation")
        cloudformation.delete_stack(StackName=self.name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig={"Delay": 2})

    def settle(self, promise: Callable[[], None]) -> None:
        """Try until it is kept: on AWS, a change of IAM or a line of a log takes a while."""
        until = time.monotonic() + (0 if self.is_local else _PATIENCE_SECONDS)
        while True:
            try:
                return promise()
            except NotKept:
                if time.monotonic() >= until:
                    raise
            time.sleep(2)

    @property
    def is_local(self) -> bool:
        """Whether the hub is a sandbox."""
        return str(self.hub.client("sts").meta.endpoint_url).startswith("http://127.0.0.1:")


def _without_traceback(text: str) -> str:
    last = re.split("another exception occurred:|direct cause of the following exception:", text)[-1]
    lines = [line.strip() for line in last.splitlines() if not line.startswith(("Traceback", "  "))]
    return " ".join(filter(None, lines))[:500]


def shortly(answer: Mapping[str, Any]) -> str:
    """A body or an error in a line."""
    error = answer.get("error") or {}
    first_line = (error.get("hint") or "").partition("\n")[0]
    return " ".join(filter(None, [error.get("type"), error.get("code"), first_line])) or json.dumps(answer)[:500]
