from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from chalicelib.checks.check import check, require_field
from chalicelib.checks.credential_report import ACTIONS, User, users
from chalicelib.checks.finding import Finding, Findings, alarm, ok, or_skip, unknown
from chalicelib.cross_account import Account

MAX_AGE_DAYS = 90
UNUSED_DAYS = 45


@check(actions=ACTIONS, scope="global", group="identity")
def old_access_keys(account: Account) -> Findings:
    """Find active access keys of IAM users that are older than 90 days, or have not been used for 45 days.

    The credential report that tells it may be four hours old.

    Controls: CIS 5: 1.11, 1.13; CIS 7: 2.11, 2.12; FSBP: IAM.3, IAM.8, IAM.22.
    """
    now = datetime.now(UTC)
    keys = (key for user in users(account) for key in judge(user, now))
    return or_skip(keys, account.id, "No IAM user here has an active access key.")


def judge(user: User, now: datetime) -> Iterator[Finding]:
    """Judge the active keys in a row of the credential report."""
    for key in (1, 2):
        if require_field(user, f"access_key_{key}_active").lower() == "true":
            yield _key(user, key, now)


def _key(user: User, key: int, now: datetime) -> Finding:
    resource = require_field(user, "arn")
    created, used = (_date(user, f"access_key_{key}_{when}") for when in ("last_rotated", "last_used_date"))
    columns = {"user": require_field(user, "user"), "key": key, "created": created and created.isoformat()}
    if created is None:
        return unknown(resource, f"AWS does not tell how old key {key} is.", **columns)
    is_idle = (now - (used or created)).days >= UNUSED_DAYS
    idle = f"was not used for {UNUSED_DAYS} days" if used else "was never used"
    # limits and no ages, and no last use of a key in use: those would differ every day, and every finding with them
    columns["last_used"] = used.isoformat() if used and is_idle else None
    wrong = [f"is older than {MAX_AGE_DAYS} days"] * ((now - created).days > MAX_AGE_DAYS)
    wrong += [idle] * is_idle
    if wrong:
        return alarm(resource, f"Key {key} {' and '.join(wrong)}.", **columns)
    return ok(resource, f"Key {key} is neither old nor unused.", **columns)


def _date(user: User, column: str) -> datetime | None:
    """None for what AWS has no date for, such as N/A and no_information."""
    try:
        return datetime.fromisoformat(require_field(user, column))
    except ValueError:
        return None
