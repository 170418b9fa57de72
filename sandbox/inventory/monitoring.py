"""Trails, recorders, detectors and hubs: production has all of them, others none that works."""

from typing import Any
from unittest import mock

from sandbox.accounts import PRODUCTION, REGION, STAGING

_STOPPED = (STAGING, "eu-central-1")
"""Where a recorder and a detector are there, and off."""


def add_trail(cloudtrail: Any) -> None:
    from moto.cloudtrail.models import Trail, cloudtrail_backends

    if cloudtrail.account_id != PRODUCTION:
        return
    if cloudtrail.region_name != REGION:
        cloudtrail_backends[PRODUCTION][REGION]  # which has the trail that is seen in each region
        return
    with mock.patch.object(Trail, "check_bucket_exists"):  # it is in no account that is here
        cloudtrail.create_trail(
            name="everything",
            bucket_name="logs-of-the-organization",
            s3_key_prefix=None,
            sns_topic_name=None,
            is_global=True,
            is_multi_region=True,
            log_validation=True,
            is_org_trail=False,
            cw_log_group_arn=None,
            cw_role_arn=None,
            kms_key_id=None,
            tags_list=[],
        )
    cloudtrail.start_logging("everything")


def add_recorder(config: Any) -> None:
    place = (config.account_id, config.region_name)
    if PRODUCTION in place or place == _STOPPED:
        role = f"arn:aws:iam::{config.account_id}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        config.put_configuration_recorder({"name": "default", "roleARN": role})
        config.put_delivery_channel({"name": "default", "s3BucketName": "logs-of-the-organization"})
        config.start_configuration_recorder("default")
        config.recorders["default"].status.last_status = "SUCCESS"
    if place == _STOPPED:
        config.stop_configuration_recorder("default")


def add_detector(guardduty: Any) -> None:
    place = (guardduty.account_id, guardduty.region_name)
    if PRODUCTION in place or place == _STOPPED:
        guardduty.create_detector(place != _STOPPED, "SIX_HOURS", {}, {}, [])


def enable_hub(securityhub: Any) -> None:
    if securityhub.account_id == PRODUCTION:
        securityhub.enable_security_hub()
