"""The helper as others import it, `cross_account`, against an AWS on loopback.

These tests run twice: with the pinned boto3 (`make test`), and on the wheel with the oldest boto3 that the helper
allows (`make test-oldest-sdk`, which has neither Chalice nor moto). So they use nothing of tests/conftest.py.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fake_aws import HUB_KEY, HUB_SECRET, HUB_TOKEN, FakeAws, fake_aws

SOURCE = Path(__file__).resolve().parents[2] / "chalicelib"
SETTINGS = ("ROLE_NAME", "ROLE_PATH", "EXTERNAL_ID", "SESSION_SECONDS", "ALLOWED_ACCOUNTS", "CACHE_CREDENTIALS")


@pytest.fixture(scope="session")
def helper() -> Iterator[ModuleType]:
    """`cross_account` from the installed wheel, or else from the folder that the wheel is made of."""
    if importlib.util.find_spec("cross_account") is not None:
        yield importlib.import_module("cross_account")
        return
    sys.path.insert(0, str(SOURCE))
    try:
        module = importlib.import_module("cross_account")
        importlib.import_module("cross_account.clients")
    finally:
        sys.path.remove(str(SOURCE))
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "cross_account"]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def server() -> Iterator[FakeAws]:
    with fake_aws() as running:
        yield running


@pytest.fixture
def aws(server: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """It forgets what other tests sent, and the environment points at it alone."""
    server.reset()
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")) or name in SETTINGS:
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": HUB_KEY,
        "AWS_SECRET_ACCESS_KEY": HUB_SECRET,
        "AWS_SESSION_TOKEN": HUB_TOKEN,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow each other at once. botocore has no parameter for it."""
    standard: Any = importlib.import_module("botocore.retries.standard")
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda _self, _context: 0)
