"""What STS answers to AssumeRole, looked at before anything is done with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import AssumeRoleFailed, WrongAccount

LAST_CALL_SECONDS = 60
"""With less than this left nobody is given a session any more, and every thread waits for the new one."""


def session_of(answer: dict[str, Any], account_id: str) -> dict[str, str]:
    """Take the session out of STS's answer, if it is one of the account that was asked for.

    Raises:
        WrongAccount: the session is for another account.
        AssumeRoleFailed: it is no session, or one that has run out.
    """
    try:
        answering_account = answer["AssumedRoleUser"]["Arn"].split(":")[4]
        credentials = answer["Credentials"]
        expiration: datetime = credentials["Expiration"]
        session = {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": expiration.isoformat(),
        }
    except (KeyError, IndexError, TypeError, AttributeError):
        raise AssumeRoleFailed(
            f"STS answered AssumeRole in account {account_id} with something that holds no session.",
            hint="Is there a proxy between this function and STS? Ask again.",
        ) from None
    if answering_account != account_id:
        raise WrongAccount(
            f"STS answered with a session of another account than {account_id}.",
            hint="Nothing was done with it. Is AWS_ENDPOINT_URL set where it should not be?",
        )
    if (expiration - datetime.now(UTC)).total_seconds() < LAST_CALL_SECONDS:
        raise AssumeRoleFailed(
            f"STS answered AssumeRole in account {account_id} with a session that has already run out.",
            hint="Is the clock of this machine right?",
        )
    return session
