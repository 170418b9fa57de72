from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import botocore.loaders
import botocore.session
import pytest

import app
from tests.faults import drive
from tests.faults.faulty_aws import FaultyAws


@pytest.fixture(autouse=True)
def one_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read AWS's models once and not for every hub: that takes longer than everything else here together."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda search_path=None: _LOADER)


_LOADER = botocore.loaders.Loader()


@pytest.fixture
def hub_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs this; those of `drive.environment` come with `aws`."""
    drive.forget_the_environment(monkeypatch)


@pytest.fixture(scope="session")
def server() -> Iterator[FaultyAws]:
    with FaultyAws() as server:
        yield server


@pytest.fixture
def aws(server: FaultyAws, hub_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyAws]:
    """A server that is healthy until the test scripts it, and an app that has never run before."""
    for name, value in drive.environment(server.url).items():
        monkeypatch.setenv(name, value)
    app._hub.cache_clear()
    yield server
    app._hub.cache_clear()
    server.heal()


@pytest.fixture
def log() -> Iterator[drive.LogOfEverything]:
    with drive.everything_logged() as log:
        yield log


@pytest.fixture
def backoff(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, written down instead of waited for.

    botocore's standard mode waits a random part of 0.05, 0.1 ... seconds, after throttling of 1, 2 ... seconds.
    """
    waits: list[float] = []
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=waits.append))
    return waits
