"""exceptions.toml: findings that are accepted for a time. They are counted and shown as muted, and never lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.checks.finding import Finding
from chalicelib.cross_account import InvalidSettings

FILE = Path(__file__).with_name("exceptions.toml")
KEYS = ("check", "account", "resource", "until", "reason")
MUTED = ("alarm", "unknown")
"""The verdicts that an exception changes."""


@dataclass(frozen=True)
class Accepted:
    """One exception.

    Attributes:
        check: its name.
        account: the account's id; None: any.
        resource: the finding's resource, * for any characters; None: any.
        until: the last day.
        reason: why it is accepted.
    """

    check: str
    account: str | None
    resource: str | None
    until: date
    reason: str

    def is_about(self, finding: Finding, account_id: str) -> bool:
        """Whether it accepts a finding. With the account's own id as the resource it is about one alarm, and must not
        also accept that something in the account could not be looked at."""
        if self.resource and finding["resource"] == account_id and finding["verdict"] == "unknown":
            return False
        only_stars = (self.resource or "*").replace("[", "[[]").replace("?", "[?]")
        return self.account in (None, account_id) and fnmatchcase(finding["resource"], only_stars)


def accepted(checks: Collection[str]) -> Sequence[Accepted]:
    """All exceptions, read once.

    Args:
        checks: the names of the checks that there are.

    Raises:
        InvalidSettings: one sentence that names the exception and the rule.
    """
    found = _read(FILE)
    for number, one in enumerate(found, start=1):
        if one.check not in checks:
            raise _invalid(number, "check must be the name of a check")
    return found


def mute(findings: Iterable[Finding], check: str, account_id: str, today: date | None = None) -> list[Finding]:
    """The findings of a check, those muted that an exception accepts.

    Args:
        account_id: where they were found.
        today: default: today, UTC.
    """
    of_check = [one for one in _read(FILE) if one.check == check]
    if not of_check:
        return list(findings)
    day = today or datetime.now(UTC).date()
    return [
        _muted(finding, [one for one in of_check if one.is_about(finding, account_id)], day) for finding in findings
    ]


def _muted(finding: Finding, exceptions: Sequence[Accepted], today: date) -> Finding:
    """The exception that lasts longest counts."""
    if finding["verdict"] not in MUTED or not exceptions:
        return finding
    last = max(exceptions, key=lambda one: one.until)
    if last.until < today:
        return {**finding, "reason": f"{finding['reason']} An exception for it ended on {last.until}."}
    return {**finding, "verdict": "muted", "reason": f"Accepted until {last.until}: {last.reason} {finding['reason']}"}


@lru_cache(maxsize=1)
def _read(file: Path) -> Sequence[Accepted]:
    import tomllib  # only a check that judges pays for it at a cold start

    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSettings(f"exceptions.toml cannot be read: {type(error).__name__}.", hint=str(error)) from None
    if content.keys() - {"exception"} or not isinstance(content.get("exception", []), list):
        raise InvalidSettings("exceptions.toml may have nothing but [[exception]] tables.")
    return [_exception(number, one) for number, one in enumerate(content.get("exception", []), start=1)]


def _exception(number: int, one: Any) -> Accepted:
    if not isinstance(one, Mapping) or one.keys() - set(KEYS):
        raise _invalid(number, f"it may have {', '.join(KEYS)} and nothing else")
    for name in ("check", "reason"):
        if not isinstance(one.get(name), str) or not one[name].strip():
            raise _invalid(number, f"{name} must be a text")
    account, resource, until = one.get("account"), one.get("resource"), one.get("until")
    if account is None and resource is None:
        raise _invalid(number, "it must name an account, a resource or both")
    if account is not None and not (isinstance(account, str) and re.fullmatch("[0-9]{12}", account)):
        raise _invalid(number, "account must be a text of 12 digits")
    if resource is not None and not (isinstance(resource, str) and resource.strip("* ")):
        raise _invalid(number, "resource must be a text, and not * alone")
    if type(until) is not date:
        raise _invalid(number, "until must be a day such as 2027-01-31, without quotation marks")
    reason = one["reason"].strip()
    return Accepted(
        one["check"], account, resource, until, reason if reason.endswith((".", "!", "?")) else f"{reason}."
    )


def _invalid(number: int, rule: str) -> InvalidSettings:
    return InvalidSettings(f"exceptions.toml, exception {number}: {rule}.")
