from __future__ import annotations

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, looked, ok
from chalicelib.cross_account import Account


@check(actions=["ec2:GetEbsEncryptionByDefault", "ec2:DescribeVolumes"], group="data")
def ebs_encryption(account: Account) -> Findings:
    """Find EBS volumes that are not encrypted, and regions with volumes where new ones are not encrypted by default.

    CIS wants the default in every region; in one without volumes, that it is off is an info and no alarm.

    Controls: CIS 5: 5.1.1; CIS 7: 6.1.1; FSBP: EC2.3, EC2.7.
    """
    used = False
    for found in looked(account.id, lambda: _volumes(account)):
        used = True  # also if the volumes are not known
        yield found
    ec2 = account.client("ec2")
    yield from looked(account.id, lambda: [judge_default(account.id, ec2.get_ebs_encryption_by_default(), used)])


def _volumes(account: Account) -> Findings:
    return map(judge, from_pages(account.pages("ec2", "describe_volumes", MaxResults=500), "Volumes"))


def judge(volume: Response) -> Finding:
    """Judge a volume, as EC2 describes it."""
    resource = require_field(volume, "VolumeId")
    columns = {"size": volume.get("Size"), "state": volume.get("State")}
    if require_field(volume, "Encrypted"):
        return ok(resource, "It is encrypted.", **columns)
    return alarm(resource, "It is not encrypted.", **columns)


def judge_default(account_id: str, default: Response, used: bool) -> Finding:
    """Judge whether new volumes are encrypted by default.

    Args:
        account_id: of the account in this region.
        default: EC2's answer.
        used: whether there may be volumes in the region.
    """
    if require_field(default, "EbsEncryptionByDefault"):
        return ok(account_id, "New volumes are encrypted by default.")
    if used:
        return alarm(account_id, "New volumes are not encrypted by default.")
    return info(account_id, "New volumes would not be encrypted by default, but there are no volumes here.")
