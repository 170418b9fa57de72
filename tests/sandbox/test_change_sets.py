"""Change sets, with which `aws cloudformation deploy` creates and updates a stack."""

import json
from typing import Any

from .conftest import Client

STACK, ROLE = "by-change-set", "cross-account-sandbox-by-change-set"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TEMPLATE = {
    "Parameters": {"Topic": {"Type": "String", "Default": ""}},
    "Conditions": {"HasTopic": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Topic"}, ""]}]}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": ROLE, "AssumeRolePolicyDocument": {"Statement": [TRUST]}},
        },
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Condition": "HasTopic",
            "Properties": {
                "PolicyName": "notify",
                "Roles": [{"Ref": "Role"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}],
                },
            },
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Role"}}},
}


def deploy(cloudformation: Any, kind: str, topic: str) -> None:
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName=f"{kind}-{len(topic)}".lower(),
        ChangeSetType=kind,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "Topic", "ParameterValue": topic}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName=f"{kind}-{len(topic)}".lower())


def test_a_change_set_gives_outputs_and_follows_conditions(client: Client) -> None:
    cloudformation, iam = client("cloudformation"), client("iam")

    def policies() -> list[str]:
        return list(iam.list_role_policies(RoleName=ROLE)["PolicyNames"])

    deploy(cloudformation, "CREATE", "")
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert [output["OutputValue"] for output in stack["Outputs"]] == [ROLE]
    assert policies() == []
    deploy(cloudformation, "UPDATE", "arn:aws:sns:us-east-1:111111111111:topic")
    assert policies() == ["notify"]
