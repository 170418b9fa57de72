"""What a sandbox contains at the start: a hub, an organization, targets with what they hold, and a developer.

Created directly in moto's backends, without requests or authorization: hundreds of accounts in a second.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from unittest import mock

from moto.cloudformation.models import cloudformation_backends
from moto.iam.models import Role, iam_backends
from moto.organizations import utils as organizations_utils
from moto.organizations.models import organizations_backends
from moto.s3.models import s3_backends

from sandbox import accounts, inventory, regions
from sandbox.accounts import HUB, REGION, Target
from sandbox.callers import PARTITION
from sandbox.inventory import compute
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
    _create_targets([*accounts.TARGETS, *accounts.generated_targets(extra_accounts)], template.read_text())
    inventory.fill_when_asked()
    return _create_developer()


def _create_organization() -> None:
    with mock.patch.object(organizations_utils, "make_random_account_id", return_value=HUB):
        organizations_backends[HUB][PARTITION].create_organization(REGION, FeatureSet="ALL")
    organizations_backends[HUB][PARTITION].accounts[0].name = accounts.HUB_NAME  # moto calls it "master"
    # moto creates this role in every account of an organization, AWS only in accounts that were created in it.
    iam_backends[HUB][PARTITION].delete_role(accounts.ADMINISTRATOR_ROLE)
    iam_backends[HUB][PARTITION].create_account_alias(accounts.HUB_NAME)


@cache
def _unit(path: str) -> str:
    """The id of a unit, such as "Workloads/Prod", which is made with all above it; of the root for ""."""
    backend = organizations_backends[HUB][PARTITION]
    if not path:
        return str(backend.list_roots()["Roots"][0]["Id"])
    parent, _, name = path.rpartition("/")
    return str(backend.create_organizational_unit(Name=name, ParentId=_unit(parent))["OrganizationalUnit"]["Id"])


def _create_targets(targets: Sequence[Target], template: str) -> None:
    organization = organizations_backends[HUB][PARTITION]
    for target in targets:
        tags = [{"Key": key, "Value": value} for key, value in target.tags]
        email = f"{target.name}@sandbox.invalid"
        with mock.patch.object(organizations_utils, "make_random_account_id", return_value=target.id):
            organization.create_account(AccountName=target.name, Email=email, Tags=tags)
        organization.accounts[-1].parent_id = _unit(target.unit)
        iam_backends[target.id][PARTITION].create_account_alias(target.name)
        for region in target.regions:
            regions.enable(target.id, region)
        for bucket in target.buckets:
            s3_backends[target.id][PARTITION].create_bucket(bucket, REGION)
        inventory.fill(target.id)
        if target.id in compute.FUNCTIONS_OF:
            _create_role(target.id, compute.ROLE, {"Service": "lambda.amazonaws.com"}, "Of the functions")
        if target.external_id is not None:
            parameters = accounts.role_parameters(target.external_id, target.managed_policies) | dict(target.parameters)
            cloudformation_backends[target.id][REGION].create_stack(accounts.ROLE_STACK, template, parameters)


def _create_developer() -> Session:
    """Administrator of the hub, except that Chalice may deploy only the stages of the sandbox."""
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
            "StringNotLike": {"aws:RequestTag/aws-chalice": [f"*:stage={stage}:*" for stage in accounts.STAGES]},
        },
    }
    role = _create_role(HUB, accounts.DEVELOPER_ROLE, {"AWS": f"arn:aws:iam::{HUB}:root"}, "The developer")
    policy = _policy(_EVERYTHING, no_other_stage, no_other_stage_of_any_app)
    iam_backends[HUB][PARTITION].put_role_policy(accounts.DEVELOPER_ROLE, "developer", policy)
    return issue(role, accounts.DEVELOPER_SESSION, _AS_LONG_AS_A_SANDBOX_RUNS)


def _create_role(account: str, name: str, principal: Mapping[str, str], description: str) -> Role:
    return iam_backends[account][PARTITION].create_role(
        role_name=name,
        assume_role_policy_document=_policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}),
        path="/",
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="43200",
    )


def _names_of_other_stages() -> list[str]:
    """The start of Chalice's names in this app's other stages, such as cross-account-dev."""
    config = json.loads((PROJECT / ".chalice" / "config.json").read_text())
    return [f"{config['app_name']}-{stage}" for stage in config["stages"] if stage not in accounts.STAGES]


def _policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
