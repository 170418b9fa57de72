from __future__ import annotations

from typing import Any

from chalicelib.checks.check import check
from chalicelib.checks.identity import identity
from chalicelib.cross_account import Account


@check(actions=identity.actions)
def preflight(account: Account) -> dict[str, Any]:
    """Assume the role and do nothing else: in a sweep, which accounts are reachable, and why others are not."""
    role, session = identity.function(account)["arn"].split("/")[-2:]
    return {"role": role, "session": session}
