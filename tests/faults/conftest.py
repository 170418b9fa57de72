from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import pytest

from tests.fake_aws import FakeAws
from tests.faults import drive


@pytest.fixture
def aws(clean_environment: None, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """With an app that has never run before, has an external ID and logs all it can."""
    for name, value in drive.SETTINGS.items():
        monkeypatch.setenv(name, value)
    yield aws
    aws.reset()  # lets go of what hangs


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
