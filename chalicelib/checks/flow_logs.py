from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok, skip
from chalicelib.cross_account import Account


@check(actions=["ec2:DescribeVpcs", "ec2:DescribeFlowLogs", "ec2:DescribeNetworkInterfaces"], group="network")
def flow_logs(account: Account) -> Findings:
    """Find VPCs, in use, without a flow log that delivers.

    One of accepted traffic alone is not enough: CIS asks for what was rejected. In use: a network interface is in it.
    Logs of single subnets or network interfaces do not count, even if they are of all subnets: the next one has none.

    Controls: CIS 5: 3.7; CIS 7: 4.7; FSBP: EC2.6.
    """
    listed = from_pages(account.pages("ec2", "describe_vpcs"), "Vpcs")
    vpcs = {require_field(vpc, "VpcId"): vpc for vpc in listed}
    if not vpcs:
        yield skip(account.id, "There are no VPCs here.")
        return
    logs = defaultdict(list)
    for log in from_pages(account.pages("ec2", "describe_flow_logs"), "FlowLogs"):
        if log.get("FlowLogStatus") == "ACTIVE":
            logs[log.get("ResourceId")].append(log)
    yield from (judge(vpc, logs[name], (), account.id) for name, vpc in vpcs.items() if name in logs)
    if unlogged := [vpc for name, vpc in vpcs.items() if name not in logs]:
        interfaces = from_pages(account.pages("ec2", "describe_network_interfaces"), "NetworkInterfaces")
        used = {interface.get("VpcId") for interface in interfaces}
        yield from (judge(vpc, (), used, account.id) for vpc in unlogged)


def judge(vpc: Response, logs: Sequence[Response], used: Collection[str | None], account_id: str) -> Finding:
    """Judge a VPC.

    Args:
        vpc: as EC2 describes it.
        logs: its active flow logs.
        used: the ids of the VPCs in which a network interface is.
        account_id: of the account that was asked.
    """
    resource, owner = require_field(vpc, "VpcId"), vpc.get("OwnerId", account_id)
    failing = [log for log in logs if log.get("DeliverLogsStatus") == "FAILED"]
    traffic = sorted({log["TrafficType"] for log in logs if "TrafficType" in log})
    columns = {"default": vpc.get("IsDefault"), "traffic": ", ".join(traffic) or None}
    if owner != account_id:
        return skip(resource, f"It is shared by account {owner}, which alone sees its flow logs.", **columns)
    if delivering := [log for log in logs if log not in failing]:
        if all(log.get("TrafficType") == "ACCEPT" for log in delivering):
            return alarm(
                resource, "It has only a flow log of what was let in, and none of what was rejected.", **columns
            )
        return ok(resource, "It has a flow log.", **columns)
    if failing:
        why = failing[0].get("DeliverLogsErrorMessage", "AWS does not say why")
        return alarm(resource, f"Its flow log does not deliver: {why}.", **columns)
    if resource in used:
        return alarm(resource, "It has no flow log.", **columns)
    return info(resource, "It has no flow log, but no network interface is in it.", **columns)
