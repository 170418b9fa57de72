"""exceptions.toml: what is accepted for a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from chalicelib.checks import CHECKS, exceptions
from chalicelib.checks.exceptions import accepted, mute
from chalicelib.checks.finding import alarm, info, ok, skip, unknown
from chalicelib.cross_account import InvalidSettings

ACCOUNT, OTHER = "123456789012", "234567890123"
TODAY = date(2026, 6, 30)
CHECK = "open_security_groups"
VALID = f'check = "{CHECK}"\naccount = "{ACCOUNT}"\nuntil = 2026-06-30\nreason = "SEC-12"'

Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    def as_file(text: str) -> None:
        file = tmp_path / "exceptions.toml"
        file.write_text(text)
        monkeypatch.setattr(exceptions, "FILE", file)

    return as_file


def verdict(resource: str = "sg-1", account: str = ACCOUNT, check: str = CHECK, today: date = TODAY) -> str:
    (found,) = mute([alarm(resource, "It is open.")], check, account, today)
    return str(found["verdict"])


def test_the_file_that_ships_is_valid() -> None:
    accepted(CHECKS)


def test_a_muted_alarm_says_why_and_until_when(write: Write) -> None:
    write(f"[[exception]]\n{VALID}")
    assert mute([alarm("sg-1", "It is open.", group="x")], CHECK, ACCOUNT, TODAY) == [
        {
            "resource": "sg-1",
            "verdict": "muted",
            "reason": "Accepted until 2026-06-30: SEC-12. It is open.",
            "group": "x",
        }
    ]


def test_an_exception_that_is_over_is_an_alarm_again_and_says_so(write: Write) -> None:
    write(f"[[exception]]\n{VALID}")
    assert mute([alarm("sg-1", "It is open.")], CHECK, ACCOUNT, date(2026, 7, 1)) == [
        alarm("sg-1", "It is open. An exception for it ended on 2026-06-30.")
    ]


def test_of_two_exceptions_the_one_that_lasts_longer_counts(write: Write) -> None:
    write(f"[[exception]]\n{VALID}\n[[exception]]\n{VALID.replace('2026-06', '2027-06')}")
    assert verdict(today=date(2026, 7, 1)) == "muted"


def test_an_exception_is_for_its_check_account_and_resource_alone(write: Write) -> None:
    write(f"[[exception]]\n{VALID}\nresource = 'arn:*:group/sg-?[1]*'")
    assert verdict("arn:aws:group/sg-?[1]23") == "muted"
    assert verdict("arn:aws:group/sg-x123") == "alarm"
    assert verdict("arn:aws:group/sg-?[1]", account=OTHER) == "alarm"
    assert verdict("arn:aws:group/sg-?[1]", check="imds") == "alarm"


def test_what_could_not_be_looked_at_can_be_accepted_and_other_verdicts_stay(write: Write) -> None:
    write(f"[[exception]]\n{VALID}")
    found = [unknown("a", "Denied."), ok("b", "Fine."), info("c", "Look."), skip("d", "None.")]
    verdicts = [one["verdict"] for one in mute(found, CHECK, ACCOUNT, TODAY)]
    assert verdicts == ["muted", "ok", "info", "skip"]


def test_an_exception_for_one_finding_about_an_account_does_not_accept_what_could_not_be_looked_at(
    write: Write,
) -> None:
    write(f"[[exception]]\n{VALID}\nresource = '{ACCOUNT}'")
    found = [alarm(ACCOUNT, "Off."), unknown(ACCOUNT, "Denied.")]
    assert [one["verdict"] for one in mute(found, CHECK, ACCOUNT, TODAY)] == ["muted", "unknown"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[[exception", "cannot be read: TOMLDecodeError"),
        ("[exceptions]\n", "nothing but [[exception]] tables"),
        ("exception = 3", "nothing but [[exception]] tables"),
        (f"[[exception]]\n{VALID}\nregion = 'x'", "exception 1: it may have check, account, resource, until, reason"),
        (f"[[exception]]\n{VALID.replace(CHECK, 'open_group')}", "exception 1: check must be the name of a check"),
        (f"[[exception]]\n{VALID.replace('SEC-12', ' ')}", "exception 1: reason must be a text"),
        (f"[[exception]]\n{VALID.replace('12345', '1234')}", "exception 1: account must be a text of 12 digits"),
        (f"[[exception]]\n{VALID}\nresource = '*'", "exception 1: resource must be a text, and not * alone"),
        (
            f"[[exception]]\n{VALID}\n[[exception]]\n{VALID.replace('account', 'until = 2026-06-30 #')}",
            "cannot be read",
        ),
        (f"[[exception]]\n{VALID.replace('2026-06-30', '2026-06-30T10:00:00')}", "exception 1: until must be a day"),
        (f"[[exception]]\ncheck = '{CHECK}'\nuntil = 2026-06-30\nreason = 'x'", "exception 1: it must name an account"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(write: Write, text: str, rule: str) -> None:
    write(text)
    with pytest.raises(InvalidSettings) as error:
        accepted(CHECKS)
    assert rule in error.value.message
