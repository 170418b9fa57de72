"""What the unit tests are handed. Nothing here reaches into a module: fakes come by environment and argument."""

from __future__ import annotations

import gc
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chalice.test
import hypothesis
import pytest
from botocore.retries import standard
from chalice.local import LambdaContext
from chalice.test import Client

import app as entry_points
from chalicelib.app_log import logger
from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check
from chalicelib.cross_account import Hub
from chalicelib.inputs.settings import hub_of
from tests.environment import set_environment
from tests.failures import Failure
from tests.fake_aws import FakeAws, fake_aws

# All that is imported and collected stays: no garbage collection looks at it, now or at the end.
gc.disable()

hypothesis.settings.register_profile("cross-account", deadline=None, max_examples=60)
hypothesis.settings.load_profile("cross-account")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000)


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """While a test runs: where one recurses as deep as Python can, a finalizer would fail, and the test with it."""
    gc.disable()
    yield
    gc.enable()


OWN_ENVIRONMENT = {"browser", "e2e", "faults", "sandbox"}
"""Folders whose tests set up an environment of their own."""


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> None:
    """All other tests are unit tests and get a clean environment."""
    if request.path.parent.name not in OWN_ENVIRONMENT:
        request.getfixturevalue("clean_environment")


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the developer's AWS and no setting, fake credentials, no metadata service, and a hub not made yet."""
    set_environment(monkeypatch)
    hub_of.cache_clear()
    yield
    hub_of.cache_clear()


@pytest.fixture(scope="session")
def server() -> Iterator[FakeAws]:
    with fake_aws() as running:
        yield running


@pytest.fixture
def aws(server: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """AWS on loopback, which everything in this test talks to; it remembers nothing of other tests."""
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return server


@pytest.fixture
def hub(aws: FakeAws) -> Hub:
    """A hub with the default settings that talks to `aws`."""
    return Hub()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow each other at once. botocore has no parameter for it."""
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda _self, _context: 0)


@pytest.fixture
def context() -> Any:
    """As Lambda hands it to a function."""
    return SimpleNamespace(
        aws_request_id="11111111-2222-3333-4444-555555555555", get_remaining_time_in_millis=lambda: 60_000
    )


@pytest.fixture
def database() -> Iterator[Any]:
    """DuckDB, imported here: what is frozen above, it believes lost at the end, and says so."""
    import duckdb

    with duckdb.connect() as connected:
        yield connected


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Chalice's own, without a configuration: the environment is the test's.

    It gives every function 3 s, whatever is configured; a sweep keeps 2 of them back, and a busy machine needs more.
    """
    monkeypatch.setattr(chalice.test, "LambdaContext", partial(LambdaContext, max_runtime_ms=60_000))
    return Client(entry_points.app, project_dir=str(tmp_path))


@pytest.fixture
def invoke(context: Any) -> Callable[..., tuple[int, Any]]:
    """Invoke `switch_account` as Lambda does, JSON in and JSON out; gives the status code and the body."""

    def call(event: Any) -> tuple[int, Any]:
        payload = entry_points.switch_account(json.loads(json.dumps(event)), context)
        answer = json.loads(json.dumps(payload, allow_nan=False))
        assert set(answer) == {"statusCode", "body"}
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture
def http(client: Client) -> Callable[..., tuple[int, Any]]:
    """Call a route, JSON in and JSON out; gives the HTTP status and the body."""

    def call(method: str, path: str, body: Any = None, raw: bytes | None = None) -> tuple[int, Any]:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        with warnings.catch_warnings():  # chalice says of every IAMAuthorizer that it lets everybody in locally
            warnings.simplefilter("ignore", UserWarning)
            response = client.http.request(method, path, {"Content-Type": "application/json"}, content)
        return response.status_code, json.loads(response.body)

    return call


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines of this app's own log, each of which must be a JSON object."""
    stream = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before, level = handler.setStream(stream), logger.log_level
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(before)
    logger.setLevel(level)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Callable[[Check], Check]:
    """Put a check of the test's own into the table, as anybody would with one of theirs."""

    def add(check: Check) -> Check:
        monkeypatch.setitem(CHECKS.entries, check.name, check)
        return check

    return add


@pytest.fixture
def prepared(
    aws: FakeAws, added: Callable[[Check], Check], no_backoff: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Failure], str]:
    """Bring a failure about; gives the name of the check that will meet it."""

    def prepare(failure: Failure) -> str:
        failure.prepare(aws)
        for name, value in failure.settings.items():
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value)
        if failure.own:
            added(failure.own)
        return failure.check_name

    return prepare
