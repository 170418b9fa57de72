"""Which accounts `python -m acceptance` accepts, what it takes for a secret, and how it ends.

What it does in them: tests/e2e/commands/test_acceptance.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from acceptance import __main__ as acceptance
from acceptance import remains
from acceptance.promises import CREDENTIAL
from acceptance.trial import Account, Trial

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
    assert "There is no profile work. Those of the sandbox are in its shell:" in capsys.readouterr().err


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


def test_the_shells_own_session_does_not_mix_with_the_profiles_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = Account(HUB, boto3.Session("AKIA", "secret", region_name="eu-west-1"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
        monkeypatch.setenv(name, "the-shells")
    given = Trial(hub, hub, tmp_path)._environment()
    assert (given["AWS_ACCESS_KEY_ID"], "the-shells" in given.values()) == ("AKIA", False)


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("said", ["key ASIAIOSFODNN7EXAMPLE.", f"secret={SECRET}", f'"{SECRET * 3}=="'])
def test_a_credential_is_found_in_what_is_said(said: str) -> None:
    assert CREDENTIAL.search(said)


@pytest.mark.parametrize(
    "said",
    [
        "arn:aws:sts::123456789012:assumed-role/cross-account-0a1b2c/cross-account-8caff87f-0532-4f34-8a36-ff8446a2a6fc",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "AROATNHKV6TFTZBXLTSE4:cross-account",
    ],
)
def test_what_only_looks_like_one_is_not(said: str) -> None:
    assert not CREDENTIAL.search(said)


def test_one_kind_that_cannot_be_listed_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deleted: list[str] = []

    def denied(_: Trial) -> Iterator[remains.Remainder]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListStacks")

    def one(_: Trial) -> Iterator[remains.Remainder]:
        yield remains.Remainder("function f", lambda: deleted.append("f"))

    monkeypatch.setattr(remains, "KINDS", {"stack": denied, "function": one})
    hub = Account(HUB, boto3.Session())
    (left,) = remains.delete_remains(Trial(hub, hub, tmp_path, "t"))
    assert left.startswith("whatever stack is called t: An error occurred (AccessDenied)")
    assert deleted == ["f"]
