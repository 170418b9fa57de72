"""What each class of error is answered with, in one table for all tests that bring one about."""

from __future__ import annotations

from dataclasses import dataclass

AWS, OURS = "AWS API error occurred", "Internal server error"


@dataclass(frozen=True)
class Contract:
    """How a class of error is answered.

    Attributes:
        status: in the envelope of a direct invocation.
        message: None: it says what was wrong with the input.
    """

    stage: str
    status: int
    http_status: int
    message: str | None

    def status_through(self, door: str) -> int | None:
        """What a door answers; a raised error has no status."""
        return {"direct": self.status, "raised": None, "http": self.http_status}[door]


CONTRACTS = {
    "MissingAccountId": Contract("input", 400, 400, None),
    "InvalidAccountId": Contract("input", 400, 400, None),
    "InvalidInput": Contract("input", 400, 400, None),
    "UnknownCheck": Contract("input", 400, 404, None),
    "ForeignRequest": Contract("input", 400, 403, None),
    "UnsupportedMediaType": Contract("input", 400, 415, None),
    "AccountNotAllowed": Contract("input", 403, 403, None),
    "InvalidSettings": Contract("settings", 500, 500, OURS),
    "AssumeRoleDenied": Contract("assume", 500, 403, AWS),
    "AssumeRoleThrottled": Contract("assume", 500, 429, AWS),
    "AssumeRoleTimedOut": Contract("assume", 500, 504, AWS),
    "AssumeRoleFailed": Contract("assume", 500, 502, AWS),
    "HubCredentialsRejected": Contract("assume", 500, 502, AWS),
    "WrongAccount": Contract("assume", 500, 502, AWS),
    "CheckDenied": Contract("check", 500, 403, AWS),
    "CheckThrottled": Contract("check", 500, 429, AWS),
    "CheckTimedOut": Contract("check", 500, 504, AWS),
    "CheckCallFailed": Contract("check", 500, 502, AWS),
    "AccountsNotListed": Contract("list", 500, 502, AWS),
    "ResultsNotStored": Contract("store", 500, 502, AWS),
    "CheckFailed": Contract("check", 500, 500, OURS),
    "ResultNotJson": Contract("check", 500, 500, OURS),
    "ResultTooLarge": Contract("check", 500, 500, OURS),
}
