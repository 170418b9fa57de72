"""The checks of the group data: what each judges, and how."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.checks import (
    CHECKS,
    ebs_encryption,
    kms_rotation,
    public_snapshots_amis,
    rds_exposure,
    s3_account_block,
    s3_public_buckets,
)
from chalicelib.checks.finding import CouldNotLook
from tests.checks.fake_account import ACCOUNT, FakeAccount, refusal, verdicts

ALL_ON = dict.fromkeys(s3_account_block.SETTINGS, True)
ALL_OFF = dict.fromkeys(s3_account_block.SETTINGS, False)
READ_BY_ALL = [{"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]
OWNERS_ALONE = [{"Grantee": {"ID": "1"}, "Permission": "FULL_CONTROL"}]


def run(check: Any, account: FakeAccount) -> list[tuple[str, str]]:
    """The resource and verdict of each finding of a check, which has the name of its module."""
    return verdicts(CHECKS[check.__name__.rpartition(".")[2]].run(account, {}))  # type: ignore[arg-type]


# ---- s3_account_block


def test_an_account_must_block_public_access_in_all_four_ways() -> None:
    assert s3_account_block.judge(ACCOUNT, ALL_ON)["verdict"] == "ok"
    found = s3_account_block.judge(ACCOUNT, {**ALL_ON, "IgnorePublicAcls": False})
    assert (found["verdict"], found["reason"]) == (
        "alarm",
        "These settings of Block Public Access are off: IgnorePublicAcls.",
    )


def test_an_account_without_a_block_blocks_nothing() -> None:
    account = FakeAccount(get_public_access_block=refusal("NoSuchPublicAccessBlockConfiguration"))
    assert run(s3_account_block, account) == [(ACCOUNT, "alarm")]


def test_an_account_block_that_may_not_be_read_is_no_verdict() -> None:
    with pytest.raises(ClientError):
        run(s3_account_block, FakeAccount(get_public_access_block=refusal()))


# ---- s3_public_buckets

DENIED = CouldNotLook("x", refusal())


@pytest.mark.parametrize(
    ("blocks", "policy", "acl", "verdict"),
    [
        ([], [], [OWNERS_ALONE], "ok"),
        ([], [{"IsPublic": False}], [OWNERS_ALONE], "ok"),
        ([], [{"IsPublic": True}], [OWNERS_ALONE], "policy"),
        ([], [], [READ_BY_ALL], "ACL"),
        ([ALL_OFF, ALL_OFF], [{"IsPublic": True}], [READ_BY_ALL], "policy and its ACL"),
        ([DENIED], [{"IsPublic": False}], [OWNERS_ALONE], "ok"),
        ([DENIED], [{"IsPublic": True}], [OWNERS_ALONE], "unknown"),
        ([], [DENIED], [OWNERS_ALONE], "unknown"),
        ([], [{"IsPublic": False}], [DENIED], "unknown"),
        ([], [DENIED], [READ_BY_ALL], "ACL"),
        ([], [{"IsPublic": True}], [DENIED], "policy"),
    ],
)
def test_a_bucket_is_public_by_its_policy_or_its_acl(blocks: Any, policy: Any, acl: Any, verdict: str) -> None:
    found = s3_public_buckets.judge("b", blocks, policy, acl)
    if isinstance(found, CouldNotLook):
        found = found.finding()
    assert found["resource"] == "b"
    if verdict in ("ok", "unknown"):
        assert found["verdict"] == verdict
    else:
        assert (found["verdict"], found["reason"]) == ("alarm", f"It is public by its {verdict}.")


def buckets(*names: str) -> dict[str, Any]:
    return {"Buckets": [{"Name": name, "BucketRegion": f"region-of-{name}"} for name in names]}


def block(**settings: bool) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": {**ALL_OFF, **settings}}


def test_no_bucket_is_asked_about_if_the_account_blocks_public_policies_and_acls() -> None:
    both = block(RestrictPublicBuckets=True, IgnorePublicAcls=True)
    account = FakeAccount(list_buckets=buckets("a", "b"), get_public_access_block=both)
    assert run(s3_public_buckets, account) == [("a", "ok"), ("b", "ok")]
    assert account.calls == ["list_buckets", "get_public_access_block"]
    assert account.sent["list_buckets"]["MaxBuckets"], "S3 names the buckets' regions only if it is asked for pages"


def test_a_bucket_is_asked_in_its_region_and_only_what_no_block_prevents() -> None:
    account = FakeAccount(
        list_buckets=buckets("a"),
        get_public_access_block=[block(RestrictPublicBuckets=True), block(IgnorePublicAcls=True)],
    )
    assert run(s3_public_buckets, account) == [("a", "ok")]
    assert "region-of-a" in account.regions


def test_a_bucket_without_block_and_policy_may_be_public_by_its_acl() -> None:
    none = refusal("NoSuchPublicAccessBlockConfiguration")
    account = FakeAccount(
        list_buckets=buckets("a"),
        get_public_access_block=none,
        get_bucket_policy_status=refusal("NoSuchBucketPolicy"),
        get_bucket_acl={"Grants": READ_BY_ALL},
    )
    assert run(s3_public_buckets, account) == [("a", "alarm")]


def test_a_bucket_that_may_not_be_read_leaves_the_others_judged() -> None:
    account = FakeAccount(
        list_buckets=buckets("a", "b"),
        get_public_access_block=block(RestrictPublicBuckets=True),
        get_bucket_acl=[refusal(), {"Grants": OWNERS_ALONE}],
    )
    assert run(s3_public_buckets, account) == [("b", "ok"), ("a", "unknown")]


@pytest.mark.parametrize("code", ["InvalidToken", "InvalidAccessKeyId", "IllegalLocationConstraintException"])
def test_a_bucket_in_a_region_that_the_account_has_left_is_unknown_and_no_end(code: str) -> None:
    account = FakeAccount(
        list_buckets=buckets("a", "b"),
        get_public_access_block=[block(), refusal(code), block(RestrictPublicBuckets=True, IgnorePublicAcls=True)],
        get_bucket_policy_status=refusal(code),
        get_bucket_acl=refusal(code),
    )
    assert run(s3_public_buckets, account) == [("b", "ok"), ("a", "unknown")]


def test_a_session_that_has_expired_is_not_a_region_that_is_off() -> None:
    account = FakeAccount(list_buckets=buckets("a"), get_public_access_block=[block(), refusal("ExpiredToken")])
    with pytest.raises(ClientError):
        run(s3_public_buckets, account)


def test_an_account_without_buckets_is_skipped() -> None:
    assert run(s3_public_buckets, FakeAccount(list_buckets=buckets())) == [(ACCOUNT, "skip")]


# ---- ebs_encryption


@pytest.mark.parametrize(
    ("default", "volumes", "verdicts"),
    [
        (True, [], ["ok"]),
        (False, [], ["info"]),
        (True, [True], ["ok", "ok"]),
        (False, [True, False], ["ok", "alarm", "alarm"]),
    ],
)
def test_volumes_must_be_encrypted_and_so_by_default_where_there_are_volumes(
    default: bool, volumes: list[bool], verdicts: list[str]
) -> None:
    listed = [{"VolumeId": "vol-1", "Encrypted": encrypted, "Size": 8, "State": "in-use"} for encrypted in volumes]
    account = FakeAccount(
        describe_volumes={"Volumes": listed}, get_ebs_encryption_by_default={"EbsEncryptionByDefault": default}
    )
    assert [verdict for _, verdict in run(ebs_encryption, account)] == verdicts


def test_volumes_that_may_not_be_listed_are_not_taken_for_none() -> None:
    account = FakeAccount(
        describe_volumes=refusal("UnauthorizedOperation"),
        get_ebs_encryption_by_default={"EbsEncryptionByDefault": False},
    )
    assert run(ebs_encryption, account) == [(ACCOUNT, "alarm"), (ACCOUNT, "unknown")]


# ---- public_snapshots_amis


def database_snapshot(name: str, *, encrypted: bool = False) -> dict[str, Any]:
    return {"DBSnapshotIdentifier": name, "DBSnapshotArn": f"arn:{name}", "Encrypted": encrypted}


def restorable_by(*accounts: str) -> dict[str, Any]:
    attributes = [{"AttributeName": "restore", "AttributeValues": list(accounts)}]
    return {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": attributes}}


def test_what_ec2_lists_as_public_is_an_alarm() -> None:
    account = FakeAccount(
        describe_snapshots={"Snapshots": [{"SnapshotId": "snap-1"}]},
        describe_images={"Images": [{"ImageId": "ami-1"}, {"ImageId": "ami-2"}]},
        describe_db_snapshots={"DBSnapshots": []},
        describe_db_cluster_snapshots={"DBClusterSnapshots": []},
    )
    alarms = [("snap-1", "alarm"), ("ami-1", "alarm"), ("ami-2", "alarm")]
    assert run(public_snapshots_amis, account) == [*alarms, (ACCOUNT, "skip"), (ACCOUNT, "skip")]


def test_ec2_and_rds_are_asked_for_the_accounts_own_and_not_for_all_of_the_world() -> None:
    account = FakeAccount(
        describe_snapshots={"Snapshots": []},
        describe_images={"Images": []},
        describe_db_snapshots={"DBSnapshots": []},
        describe_db_cluster_snapshots={"DBClusterSnapshots": []},
    )
    run(public_snapshots_amis, account)
    assert account.sent == {
        "describe_snapshots": {"OwnerIds": ["self"], "RestorableByUserIds": ["all"]},
        "describe_images": {"Owners": ["self"], "Filters": [{"Name": "is-public", "Values": ["true"]}]},
        "describe_db_snapshots": {"SnapshotType": "manual"},
        "describe_db_cluster_snapshots": {"SnapshotType": "manual"},
    }


def test_what_is_not_public_is_one_finding_and_what_may_not_be_listed_is_unknown() -> None:
    account = FakeAccount(
        describe_snapshots={"Snapshots": []},
        describe_images=refusal("UnauthorizedOperation"),
        describe_db_snapshots={"DBSnapshots": []},
        describe_db_cluster_snapshots={"DBClusterSnapshots": []},
    )
    verdicts = ["ok", "skip", "skip", "unknown"]
    assert run(public_snapshots_amis, account) == [(ACCOUNT, verdict) for verdict in verdicts]


def test_a_database_snapshot_that_all_can_restore_is_an_alarm() -> None:
    account = FakeAccount(
        describe_snapshots={"Snapshots": []},
        describe_images={"Images": []},
        describe_db_snapshots={"DBSnapshots": [database_snapshot(name) for name in "abcd"]},
        describe_db_cluster_snapshots={"DBClusterSnapshots": []},
        describe_db_snapshot_attributes=[
            restorable_by("all"),
            restorable_by("444455556666"),
            refusal("DBSnapshotNotFound"),
            refusal(),
        ],
    )
    found = [("arn:a", "alarm"), ("arn:b", "ok"), ("arn:c", "skip"), (ACCOUNT, "skip"), ("arn:d", "unknown")]
    assert run(public_snapshots_amis, account)[2:] == found


def test_an_encrypted_database_snapshot_is_not_asked_about() -> None:
    account = FakeAccount(
        describe_snapshots={"Snapshots": []},
        describe_images={"Images": []},
        describe_db_snapshots={"DBSnapshots": [database_snapshot("a", encrypted=True)]},
        describe_db_cluster_snapshots={"DBClusterSnapshots": []},
    )
    assert run(public_snapshots_amis, account)[2:-1] == [("arn:a", "ok")]


def test_a_snapshot_of_a_cluster_is_judged_like_one_of_an_instance() -> None:
    clusters = [
        {"DBClusterSnapshotIdentifier": name, "DBClusterSnapshotArn": f"arn:{name}", "StorageEncrypted": name == "c"}
        for name in "abc"
    ]
    attributes = [
        {"DBClusterSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": ["all"]}]},
        {"DBClusterSnapshotAttributes": [{"AttributeName": "restore"}]},
    ]
    account = FakeAccount(
        describe_snapshots={"Snapshots": []},
        describe_images={"Images": []},
        describe_db_snapshots={"DBSnapshots": []},
        describe_db_cluster_snapshots={"DBClusterSnapshots": clusters},
        describe_db_cluster_snapshot_attributes=[{"DBClusterSnapshotAttributesResult": one} for one in attributes],
    )
    assert run(public_snapshots_amis, account)[3:] == [("arn:c", "ok"), ("arn:a", "alarm"), ("arn:b", "ok")]
    assert account.sent["describe_db_cluster_snapshot_attributes"] == {"DBClusterSnapshotIdentifier": "b"}


# ---- rds_exposure


@pytest.mark.parametrize(
    ("public", "encrypted", "verdict", "reason"),
    [
        (False, True, "ok", "It is not publicly accessible, and its storage is encrypted."),
        (True, True, "alarm", "It is publicly accessible."),
        (False, False, "alarm", "Its storage is not encrypted."),
        (True, False, "alarm", "It is publicly accessible, and its storage is not encrypted."),
    ],
)
def test_a_database_must_be_encrypted_and_not_publicly_accessible(
    public: bool, encrypted: bool, verdict: str, reason: str
) -> None:
    found = rds_exposure.judge(
        {"DBInstanceArn": "arn:db", "Engine": "mysql", "PubliclyAccessible": public, "StorageEncrypted": encrypted}
    )
    assert found == {"resource": "arn:db", "verdict": verdict, "reason": reason, "engine": "mysql"}


def test_a_region_without_databases_is_skipped() -> None:
    assert run(rds_exposure, FakeAccount(describe_db_instances={"DBInstances": []})) == [(ACCOUNT, "skip")]


# ---- kms_rotation

KEY = {"KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyState": "Enabled"}
PRIMARY = {"Arn": "arn:primary", "Region": "eu-west-1"}


def keys(*metadata: dict[str, Any] | Exception, rotates: Any = None) -> FakeAccount:
    return FakeAccount(
        list_keys={"Keys": [{"KeyArn": f"arn:{number}"} for number in range(len(metadata))]},
        describe_key=[one if isinstance(one, Exception) else {"KeyMetadata": one} for one in metadata],
        get_key_rotation_status=rotates,
    )


@pytest.mark.parametrize(("rotates", "verdict"), [(True, "ok"), (False, "alarm")])
def test_a_symmetric_key_must_be_rotated(rotates: bool, verdict: str) -> None:
    assert run(kms_rotation, keys(KEY, rotates={"KeyRotationEnabled": rotates})) == [("arn:0", verdict)]


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"KeySpec": "RSA_2048"}, "RSA_2048"),
        ({"KeySpec": "HMAC_256"}, "HMAC_256"),
        ({"Origin": "EXTERNAL"}, "EXTERNAL"),
        ({"Origin": "AWS_CLOUDHSM"}, "AWS_CLOUDHSM"),
        ({"KeyState": "Disabled"}, "Disabled"),
        ({"KeyState": "PendingDeletion"}, "PendingDeletion"),
        ({"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA", "PrimaryKey": PRIMARY}}, "eu-west-1"),
        ({"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}}, "another region"),
    ],
)
def test_a_key_that_cannot_be_rotated_here_is_skipped_and_not_asked_about(
    difference: dict[str, Any], reason: str
) -> None:
    assert reason in (kms_rotation.not_rotatable({**KEY, **difference}) or "")
    assert run(kms_rotation, keys({**KEY, **difference})) == [("arn:0", "skip")]


def test_a_primary_key_is_judged_like_any_other() -> None:
    related = {"MultiRegionConfiguration": {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": PRIMARY}}
    assert kms_rotation.not_rotatable({**KEY, **related}) is None


def test_keys_of_aws_have_no_finding() -> None:
    assert run(kms_rotation, keys({**KEY, "KeyManager": "AWS"})) == [(ACCOUNT, "skip")]


def test_a_key_that_is_deleted_meanwhile_is_skipped() -> None:
    account = keys(refusal("NotFoundException"), KEY, rotates={"KeyRotationEnabled": True})
    assert run(kms_rotation, account) == [("arn:0", "skip"), ("arn:1", "ok")]


def test_a_key_whose_policy_denies_the_role_is_unknown() -> None:
    account = keys(refusal("AccessDeniedException"), KEY, rotates={"KeyRotationEnabled": True})
    assert run(kms_rotation, account) == [("arn:1", "ok"), ("arn:0", "unknown")]
