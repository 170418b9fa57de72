from __future__ import annotations

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, each, ok, or_skip, skip
from chalicelib.cross_account import Account


@check(actions=["kms:ListKeys", "kms:DescribeKey", "kms:GetKeyRotationStatus"], group="data")
def kms_rotation(account: Account) -> Findings:
    """Find the account's own symmetric encryption keys whose automatic rotation is off.

    AWS's own keys in the account, which it rotates itself, have no finding.

    Controls: CIS 5: 3.6; CIS 7: 4.6; FSBP: KMS.4.
    """
    listed = from_pages(account.pages("kms", "list_keys", Limit=1000), "Keys")
    arns = (require_field(key, "KeyArn") for key in listed)
    found = each(arns, str, lambda arn: _look(account, arn), account.id)
    return or_skip(found, account.id, "There are no keys of the account's own here.")


def _look(account: Account, arn: str) -> Findings:
    kms = account.client("kms")
    key = require_field(kms.describe_key(KeyId=arn), "KeyMetadata")
    if require_field(key, "KeyManager") == "AWS":
        return
    if reason := not_rotatable(key):
        yield skip(arn, reason)
    else:
        yield judge(arn, kms.get_key_rotation_status(KeyId=arn))


def not_rotatable(key: Response) -> str | None:
    """Why KMS does not rotate it; None: it can."""
    spec, origin, state = (require_field(key, field) for field in ("KeySpec", "Origin", "KeyState"))
    related = key.get("MultiRegionConfiguration", {})
    if spec != "SYMMETRIC_DEFAULT":
        return f"KMS rotates only symmetric encryption keys, and this one is {spec}."
    if origin != "AWS_KMS":
        return f"KMS rotates only keys that it made itself, and the origin of this one is {origin}."
    if state != "Enabled":
        return f"KMS does not rotate it, because its state is {state}."
    if related.get("MultiRegionKeyType") == "REPLICA":
        region = related.get("PrimaryKey", {}).get("Region", "another region")
        return f"It is a replica: it is rotated with its primary key, in {region}."
    return None


def judge(arn: str, status: Response) -> Finding:
    """Judge a key that KMS can rotate, by its rotation status."""
    if not require_field(status, "KeyRotationEnabled"):
        return alarm(arn, "Its automatic rotation is off.")
    return ok(arn, "Its automatic rotation is on.", days=status.get("RotationPeriodInDays"))
