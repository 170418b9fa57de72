from __future__ import annotations

from chalicelib.checks.check import check, require_field
from chalicelib.checks.credential_report import ACTIONS, User, users
from chalicelib.checks.finding import Finding, Findings, alarm, ok, or_skip, skip
from chalicelib.cross_account import Account


@check(actions=ACTIONS, scope="global", group="identity")
def iam_user_mfa(account: Account) -> Findings:
    """Find IAM users who can sign in to the console without MFA.

    The credential report that tells it may be four hours old.

    Controls: CIS 5: 1.9; CIS 7: 2.10; FSBP: IAM.5, IAM.19.
    """
    return or_skip(map(judge, users(account)), account.id, "There are no IAM users here.")


def judge(user: User) -> Finding:
    """Judge a row of the credential report."""
    resource = require_field(user, "arn")
    columns = {"user": require_field(user, "user")}
    if require_field(user, "password_enabled").lower() == "false":
        return skip(resource, "The user has no password for the console.", **columns)
    if require_field(user, "mfa_active").lower() == "true":
        return ok(resource, "The user has a password and MFA.", **columns)
    return alarm(resource, "The user can sign in to the console without MFA.", **columns)
