"""One Chromium for all of these tests; without one they are skipped."""

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
        reason = "There is no Chromium: apt install chromium, or set CHROMIUM to the path of one."
        if os.environ.get("CI"):
            pytest.fail(reason)  # where nobody reads what was skipped
        pytest.skip(reason)
    with Chromium(program) as browser:
        yield browser


@pytest.fixture
def show(chromium: Chromium, tmp_path: Path) -> Iterator[Callable[..., Tab]]:
    """Open a page from a file, as somebody does who was sent it."""
    tabs: list[Tab] = []

    def call(source: str, **how: Any) -> Tab:
        file = tmp_path / f"report-{len(tabs)}.html"
        file.write_text(source, encoding="utf-8")
        tabs.append(chromium.open(file.as_uri(), **how))
        return tabs[-1]

    yield call
    for tab in tabs:
        tab.close()
