from __future__ import annotations

from typing import Any

from chalicelib.checks.check import check, require_field
from chalicelib.cross_account import Account


@check(actions=["iam:GetAccountSummary", "iam:ListAccountAliases"], scope="global")
def account_summary(account: Account) -> dict[str, Any]:
    """Sum up the account's IAM: alias, users, MFA devices, and whether the root user is safe."""
    iam = account.client("iam")
    aliases = require_field(iam.list_account_aliases(), "AccountAliases")
    return summary(require_field(iam.get_account_summary(), "SummaryMap"), aliases)


def summary(counts: dict[str, int], aliases: list[str]) -> dict[str, Any]:
    """Read IAM's SummaryMap, in which yes and no are 1 and 0."""
    return {
        "alias": aliases[0] if aliases else None,
        "users": counts.get("Users", 0),
        "groups": counts.get("Groups", 0),
        "roles": counts.get("Roles", 0),
        "mfa_devices": counts.get("MFADevices", 0),
        "mfa_devices_in_use": counts.get("MFADevicesInUse", 0),
        "root_mfa": counts.get("AccountMFAEnabled", 0) == 1,
        "root_access_keys": counts.get("AccountAccessKeysPresent", 0),
    }
