from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from ipaddress import collapse_addresses, ip_network

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok, skip
from chalicelib.cross_account import Account

EVERYONE = (
    ("IpRanges", "CidrIp", ip_network("0.0.0.0/0")),
    ("Ipv6Ranges", "CidrIpv6", ip_network("2000::/3")),  # IPv6 has no public addresses outside it
)
"""The fields of a rule that have ranges, and the range that is the whole internet."""

WIDE = re.compile(r".+/[0-7]")
"""Ranges that may be the whole internet together, as 0.0.0.0/1 and 128.0.0.0/1 are."""

PORTS = {22: "SSH", 3389: "RDP"}
PROTOCOLS = {"tcp": "TCP", "6": "TCP", "udp": "UDP", "17": "UDP"}


@check(actions=["ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"], group="network")
def open_security_groups(account: Account) -> Findings:
    """Find security groups, in use, that let the whole internet in to SSH, RDP or every port.

    In use: a network interface has it. TCP and UDP count, as for CIS. Prefix lists are not looked into. A group that
    another account has in a shared VPC is an alarm there, and not here.

    Controls: CIS 5: 5.3, 5.4; CIS 7: 6.3, 6.4; FSBP: EC2.13.
    """
    groups = [*from_pages(account.pages("ec2", "describe_security_groups"), "SecurityGroups")]
    if not groups:
        yield skip(account.id, "There are no security groups here.")
    yield from (judge(group, (), account.id) for group in groups if not open_ports(group))
    if opened := [group for group in groups if open_ports(group)]:
        interfaces = from_pages(account.pages("ec2", "describe_network_interfaces"), "NetworkInterfaces")
        used = {require_field(group, "GroupId") for one in interfaces for group in one.get("Groups", ())}
        yield from (judge(group, used, account.id) for group in opened)


def judge(group: Response, used: Collection[str], account_id: str) -> Finding:
    """Judge a security group.

    Args:
        group: as EC2 describes it.
        used: the ids of the groups that a network interface has.
        account_id: of the account that was asked.
    """
    resource = require_field(group, "GroupId")
    columns = {"group": group.get("GroupName"), "vpc": group.get("VpcId")}
    ports = open_ports(group)
    if not ports:
        lists = ", as far as its rules say it without prefix lists" * _has_prefix_lists(group)
        return ok(resource, f"It lets the internet in to neither SSH nor RDP{lists}.", **columns)
    opened = f"It lets the whole internet in to {', '.join(ports)}"
    owner = group.get("OwnerId", account_id)
    if owner != account_id:  # in a shared VPC, each of its accounts sees the groups of the others
        return info(resource, f"{opened}, and is account {owner}'s.", **columns)
    if resource in used:
        return alarm(resource, f"{opened}.", **columns)
    return info(resource, f"{opened}, but no network interface has it.", **columns)


def open_ports(group: Response) -> list[str]:
    """What it lets the whole internet in to, of what matters here."""
    return sorted({port for rule in require_field(group, "IpPermissions") for port in _open_ports(rule)})


def _open_ports(rule: Response) -> Iterator[str]:
    if not _is_for_everyone(rule):
        return
    protocol = require_field(rule, "IpProtocol")
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    if protocol == "-1":
        yield "every port"
    elif protocol not in PROTOCOLS:  # such as icmp, where FromPort is a type
        return
    elif first <= 0 and last in (-1, 65535):  # -1: all of them
        yield f"every {PROTOCOLS[protocol]} port"
    else:
        yield from (f"{name} ({port})" for port, name in PORTS.items() if first <= port <= last)


def _is_for_everyone(rule: Response) -> bool:
    for ranges, field, everyone in EVERYONE:
        wide = [
            ip_network(cidr, strict=False)
            for one in rule.get(ranges, ())
            if WIDE.fullmatch(cidr := require_field(one, field))
        ]
        if any(everyone.subnet_of(one) for one in collapse_addresses(wide)):  # type: ignore[type-var, arg-type]
            return True
    return False


def _has_prefix_lists(group: Response) -> bool:
    return any(rule.get("PrefixListIds") for rule in require_field(group, "IpPermissions"))
