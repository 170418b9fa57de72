"""The licences of what ships (the layer, and Chalice's two files in the zip), and the hashes of what is installed."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from tests.templates import ROOT

LIKE_OURS = {
    "Apache-2.0",
    "Apache License 2.0",
    "License :: OSI Approved :: Apache Software License",
    "MIT",
    "License :: OSI Approved :: MIT License",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)",
    "License :: OSI Approved :: BSD License",
    "PSF-2.0",
}
"""Licences that require only to keep the notice. Another licence needs a decision.
botocore also contains Mozilla's list of certificates (MPL-2.0), unchanged."""

LOCKS = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-lock.txt",
    "audit/requirements.txt",
    "audit/prowler/requirements.txt",
    "tests/oldest-boto3.txt",
    "tests/e2e/commands/requirements.txt",
]


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([^ ]+)", (ROOT / lock).read_text(), re.MULTILINE))


def licences(distribution: str) -> set[str]:
    """From the metadata: License-Expression, else classifiers, else the older free text."""
    about = metadata.metadata(distribution)
    if expression := about.get("License-Expression"):
        return {expression}
    classifiers = {text for text in about.get_all("Classifier") or [] if text.startswith("License ::")}
    return classifiers or {about.get("License") or "none"}


@pytest.mark.parametrize("distribution", [*pinned("requirements.txt"), "chalice"])
def test_what_ships_has_a_licence_from_the_list(distribution: str) -> None:
    assert licences(distribution) <= LIKE_OURS


def test_the_installed_versions_are_the_pinned_ones() -> None:
    versions = pinned("requirements.txt")
    assert {name: metadata.version(name) for name in versions} == versions


@pytest.mark.parametrize("lock", LOCKS)
def test_what_ships_is_pinned_with_hashes(lock: str) -> None:
    """Also what tests and audits it: each requirement has a version, and each version the hashes of its files."""
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n?", "", (ROOT / lock).read_text(), flags=re.MULTILINE))
    loose = [
        requirement.split()[0]
        for requirement in requirements
        if requirement.strip() and not re.match(r"\S+==\S+[^\n]* \\\n +--hash=sha256:[0-9a-f]{64}\b", requirement)
    ]
    assert loose == []


def test_make_installs_nothing_past_install_py_which_wants_hashes() -> None:
    recipes = (ROOT / "Makefile").read_text().replace("\\\n", " ").splitlines()
    (own_wheel,) = [line for line in recipes if "pip install" in line]
    assert "--no-index" in own_wheel


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_package_source(lock: str) -> None:
    assert re.findall(r"https?://|file:|--index-url|--find-links", (ROOT / lock).read_text()) == []


def test_what_ships_is_what_was_tested() -> None:
    """All locks have the same versions."""
    shipped = pinned("requirements.txt").items()
    assert shipped <= pinned("requirements-dev.txt").items()
    audited = pinned("audit/requirements.txt")
    assert {name: version for name, version in shipped if name in audited}.items() <= audited.items()
