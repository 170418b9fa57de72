from __future__ import annotations

from typing import Any

from chalicelib.checks.check import check, require_field
from chalicelib.cross_account import Account, WrongAccount


@check(actions=["sts:GetCallerIdentity"])
def identity(account: Account) -> dict[str, Any]:
    """Show which account responds: GetCallerIdentity with the assumed session."""
    caller = account.client("sts").get_caller_identity()
    if require_field(caller, "Account") != account.id:
        raise WrongAccount(f"The session of account {account.id} belongs to another account.", stage="check")
    return {
        "account": caller["Account"],
        "arn": require_field(caller, "Arn"),
        "user_id": require_field(caller, "UserId"),
    }
