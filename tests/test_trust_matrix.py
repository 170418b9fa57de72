"""Evaluates the shipped policies with sandbox/decide.py.

The trust policy comes from role-template.yaml through moto's CloudFormation; the hub's policies are the files that
Chalice deploys.
"""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from functools import cache
from itertools import product
from typing import Any
from unittest import mock

import boto3
import pytest
from chalice.config import Config
from moto import mock_aws

from sandbox.decide import decide
from tests.policies import assume, caller, own
from tests.templates import ROOT
from tests.test_policies import (
    CHALICE,
    CONFIG,
    FUNCTIONS,
    POLICIES,
    POLICY_OF,
    config,
    every_function,
    for_each_policy,
    for_each_stage,
    name_in_aws,
    statements,
)

HUB, STRANGER, TARGET = "111122223333", "444455556666", "123456789012"
SECRET, ORGANIZATION = "a-shared-word", "o-a1b2c3d4e5"
OURS = [f"cross-account-{stage}-{function}" for stage, function in every_function()]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
TEMPLATES: dict[str, dict[str, str]] = {
    "plain": {},
    "external id": {"ExternalId": SECRET},
    "organization": {"OrganizationId": ORGANIZATION},
    "both": {"ExternalId": SECRET, "OrganizationId": ORGANIZATION},
    "previous external id": {"PreviousExternalId": SECRET},
}
for_each_template = pytest.mark.parametrize("template", TEMPLATES)
SECURITY = (ROOT / "SECURITY.md").read_text()
EXTERNAL_IDS = {"right": SECRET, "wrong": "another-word", "other case": SECRET.upper(), "empty": "", "absent": None}
ORGANIZATIONS = {"right": ORGANIZATION, "wrong": "o-zzzzzzzzzz", "absent": None}


def role(name: str, account: str = HUB) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


@cache
def trust(template: str, hub_role_name: str | None = None) -> dict[str, Any]:
    parameters = {"HubAccountId": HUB, **TEMPLATES[template]}
    if hub_role_name:
        parameters["HubRoleName"] = hub_role_name
    with mock.patch.dict(os.environ, CREDENTIALS), mock_aws():
        os.environ.pop("AWS_ENDPOINT_URL", None)
        boto3.client("cloudformation").create_stack(
            StackName="cross-account-role",
            TemplateBody=(ROOT / "role-template.yaml").read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        document: dict[str, Any] = boto3.client("iam").get_role(RoleName="external-role")["Role"][
            "AssumeRolePolicyDocument"
        ]
    return document


def trusts(document: dict[str, Any], who: dict[str, Any], action: str = "sts:AssumeRole") -> bool:
    return decide(assume(document, who, action)) == "Allowed"


def fully_equipped(arn: str) -> dict[str, Any]:
    """A role or user with the external ID and the organization that the templates require."""
    return caller(arn, external_id=SECRET, org_id=ORGANIZATION)


# ---- the target's side


@for_each_template
def test_the_trust_allows_each_function_of_each_stage(template: str) -> None:
    assert [name for name in OURS if not trusts(trust(template), fully_equipped(role(name)))] == []


NOT_OURS = {
    "another role of the hub": fully_equipped(role("admin")),
    "a role that ends like ours": fully_equipped(role("not-cross-account-prod-sweep")),
    "a role with only part of the name": fully_equipped(role("cross-account")),
    "a role in another letter case": fully_equipped(role("Cross-Account-prod-sweep")),
    "a role of the hub behind a path": fully_equipped(role("team/cross-account-prod-sweep")),
    "a role behind a path that is called like ours": fully_equipped(role("cross-account-team/dev")),
    "a user of the hub": fully_equipped(f"arn:aws:iam::{HUB}:user/alice"),
    "a user called like our role": fully_equipped(f"arn:aws:iam::{HUB}:user/cross-account-prod-sweep"),
    "the hub's root": fully_equipped(f"arn:aws:iam::{HUB}:root"),
    "our role's name in another account": fully_equipped(role("cross-account-prod-sweep", STRANGER)),
    "our role's name in the target itself": fully_equipped(role("cross-account-prod-sweep", TARGET)),
    "another account's root": fully_equipped(f"arn:aws:iam::{STRANGER}:root"),
    "an account that begins like the hub": fully_equipped(role("cross-account-prod-sweep", HUB[:-1] + "0")),
    "Lambda itself": fully_equipped("lambda.amazonaws.com"),
    "a stranger who names our role": {
        **fully_equipped(role("x", STRANGER)),
        "context": fully_equipped(role("cross-account-prod-sweep"))["context"],
    },
}


@pytest.mark.parametrize("who", NOT_OURS)
def test_the_trust_denies_all_other_callers(who: str) -> None:
    assert [template for template in TEMPLATES if trusts(trust(template), NOT_OURS[who])] == []


@for_each_template
def test_external_id_and_organization_must_match_exactly(template: str) -> None:
    required = TEMPLATES[template]
    for external_id, organization in product(EXTERNAL_IDS, ORGANIZATIONS):
        request = caller(role(OURS[0]), EXTERNAL_IDS[external_id], ORGANIZATIONS[organization])
        expected = (not required.keys() & {"ExternalId", "PreviousExternalId"} or external_id == "right") and (
            "OrganizationId" not in required or organization == "right"
        )
        assert trusts(trust(template), request) is expected, (external_id, organization)


@pytest.mark.parametrize("wildcard", ["*", "a-*", "a-shared-wor?"])
def test_a_wildcard_in_an_external_id_is_not_a_match(wildcard: str) -> None:
    assert not trusts(trust("external id"), caller(role(OURS[0]), wildcard))


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetSourceIdentity", "sts:AssumeRoleWithWebIdentity"])
def test_the_trust_allows_only_assume_role(action: str) -> None:
    assert not trusts(trust("plain"), fully_equipped(role(OURS[0])), action)


@for_each_stage
def test_a_template_for_one_stage_denies_the_others(stage: str) -> None:
    document = trust("plain", f"cross-account-{stage}-*")
    assert [name for name in OURS if trusts(document, fully_equipped(role(name)))] == [
        f"cross-account-{stage}-{function}" for function in FUNCTIONS
    ]


def test_a_prefix_is_not_a_stage() -> None:
    """As role-template.yaml says of HubRoleName, and why tests/test_policies.py lets no stage begin like another."""
    document = trust("plain", "cross-account-prod-*")
    assert trusts(document, fully_equipped(role("cross-account-prod-test-sweep")))
    assert trusts(document, fully_equipped(role("cross-account-prod-of-somebody-else")))
    assert not trusts(document, fully_equipped(role("cross-account-prod2-sweep")))


def test_a_template_for_one_function_denies_the_others() -> None:
    document = trust("plain", "cross-account-prod-switch_account")
    assert [name for name in OURS if trusts(document, fully_equipped(role(name)))] == [
        "cross-account-prod-switch_account"
    ]


# ---- the hub's side


EXTERNAL_ROLE = "arn:aws:iam::{}:role/external-role"
OUR_FUNCTIONS = [name_in_aws(stage, function) for stage, function in every_function()]


def function_arn(name: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:lambda:{region}:{HUB}:function:{name}"


def allows(
    policy: str, action: str, resource: str, source: str | None = function_arn("cross-account-prod-sweep")
) -> bool:
    """Evaluate a request from the function `source`, or from outside Lambda if it is None."""
    keys = {"lambda:SourceFunctionArn": source} if source else {}
    return decide(own((CHALICE / policy).read_text(), action, resource, keys)) == "Allowed"


@for_each_policy
@pytest.mark.parametrize("account", [TARGET, STRANGER, HUB, "000000000000"])
def test_the_hub_may_assume_the_external_role_in_any_account(policy: str, account: str) -> None:
    assert allows(policy, "sts:AssumeRole", EXTERNAL_ROLE.format(account))


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:iam::{TARGET}:role/admin",
        f"arn:aws:iam::{TARGET}:role/external-role-admin",
        f"arn:aws:iam::{TARGET}:role/my-external-role",
        f"arn:aws:iam::{TARGET}:role/path/external-role",
        f"arn:aws:iam::{TARGET}:role/external-role/admin",
        f"arn:aws:iam::{TARGET}:role/External-Role",
        f"arn:aws:iam::{HUB}:role/cross-account-prod-sweep",
        f"arn:aws:iam::{TARGET}:role/OrganizationAccountAccessRole",
        f"arn:aws:iam::{TARGET}:user/external-role",
        "*",
    ],
)
def test_the_hub_may_assume_only_the_external_role(resource: str) -> None:
    assert [policy for policy in POLICIES if allows(policy, "sts:AssumeRole", resource)] == []


@for_each_policy
def test_every_function_of_every_stage_may_assume_the_role(policy: str) -> None:
    """The price of one policy for all stages: a function of one stage may use the credentials of another."""
    for name in OUR_FUNCTIONS:
        source = function_arn(name, "ap-southeast-2")
        assert allows(policy, "sts:AssumeRole", EXTERNAL_ROLE.format(TARGET), source), name


@for_each_policy
def test_credentials_used_outside_lambda_are_denied(policy: str) -> None:
    """The condition makes a function's stolen credentials useless elsewhere."""
    assert not allows(policy, "sts:AssumeRole", EXTERNAL_ROLE.format(TARGET), source=None)


@pytest.mark.parametrize(
    "name",
    ["payroll", "cross-account", "cross-accounting", "my-cross-account-prod-sweep", "Cross-Account-prod-sweep"],
)
def test_another_function_with_the_same_role_is_denied(name: str) -> None:
    target = EXTERNAL_ROLE.format(TARGET)
    assert [policy for policy in POLICIES if allows(policy, "sts:AssumeRole", target, function_arn(name))] == []


@for_each_policy
def test_every_function_of_every_stage_may_write_every_stages_log(policy: str) -> None:
    """The same price."""
    for name in OUR_FUNCTIONS:
        group = f"arn:aws:logs:eu-west-1:{HUB}:log-group:/aws/lambda/{name}"
        assert allows(policy, "logs:CreateLogGroup", group), name
        assert allows(policy, "logs:PutLogEvents", f"{group}:log-stream:x"), name


BEYOND = [
    ("s3:ListAllMyBuckets", "*"),
    ("s3:GetObject", "arn:aws:s3:::bucket/key"),
    ("s3:PutObject", "arn:aws:s3:::bucket/key"),
    ("bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"),
    ("bedrock:ListFoundationModels", "*"),
    ("iam:ListRoles", "*"),
    ("iam:PassRole", f"arn:aws:iam::{HUB}:role/cross-account-prod-sweep"),
    ("iam:PutRolePolicy", f"arn:aws:iam::{HUB}:role/cross-account-prod-sweep"),
    ("iam:CreateRole", f"arn:aws:iam::{HUB}:role/cross-account-evil"),
    ("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{HUB}:function:cross-account-prod-sweep"),
    ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-west-1:{HUB}:function:cross-account-prod-sweep"),
    ("sts:AssumeRoleWithWebIdentity", EXTERNAL_ROLE.format(TARGET)),
    ("sts:SetSourceIdentity", EXTERNAL_ROLE.format(TARGET)),
    ("sts:TagSession", EXTERNAL_ROLE.format(TARGET)),
    ("sts:GetFederationToken", "*"),
    ("organizations:CreateAccount", "*"),
    ("organizations:LeaveOrganization", "*"),
    ("organizations:DetachPolicy", "*"),
    ("logs:DeleteLogGroup", f"arn:aws:logs:eu-west-1:{HUB}:log-group:/aws/lambda/cross-account-prod"),
    ("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{HUB}:log-group:/aws/lambda/payroll:log-stream:x"),
    ("logs:GetLogEvents", f"arn:aws:logs:eu-west-1:{HUB}:log-group:/aws/lambda/cross-account-prod:log-stream:x"),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{HUB}:secret:x"),
    ("ssm:GetParameter", f"arn:aws:ssm:eu-west-1:{HUB}:parameter/x"),
    ("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{HUB}:table/x"),
    ("kms:Decrypt", f"arn:aws:kms:eu-west-1:{HUB}:key/x"),
    ("ec2:DescribeInstances", "*"),
]


@pytest.mark.parametrize(("action", "resource"), BEYOND, ids=[action for action, _ in BEYOND])
def test_the_hub_may_do_nothing_else(action: str, resource: str) -> None:
    assert [policy for policy in POLICIES if allows(policy, action, resource)] == []


@for_each_stage
def test_each_stage_may_assume_the_role_of_the_unchanged_template(stage: str) -> None:
    """The deployed policy and the deployed trust together, as AWS decides."""
    for function in FUNCTIONS:
        variables = config(stage, function).environment_variables
        target_role = f"arn:aws:iam::{TARGET}:role{variables['ROLE_PATH']}{variables['ROLE_NAME']}"
        hub = caller(role(f"cross-account-{stage}-{function}"), variables["EXTERNAL_ID"] or None)
        hub["context"]["lambda:SourceFunctionArn"] = function_arn(name_in_aws(stage, function))
        case = assume(trust("plain"), hub, policies={"Statement": statements(POLICY_OF[function])})
        assert case["request"]["resource"]["resource"] == target_role
        assert decide(case) == "Allowed", function


# ---- the edits in SECURITY.md, read from its text


@pytest.mark.parametrize(("organization", "expected"), [(ORGANIZATION, True), ("o-zzzzzzzzzz", False), (None, False)])
@for_each_policy
def test_the_organization_edit_denies_accounts_outside_it(
    policy: str, organization: str | None, expected: bool
) -> None:
    (condition,) = re.findall(r'^ *("StringEquals": .*aws:ResourceOrgID.*),$', SECURITY, re.MULTILINE)
    edit = json.loads("{" + condition.replace("o-your-id", ORGANIZATION) + "}")
    edited = [
        {**one, "Condition": {**one["Condition"], **edit}} if one["Sid"] == "AssumeTheRoleInEachTarget" else one
        for one in statements(policy)
    ]
    organization_key = {"aws:ResourceOrgID": organization} if organization else {}
    for name in OUR_FUNCTIONS:
        keys = {"lambda:SourceFunctionArn": function_arn(name), **organization_key}
        case = own({"Statement": edited}, "sts:AssumeRole", EXTERNAL_ROLE.format(TARGET), keys)
        assert (decide(case) == "Allowed") is expected, name


def test_the_own_policies_of_a_stage_apply_to_its_functions_only() -> None:
    (block,) = re.findall(r'^```json\n( *"prod": {.*?),\n```$', SECURITY, re.MULTILINE | re.DOTALL)
    edited = deepcopy(CONFIG)
    edited["stages"]["prod"].update(json.loads("{" + block + "}}")["prod"])
    for stage, function in every_function():
        file = Config(chalice_stage=stage, function_name=function, config_from_disk=edited).iam_policy_file
        expected = POLICY_OF[function].replace("policy", "policy-prod") if stage == "prod" else POLICY_OF[function]
        assert file == expected, (stage, function)


@for_each_policy
def test_the_own_policies_of_a_stage_separate_it_from_the_others(policy: str) -> None:
    ((old, new),) = re.findall(r"in the copies replace `(\S+)` with `(\S+)`", SECURITY)
    copy = (CHALICE / policy).read_text().replace(old, new)
    for stage, function in every_function():
        name = name_in_aws(stage, function)
        stream = f"arn:aws:logs:eu-west-1:{HUB}:log-group:/aws/lambda/{name}:log-stream:x"
        keys = {"lambda:SourceFunctionArn": function_arn(name)}
        assumes = decide(own(copy, "sts:AssumeRole", EXTERNAL_ROLE.format(TARGET), keys))
        writes = decide(own(copy, "logs:PutLogEvents", stream, keys))
        expected = "Allowed" if stage == "prod" else "ImplicitlyDenied"
        assert (assumes, writes) == (expected, expected), name
