from __future__ import annotations

from typing import Any

from chalicelib.account import Account
from chalicelib.check import check, field
from chalicelib.errors import WrongAccount


@check(actions=["sts:GetCallerIdentity"])
def identity(account: Account) -> dict[str, Any]:
    """Prove which account answers: GetCallerIdentity with the assumed session."""
    answer = account.client("sts").get_caller_identity()
    if field(answer, "Account") != account.id:
        raise WrongAccount(f"The session of account {account.id} says that it belongs to another account.")
    return {"account": answer["Account"], "arn": field(answer, "Arn"), "user_id": field(answer, "UserId")}
