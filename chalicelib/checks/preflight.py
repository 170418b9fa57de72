from __future__ import annotations

from typing import Any

from chalicelib.account import Account
from chalicelib.check import check
from chalicelib.checks.identity import identity


@check(actions=identity.actions)
def preflight(account: Account) -> dict[str, Any]:
    """Try the door and no more: in a sweep, it says where we get in, where not, and why."""
    role, session = identity.function(account)["arn"].split("/")[-2:]
    return {"role": role, "session": session}
