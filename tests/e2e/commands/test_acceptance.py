"""`python -m acceptance` in the sandbox: all is kept, a fault that is planted is found, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox
from sandbox.project_copy import copy_project
from tests.e2e.conftest import STAGING, Project, client
from tests.templates import ROOT

COMMAND = (sys.executable, "-m", "acceptance", "--hub", "hub", "--target", "staging")
LISTS = (
    ("lambda", "list_functions", "Functions"),
    ("lambda", "list_layers", "Layers"),
    ("iam", "list_roles", "Roles"),
    ("apigateway", "get_rest_apis", "items"),
    ("logs", "describe_log_groups", "logGroups"),
    ("cloudformation", "describe_stacks", "Stacks"),
)


@pytest.fixture(autouse=True)
def _nothing_is_left(
    box: sandbox.Box, hub: boto3.Session, administrator: Callable[[str], boto3.Session], tmp_path: Path
) -> Iterator[None]:
    """In either account, or of temporary files."""

    def everything() -> list[Any]:
        return [
            [client(box, account, service).get_paginator(operation).paginate().build_full_result().get(key, [])]
            for account in (hub, administrator(STAGING))
            for service, operation, key in LISTS
        ]

    before = everything()
    yield
    assert everything() == before
    assert [path.name for path in tmp_path.glob("acceptance-*")] == []


@pytest.fixture
def shell(project: Project, tmp_path: Path) -> dict[str, str]:
    return {**project.environment, "TMPDIR": str(tmp_path)}


def accept(shell: dict[str, str], folder: Path) -> tuple[int, dict[str, str], str]:
    """The exit status, the verdict of each promise by its sentence, and all that was printed."""
    done = subprocess.run(COMMAND, cwd=folder, env=shell, text=True, capture_output=True, timeout=300, check=False)
    verdicts = {line[16:]: line.split()[0] for line in done.stdout.splitlines() if line.startswith(("kept", "FAILED"))}
    return done.returncode, verdicts, done.stdout + done.stderr


def test_every_promise_is_kept(shell: dict[str, str]) -> None:
    status, verdicts, said = accept(shell, ROOT)
    assert (status, set(verdicts.values())) == (0, {"kept"}), said
    assert f"{len(verdicts)} of {len(verdicts)} promises kept" in said


NOT_LET_IN = {
    "with the role: 200, and the identity is one of the target",
    "s3_buckets lists the buckets that the target's own administrator sees",
    "an operation that the role allows is asked by api_call",
    "a check that has not declared that operation is denied it by its session policy",
    "a sweep of two accounts answers for both: one is ok, and one that denies access is told apart",
    "the log has the checks, and neither it nor any response has an external ID or a credential",
}
TEMPLATE, ROLE = "role-template.yaml", "chalicelib/cross_account/role.py"
FAULTS = {
    "a broken trust": (TEMPLATE, "role/${HubRoleName}\n", "role/another\n"),
    "a missing role": (TEMPLATE, "RoleName: !Ref RoleName\n", "RoleName: !Sub ${RoleName}-elsewhere\n"),
    "a wrong external ID": (ROLE, '["ExternalId"] = self.external_id', '["ExternalId"] = "wrong"'),
}


def plant(folder: Path, file: str, right: str, wrong: str) -> None:
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_keeps_the_hub_out_is_found(shell: dict[str, str], tmp_path: Path, fault: str) -> None:
    plant(copy_project(tmp_path / "copy"), *FAULTS[fault])
    status, verdicts, said = accept(shell, tmp_path / "copy")
    assert (status, {sentence for sentence, verdict in verdicts.items() if verdict == "FAILED"}) == (1, NOT_LET_IN), (
        said
    )
    assert "Expected: 200. But: AssumeRoleDenied AccessDenied" in said


def test_what_lets_too_much_pass_is_found(shell: dict[str, str], tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "copy")
    plant(folder, TEMPLATE, "HasAny: !Not ", "HasAny: !And [!Equals [a, b], !Equals [a, a]] # ")
    plant(folder, ROLE, 'request["Policy"] = ', "_ = ")
    plant(
        folder,
        "chalicelib/cross_account/hub.py",
        "            return credentials",
        "            return print(credentials) or credentials",
    )
    plant(folder, TEMPLATE, "Type: AWS::IAM::Role\n", "Type: AWS::IAM::Role\n    DeletionPolicy: Retain\n")
    status, verdicts, said = accept(shell, folder)
    assert (status, {sentence for sentence, verdict in verdicts.items() if verdict == "FAILED"}) == (
        1,
        {
            "a role that requires another external ID: AssumeRoleDenied",
            "a check that has not declared that operation is denied it by its session policy",
            "the log has the checks, and neither it nor any response has an external ID or a credential",
            "chalice delete and delete-stack leave neither function nor role nor API in the two accounts",
        },
    ), said


def test_what_cannot_be_deployed_is_not_tried(shell: dict[str, str], tmp_path: Path) -> None:
    plant(copy_project(tmp_path / "copy"), "app.py", "import gc\n", "import no_such_module\n")
    status, verdicts, said = accept(shell, tmp_path / "copy")
    assert (status, list(verdicts.values())) == (1, ["FAILED"]), said
    assert "No module named 'no_such_module'" in said


@pytest.mark.parametrize("after", ["is deleted at the end", "a role that trusts other roles of the hub"])
def test_ctrl_c_deletes_what_was_made(shell: dict[str, str], after: str) -> None:
    """At a terminal, also of the `chalice` that it runs."""
    with subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=shell,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        while after not in process.stdout.readline():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert said.endswith("Stopped.\n")
    assert "Traceback" not in said
    assert "Not deleted" not in said
