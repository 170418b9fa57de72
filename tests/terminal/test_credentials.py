"""--credentials: another tool gets into one account by this command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fake_aws import denied
from tests.fake_aws.canaries import HUB, SESSION_SECRET, session_key, session_token
from tests.fake_hub import ids
from tests.templates import ROOT

ACCOUNT = ids(1)[0]
COMMAND = f"{sys.executable} {ROOT / 'sweep.py'} --credentials {ACCOUNT}"


def test_they_are_what_a_credential_process_prints_and_nothing_else_is(aws, run):
    status, out, err = run("--credentials", ACCOUNT)
    assert (status, err) == (0, "")
    found = json.loads(out)
    expiration = datetime.fromisoformat(found.pop("Expiration"))
    assert found == {
        "Version": 1,
        "AccessKeyId": session_key(ACCOUNT, 1),
        "SecretAccessKey": SESSION_SECRET,
        "SessionToken": session_token(ACCOUNT),
    }
    assert timedelta(minutes=50) < expiration - datetime.now(UTC) <= timedelta(hours=1)


def test_the_session_may_do_what_the_role_may_and_is_named_in_cloudtrail(aws, run):
    run("--credentials", ACCOUNT)
    (assumed,) = aws.operations("AssumeRole")
    assert "Policy" not in assumed.form
    assert assumed.form["RoleSessionName"].startswith("cross-account-terminal-")


def test_a_denial_is_told_on_stderr(aws, run):
    aws.tell("AssumeRole", denied(), always=True)
    status, out, err = run("--credentials", ACCOUNT, "--json")
    assert (status, out) == (1, "")
    assert err.startswith(f"sweep.py: AssumeRole of arn:aws:iam::{ACCOUNT}:role/external-role: denied, AccessDenied.")


def test_what_is_not_an_account_id_is_told_and_aws_is_not_called(aws, run):
    assert run("--credentials", "12")[::2] == (
        2,
        "sweep.py: An account_id is a string of exactly 12 digits 0 to 9, leading zeros included.\n",
    )
    assert aws.seen == []


# ---- as another tool runs it


@pytest.fixture
def tool(aws, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a tool in another folder, with a profile: it prints who it is."""
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"

    def call(credential_process: str) -> subprocess.CompletedProcess[str]:
        profiles = (
            f"[profile production]\nregion = eu-west-1\ncredential_process = {credential_process}\n"
            "[profile hub]\nregion = eu-west-1\n"
            f"aws_access_key_id = {os.environ['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = x\n"
        )
        (tmp_path / "config").write_text(profiles)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
            "AWS_PROFILE": "production",
        }
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return call


def test_a_tool_whose_profile_runs_it_works_in_the_account(aws, tool):
    done = tool(f"env AWS_PROFILE=hub {COMMAND}")
    assert (done.returncode, done.stdout) == (0, f"{ACCOUNT}\n"), done.stderr
    assert [request.signer for request in aws.operations("AssumeRole")] == [HUB]


def test_a_profile_that_runs_it_for_the_hubs_credentials_as_well_ends_with_a_sentence(aws, tool):
    done = tool(COMMAND)
    assert done.returncode == 1
    assert "Does the profile production run this command?" in done.stderr
    assert "credential_process = env AWS_PROFILE=hub" in done.stderr
    assert aws.seen == []
