"""Security groups, VPCs, flow logs, and what instances ask of who reads their metadata."""

from typing import Any

from sandbox.accounts import PRODUCTION, REGION, STAGING

_ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]


def add(ec2: Any) -> None:
    if ec2.account_id == PRODUCTION:
        _mend(ec2)
    if ec2.account_id == STAGING and ec2.region_name == REGION:
        _put_on(ec2, _open(ec2, "ssh-from-home", 22))
        _open(ec2, "old-remote-desktop", 3389)


def _mend(ec2: Any) -> None:
    """A VPC of its own in place of the default one, whose traffic is logged; nobody uses its default group."""
    vpc = ec2.default_vpc
    vpc.is_default = False
    default = ec2.get_security_group_from_name("default", vpc.id)
    default.ingress_rules, default.egress_rules = [], []
    _put_on(ec2, _open(ec2, "web", 443))
    for instance in ec2.all_instances():
        instance.metadata_options.http_tokens = "required"
    ec2.metadata_defaults = {"HttpTokens": "required"}
    _log_flows(ec2, vpc.id)


def _open(ec2: Any, name: str, port: int) -> Any:
    """A security group that lets everybody in to a port."""
    group = ec2.create_security_group(name, f"Port {port}", ec2.default_vpc.id)
    ec2.authorize_security_group_ingress(group.id, "tcp", str(port), str(port), _ANYWHERE)
    return group


def _put_on(ec2: Any, group: Any) -> None:
    """In place of the default group, on each instance."""
    for instance in ec2.all_instances():
        for interface in instance.nics.values():
            interface._group_set = [group]


def _log_flows(ec2: Any, vpc: str) -> None:
    from moto.logs.models import logs_backends

    logs_backends[ec2.account_id][ec2.region_name].create_log_group("/vpc/flows", {})
    role = f"arn:aws:iam::{ec2.account_id}:role/flow-logs"
    ec2.create_flow_logs("VPC", [vpc], "ALL", role, None, None, "/vpc/flows", None, None)
