from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok
from chalicelib.cross_account import Account

EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
PORTS = {22: "SSH", 3389: "RDP"}


@check(actions=["ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces"], group="network")
def open_security_groups(account: Account) -> Findings:
    """Find security groups, in use, that let the whole internet in to SSH, RDP or every port.

    Controls: CIS 5: 5.3, 5.4; CIS 7: 6.3, 6.4; FSBP: EC2.13.
    """
    interfaces = account.pages("ec2", "describe_network_interfaces")
    used = {
        group["GroupId"]
        for page in interfaces
        for interface in require_field(page, "NetworkInterfaces")
        for group in interface.get("Groups", ())
    }
    for page in account.pages("ec2", "describe_security_groups"):
        for group in require_field(page, "SecurityGroups"):
            yield judge(group, used)


def judge(group: Response, used: Collection[str]) -> Finding:
    """Judge a security group.

    Args:
        group: as EC2 describes it.
        used: the ids of the groups that a network interface has.
    """
    resource = require_field(group, "GroupId")
    columns = {"group": group.get("GroupName"), "vpc": group.get("VpcId")}
    ports = sorted({port for rule in require_field(group, "IpPermissions") for port in _open_ports(rule)})
    if not ports:
        return ok(resource, "It lets the internet in to neither SSH nor RDP.", **columns)
    opened = f"It lets the whole internet in to {', '.join(ports)}"
    if resource in used:
        return alarm(resource, f"{opened}.", **columns)
    return info(resource, f"{opened}, but no network interface has it.", **columns)


def _open_ports(rule: Response) -> Iterator[str]:
    ranges = [*rule.get("IpRanges", ()), *rule.get("Ipv6Ranges", ())]
    if EVERYONE.isdisjoint(one.get("CidrIp") or one.get("CidrIpv6") for one in ranges):
        return
    protocol, first, last = rule.get("IpProtocol"), rule.get("FromPort"), rule.get("ToPort")
    if protocol == "-1" or (protocol == "tcp" and (first, last) == (0, 65535)):
        yield "every port"
    elif protocol in ("tcp", "6") and first is not None and last is not None:
        yield from (f"{name} ({port})" for port, name in PORTS.items() if first <= port <= last)
