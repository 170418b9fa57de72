"""What checks ask of the targets, where moto alone answers otherwise than AWS."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import ANALYTICS, LEGACY, PRODUCTION, STAGING

from .conftest import Client


@pytest.mark.parametrize(
    ("account", "password", "mfa", "keys"), [(PRODUCTION, 1, 1, 0), (STAGING, 1, 0, 1), (LEGACY, 0, 0, 0)]
)
def test_root_users_differ(within: Client, account: str, password: int, mfa: int, keys: int) -> None:
    summary = within(account)("iam").get_account_summary()["SummaryMap"]
    found = [summary[f"Account{name}"] for name in ("PasswordPresent", "MFAEnabled", "AccessKeysPresent")]
    assert found == [password, mfa, keys]


def test_a_credential_report_is_new_and_begins_with_the_root_user(within: Client) -> None:
    iam = within(STAGING)("iam")
    iam.generate_credential_report()
    report = iam.get_credential_report()
    assert datetime.now(UTC) - report["GeneratedTime"] < timedelta(minutes=1)
    root, *users = csv.DictReader(report["Content"].decode().splitlines())
    assert (root["user"], root["mfa_active"], root["access_key_1_active"]) == ("<root_account>", "false", "true")
    found = {one["user"]: (one["password_enabled"], one["mfa_active"], one["access_key_1_active"]) for one in users}
    assert found["ben"] == ("true", "false", "false")
    assert found["robot"] == ("false", "false", "true")
    assert {one["access_key_1_last_used_date"] == "N/A" for one in users if one["user"] == "robot"} == {True}


def test_metadata_defaults_are_kept(within: Client) -> None:
    assert within(PRODUCTION)("ec2").get_instance_metadata_defaults()["AccountLevel"]["HttpTokens"] == "required"
    ec2 = within(LEGACY)("ec2")
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {}
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    kept = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "ManagedBy": "account"}
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == kept
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference", HttpPutResponseHopLimit=-1)
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {}


@pytest.mark.parametrize(("account", "public"), [(PRODUCTION, 0), (STAGING, 1)])
def test_snapshots_are_found_by_who_may_restore_them(within: Client, account: str, public: int) -> None:
    ec2 = within(account)("ec2")
    own = {one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    everybody = ec2.describe_snapshots(OwnerIds=["self"], RestorableByUserIds=["all"])["Snapshots"]
    assert len(everybody) == public
    assert {one["SnapshotId"] for one in everybody} < own
    assert ec2.describe_snapshots(OwnerIds=["amazon"])["Snapshots"] == []


def test_a_default_group_lets_itself_in_until_that_is_revoked(within: Client) -> None:
    ec2 = within(STAGING)("ec2")
    (group,) = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert (rule["IpProtocol"], rule["UserIdGroupPairs"][0]["GroupId"]) == ("-1", group["GroupId"])
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    own = [{"Name": "vpc-id", "Values": [vpc]}]
    (made,) = ec2.describe_security_groups(Filters=own)["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=made["GroupId"], IpPermissions=made["IpPermissions"])
    assert ec2.describe_security_groups(Filters=own)["SecurityGroups"][0]["IpPermissions"] == []
    ec2.delete_vpc(VpcId=vpc)


def test_a_key_that_aws_made_is_its_own_and_rotates(within: Client) -> None:
    within(STAGING)("ec2").describe_volumes()  # some are encrypted
    kms = within(STAGING)("kms")
    keys = {
        kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyManager"]: kms.get_key_rotation_status(
            KeyId=key["KeyId"]
        )["KeyRotationEnabled"]
        for key in kms.list_keys()["Keys"]
    }
    assert keys == {"AWS": True, "CUSTOMER": False}


@pytest.mark.parametrize(("account", "active"), [(PRODUCTION, 0), (ANALYTICS, 1)])
def test_an_analyzer_has_its_findings(within: Client, account: str, active: int) -> None:
    analyzer = within(account)("accessanalyzer")
    (own,) = analyzer.list_analyzers(type="ACCOUNT")["analyzers"]
    assert own["status"] == "ACTIVE"
    asked: dict[str, Any] = {"filter": {"status": {"eq": ["ACTIVE"]}}, "analyzerArn": own["arn"]}
    assert len(analyzer.list_findings_v2(**asked)["findings"]) == active
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        analyzer.list_findings_v2(analyzerArn=f"{own['arn']}-2")


def test_an_account_without_an_analyzer_lists_none(within: Client) -> None:
    assert within(STAGING)("accessanalyzer").list_analyzers()["analyzers"] == []


def test_a_trail_of_every_region_is_seen_in_another_region_first(client: Client, administrator: Any) -> None:
    cloudtrail = client("cloudtrail", administrator(PRODUCTION), region_name="eu-west-3")
    (trail,) = cloudtrail.describe_trails()["trailList"]
    assert (trail["IsMultiRegionTrail"], trail["HomeRegion"]) == (True, "us-east-1")
    assert cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"]


def test_an_organizations_trail_is_seen_in_each_member_and_region(client: Client, within: Client) -> None:
    client("s3").create_bucket(Bucket="logs-of-all")
    trails = client("cloudtrail")
    arn = trails.create_trail(
        Name="of-all", S3BucketName="logs-of-all", IsMultiRegionTrail=True, IsOrganizationTrail=True
    )["TrailARN"]
    trails.start_logging(Name="of-all")
    for region in ("us-east-1", "eu-west-1"):
        member = within(STAGING)("cloudtrail", region_name=region)
        (seen,) = member.describe_trails()["trailList"]
        assert (seen["TrailARN"], seen["IsOrganizationTrail"], seen["HomeRegion"]) == (arn, True, "us-east-1")
        assert member.get_trail_status(Name=arn)["IsLogging"]
        assert member.describe_trails(includeShadowTrails=False)["trailList"] == []
    trails.delete_trail(Name="of-all")


def test_an_analyzer_of_the_organization_is_seen_only_in_the_account_that_has_it(
    client: Client, within: Client
) -> None:
    region = "ca-central-1"
    hub, member = (of("accessanalyzer", region_name=region) for of in (client, within(STAGING)))
    arn = hub.create_analyzer(analyzerName="of-all", type="ORGANIZATION")["arn"]
    assert [one["arn"] for one in hub.list_analyzers(type="ORGANIZATION")["analyzers"]] == [arn]
    assert hub.list_findings_v2(analyzerArn=arn)["findings"] == []
    assert member.list_analyzers()["analyzers"] == []
