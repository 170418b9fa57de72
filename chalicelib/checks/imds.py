from __future__ import annotations

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, looked, ok, unknown
from chalicelib.cross_account import Account


@check(actions=["ec2:DescribeInstances", "ec2:GetInstanceMetadataDefaults"], group="network")
def imds(account: Account) -> Findings:
    """Find instances whose metadata can be read without a token (IMDSv1), and regions that allow it for new ones.

    A region's default is an alarm only where there are instances, or where they could not be looked at: AWS requires
    no token unless it is told to, in each region of each account.

    Controls: CIS 5: 5.7; CIS 7: 6.7; FSBP: EC2.8.
    """
    used = False
    for found in looked(account.id, lambda: _instances(account)):
        used = True  # also if the instances are not known
        yield found
    yield from looked(account.id, lambda: _defaults(account, used))


def _instances(account: Account) -> Findings:
    for reservation in from_pages(account.pages("ec2", "describe_instances"), "Reservations"):
        for instance in require_field(reservation, "Instances"):
            if require_field(instance, "State").get("Name") != "terminated":
                yield judge(instance)


def _defaults(account: Account, used: bool) -> Findings:
    response = account.client("ec2").get_instance_metadata_defaults()
    yield judge_defaults(account.id, response.get("AccountLevel", {}), used)


def judge(instance: Response) -> Finding:
    """Judge an instance, as EC2 describes it."""
    resource = require_field(instance, "InstanceId")
    options = instance.get("MetadataOptions")
    columns = {
        "state": require_field(instance, "State").get("Name"),
        "profile": instance.get("IamInstanceProfile", {}).get("Arn"),
    }
    if options is None:  # as of one that is shutting down
        return unknown(resource, "AWS does not tell its metadata options.", **columns)
    if options.get("HttpEndpoint") == "disabled":
        return ok(resource, "Its metadata service is off.", **columns)
    if options.get("HttpTokens") == "required":
        return ok(resource, "Its metadata needs a token (IMDSv2).", **columns)
    return alarm(resource, "Its metadata can be read without a token (IMDSv1).", **columns)


def judge_defaults(account_id: str, defaults: Response, used: bool) -> Finding:
    """Judge the account's defaults in the region.

    Args:
        account_id: of the account.
        defaults: as EC2 tells them. What was never set is not there.
        used: whether there are, or may be, instances in the region.
    """
    if defaults.get("HttpEndpoint") == "disabled":
        return ok(account_id, "New instances in this region have no metadata service by default.")
    if defaults.get("HttpTokens") == "required" or defaults.get("HttpTokensEnforced") == "enabled":
        return ok(account_id, "New instances in this region need a token (IMDSv2) by default.")
    reason = "New instances in this region need no token (IMDSv1) by default"
    return alarm(account_id, f"{reason}.") if used else info(account_id, f"{reason}, but there are none.")
