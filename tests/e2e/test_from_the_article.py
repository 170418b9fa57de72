"""The way of docs/from-the-article.md: the new function uses the article's role, which is then exchanged in place."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
import pytest

import sandbox
from tests.e2e.conftest import HUB, LEGACY, Project, client
from tests.templates import ROOT

STACK = "the-articles-stack"
# As the article's role is: the whole hub account, everything that can be read, and nothing else asked.
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "external-role",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": HUB}}],
        },
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
}
Administrator = Callable[[str], boto3.Session]


@pytest.mark.usefixtures("deployed")
def test_the_function_gets_in_by_the_articles_role_and_by_the_one_that_takes_its_place(
    project: Project, box: sandbox.Box, administrator: Administrator
) -> None:
    target = administrator(LEGACY)
    cloudformation, iam = client(box, target, "cloudformation"), client(box, target, "iam")
    assert project.invoke_switch_account(account_id=LEGACY)[0] == 500

    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Role": ROLE}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    assert project.invoke_switch_account(account_id=LEGACY, check="s3_buckets")[0] == 200
    before = iam.get_role(RoleName="external-role")["Role"]

    cloudformation.update_stack(
        StackName=STACK,
        TemplateBody=(ROOT / "role-template.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "HubAccountId", "ParameterValue": HUB}],
    )
    after = iam.get_role(RoleName="external-role")["Role"]
    assert after["Arn"] == before["Arn"]
    assert "ArnLike" in after["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert iam.list_attached_role_policies(RoleName="external-role")["AttachedPolicies"] == []
    assert project.invoke_switch_account(account_id=LEGACY, check="account_summary")[0] == 200
