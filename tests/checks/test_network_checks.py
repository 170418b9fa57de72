"""The checks of the group network: what each judges, and how."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.checks import open_security_groups


def rule(protocol: str, first: int | None, last: int | None, *ranges: str) -> dict[str, Any]:
    v4 = [{"CidrIp": one} for one in ranges if ":" not in one]
    v6 = [{"CidrIpv6": one} for one in ranges if ":" in one]
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, "IpRanges": v4, "Ipv6Ranges": v6}


@pytest.mark.parametrize(
    ("rules", "verdict", "opened"),
    [
        ([], "ok", ""),
        ([rule("tcp", 22, 22, "10.0.0.0/8")], "ok", ""),
        ([rule("tcp", 443, 443, "0.0.0.0/0")], "ok", ""),
        ([rule("tcp", 22, 22, "0.0.0.0/0")], "alarm", "SSH (22)"),
        ([rule("tcp", 20, 25, "::/0")], "alarm", "SSH (22)"),
        ([rule("tcp", 1, 5000, "10.0.0.0/8", "0.0.0.0/0")], "alarm", "RDP (3389), SSH (22)"),
        ([rule("udp", 0, 65535, "0.0.0.0/0")], "ok", ""),
        ([rule("-1", None, None, "0.0.0.0/0")], "alarm", "every port"),
        ([rule("tcp", 0, 65535, "0.0.0.0/0")], "alarm", "every port"),
        ([rule("icmp", -1, -1, "0.0.0.0/0")], "ok", ""),
    ],
)
def test_a_group_that_is_used_must_not_let_the_internet_in(rules, verdict, opened):
    found = open_security_groups.judge({"GroupId": "sg-1", "IpPermissions": rules}, {"sg-1"})
    assert (found["resource"], found["verdict"]) == ("sg-1", verdict)
    assert opened in found["reason"]


def test_an_open_group_that_nothing_uses_is_no_alarm():
    found = open_security_groups.judge({"GroupId": "sg-1", "IpPermissions": [rule("tcp", 22, 22, "::/0")]}, set())
    assert found["verdict"] == "info"
