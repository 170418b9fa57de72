"""What is public, and what is encrypted: buckets, snapshots, images, databases and keys."""

import json
from typing import Any

from moto.s3.models import get_canned_acl, s3_backends

from sandbox.accounts import ANALYTICS, PRODUCTION, REGION, STAGING
from sandbox.callers import PARTITION

BY_POLICY, BY_ACL = "staging-website", "analytics-reports"
"""The public buckets."""
_EVERYTHING = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def fill(account: str) -> None:
    """Open what is public of an account's buckets."""
    s3 = s3_backends[account][PARTITION]
    if account == STAGING:
        s3.buckets[BY_POLICY].public_access_block = None
        read = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BY_POLICY}/*",
        }
        s3.put_bucket_policy(BY_POLICY, json.dumps({"Version": "2012-10-17", "Statement": [read]}).encode())
    elif account == ANALYTICS:
        s3.buckets[BY_ACL].public_access_block = None
        s3.put_bucket_acl(BY_ACL, get_canned_acl("public-read"))


def block(s3control: Any) -> None:
    if s3control.account_id == PRODUCTION:
        s3control.put_public_access_block(PRODUCTION, dict.fromkeys(_EVERYTHING, True))


def add_images(ec2: Any) -> None:
    ec2.ebs_encryption_by_default = ec2.account_id == PRODUCTION
    if ec2.account_id in (PRODUCTION, STAGING) and ec2.region_name == REGION:
        is_public = ec2.account_id == STAGING
        web = next(iter(ec2.all_instances()))
        ((_, root),) = web.get_block_device_mapping
        snapshot = ec2.create_snapshot(root.volume_id, "Before the move")
        snapshot.create_volume_permission_groups = {"all"} if is_public else set()
        image = ec2.create_image(web.id, "web", "The web servers", [])
        image.launch_permissions = [{"Group": "all"}] if is_public else []


def add_database(rds: Any) -> None:
    if rds.account_id in (PRODUCTION, STAGING) and rds.region_name == REGION:
        is_public = rds.account_id == STAGING
        rds.create_db_instance(
            {
                "db_instance_identifier": "orders",
                "db_instance_class": "db.t4g.medium",
                "engine": "postgres",
                "allocated_storage": 20,
                "publicly_accessible": is_public,
                "storage_encrypted": not is_public,
            }
        )
        snapshot = rds.create_db_snapshot("orders", "orders-before-the-move")
        snapshot.attributes["restore"] = ["all"] if is_public else []


def add_key(kms: Any) -> None:
    if kms.account_id in (PRODUCTION, STAGING) and kms.region_name == REGION:
        key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "Of the orders", [])
        kms.create_alias(key.id, "alias/orders")
        key.key_rotation_status = kms.account_id == PRODUCTION
