from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok, skip
from chalicelib.cross_account import Account

EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
PORTS = {22: "SSH", 3389: "RDP"}
PROTOCOLS = {"tcp": "TCP", "6": "TCP", "udp": "UDP", "17": "UDP"}


@check(actions=["ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"], group="network")
def open_security_groups(account: Account) -> Findings:
    """Find security groups, in use, that let the whole internet in to SSH, RDP or every port.

    In use: a network interface has it. TCP and UDP count, as for CIS. Prefix lists are not looked into.

    Controls: CIS 5: 5.3, 5.4; CIS 7: 6.3, 6.4; FSBP: EC2.13.
    """
    groups = [*from_pages(account.pages("ec2", "describe_security_groups"), "SecurityGroups")]
    if not groups:
        yield skip(account.id, "There are no security groups here.")
    yield from (judge(group, ()) for group in groups if not open_ports(group))
    if opened := [group for group in groups if open_ports(group)]:
        interfaces = from_pages(account.pages("ec2", "describe_network_interfaces"), "NetworkInterfaces")
        used = {require_field(group, "GroupId") for one in interfaces for group in one.get("Groups", ())}
        yield from (judge(group, used) for group in opened)


def judge(group: Response, used: Collection[str]) -> Finding:
    """Judge a security group.

    Args:
        group: as EC2 describes it.
        used: the ids of the groups that a network interface has.
    """
    resource = require_field(group, "GroupId")
    columns = {"group": group.get("GroupName"), "vpc": group.get("VpcId")}
    ports = open_ports(group)
    if not ports:
        return ok(resource, "It lets the internet in to neither SSH nor RDP.", **columns)
    opened = f"It lets the whole internet in to {', '.join(ports)}"
    if resource in used:
        return alarm(resource, f"{opened}.", **columns)
    return info(resource, f"{opened}, but no network interface has it.", **columns)


def open_ports(group: Response) -> list[str]:
    """What it lets the whole internet in to, of what matters here."""
    return sorted({port for rule in require_field(group, "IpPermissions") for port in _open_ports(rule)})


def _open_ports(rule: Response) -> Iterator[str]:
    ranges = [*rule.get("IpRanges", ()), *rule.get("Ipv6Ranges", ())]
    if EVERYONE.isdisjoint(one.get("CidrIp") or one.get("CidrIpv6") for one in ranges):
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
