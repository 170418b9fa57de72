"""What an edit, another deployment, a broken permission and a deletion change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

import sandbox
from tests.e2e.conftest import PRODUCTION, STAGING, Project, client
from tests.test_readme import code_of_the_check


@pytest.fixture(scope="module", autouse=True)
def _first_deployment(deployed: Project) -> None:
    """Everything here begins with the app as it is."""


def deploy(project: Project) -> None:
    done = project.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_of_the_readme_runs_after_the_next_deployment(project: Project) -> None:
    (project.folder / "chalicelib" / "checks" / "bucket_names.py").write_text(code_of_the_check())
    project.edit("chalicelib/checks/__init__.py", lambda text: text.replace("\n)\n", '\n    "bucket_names",\n)\n'))
    deploy(project)
    status, body = project.invoke_switch_account(
        account_id=PRODUCTION, check="bucket_names", params={"containing": "web"}
    )
    assert (status, body["result"]) == (200, ["production-website"])


@pytest.fixture
def without_assume_role(project: Project) -> Iterator[None]:
    """The policy file of switch_account without its sts:AssumeRole statement, deployed, and mended afterwards."""
    file = project.folder / ".chalice" / "policy.json"
    before = file.read_text()
    policy = json.loads(before)
    policy["Statement"] = [one for one in policy["Statement"] if "sts:AssumeRole" not in one["Action"]]
    file.write_text(json.dumps(policy))
    deploy(project)
    yield
    file.write_text(before)
    deploy(project)


@pytest.mark.usefixtures("without_assume_role")
def test_without_the_hubs_permission_the_target_is_not_reached(project: Project) -> None:
    status, body = project.invoke_switch_account(account_id=STAGING)
    assert (status, body["error"]["type"], body["error"]["code"]) == (500, "AssumeRoleDenied", "AccessDenied")


def test_with_the_permission_back_the_target_is_reached(project: Project) -> None:
    status, _ = project.invoke_switch_account(account_id=STAGING)
    assert status == 200


def test_without_the_targets_trust_it_is_not_reached(
    project: Project, box: sandbox.Box, administrator: Callable[[str], boto3.Session]
) -> None:
    iam: Any = client(box, administrator(STAGING), "iam")
    trust = iam.get_role(RoleName="external-role")["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::999999999999:root"}
    iam.update_assume_role_policy(RoleName="external-role", PolicyDocument=json.dumps(trust))
    status, body = project.invoke_switch_account(account_id=STAGING, check="s3_buckets")
    assert (status, body["error"]["type"], body["error"]["code"]) == (500, "AssumeRoleDenied", "AccessDenied")


def test_another_stage_is_stopped_at_the_sandbox(project: Project) -> None:
    done = project.run("chalice", "deploy", "--stage", "dev")
    assert done.returncode != 0
    assert "AccessDenied" in done.stdout + done.stderr
    assert not (project.folder / ".chalice" / "deployed" / "dev.json").exists()


@pytest.fixture
def as_another_app(project: Project) -> Iterator[None]:
    """The same code under a name whose stages the sandbox cannot know."""
    file = project.folder / ".chalice" / "config.json"
    before = file.read_text()
    project.edit(".chalice/config.json", lambda text: text.replace('"cross-account"', '"billing"'))
    yield
    file.write_text(before)


@pytest.mark.usefixtures("as_another_app")
def test_another_stage_of_another_app_is_stopped_at_its_first_function(project: Project) -> None:
    done = project.run("chalice", "deploy", "--stage", "dev")
    assert done.returncode != 0
    assert "not authorized to perform: lambda:CreateFunction" in " ".join(done.stderr.split())


def test_delete_takes_everything_away_again(project: Project, box: sandbox.Box, hub: boto3.Session) -> None:
    done = project.chalice("delete")
    assert done.returncode == 0, done.stderr
    assert client(box, hub, "lambda").list_functions()["Functions"] == []
    roles = [role["RoleName"] for role in client(box, hub, "iam").list_roles()["Roles"]]
    assert [name for name in roles if name.startswith("cross-account-sandbox")] == []
