"""The checks of the group network: what each judges, and how."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from chalicelib.checks import CHECKS, default_vpcs, flow_logs, imds, lambda_runtimes, open_security_groups
from tests.checks.fake_account import ACCOUNT, FakeAccount, verdicts


def run(check: str, **answers: Any) -> list[tuple[str, str]]:
    """The resource and verdict of each finding."""
    return verdicts(CHECKS[check].run(FakeAccount(**answers), {}))  # type: ignore[arg-type]


def interfaces(*of_vpcs: str, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"NetworkInterfaces": [{"VpcId": vpc, "Groups": [{"GroupId": one} for one in groups]} for vpc in of_vpcs]}


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
        ([rule("tcp", 3389, 3389, "10.0.0.0/8", "::/0")], "alarm", "RDP (3389)"),
        ([rule("tcp", 23, 3388, "0.0.0.0/0")], "ok", ""),
        ([rule("tcp", 22, 22, "0.0.0.0/1", "128.0.0.0/1")], "alarm", "SSH (22)"),
        ([rule("tcp", 22, 22, "128.0.0.0/2", "10.0.0.0/8", "0.0.0.0/1", "192.0.0.0/2")], "alarm", "SSH (22)"),
        ([rule("tcp", 22, 22, "0.0.0.0/1", "192.0.0.0/2")], "ok", ""),
        ([rule("tcp", 22, 22, "2000::/3")], "alarm", "SSH (22)"),
        ([rule("tcp", 22, 22, "::/1", "8000::/1")], "alarm", "SSH (22)"),
        ([rule("tcp", 22, 22, "fc00::/7")], "ok", ""),
        ([{**rule("tcp", 22, 22), "PrefixListIds": [{"PrefixListId": "pl-1"}]}], "ok", "without prefix lists"),
        ([rule("tcp", 1, 65535, "0.0.0.0/0")], "alarm", "RDP (3389), SSH (22)"),
        ([rule("6", 22, 22, "0.0.0.0/0")], "alarm", "SSH (22)"),
        ([rule("udp", 3389, 3389, "0.0.0.0/0")], "alarm", "RDP (3389)"),
        ([rule("udp", 0, 65535, "0.0.0.0/0")], "alarm", "every UDP port"),
        ([rule("-1", None, None, "0.0.0.0/0")], "alarm", "every port"),
        ([rule("-1", -1, -1, "::/0")], "alarm", "every port"),
        ([rule("tcp", 0, 65535, "0.0.0.0/0")], "alarm", "every TCP port"),
        ([rule("tcp", -1, -1, "0.0.0.0/0")], "alarm", "every TCP port"),
        ([rule("tcp", None, None, "0.0.0.0/0")], "alarm", "every TCP port"),
        ([rule("icmp", -1, -1, "0.0.0.0/0")], "ok", ""),
        ([rule("icmpv6", -1, -1, "::/0")], "ok", ""),
        ([rule("47", None, None, "0.0.0.0/0")], "ok", ""),
        ([{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}], "ok", ""),
    ],
)
def test_a_group_that_is_used_must_not_let_the_internet_in(rules, verdict, opened):
    found = open_security_groups.judge({"GroupId": "sg-1", "IpPermissions": rules}, {"sg-1"}, ACCOUNT)
    assert (found["resource"], found["verdict"]) == ("sg-1", verdict)
    assert opened in found["reason"]


@pytest.mark.parametrize(("owner", "verdict"), [(ACCOUNT, "alarm"), ("222222222222", "info")])
def test_an_open_group_is_an_alarm_in_its_own_account_alone(owner, verdict):
    group = {"GroupId": "sg-1", "OwnerId": owner, "IpPermissions": [rule("tcp", 22, 22, "::/0")]}
    found = open_security_groups.judge(group, {"sg-1"}, ACCOUNT)
    assert (found["verdict"], owner in found["reason"]) == (verdict, owner != ACCOUNT)


def test_an_open_group_that_nothing_uses_is_no_alarm():
    found = open_security_groups.judge(
        {"GroupId": "sg-1", "IpPermissions": [rule("tcp", 22, 22, "::/0")]}, set(), ACCOUNT
    )
    assert found["verdict"] == "info"


OPEN = {"GroupId": "sg-open", "IpPermissions": [rule("tcp", 22, 22, "0.0.0.0/0")]}
CLOSED = {"GroupId": "sg-closed", "IpPermissions": []}


def test_network_interfaces_tell_which_groups_are_used():
    groups = {"SecurityGroups": [OPEN, CLOSED, {**OPEN, "GroupId": "sg-idle"}]}
    found = run(
        "open_security_groups",
        describe_security_groups=groups,
        describe_network_interfaces=interfaces("vpc-1", groups=("sg-closed", "sg-open")),
    )
    assert found == [("sg-closed", "ok"), ("sg-open", "alarm"), ("sg-idle", "info")]


def test_without_the_network_interfaces_the_groups_that_are_not_open_are_judged():
    found = run("open_security_groups", describe_security_groups={"SecurityGroups": [OPEN, CLOSED]})
    assert found == [("sg-closed", "ok"), (ACCOUNT, "unknown")]


def test_network_interfaces_are_not_asked_for_if_nothing_is_open():
    account = FakeAccount(describe_security_groups={"SecurityGroups": [CLOSED]})
    CHECKS["open_security_groups"].run(account, {})
    assert account.calls == ["describe_security_groups"]


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        ("open_security_groups", {"describe_security_groups": {"SecurityGroups": []}}),
        (
            "default_vpcs",
            {
                "describe_network_interfaces": interfaces(),
                "describe_vpcs": {"Vpcs": []},
                "describe_security_groups": {"SecurityGroups": []},
            },
        ),
        ("flow_logs", {"describe_vpcs": {"Vpcs": []}}),
        ("lambda_runtimes", {"list_functions": {"Functions": []}}),
    ],
)
def test_a_region_in_which_nothing_is_is_skipped(check, answers):
    assert run(check, **answers) == [(ACCOUNT, "skip")]


@pytest.mark.parametrize("check", ["open_security_groups", "default_vpcs", "imds", "flow_logs", "lambda_runtimes"])
def test_a_check_that_may_ask_nothing_fails(check):
    with pytest.raises(ClientError, match="not authorized"):
        run(check)


ANY = [rule("-1", None, None, "0.0.0.0/0")]


@pytest.mark.parametrize(
    ("inbound", "outbound", "used", "verdict", "seen"),
    [
        ([], [], False, "ok", "without rules"),
        ([], [], True, "ok", "without rules"),
        (ANY, ANY, True, "alarm", "with inbound and outbound rules, and its VPC is in use."),
        (ANY, [], True, "alarm", "with inbound rules,"),
        ([], ANY, True, "alarm", "with outbound rules,"),
        (ANY, ANY, False, "info", "but no network interface is in its VPC."),
    ],
)
def test_the_default_group_of_a_vpc_that_is_used_must_have_no_rules(inbound, outbound, used, verdict, seen):
    group = {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": inbound, "IpPermissionsEgress": outbound}
    found = default_vpcs.judge_group(group, used)
    assert (found["resource"], found["verdict"]) == ("sg-1", verdict)
    assert seen in found["reason"]


@pytest.mark.parametrize(("used", "seen"), [(False, "no network interface is in it."), (True, "it is in use.")])
def test_a_default_vpc_is_told_of_and_is_no_alarm(used, seen):
    found = default_vpcs.judge_vpc({"VpcId": "vpc-1"}, used)
    assert found["verdict"] == "info"
    assert seen in found["reason"]


def test_a_default_group_is_judged_by_the_network_interfaces_of_its_own_vpc():
    groups = [
        {"GroupId": f"sg-{n}", "VpcId": f"vpc-{n}", "IpPermissions": ANY, "IpPermissionsEgress": []} for n in "12"
    ]
    found = run(
        "default_vpcs",
        describe_network_interfaces=interfaces("vpc-2"),
        describe_vpcs={"Vpcs": [{"VpcId": "vpc-1", "IsDefault": True}]},
        describe_security_groups={"SecurityGroups": groups},
    )
    assert found == [("vpc-1", "info"), ("sg-1", "info"), ("sg-2", "alarm")]


def test_a_default_group_without_rules_is_judged_where_network_interfaces_may_not_be_described():
    group = {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": []}
    groups = {"SecurityGroups": [group, {**group, "GroupId": "sg-2", "IpPermissions": ANY}]}
    vpcs = {"Vpcs": [{"VpcId": "vpc-1", "IsDefault": True}]}
    found = run("default_vpcs", describe_vpcs=vpcs, describe_security_groups=groups)
    assert found == [("sg-1", "ok"), (ACCOUNT, "unknown"), (ACCOUNT, "unknown")]


def test_default_vpcs_are_told_of_where_security_groups_may_not_be_described():
    vpcs = {"Vpcs": [{"VpcId": "vpc-1", "IsDefault": True}]}
    found = run("default_vpcs", describe_network_interfaces=interfaces(), describe_vpcs=vpcs)
    assert found == [("vpc-1", "info"), (ACCOUNT, "unknown")]


def instance(state: str = "running", **options: str) -> dict[str, Any]:
    return {"InstanceId": "i-1", "State": {"Name": state}, "MetadataOptions": options}


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"HttpTokens": "required", "HttpEndpoint": "enabled"}, "ok"),
        ({"HttpTokens": "optional", "HttpEndpoint": "enabled"}, "alarm"),
        ({"HttpTokens": "optional", "HttpEndpoint": "disabled"}, "ok"),
        ({}, "alarm"),
    ],
)
def test_metadata_must_need_a_token_or_be_off(options, verdict):
    assert imds.judge(instance(**options))["verdict"] == verdict


@pytest.mark.parametrize(
    ("defaults", "used", "verdict"),
    [
        ({"HttpTokens": "required"}, True, "ok"),
        ({"HttpTokens": "required"}, False, "ok"),
        ({"HttpTokensEnforced": "enabled"}, True, "ok"),
        ({"HttpEndpoint": "disabled"}, True, "ok"),
        ({"HttpTokens": "optional", "HttpTokensEnforced": "disabled"}, True, "alarm"),
        ({"HttpTokens": "optional"}, False, "info"),
        ({}, True, "alarm"),
        ({}, False, "info"),
    ],
)
def test_a_region_with_instances_must_require_tokens_of_new_ones(defaults, used, verdict):
    found = imds.judge_defaults(ACCOUNT, defaults, used)
    assert (found["resource"], found["verdict"]) == (ACCOUNT, verdict)


def test_terminated_instances_are_left_out():
    gone, there = instance("terminated"), {**instance("stopped", HttpTokens="required"), "InstanceId": "i-2"}
    instances = {"Reservations": [{"Instances": [gone]}, {"Instances": [there]}]}
    found = run("imds", describe_instances=instances, get_instance_metadata_defaults={"AccountLevel": {}})
    assert found == [("i-2", "ok"), (ACCOUNT, "alarm")]
    instances = {"Reservations": [{"Instances": [gone]}]}
    found = run("imds", describe_instances=instances, get_instance_metadata_defaults={"AccountLevel": {}})
    assert found == [(ACCOUNT, "info")]


def test_an_instance_without_metadata_options_leaves_the_others_judged():
    instances = {"Reservations": [{"Instances": [{"InstanceId": "i-0", "State": {}}, instance(HttpTokens="optional")]}]}
    found = run("imds", describe_instances=instances, get_instance_metadata_defaults={"AccountLevel": {}})
    assert found == [("i-0", "unknown"), ("i-1", "alarm"), (ACCOUNT, "alarm")]


def test_instances_and_the_regions_default_are_judged_without_each_other():
    instances = {"Reservations": [{"Instances": [instance()]}]}
    assert run("imds", describe_instances=instances) == [("i-1", "alarm"), (ACCOUNT, "unknown")]
    found = run("imds", get_instance_metadata_defaults={"AccountLevel": {}})
    assert found == [(ACCOUNT, "alarm"), (ACCOUNT, "unknown")]


def log(vpc: str = "vpc-1", traffic: str = "ALL", **more: str) -> dict[str, str]:
    return {"ResourceId": vpc, "FlowLogStatus": "ACTIVE", "TrafficType": traffic, **more}


FAILED = log(DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Access error")


@pytest.mark.parametrize(
    ("logs", "used", "verdict", "seen", "traffic"),
    [
        ([log()], True, "ok", "has a flow log", "ALL"),
        ([log(DeliverLogsStatus="SUCCESS")], False, "ok", "has a flow log", "ALL"),
        ([log(traffic="REJECT"), log(traffic="ACCEPT")], True, "ok", "has a flow log", "ACCEPT, REJECT"),
        ([log(traffic="REJECT")], True, "ok", "has a flow log", "REJECT"),
        ([log(traffic="ACCEPT")], True, "alarm", "of what was let in", "ACCEPT"),
        ([log(traffic="ACCEPT"), FAILED], True, "alarm", "of what was let in", "ACCEPT, ALL"),
        ([FAILED, log()], True, "ok", "has a flow log", "ALL"),
        ([FAILED], True, "alarm", "does not deliver: Access error.", "ALL"),
        ([log(DeliverLogsStatus="FAILED")], True, "alarm", "AWS does not say why.", "ALL"),
        ([], True, "alarm", "It has no flow log.", None),
        ([], False, "info", "but no network interface is in it.", None),
    ],
)
def test_a_vpc_that_is_used_must_have_a_flow_log_that_delivers(logs, used, verdict, seen, traffic):
    found = flow_logs.judge({"VpcId": "vpc-1", "OwnerId": ACCOUNT}, logs, {"vpc-1"} if used else set(), ACCOUNT)
    assert (found["resource"], found["verdict"], found["traffic"]) == ("vpc-1", verdict, traffic)
    assert seen in found["reason"]


def test_a_vpc_that_another_account_shares_is_that_ones_to_log():
    found = flow_logs.judge({"VpcId": "vpc-1", "OwnerId": "222222222222"}, [], {"vpc-1"}, ACCOUNT)
    assert (found["verdict"], "222222222222" in found["reason"]) == ("skip", True)


def test_flow_logs_of_subnets_and_of_other_vpcs_do_not_count():
    vpcs = {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in "1234"]}
    logs = {"FlowLogs": [log("vpc-1"), log("subnet-2"), {**log("vpc-4"), "FlowLogStatus": "DELETING"}]}
    used = interfaces("vpc-1", "vpc-2")
    found = run("flow_logs", describe_vpcs=vpcs, describe_flow_logs=logs, describe_network_interfaces=used)
    assert found == [("vpc-1", "ok"), ("vpc-2", "alarm"), ("vpc-3", "info"), ("vpc-4", "info")]
    found = run("flow_logs", describe_vpcs=vpcs, describe_flow_logs=logs)
    assert found == [("vpc-1", "ok"), (ACCOUNT, "unknown")]


TODAY = date(2026, 1, 1)
DATES = {"old": TODAY, "ending": date(2026, 4, 1), "young": date(2026, 4, 2), "preview": None}


@pytest.mark.parametrize(
    ("function", "verdict", "seen", "deprecated"),
    [
        ({"Runtime": "old"}, "alarm", "AWS deprecated old on 2026-01-01.", "2026-01-01"),
        ({"Runtime": "ending"}, "alarm", "AWS deprecates ending on 2026-04-01, which is within 90 days.", "2026-04-01"),
        ({"Runtime": "young"}, "ok", "until 2026-04-02", "2026-04-02"),
        ({"Runtime": "preview"}, "ok", "no date", None),
        ({"Runtime": "newer"}, "unknown", "does not know newer yet", None),
        ({"PackageType": "Image"}, "skip", "container image", None),
        ({"Runtime": "custom", "RuntimeConfig": {"RuntimeAlias": "live"}}, "skip", "by a customer", None),
    ],
)
def test_a_functions_runtime_must_be_supported_for_90_days(function, verdict, seen, deprecated):
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:hello"
    found = lambda_runtimes.judge({"FunctionArn": arn, "PackageType": "Zip", **function}, DATES, TODAY)
    assert (found["resource"], found["verdict"], found["deprecated"]) == (arn, verdict, deprecated)
    assert seen in found["reason"]


def test_the_dates_are_those_of_aws_for_runtimes_whose_date_is_known():
    dates = lambda_runtimes.deprecations()
    assert dates["nodejs18.x"] == date(2025, 9, 1)
    assert dates["python3.9"] == date(2025, 12, 15)


def test_every_runtime_that_botocore_knows_has_a_date_or_none_yet():
    """If not: read AWS's page again, lambda_runtimes.toml names it."""
    runtimes = Loader().load_service_model("lambda", "service-2")["shapes"]["Runtime"]["enum"]
    assert set(runtimes) - set(lambda_runtimes.deprecations()) == {"custom"}
