"""One Chromium for all tests in this folder; without one they are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium, Tab, installed


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    program = installed()
    if program is None:
        reason = "Chromium was not found: apt install chromium, or set CHROMIUM to its path."
        if os.environ.get("CI"):
            pytest.fail(reason)  # in CI a skipped test would not be noticed
        pytest.skip(reason)
    with Chromium(program) as browser:
        yield browser


@pytest.fixture
def show(chromium: Chromium, tmp_path: Path) -> Iterator[Callable[..., Tab]]:
    """Open a page from a file, as a recipient of the page does."""
    tabs: list[Tab] = []

    def call(source: str, **how: Any) -> Tab:
        file = tmp_path / f"report-{len(tabs)}.html"
        file.write_text(source, encoding="utf-8")
        tabs.append(chromium.open(file.as_uri(), **how))
        return tabs[-1]

    yield call
    for tab in tabs:
        tab.close()
