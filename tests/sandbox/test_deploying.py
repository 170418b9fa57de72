"""`python -m sandbox.deploy_role` and `deploy_sweep`: they work in a sandbox and touch nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import sandbox
from sandbox import deploy_role, deploy_sweep, developer
from sandbox.accounts import ACQUIRED, HUB, LEGACY, ROLE_STACK
from sandbox.state_file import PROJECT, State

from .conftest import Client

ELSEWHERE = "http://127.0.0.1:9"
OWN = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "of-the-real-account",
    "AWS_SESSION_TOKEN": "of-the-real-account",
    "AWS_PROFILE": "work",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": ELSEWHERE,
    "AWS_ENDPOINT_URL_STS": ELSEWHERE,
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "HTTP_PROXY": ELSEWHERE,
}
"""What the shell of a developer has who works with real accounts."""

Shell = Callable[..., None]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Sets the environment of the command; its sandbox in the foreground is the one given."""

    def has(*environments: dict[str, str], foreground: State | None = None) -> None:
        together = {name: value for one in environments for name, value in one.items()}
        monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"], **together})
        monkeypatch.setattr(developer, "read_state", lambda: foreground)

    return has


@pytest.fixture
def without_role(within: Callable[[str], Client]) -> Iterator[None]:
    yield
    within(LEGACY)("cloudformation").delete_stack(StackName=ROLE_STACK)


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A server that is not a sandbox, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', 'unsigned')}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("without_role")
def test_a_role_is_deployed_in_the_shells_sandbox_whatever_else_the_shell_has(
    box: sandbox.Box, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(box.environment, OWN)
    assert deploy_role.main([LEGACY]) == 0
    assert capsys.readouterr() == (f"arn:aws:iam::{LEGACY}:role/external-role\n", "")


@pytest.mark.usefixtures("without_role")
def test_or_in_the_sandbox_in_the_foreground_and_the_next_time_there_is_nothing_to_do(
    box: sandbox.Box, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    for told in ("", "The stack cross-account-role is already as the template says.\n"):
        shell(OWN, {"AWS_ENDPOINT_URL": ELSEWHERE}, foreground=State(box.pid, box.environment))
        assert deploy_role.main([LEGACY]) == 0
        assert capsys.readouterr() == (f"arn:aws:iam::{LEGACY}:role/external-role\n", told)


@pytest.mark.usefixtures("without_role")
def test_a_changed_template_updates_the_role_which_keeps_its_parameters(
    box: sandbox.Box,
    shell: Shell,
    within: Callable[[str], Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell(box.environment)
    deploy_role.main([LEGACY])
    iam, cloudformation = (within(LEGACY)(service) for service in ("iam", "cloudformation"))
    own = [{"ParameterKey": "HubAccountId", "UsePreviousValue": True}]
    own.append({"ParameterKey": "ExternalId", "ParameterValue": "of-its-own"})
    template = (PROJECT / "role-template.yaml").read_text()
    named = ["CAPABILITY_NAMED_IAM"]
    cloudformation.update_stack(StackName=ROLE_STACK, UsePreviousTemplate=True, Parameters=own, Capabilities=named)
    (tmp_path / "role-template.yaml").write_text(
        template.replace("MaxSessionDuration: 3600", "MaxSessionDuration: 7200")
    )
    monkeypatch.setattr(deploy_role, "PROJECT", tmp_path)
    shell(box.environment)
    assert deploy_role.main([LEGACY]) == 0
    role = iam.get_role(RoleName="external-role")["Role"]
    assert role["MaxSessionDuration"] == 7200
    assert "of-its-own" in str(role["AssumeRolePolicyDocument"])


def test_an_unknown_account_is_told(box: sandbox.Box, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell(box.environment)
    with pytest.raises(SystemExit, match="2"):
        deploy_role.main(["999999999999"])
    assert "999999999999 is not an account of this sandbox" in capsys.readouterr().err


COMMANDS = [lambda: deploy_role.main([ACQUIRED]), lambda: deploy_sweep.main([])]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_sandbox_nothing_is_asked(
    command: Callable[[], int], shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(OWN)
    assert command() == 1
    assert capsys.readouterr() == ("", "No sandbox is running. Start one with: make sandbox\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_endpoint_that_is_not_a_sandbox_gets_nothing_signed(
    command: Callable[[], int],
    box: sandbox.Box,
    shell: Shell,
    stranger: tuple[str, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, asked = stranger
    shell(box.environment, {"AWS_ENDPOINT_URL": url})
    assert command() == 1
    assert asked == ["GET /sandbox/calls unsigned"]
    assert f"No sandbox answers at {url}." in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["", "https://sts.amazonaws.com", "http://192.0.2.1:80", "http://127.0.0.1:80@192.0.2.1"]
)
def test_nor_is_another_machine_asked(
    url: str, box: sandbox.Box, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(box.environment, {"AWS_ENDPOINT_URL": url})
    assert deploy_role.main([LEGACY]) == 1
    assert "AWS_ENDPOINT_URL is not that of one" in capsys.readouterr().err


def test_the_shell_of_a_sandbox_that_has_ended_is_told(
    box: sandbox.Box, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(box.environment, {"SANDBOX_CREDENTIALS_FILE": str(tmp_path / "gone")})
    assert deploy_role.main([LEGACY]) == 1
    assert "The sandbox of this shell has ended." in capsys.readouterr().err


def test_a_state_machine_without_the_app_leaves_nothing(
    box: sandbox.Box, shell: Shell, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(box.environment)
    assert deploy_sweep.main([]) == 1
    assert "chalice deploy --stage sandbox" in capsys.readouterr().err
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    assert deploy_sweep.STACK not in [stack["StackName"] for stack in stacks]


def test_a_parameter_that_the_template_has_not_is_told(
    box: sandbox.Box, shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploy_sweep, "_is_deployed", lambda hub: True)
    shell(box.environment)
    with pytest.raises(SystemExit, match="2"):
        deploy_sweep.main(["Batchsize=5"])
    assert "sweep-template.yaml has no parameter Batchsize. It has BatchSize," in capsys.readouterr().err


@pytest.mark.usefixtures("without_role")
def test_the_hub_gets_the_role_too(
    box: sandbox.Box, shell: Shell, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(box.environment)
    assert deploy_role.main([HUB]) == 0
    assert capsys.readouterr().out == f"arn:aws:iam::{HUB}:role/external-role\n"
    client("cloudformation").delete_stack(StackName=ROLE_STACK)
