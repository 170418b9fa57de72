from __future__ import annotations

from collections import Counter

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, looked, ok, or_skip
from chalicelib.cross_account import Account


@check(
    actions=["ec2:DescribeVpcs", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"],
    group="network",
)
def default_vpcs(account: Account) -> Findings:
    """Find default security groups with rules in VPCs that are in use, and tell of default VPCs.

    A VPC is in use if a network interface is in it. A default VPC is never an alarm: AWS makes one in each region, no
    control forbids it, and it opens nothing without such a group or one that open_security_groups finds.

    Controls: CIS 5: 5.5; CIS 7: 6.5; FSBP: EC2.2.
    """
    listed = from_pages(account.pages("ec2", "describe_network_interfaces"), "NetworkInterfaces")
    interfaces = Counter(one.get("VpcId") for one in listed)
    yield from looked(account.id, lambda: _vpcs(account, interfaces))
    yield from looked(account.id, lambda: _groups(account, interfaces))


def _vpcs(account: Account, interfaces: Counter[str | None]) -> Findings:
    filters = [{"Name": "is-default", "Values": ["true"]}]
    vpcs = from_pages(account.pages("ec2", "describe_vpcs", Filters=filters), "Vpcs")
    return (judge_vpc(vpc, interfaces[require_field(vpc, "VpcId")]) for vpc in vpcs)


def _groups(account: Account, interfaces: Counter[str | None]) -> Findings:
    filters = [{"Name": "group-name", "Values": ["default"]}]
    groups = from_pages(account.pages("ec2", "describe_security_groups", Filters=filters), "SecurityGroups")
    found = (judge_group(group, interfaces[group.get("VpcId")]) for group in groups)
    return or_skip(found, account.id, "There are no VPCs here.")  # each VPC has a default group


def judge_vpc(vpc: Response, interfaces: int) -> Finding:
    """Judge a default VPC with so many network interfaces."""
    resource = require_field(vpc, "VpcId")
    used = "it is in use" if interfaces else "no network interface is in it"
    return info(resource, f"It is the default VPC of the region, and {used}.", vpc=resource, used=interfaces > 0)


def judge_group(group: Response, interfaces: int) -> Finding:
    """Judge the default security group of a VPC with so many network interfaces."""
    resource = require_field(group, "GroupId")
    columns = {"vpc": group.get("VpcId"), "used": interfaces > 0}
    kinds = {"inbound": require_field(group, "IpPermissions"), "outbound": require_field(group, "IpPermissionsEgress")}
    rules = " and ".join(kind for kind, listed in kinds.items() if listed)
    if not rules:
        return ok(resource, "It is a default security group without rules.", **columns)
    seen = f"It is a default security group with {rules} rules"
    if interfaces:
        return alarm(resource, f"{seen}, and its VPC is in use.", **columns)
    return info(resource, f"{seen}, but no network interface is in its VPC.", **columns)
