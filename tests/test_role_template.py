"""role-template.yaml: whom the role trusts and what it may do, as written and as CloudFormation (moto's) makes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from chalicelib.checks import CHECKS
from chalicelib.cross_account import TargetRole
from tests.templates import ROOT, listed, load_template, strings

HUB = "111122223333"
TEMPLATE = load_template("role-template.yaml")
PARAMETERS = TEMPLATE["Parameters"]
CHECK_STATEMENTS = {
    statement["Sid"]: statement
    for policy in (
        TEMPLATE["Resources"]["Role"]["Properties"]["Policies"][0],
        TEMPLATE["Resources"]["BedrockConverse"]["Properties"],
    )
    for statement in policy["PolicyDocument"]["Statement"]
}


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
    """Deploys the template into an account of moto's and hands back what came of it."""
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
    """moto 5.2.5 keeps a role's inline policy as Python's repr of it, which YAML can read as well."""
    return yaml.safe_load(document) if isinstance(document, str) else document


def sid_of(check: str) -> str:
    return "".join(word.capitalize() for word in check.split("_"))


def test_the_role_is_called_what_the_hub_assumes_by_default():
    defaults = TargetRole()
    assert (PARAMETERS["RoleName"]["Default"], PARAMETERS["RolePath"]["Default"]) == (
        defaults.name,
        defaults.path,
    )


def test_only_the_apps_own_roles_in_the_hub_are_trusted(deploy):
    assert deploy().trust == {
        "Sid": "OnlyTheHubsOwnRoles",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"},
        "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/cross-account-*"}},
    }


def test_the_roles_that_are_trusted_can_be_those_of_one_stage(deploy):
    trust = deploy(HubRoleName="cross-account-prod-*").trust
    assert trust["Condition"]["ArnLike"] == {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/cross-account-prod-*"}


@pytest.mark.parametrize(
    ("parameters", "asked"),
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
    ],
    ids=["external id", "organization", "both", "while the external id changes"],
)
def test_the_trust_asks_for_what_the_parameters_name_beside_the_role(deploy, parameters, asked):
    condition = deploy(**parameters).trust["Condition"]
    assert condition == {
        "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/cross-account-*"},
        "StringEquals": asked,
    }


def test_every_check_has_a_statement_called_after_it_and_no_statement_is_without_a_check():
    assert set(CHECK_STATEMENTS) == {sid_of(name) for name in CHECKS}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_checks_statement_allows_the_actions_that_the_check_declares(name):
    assert sorted(listed(CHECK_STATEMENTS[sid_of(name)]["Action"])) == sorted(CHECKS[name].actions)


def test_the_role_may_do_what_all_the_checks_declare_and_nothing_more(deploy):
    declared = {action for check in CHECKS.values() for action in check.actions}
    assert deploy(BedrockModelArns="arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0").actions == declared


def test_no_model_can_be_invoked_unless_one_is_named(deploy):
    assert "bedrock:InvokeModel" not in deploy().actions


def test_only_the_named_models_can_be_invoked(deploy):
    models = [f"arn:aws:bedrock:*::foundation-model/amazon.nova-{size}-v1:0" for size in ("lite", "micro")]
    (statement,) = deploy(BedrockModelArns=",".join(models)).policies["bedrock-converse"]
    assert statement["Resource"] == models


def test_the_organization_can_be_listed_only_where_that_is_asked_for(deploy):
    assert not any(action.startswith("organizations:") for action in deploy().actions)


def test_an_account_to_list_the_organization_from_gets_what_listing_takes(deploy):
    assert {action for action in deploy(ListOrganization="true").actions if action.startswith("organizations:")} == {
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    }


def test_a_session_may_last_as_long_as_the_hub_can_ask_for(deploy):
    assert deploy().role["MaxSessionDuration"] == TargetRole().session_seconds


def test_name_and_path_are_one_parameter_away(deploy):
    deployed = deploy(RoleName="auditor", RolePath="/security/")
    assert deployed.outputs["RoleArn"] == "arn:aws:iam::123456789012:role/security/auditor"


def test_nothing_in_it_is_tied_to_one_partition():
    assert [text for text in strings(TEMPLATE["Resources"]) if "arn:aws:" in text] == []


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_parameter_refuses_what_it_cannot_take_and_says_so(name):
    parameter = PARAMETERS[name]
    assert {"AllowedPattern", "AllowedValues"} & set(parameter)
    assert parameter["ConstraintDescription"]
    assert parameter["Description"]


def test_every_parameter_has_its_place_in_the_console():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


# moto does not enforce AllowedPattern. Each value of a CommaDelimitedList has to match on its own.
@pytest.mark.parametrize(
    ("name", "value", "taken"),
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
def test_a_parameter_takes_and_refuses(name, value, taken):
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)) is taken


@pytest.mark.parametrize("name", sorted(name for name in PARAMETERS if "Default" in PARAMETERS[name]))
def test_a_default_is_one_of_the_values_that_are_taken(name):
    parameter = PARAMETERS[name]
    if "AllowedValues" in parameter:
        assert parameter["Default"] in parameter["AllowedValues"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
