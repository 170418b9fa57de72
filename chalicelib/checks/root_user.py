from __future__ import annotations

from collections.abc import Mapping

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, alarm, info, ok, skip
from chalicelib.cross_account import Account


@check(actions=["iam:GetAccountSummary"], scope="global", group="identity")
def root_user(account: Account) -> Findings:
    """Find a root user that has access keys, or a password without MFA.

    A root user without either, as in a member account whose root credentials are managed centrally, has nothing to
    protect.

    Controls: CIS 5: 1.3, 1.4; CIS 7: 2.4, 2.5; FSBP: IAM.4.
    """
    counts = require_field(account.client("iam").get_account_summary(), "SummaryMap")
    if account.region.startswith("us-gov-"):  # where no root user can sign in to the console
        counts = {"AccountPasswordPresent": 0, **counts}
    yield judge(account.id, counts)


def judge(account_id: str, counts: Mapping[str, int]) -> Finding:
    """Judge by IAM's SummaryMap, in which yes and no are 1 and 0.

    Where AWS does not tell whether there is a password, there is one: that it tells is new, as are root users without.
    """
    keys = require_field(counts, "AccountAccessKeysPresent") > 0
    mfa = require_field(counts, "AccountMFAEnabled") > 0
    password = counts.get("AccountPasswordPresent", 1) > 0
    columns = {"access_keys": keys, "password": password, "mfa": mfa}
    exposed = ["access keys"] * keys + ["a password without MFA"] * (password and not mfa)
    if exposed:
        return alarm(account_id, f"The root user has {' and '.join(exposed)}.", **columns)
    if counts.get("AccountSigningCertificatesPresent"):
        return info(account_id, "The root user has a signing certificate.", **columns)
    if not password:
        return skip(account_id, "The root user has neither a password nor access keys.", **columns)
    return ok(account_id, "The root user has MFA and no access keys.", **columns)
