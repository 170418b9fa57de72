from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, ok
from chalicelib.cross_account import Account
from chalicelib.cross_account.aws_errors import code_of

SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@check(actions=["s3:GetAccountPublicAccessBlock"], scope="global", group="data")
def s3_account_block(account: Account) -> Findings:
    """Find accounts in which not all four settings of S3's Block Public Access are on.

    Controls: CIS 5: 2.1.4; CIS 7: 3.1.4; FSBP: S3.1.
    """
    yield judge(account.id, account_block(account))


def account_block(account: Account) -> dict[str, Any]:
    """The account's settings, also those that its organization makes; {}: it has none."""
    try:
        answer = account.client("s3control").get_public_access_block(AccountId=account.id)
    except ClientError as error:
        if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
        return {}
    return dict(require_field(answer, "PublicAccessBlockConfiguration"))


def judge(account_id: str, block: Response) -> Finding:
    """Judge an account by its settings."""
    off = [setting for setting in SETTINGS if not block.get(setting)]
    if not off:
        return ok(account_id, "All four settings of Block Public Access are on.")
    return alarm(account_id, f"These settings of Block Public Access are off: {', '.join(off)}.")
