"""One sandbox for all tests in this folder, in a separate process, with a minimal role template."""

import io
import json
import os
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

import sandbox
from sandbox.accounts import CREDENTIALS, HUB, REGION

TEMPLATE = Path(__file__).with_name("role.yaml")
Client = Callable[..., Any]


@pytest.fixture(scope="session")
def box() -> Iterator[sandbox.Box]:
    with sandbox.running(TEMPLATE) as running:
        yield running


@pytest.fixture(scope="session")
def client(box: sandbox.Box) -> Client:
    """A boto3 client with the developer's credentials, or with others in the form of STS's response."""

    def make(
        service: str,
        credentials: dict[str, Any] | None = None,
        endpoint_url: str = "",
        region_name: str = REGION,
        **config: Any,
    ) -> Any:
        key, secret, token = (box.environment[name] for name in CREDENTIALS)
        if credentials:
            key, secret, token = (credentials[n] for n in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return boto3.client(
            service,
            region_name=region_name,
            endpoint_url=endpoint_url or box.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=30, **config),
        )

    return make


@pytest.fixture(scope="session")
def administrator(client: Client) -> Callable[[str], dict[str, Any]]:
    """Credentials of the administrator role that Organizations creates in each target account."""

    def assume(account: str) -> dict[str, Any]:
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        return client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]

    return assume


@pytest.fixture(scope="session")
def within(client: Client, administrator: Callable[[str], dict[str, Any]]) -> Callable[[str], Client]:
    """Clients of an account's administrator, by account and service."""

    def of_account(account: str) -> Client:
        credentials = administrator(account)
        return lambda service, **options: client(service, credentials, **options)

    return of_account


@pytest.fixture(scope="session")
def hub_session(client: Client) -> Callable[..., dict[str, Any]]:
    """Credentials of a new hub role with only these statements; the targets trust its name."""

    def assume(*statements: dict[str, Any], prefix: str = "cross-account-sandbox") -> dict[str, Any]:
        iam = client("iam")
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
        return client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]

    return assume


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def zipped(**files: str) -> bytes:
    """A zip; each keyword is a file name, with __ for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return buffer.getvalue()


def runs(pid: int) -> bool:
    """Whether a process that is not a child of this one has not ended; one that has (Z) is there until init looks."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while runs(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)
