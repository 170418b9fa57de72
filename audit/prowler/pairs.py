"""Which of Prowler's checks ask what ours ask, and why an answer differs."""

from __future__ import annotations

from dataclasses import dataclass

SSH_RDP_ALL = tuple(
    f"ec2_securitygroup_allow_ingress_from_internet_to_{what}" for what in ("tcp_port_22", "tcp_port_3389", "all_ports")
)

NOT_ONE_BY_ONE = "EC2 is asked here for the public ones alone, so that the private ones have one finding together."


@dataclass(frozen=True)
class Pair:
    """A check of ours, or one of the things it judges, and Prowler's.

    Attributes:
        ours: the check's name.
        theirs: Prowler's; if there are several, a resource fails if it fails one of them.
        thing: which of the things that ours judges, if it judges several.
        begins: how the resources of that thing begin, as a regular expression.
        whole: the account (in a region) is judged, whatever each of the two calls it.
        why: the result is expected to differ, in this way.
        but: it is equal in these accounts, and would differ in others, in this way.
    """

    ours: str
    theirs: tuple[str, ...]
    thing: str = ""
    begins: str = ""
    whole: bool = False
    why: str = ""
    but: str = ""


PAIRS = (
    Pair("root_user", ("iam_no_root_access_key", "iam_root_mfa_enabled"), whole=True),
    Pair(
        "iam_user_mfa",
        ("iam_user_mfa_enabled_console_access",),
        why="A user without a password is PASS there, and `skip` here: the question does not apply.",
    ),
    Pair(
        "old_access_keys",
        ("iam_rotate_access_key_90_days", "iam_user_accesskey_unused"),
        why="A user without an active key is PASS there, and has no finding here. A key that was never used is unused "
        "here from the day it was made; there, only its age counts. 45 days of no use are too many here, as CIS says, "
        "and there 46. The root user's key is judged here "
        "by `root_user`, at any age.",
    ),
    Pair(
        "admin_principals",
        (
            "iam_role_administratoraccess_policy",
            "iam_user_administrator_access_policy",
            "iam_inline_policy_no_administrative_privileges",
        ),
        why="Roles that a service assumes are left out there. A policy of the account's own that allows everything is "
        "found there as that policy (`iam_customer_attached_policy_no_administrative_privileges`), here as who has it.",
    ),
    Pair(
        "s3_account_block",
        ("s3_account_level_public_access_blocks",),
        whole=True,
        but="Prowler reads two of the four settings, IgnorePublicAcls and RestrictPublicBuckets.",
    ),
    Pair(
        "s3_public_buckets",
        ("s3_bucket_public_access",),
        but="Where the account's settings block everything, Prowler has one PASS for the account, and none for its "
        "buckets.",
    ),
    Pair("ebs_encryption", ("ec2_ebs_volume_encryption",), "volumes", "vol-"),
    Pair("ebs_encryption", ("ec2_ebs_default_encryption",), "default", "[0-9]{12}", whole=True),
    Pair("public_snapshots_amis", ("ec2_ebs_public_snapshot",), "EBS snapshots", "snap-", why=NOT_ONE_BY_ONE),
    Pair("public_snapshots_amis", ("ec2_ami_public",), "AMIs", "ami-", why=NOT_ONE_BY_ONE),
    Pair(
        "public_snapshots_amis",
        ("rds_snapshots_public_access",),
        "RDS snapshots",
        "arn:aws:rds:",
        why="Automated ones are not judged here, as nobody can share them.",
    ),
    Pair(
        "rds_exposure",
        ("rds_instance_no_public_access", "rds_instance_storage_encrypted"),
        why="There, a publicly accessible instance is PASS as long as its security groups or subnets let nobody in. "
        "Here the setting is judged, as by FSBP RDS.2.",
    ),
    Pair(
        "kms_rotation",
        ("kms_cmk_rotation_enabled",),
        but="A key of imported material is FAIL there, and `skip` here: KMS cannot rotate it by itself.",
    ),
    Pair(
        "open_security_groups",
        SSH_RDP_ALL,
        why="UDP counts here, as for CIS 5 5.3; there, only TCP.",
    ),
    Pair("default_vpcs", ("ec2_securitygroup_default_restrict_traffic",), "default groups", "sg-"),
    Pair("imds", ("ec2_instance_imdsv2_enabled",), "instances", "i-"),
    Pair("imds", ("ec2_instance_account_imdsv2_enabled",), "default", "[0-9]{12}", whole=True),
    Pair("flow_logs", ("vpc_flow_logs_enabled",), but="A flow log that does not deliver is PASS there."),
    Pair(
        "lambda_runtimes",
        ("awslambda_function_using_supported_runtimes",),
        why="Prowler has a list of obsolete runtimes, which lacks those; here AWS's dates decide.",
    ),
    Pair(
        "cloudtrail",
        ("cloudtrail_multi_region_enabled",),
        whole=True,
        why="A trail of one region is enough there, in that region; CIS 5 3.1 wants one of all regions.",
    ),
    Pair(
        "config_recorder",
        ("config_recorder_all_regions_enabled",),
        whole=True,
        but="Prowler keeps recorders by name, and AWS's console names each `default`: of those of several regions it "
        "then judges one. Here each has another name.",
    ),
    Pair("guardduty", ("guardduty_is_enabled",), whole=True),
    Pair(
        "security_hub",
        ("securityhub_enabled",),
        whole=True,
        why="Prowler also asks for the standards, and moto does not know that call; in AWS, a hub without a standard "
        "and integration is FAIL there, and `ok` here.",
    ),
)

NOT_COMPARED = {
    "external_trust": "Prowler has no check of who outside the organization may assume a role.",
    "access_analyzer": "moto has no Access Analyzer.",
}
"""Why other checks are not."""
