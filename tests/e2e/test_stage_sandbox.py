"""The stage `sandbox` finds the credentials of the sandbox and no others, whatever the shell has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ProfileNotFound
from botocore.session import Session

import sandbox
from sandbox.project_copy import copy_project
from sandbox.shell import exports
from tests.e2e.conftest import NAMES, PRODUCTION, Project
from tests.environment import CONFIG
from tests.templates import ROOT

REAL = "AKIAREAL"
REAL_SHELLS = {
    "keys": {"AWS_ACCESS_KEY_ID": REAL, "AWS_SECRET_ACCESS_KEY": "real", "AWS_SECURITY_TOKEN": "real"},
    "keys that expire": {
        "AWS_ACCESS_KEY_ID": REAL,
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
    },
    "a profile": {"AWS_PROFILE": "work"},
    "a default profile": {"AWS_DEFAULT_PROFILE": "work"},
    "a profile that assumes a role": {"AWS_PROFILE": "role"},
    "a web identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null", "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/r"},
    "endpoints": {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "nothing but ~/.aws": {},
}
SWEEP = (sys.executable, str(ROOT / "sweep.py"), "preflight", "--accounts", PRODUCTION, "--stage", "sandbox")


class Aws(ThreadingHTTPServer):
    """In place of AWS: it refuses everything, and counts."""

    requests = 0

    def __init__(self) -> None:
        aws = self

        class Refuse(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                aws.requests += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_PUT = do_DELETE = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Refuse)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With real keys in ~/.aws."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".aws").mkdir()
    keys = f"aws_access_key_id = {REAL}\naws_secret_access_key = real\n"
    (folder / ".aws" / "credentials").write_text(f"[default]\n{keys}[work]\n{keys}")
    role = "[profile role]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = work\n"
    (folder / ".aws" / "config").write_text(role)
    return folder


def shell(environment: Mapping[str, str], home: Path, kind: str) -> dict[str, str]:
    """One with real keys, in which nothing is left of the tests' own."""
    own = {name: value for name, value in environment.items() if not name.startswith(("AWS_", "SANDBOX_"))}
    return {**own, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **REAL_SHELLS[kind]}


@pytest.fixture(params=REAL_SHELLS)
def real_shell(request: pytest.FixtureRequest, project: Project, home: Path) -> dict[str, str]:
    return shell(project.environment, home, request.param)


def key_found(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The key that botocore signs with in the stage `sandbox`."""
    variables = {**environment, **CONFIG["stages"]["sandbox"]["environment_variables"]}
    monkeypatch.setattr(os, "environ", variables)
    credentials = Session().get_credentials()
    return credentials and credentials.access_key


def test_without_a_sandbox_the_stage_has_no_key(real_shell: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProfileNotFound):
        key_found(real_shell, monkeypatch)


def test_without_a_sandbox_the_stage_signs_nothing(project: Project, home: Path, aws: Aws) -> None:
    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_port}", "AWS_DEFAULT_REGION": "us-east-1"}
    stranded = replace(project, environment={**shell(project.environment, home, "keys"), **endpoint})
    for done, told in (
        (stranded.chalice("deploy"), "ProfileNotFound"),
        (stranded.run(*SWEEP), "The stage sandbox needs a running sandbox (make sandbox)"),
    ):
        assert done.returncode == 2
        assert told in done.stderr
    assert aws.requests == 0


def test_some_commands_of_chalice_look_at_no_stage(project: Project, home: Path, aws: Aws, tmp_path: Path) -> None:
    """They sign with what the shell has."""
    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.server_port}", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**shell(project.environment, home, "keys"), **endpoint}
    stranded = replace(project, folder=copy_project(tmp_path), environment=environment)
    arn = "arn:aws:lambda:us-east-1:111111111111:function:f"
    resources = [
        {"name": "f", "resource_type": "lambda_function", "lambda_arn": arn},
        {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": "i", "rest_api_url": "http://127.0.0.1"},
    ]
    record = stranded.folder / ".chalice" / "deployed" / "sandbox.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"schema_version": "2.0", "backend": "api", "resources": resources}))
    for command in (("invoke", "-n", "f"), ("generate-sdk", "sdk")):
        assert "403" in stranded.chalice(*command).stderr
    assert aws.requests == 2


def test_the_stage_has_the_key_of_the_sandbox_whatever_the_shell_has(
    real_shell: dict[str, str], box: sandbox.Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without what `sandbox env` unsets."""
    own = {name: value for name, value in box.environment.items() if name not in NAMES}
    assert key_found({**real_shell, **own}, monkeypatch) == box.environment["AWS_ACCESS_KEY_ID"]


def test_a_command_with_the_stage_is_let_in(project: Project, home: Path, box: sandbox.Box) -> None:
    own = {name: value for name, value in box.environment.items() if name not in NAMES}
    done = replace(project, environment={**shell(project.environment, home, "keys"), **own}).run(*SWEEP)
    assert done.returncode == 0, done.stderr
    assert {call["outcome"] for call in box.calls()} == {"allowed"}


def test_the_lines_for_the_shell_put_the_sandboxs_keys_in_place_of_real_ones(
    real_shell: dict[str, str], box: sandbox.Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"{exports(box.environment)}\nexec env -0"
    done = subprocess.run(["sh", "-c", script], env=real_shell, capture_output=True, text=True, check=True)
    monkeypatch.setattr(os, "environ", dict(line.split("=", 1) for line in done.stdout.split("\0") if line))
    assert boto3.Session().client("sts").get_caller_identity()["Account"] == "111111111111"


def test_no_other_stage_brings_credentials() -> None:
    """In the sandbox's shell they have the sandbox's, also `prod`, which ignores its endpoint and asks AWS."""
    others = [stage["environment_variables"] for name, stage in CONFIG["stages"].items() if name != "sandbox"]
    assert {name for variables in others for name in variables if name.startswith("AWS_")} == {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
    }
