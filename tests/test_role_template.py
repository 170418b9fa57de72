"""The trust and the permissions in role-template.yaml, as written and as moto's CloudFormation deploys them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

import boto3
import pytest
import yaml
from moto import mock_aws

from chalicelib.checks import CHECKS, role_drift
from chalicelib.checks.check import Group
from chalicelib.checks.role_actions import DESCRIBE_REGIONS, LIST_ORGANIZATION
from chalicelib.cross_account import TargetRole
from tests.templates import ROOT, listed, load_template, strings

HUB = "111122223333"
MODEL = "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"
DECLARING = sorted(name for name, check in CHECKS.items() if check.actions)
TEMPLATE = load_template("role-template.yaml")
PARAMETERS = TEMPLATE["Parameters"]
GROUPS = get_args(Group)
POLICIES = {
    policy["PolicyName"]: policy["PolicyDocument"]["Statement"]
    for policy in (
        TEMPLATE["Resources"]["Role"]["Properties"]["Policies"][0],
        *(TEMPLATE["Resources"][f"{group.capitalize()}ChecksPolicy"]["Properties"] for group in GROUPS),
        TEMPLATE["Resources"]["BedrockConverse"]["Properties"],
    )
}
"""The statements of each policy, of a group also for when it is switched off."""


def statements(policy: str) -> dict[str, Any]:
    """The statements for checks, by their Sid."""
    written = POLICIES[policy]
    listed_ = written if isinstance(written, list) else written["Fn::If"][1]
    return {statement["Sid"]: statement for statement in listed_}


def policy_of(check: str) -> str:
    if check == "bedrock_converse":
        return "bedrock-converse"
    group = CHECKS[check].group
    return f"{group}-checks" if group else "checks"


@dataclass(frozen=True)
class Deployed:
    role: dict[str, Any]
    policies: dict[str, list[dict[str, Any]]]
    outputs: dict[str, str]

    @property
    def trust(self) -> dict[str, Any]:
        (statement,) = self.role["AssumeRolePolicyDocument"]["Statement"]
        return statement

    @property
    def actions(self) -> set[str]:
        return {
            action
            for policy in self.policies.values()
            for statement in policy
            for action in listed(statement["Action"])
        }


@pytest.fixture
def deploy(monkeypatch):
    """Deploy the template into an account of moto's; returns role, policies and outputs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    def deployed(**parameters: str) -> Deployed:
        cloudformation = boto3.client("cloudformation", "us-east-1")
        cloudformation.create_stack(
            StackName="cross-account-role",
            TemplateBody=(ROOT / "role-template.yaml").read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {"HubAccountId": HUB, **parameters}.items()
            ],
        )
        (stack,) = cloudformation.describe_stacks(StackName="cross-account-role")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        iam = boto3.client("iam")
        name = outputs["RoleName"]
        return Deployed(
            iam.get_role(RoleName=name)["Role"],
            {
                policy: as_data(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])["Statement"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            },
            outputs,
        )

    with mock_aws():
        yield deployed


def as_data(document: dict[str, Any] | str) -> dict[str, Any]:
    """moto 5.2.5 keeps a role's inline policy as Python's repr, which is valid YAML."""
    return yaml.safe_load(document) if isinstance(document, str) else document


def sid_of(check: str) -> str:
    return "".join(word.capitalize() for word in check.split("_"))


def test_the_default_name_and_path_are_those_of_the_hub():
    defaults = TargetRole()
    assert (PARAMETERS["RoleName"]["Default"], PARAMETERS["RolePath"]["Default"]) == (
        defaults.name,
        defaults.path,
    )


ONLY_ITS_ROLES = {
    "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/cross-account-*"},
    "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/*/*"},
}


def test_only_the_apps_own_roles_in_the_hub_are_trusted(deploy):
    assert deploy().trust == {
        "Sid": "OnlyTheHubsOwnRoles",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"},
        "Condition": ONLY_ITS_ROLES,
    }


def test_the_trust_can_be_limited_to_one_stage(deploy):
    trust = deploy(HubRoleName="cross-account-prod-*").trust
    assert trust["Condition"]["ArnLike"] == {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/cross-account-prod-*"}


@pytest.mark.parametrize(
    ("parameters", "required"),
    [
        ({"ExternalId": "a-shared-word"}, {"sts:ExternalId": "a-shared-word"}),
        ({"OrganizationId": "o-a1b2c3d4e5"}, {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
        (
            {"ExternalId": "a-shared-word", "OrganizationId": "o-a1b2c3d4e5"},
            {"sts:ExternalId": "a-shared-word", "aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        ),
        (
            {"ExternalId": "a-new-word", "PreviousExternalId": "a-shared-word"},
            {"sts:ExternalId": ["a-new-word", "a-shared-word"]},
        ),
        ({"PreviousExternalId": "a-shared-word"}, {"sts:ExternalId": "a-shared-word"}),
        (
            {"PreviousExternalId": "a-shared-word", "OrganizationId": "o-a1b2c3d4e5"},
            {"sts:ExternalId": "a-shared-word", "aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        ),
    ],
    ids=["external id", "organization", "both", "while the external id changes", "previous alone", "previous and both"],
)
def test_the_trust_requires_external_id_and_organization_if_set(deploy, parameters, required):
    assert deploy(**parameters).trust["Condition"] == {**ONLY_ITS_ROLES, "StringEquals": required}


def test_every_check_has_a_statement_in_the_policy_of_its_group_and_every_statement_a_check():
    """But for api_call, which declares no action: what it may ask is the target's own choice."""
    written = {policy: set(statements(policy)) for policy in POLICIES}
    wanted = {policy: {sid_of(name) for name in DECLARING if policy_of(name) == policy} for policy in POLICIES}
    wanted["checks"].add("AllRegions")
    assert written == wanted


@pytest.mark.parametrize("name", DECLARING)
def test_a_checks_statement_allows_the_actions_that_the_check_declares(name):
    statement = statements(policy_of(name))[sid_of(name)]
    assert sorted(listed(statement["Action"])) == sorted(CHECKS[name].actions)


def test_the_role_allows_exactly_what_the_checks_declare(deploy):
    declared = {action for check in CHECKS.values() for action in check.actions} | {DESCRIBE_REGIONS}
    assert deploy(BedrockModelArns="arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0").actions == declared


@pytest.mark.parametrize("group", GROUPS)
def test_one_parameter_switches_off_a_group_of_checks(deploy, group):
    deployed = deploy(**{f"{group.capitalize()}Checks": "false"})
    others = {action for check in CHECKS.values() if check.group != group for action in check.actions}
    assert deployed.actions == (others | {DESCRIBE_REGIONS}) - {"bedrock:InvokeModel"}
    assert role_drift.switched_off(deployed.policies) == [group]
    found = role_drift.summary("external-role", deployed.policies, [], role_drift.declared([group]))
    assert found["drift"] == "none"


def test_the_template_is_small_enough_for_a_command():
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    assert len((ROOT / "role-template.yaml").read_bytes()) < 51_200


def test_the_policies_fit_a_role(deploy):
    """10,240 characters of inline policies. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    assert len(json.dumps(deploy().policies, separators=(",", ":"))) < 10_240


def test_by_default_no_model_can_be_invoked(deploy):
    assert "bedrock:InvokeModel" not in deploy().actions


def test_only_the_named_models_can_be_invoked(deploy):
    models = [f"arn:aws:bedrock:*::foundation-model/amazon.nova-{size}-v1:0" for size in ("lite", "micro")]
    (statement,) = deploy(BedrockModelArns=",".join(models)).policies["bedrock-converse"]
    assert statement["Resource"] == models


def test_by_default_the_organization_cannot_be_listed(deploy):
    assert not any(action.startswith("organizations:") for action in deploy().actions)


def test_one_parameter_allows_listing_the_organization(deploy):
    actions = deploy(ListOrganization="true").actions
    assert {action for action in actions if action.startswith("organizations:")} == set(LIST_ORGANIZATION)


@pytest.mark.parametrize(
    ("parameters", "models", "lists_organization"),
    [
        ({}, [], False),
        ({"RoleName": "auditor", "RolePath": "/security/", "BedrockModelArns": MODEL}, [MODEL], False),
        ({"ListOrganization": "true"}, [], True),
    ],
)
def test_the_template_as_it_is_has_not_drifted(deploy, parameters, models, lists_organization):
    deployed = deploy(**parameters)
    found = role_drift.summary(deployed.role["RoleName"], deployed.policies, [], role_drift.declared())
    assert (found["drift"], found["lacks"], found["exceeds"]) == ("none", [], [])
    assert (found["models"], found["lists_organization"]) == (models, lists_organization)
    assert set(deployed.policies) <= role_drift.of_the_template()


def test_the_maximum_session_duration_is_the_default_of_the_hub(deploy):
    assert deploy().role["MaxSessionDuration"] == TargetRole().session_seconds


def test_name_and_path_are_parameters(deploy):
    deployed = deploy(RoleName="auditor", RolePath="/security/")
    assert deployed.outputs["RoleArn"] == "arn:aws:iam::123456789012:role/security/auditor"


def test_every_arn_works_in_every_partition():
    assert [text for text in strings(TEMPLATE["Resources"]) if "arn:aws:" in text] == []


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_parameter_has_a_constraint_and_descriptions(name):
    parameter = PARAMETERS[name]
    assert {"AllowedPattern", "AllowedValues"} & set(parameter)
    assert parameter["ConstraintDescription"]
    assert parameter["Description"]


def test_every_parameter_is_in_a_group_of_the_console():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


# moto does not enforce AllowedPattern. Each value of a CommaDelimitedList must match by itself.
@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("HubAccountId", "012345678901", True),
        ("HubAccountId", "12345678901", False),
        ("HubAccountId", "", False),
        ("HubRoleName", "cross-account-prod-*", True),
        ("HubRoleName", "*", False),
        ("HubRoleName", "path/role", False),
        ("ExternalId", "", True),
        ("ExternalId", "x", False),
        ("ExternalId", "two words", False),
        ("OrganizationId", "o-a1b2c3d4e5", True),
        ("OrganizationId", "a1b2c3d4e5", False),
        ("RoleName", "external-role", True),
        ("RoleName", "external/role", False),
        ("RolePath", "/", True),
        ("RolePath", "/security/audit/", True),
        ("RolePath", "security", False),
        ("BedrockModelArns", "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0", True),
        ("BedrockModelArns", "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0", True),
        ("BedrockModelArns", "amazon.nova-lite-v1:0", False),
        ("BedrockModelArns", "*", False),
        ("ManagedPolicyArns", "arn:aws:iam::aws:policy/ReadOnlyAccess", True),
        ("ManagedPolicyArns", "ReadOnlyAccess", False),
        ("PermissionsBoundaryArn", "arn:aws-cn:iam::111122223333:policy/boundary", True),
        ("PermissionsBoundaryArn", "boundary", False),
    ],
)
def test_a_parameter_accepts_only_valid_values(name, value, valid):
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)) is valid


@pytest.mark.parametrize("name", sorted(name for name in PARAMETERS if "Default" in PARAMETERS[name]))
def test_a_default_is_a_valid_value(name):
    parameter = PARAMETERS[name]
    if "AllowedValues" in parameter:
        assert parameter["Default"] in parameter["AllowedValues"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
