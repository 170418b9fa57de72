from __future__ import annotations

from collections.abc import Callable
from functools import cache

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

    @cache
    def used() -> set[str | None]:
        listed = from_pages(account.pages("ec2", "describe_network_interfaces"), "NetworkInterfaces")
        return {one.get("VpcId") for one in listed}

    yield from looked(account.id, lambda: _vpcs(account, used))
    yield from looked(account.id, lambda: _groups(account, used))


Used = Callable[[], set[str | None]]
"""Asks for the ids of the VPCs that are in use."""


def _vpcs(account: Account, used: Used) -> Findings:
    filters = [{"Name": "is-default", "Values": ["true"]}]
    vpcs = from_pages(account.pages("ec2", "describe_vpcs", Filters=filters), "Vpcs")
    return (judge_vpc(vpc, require_field(vpc, "VpcId") in used()) for vpc in vpcs)


def _groups(account: Account, used: Used) -> Findings:
    """Those without rules first, for which it does not matter what is used."""
    filters = [{"Name": "group-name", "Values": ["default"]}]
    groups = from_pages(account.pages("ec2", "describe_security_groups", Filters=filters), "SecurityGroups")
    found = (
        judge_group(group, bool(rules_of(group)) and group.get("VpcId") in used())
        for group in sorted(groups, key=rules_of)
    )
    return or_skip(found, account.id, "There are no VPCs here.")  # each VPC has a default group


def judge_vpc(vpc: Response, used: bool) -> Finding:
    """Judge a default VPC that is in use, or not."""
    resource = require_field(vpc, "VpcId")
    where = "it is in use" if used else "no network interface is in it"
    return info(resource, f"It is the default VPC of the region, and {where}.", vpc=resource)


def judge_group(group: Response, used: bool) -> Finding:
    """Judge the default security group of a VPC that is in use, or not."""
    resource = require_field(group, "GroupId")
    rules, vpc = rules_of(group), group.get("VpcId")
    if not rules:
        return ok(resource, "It is a default security group without rules.", vpc=vpc)
    seen = f"It is a default security group with {rules} rules"
    if used:
        return alarm(resource, f"{seen}, and its VPC is in use.", vpc=vpc)
    return info(resource, f"{seen}, but no network interface is in its VPC.", vpc=vpc)


def rules_of(group: Response) -> str:
    """Of which kinds it has rules; empty: it has none."""
    kinds = {"inbound": require_field(group, "IpPermissions"), "outbound": require_field(group, "IpPermissionsEgress")}
    return " and ".join(kind for kind, listed in kinds.items() if listed)
