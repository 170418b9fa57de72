from __future__ import annotations

from collections import Counter
from functools import cache

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, looked, ok, skip
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

    @cache
    def interfaces() -> Counter[str | None]:
        pages = account.pages("ec2", "describe_network_interfaces")
        return Counter(one.get("VpcId") for page in pages for one in require_field(page, "NetworkInterfaces"))

    def vpcs() -> Findings:
        filters = [{"Name": "is-default", "Values": ["true"]}]
        for page in account.pages("ec2", "describe_vpcs", Filters=filters):
            for vpc in require_field(page, "Vpcs"):
                yield judge_vpc(vpc, interfaces()[require_field(vpc, "VpcId")])

    def groups() -> Findings:
        filters = [{"Name": "group-name", "Values": ["default"]}]
        pages = account.pages("ec2", "describe_security_groups", Filters=filters)
        found = [group for page in pages for group in require_field(page, "SecurityGroups")]
        if not found:  # each VPC has one
            yield skip(account.id, "There are no VPCs here.")
        yield from (judge_group(group, 0) for group in found if not rules_of(group))
        yield from (judge_group(group, interfaces()[group.get("VpcId")]) for group in found if rules_of(group))

    yield from looked(account.id, vpcs)
    yield from looked(account.id, groups)


def judge_vpc(vpc: Response, interfaces: int) -> Finding:
    """Judge a default VPC with so many network interfaces."""
    resource = require_field(vpc, "VpcId")
    used = "it is in use" if interfaces else "no network interface is in it"
    return info(resource, f"It is the default VPC of the region, and {used}.", vpc=resource, interfaces=interfaces)


def judge_group(group: Response, interfaces: int) -> Finding:
    """Judge the default security group of a VPC with so many network interfaces, which matter if it has rules."""
    resource = require_field(group, "GroupId")
    columns = {"vpc": group.get("VpcId")}
    rules = rules_of(group)
    if not rules:
        return ok(resource, "It is a default security group without rules.", **columns)
    seen = f"It is a default security group with {rules} rules"
    if interfaces:
        return alarm(resource, f"{seen}, and its VPC is in use.", **columns, interfaces=interfaces)
    return info(resource, f"{seen}, but no network interface is in its VPC.", **columns, interfaces=interfaces)


def rules_of(group: Response) -> str:
    """Of which kinds it has rules; empty: it has none."""
    kinds = {"inbound": require_field(group, "IpPermissions"), "outbound": require_field(group, "IpPermissionsEgress")}
    return " and ".join(kind for kind, listed in kinds.items() if listed)
