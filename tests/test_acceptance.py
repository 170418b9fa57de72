"""Which accounts `python -m acceptance` accepts; what it does in them: tests/e2e/commands/test_acceptance.py."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from acceptance import __main__ as acceptance
from acceptance.trial import Account

HUB, TARGET = "111111111111", "123456789012"


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Account]:
    """By profile."""
    entered: dict[str, Account] = {}
    monkeypatch.setattr(acceptance, "enter", entered.__getitem__)
    return entered


def refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        acceptance.main(arguments)
    assert ended.value.code == 2


def test_a_profile_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    refused(["--hub", "work", "--target", "play"])
    assert "The profile work cannot be used: The config profile (work) could not be found" in capsys.readouterr().err


def test_the_hub_is_no_target(accounts: dict[str, Account], capsys: pytest.CaptureFixture[str]) -> None:
    accounts.update(dict.fromkeys(("work", "play"), Account(HUB, boto3.Session(region_name="eu-west-1"))))
    refused(["--hub", "work", "--target", "play"])
    assert f"Both profiles are of {HUB}" in capsys.readouterr().err


def test_a_profile_without_a_region_is_named(
    accounts: dict[str, Account], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    accounts.update(work=Account(HUB, boto3.Session(region_name="eu-west-1")), play=Account(TARGET, boto3.Session()))
    refused(["--hub", "work", "--target", "play"])
    assert "The profile play names no region." in capsys.readouterr().err
