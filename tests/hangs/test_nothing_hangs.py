"""Every entry point answers before its own limit, whatever hangs. Here alone time is the behaviour that is tested."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.hangs.scenario import SCENARIOS
from tests.templates import ROOT

Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Found:
    """What came of each, by name; all run side by side, because they sleep."""
    selected = [item for item in request.session.items if item.nodeid.startswith(request.node.nodeid)]
    names = [item.callspec.params["name"] for item in selected if isinstance(item, pytest.Function)]
    command = [sys.executable, "-m", "tests.hangs.scenario", *names]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return {line.pop("name"): line for line in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_ends_in_time_and_tells_what_hangs(name: str, found: Found) -> None:
    expected = SCENARIOS[name].expected

    assert name in found, "it went on beyond its limit"
    assert found[name]["seconds_left"] > 0
    assert {what: found[name].get(what) for what in expected} == expected
