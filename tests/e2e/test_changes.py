"""What an edit, another deployment, a broken permission and a deletion change."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

import sandbox
from tests.e2e.conftest import PRODUCTION, STAGING, Project, client
from tests.templates import ROOT
from tests.test_readme import code_of_the_check

UNDECLARED = """
from chalicelib.checks.check import check


@check(actions=["s3:ListAllMyBuckets"])
def undeclared(account):
    \"\"\"Ask for what the target's role allows, and this check has not declared.\"\"\"
    return account.client("iam").list_account_aliases()["AccountAliases"]
"""
Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module", autouse=True)
def _first_deployment(deployed: Project) -> None:
    """Everything here begins with the app as it is."""


def deploy(project: Project) -> None:
    done = project.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def with_two_checks(project: Project) -> None:
    """The check of the README, and one that calls an action which it has not declared."""
    checks = project.folder / "chalicelib" / "checks"
    (checks / "bucket_names.py").write_text(code_of_the_check())
    (checks / "undeclared.py").write_text(UNDECLARED)
    project.edit(
        "chalicelib/checks/__init__.py",
        lambda text: text.replace("\n)\n", '\n    "bucket_names",\n    "undeclared",\n)\n'),
    )
    deploy(project)


@pytest.fixture
def ask(box: sandbox.Box, hub: boto3.Session) -> Ask:
    """Invoke switch_account, without a process of `chalice` for it; gives the status and the body."""

    def call(**event: object) -> tuple[int, dict[str, Any]]:
        functions = client(box, hub, "lambda")
        response = functions.invoke(FunctionName="cross-account-sandbox-switch_account", Payload=json.dumps(event))
        answer = json.load(response["Payload"])
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.mark.usefixtures("with_two_checks")
def test_the_check_of_the_readme_runs_after_the_next_deployment(project: Project) -> None:
    status, body = project.invoke_switch_account(
        account_id=PRODUCTION, check="bucket_names", params={"containing": "web"}
    )
    assert (status, body["result"]) == (200, ["production-website"])


@pytest.mark.usefixtures("with_two_checks")
def test_a_check_may_do_nothing_that_it_has_not_declared(ask: Ask) -> None:
    """The target's role allows it, and another check that has declared it does it."""
    status, body = ask(account_id=PRODUCTION, check="account_summary")
    assert (status, body["result"]["alias"]) == (200, "production")
    status, body = ask(account_id=PRODUCTION, check="undeclared")
    assert (status, body["error"]["type"], body["error"]["code"]) == (500, "CheckDenied", "AccessDenied")
    assert "the session policy, which has the actions that the check declares" in body["error"]["hint"]


@pytest.fixture
def control_policy(box: sandbox.Box, hub: boto3.Session) -> Iterator[Callable[..., None]]:
    """Attach a policy of the organization to an account, until the test ends."""
    api = client(box, hub, "organizations")
    root, attached = api.list_roots()["Roots"][0], []

    def attach(account_id: str, kind: str, **statement: Any) -> None:
        if kind not in [enabled["Type"] for enabled in api.list_roots()["Roots"][0]["PolicyTypes"]]:
            api.enable_policy_type(RootId=root["Id"], PolicyType=kind)
        content = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", **statement}]}
        made = api.create_policy(Name=f"test-{kind}", Description="", Type=kind, Content=json.dumps(content))
        policy = {"PolicyId": made["Policy"]["PolicySummary"]["Id"], "TargetId": account_id}
        api.attach_policy(**policy)
        attached.append(policy)

    yield attach
    for policy in attached:
        api.detach_policy(**policy)
        api.delete_policy(PolicyId=policy["PolicyId"])


def test_a_service_control_policy_of_a_target_denies_a_check_there_and_in_no_other(
    ask: Ask, control_policy: Callable[..., None]
) -> None:
    control_policy(STAGING, "SERVICE_CONTROL_POLICY", Action="s3:*")
    status, body = ask(account_id=STAGING, check="s3_buckets")
    assert (status, body["error"]["type"], body["error"]["code"]) == (500, "CheckDenied", "AccessDenied")
    assert "a service control policy" in body["error"]["hint"]
    assert [ask(account_id=account, check="s3_buckets")[0] for account in (STAGING, PRODUCTION)] == [500, 200]
    assert ask(account_id=STAGING)[0] == 200


def test_a_resource_control_policy_of_a_target_keeps_the_app_out_and_the_hint_names_it(
    ask: Ask, control_policy: Callable[..., None]
) -> None:
    control_policy(STAGING, "RESOURCE_CONTROL_POLICY", Action="sts:AssumeRole", Principal="*")
    status, body = ask(account_id=STAGING, check="bedrock_models")
    assert (status, body["error"]["type"]) == (500, "AssumeRoleDenied")
    assert "A resource control policy denies it explicitly: sts:AssumeRole by " in body["error"]["hint"]


def test_the_revocation_of_security_md_ends_older_sessions_and_spares_newer_ones(
    ask: Ask, box: sandbox.Box, hub: boto3.Session, administrator: Callable[[str], boto3.Session]
) -> None:
    """Warm functions keep the revoked sessions; a change of the configuration replaces them."""
    text = (ROOT / "SECURITY.md").read_text()
    (policy,) = re.findall(r"aws iam put-role-policy .*--policy-document '(.+)'", text)
    (old,) = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", policy)
    iam = client(box, administrator(STAGING), "iam")
    place = {"RoleName": "external-role", "PolicyName": "RevokeOlderSessions"}
    assert ask(account_id=STAGING, check="s3_buckets")[0] == 200
    now = int(time.time()) + 1
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    iam.put_role_policy(**place, PolicyDocument=policy.replace(old, moment))
    status, body = ask(account_id=STAGING, check="s3_buckets")
    assert (status, body["error"]["type"]) == (500, "CheckDenied")
    client(box, hub, "lambda").update_function_configuration(
        FunctionName="cross-account-sandbox-switch_account", Description="sessions revoked"
    )
    time.sleep(max(0.0, now - time.time()))  # of the same second as the moment: AWS tells times in seconds
    assert ask(account_id=STAGING, check="s3_buckets")[0] == 200
    iam.delete_role_policy(**place)


def test_role_drift_sees_an_older_role_and_what_was_added_to_it_by_hand(
    ask: Ask, box: sandbox.Box, administrator: Callable[[str], boto3.Session]
) -> None:
    iam = client(box, administrator(STAGING), "iam")
    checks = {"RoleName": "external-role", "PolicyName": "checks"}
    added = {"RoleName": "external-role", "PolicyName": "debugging"}
    now = iam.get_role_policy(**checks)["PolicyDocument"]

    def without(sid: str) -> str:
        return json.dumps({**now, "Statement": [one for one in now["Statement"] if one["Sid"] != sid]})

    def drift() -> dict[str, Any]:
        body = ask(account_id=STAGING, check="role_drift")[1]
        return body.get("result") or body["error"]

    assert drift()["drift"] == "none"
    iam.put_role_policy(**checks, PolicyDocument=without("AccountSummary"))
    more = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
    iam.put_role_policy(**added, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": more}))
    found = drift()
    assert (found["drift"], found["lacks"]) == ("both", ["iam:ListAccountAliases"]), "root_user needs the other one too"
    assert found["exceeds"] == ["s3:Get*"]
    assert found["next"].endswith("aws iam delete-role-policy --role-name external-role --policy-name debugging")
    iam.delete_role_policy(**added)
    iam.put_role_policy(**checks, PolicyDocument=without("RoleDrift"))
    assert drift()["type"] == "CheckDenied", "a role of before this check was there"
    iam.put_role_policy(**checks, PolicyDocument=json.dumps(now))
    assert drift()["drift"] == "none"


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


def test_what_another_chalice_deploys_answers_as_well_and_says_in_its_log_that_it_compiles(project: Project) -> None:
    project.edit("app.py", lambda text: f"{text}\n# edited\n")
    own = "from chalice.cli import main; raise SystemExit(main())"
    done = project.run("python", "-c", own, "deploy", "--stage", "sandbox")
    assert done.returncode == 0, done.stdout + done.stderr
    status, _ = project.invoke_switch_account(account_id=PRODUCTION)
    lines = project.chalice("logs", "-n", "switch_account").stdout
    assert status == 200
    assert '"parts":["function"]' in lines
    deploy(project)


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
