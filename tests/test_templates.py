"""Every template, of the project and of its docs, passes cfn-lint; all of them at once, for it starts slowly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.templates import ROOT, blocks

TEMPLATES = {path.name: path.read_text() for path in ROOT.glob("*-template.yaml")}
PAGES = ("docs/operating-it.md", "docs/the-helper.md")
WRONG = "wrong.yaml"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What cfn-lint says, by template."""
    folder = tmp_path_factory.mktemp("templates")
    of_docs = {Path(page).name: text for page in PAGES for text in blocks(page, "yaml")}
    wrong = of_docs["operating-it.md"].replace("MetricName", "Metric")
    texts = {**TEMPLATES, **of_docs, WRONG: wrong}
    for name, text in texts.items():
        (folder / name).write_text(text)
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "parseable", "--", *texts]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    return {name: [line for line in lines if line.startswith(f"{name}:")] for name in texts}


@pytest.mark.parametrize("name", [*TEMPLATES, *(Path(page).name for page in PAGES)])
def test_a_template_passes_cfn_lint(found: dict[str, list[str]], name: str) -> None:
    assert found[name] == []


def test_a_template_with_a_wrong_property_does_not(found: dict[str, list[str]]) -> None:
    assert "Metric" in found[WRONG][0]
