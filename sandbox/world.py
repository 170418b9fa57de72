"""What a sandbox contains at the start: a hub, an organization, targets with buckets, and a developer.

Created directly in moto's backends, without requests or authorization: hundreds of accounts in a second.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from moto.cloudformation.models import cloudformation_backends
from moto.iam.models import iam_backends
from moto.organizations import utils as organizations_utils
from moto.organizations.models import organizations_backends
from moto.s3.models import s3_backends

from sandbox import accounts
from sandbox.accounts import HUB, REGION, Target
from sandbox.callers import PARTITION
from sandbox.state_file import PROJECT
from sandbox.sts.sessions import Session, issue

_AS_LONG_AS_A_SANDBOX_RUNS = 365 * 24 * 3600
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
# Every deployment starts with one of these.
_DEPLOYMENT_ACTIONS = [
    "iam:CreateRole",
    "iam:DeleteRole*",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:Update*Role*",
    "lambda:CreateFunction",
    "lambda:UpdateFunction*",
    "lambda:DeleteFunction",
    "lambda:PublishLayerVersion",
    "lambda:DeleteLayerVersion",
]


def create_world(template: Path, extra_accounts: int = 0) -> Session:
    """Create everything. `template` is the role template of the targets. Returns the developer's session."""
    _create_organization()
    targets = [*accounts.TARGETS, *accounts.generated_targets(extra_accounts)]
    _create_targets(targets, _create_unit(), template.read_text())
    return _create_developer()


def _create_organization() -> None:
    with mock.patch.object(organizations_utils, "make_random_account_id", return_value=HUB):
        organizations_backends[HUB][PARTITION].create_organization(REGION, FeatureSet="ALL")
    # moto creates this role in every account of an organization, AWS only in accounts that were created in it.
    iam_backends[HUB][PARTITION].delete_role(accounts.ADMINISTRATOR_ROLE)
    iam_backends[HUB][PARTITION].create_account_alias("hub")


def _create_unit() -> str:
    backend = organizations_backends[HUB][PARTITION]
    root = backend.list_roots()["Roots"][0]["Id"]
    made = backend.create_organizational_unit(Name=accounts.ORGANIZATIONAL_UNIT, ParentId=root)
    return str(made["OrganizationalUnit"]["Id"])


def _create_targets(targets: Sequence[Target], unit: str, template: str) -> None:
    organization = organizations_backends[HUB][PARTITION]
    for target in targets:
        with mock.patch.object(organizations_utils, "make_random_account_id", return_value=target.id):
            organization.create_account(AccountName=target.name, Email=f"{target.name}@sandbox.invalid")
        organization.accounts[-1].parent_id = unit
        iam_backends[target.id][PARTITION].create_account_alias(target.name)
        for bucket in target.buckets:
            s3_backends[target.id][PARTITION].create_bucket(bucket, REGION)
        if target.external_id is not None:
            cloudformation_backends[target.id][REGION].create_stack(
                accounts.ROLE_STACK, template, {"HubAccountId": HUB, "ExternalId": target.external_id}
            )


def _create_developer() -> Session:
    """Administrator of the hub, except that Chalice may deploy only the sandbox stage."""
    no_other_stage = {
        "Sid": "NoOtherStageOfThisApp",
        "Effect": "Deny",
        "Action": _DEPLOYMENT_ACTIONS,
        "Resource": [
            f"{kind}{name}{rest}"
            for kind in (
                f"arn:aws:iam::{HUB}:role/",
                f"arn:aws:lambda:*:{HUB}:function:",
                f"arn:aws:lambda:*:{HUB}:layer:",
            )
            for name in _names_of_other_stages()
            for rest in ("", "-*")
        ],
    }
    # The names of other apps are unknown, but Chalice tags its functions: version=1.34.0:stage=dev:app=billing.
    no_other_stage_of_any_app = {
        "Sid": "NoOtherStageOfAnyChaliceApp",
        "Effect": "Deny",
        "Action": "lambda:CreateFunction",
        "Resource": "*",
        "Condition": {
            "Null": {"aws:RequestTag/aws-chalice": "false"},
            "StringNotLike": {"aws:RequestTag/aws-chalice": f"*:stage={accounts.STAGE}:*"},
        },
    }
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
    iam = iam_backends[HUB][PARTITION]
    role = iam.create_role(
        role_name=accounts.DEVELOPER_ROLE,
        assume_role_policy_document=_policy(trust),
        path="/",
        permissions_boundary=None,
        description="The developer",
        tags=[],
        max_session_duration="43200",
    )
    policy = _policy(_EVERYTHING, no_other_stage, no_other_stage_of_any_app)
    iam.put_role_policy(accounts.DEVELOPER_ROLE, "developer", policy)
    return issue(role, accounts.DEVELOPER_SESSION, _AS_LONG_AS_A_SANDBOX_RUNS)


def _names_of_other_stages() -> list[str]:
    """The start of Chalice's names in this app's other stages, such as cross-account-dev."""
    config = json.loads((PROJECT / ".chalice" / "config.json").read_text())
    return [f"{config['app_name']}-{stage}" for stage in config["stages"] if stage != accounts.STAGE]


def _policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
