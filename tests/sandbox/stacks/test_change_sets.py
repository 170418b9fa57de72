"""Change sets, with which `aws cloudformation deploy` creates and updates a stack."""

import json
from typing import Any

import pytest

from ..conftest import Client

NAMED = "CAPABILITY_NAMED_IAM"
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
        Capabilities=[NAMED],
    )
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName=f"{kind}-{len(topic)}".lower())


def test_the_change_sets_of_one_stack_are_listed(client: Client) -> None:
    api = client("cloudformation")
    template = {"TemplateBody": json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})}
    for stack in ("one", "another"):
        api.create_change_set(StackName=stack, ChangeSetName=f"of-{stack}", ChangeSetType="CREATE", **template)
    found = api.list_change_sets(StackName="one")["Summaries"]
    assert [each["ChangeSetName"] for each in found] == ["of-one"]


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


PREVIOUS: Any = {"UsePreviousValue": True}
LISTS = """
Parameters:
  Principals: {Type: CommaDelimitedList, Default: "111111111111, 222222222222"}
  Actions: {Type: "List<String>", Default: "sts:AssumeRole"}
  Nothing: {Type: CommaDelimitedList, Default: ""}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: lists-%s
      Description: !Join ["+", !Ref Nothing]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: !Ref Actions, Principal: {AWS: !Ref Principals}}
"""


def by_change_set(cloudformation: Any, name: str, is_there: bool, **arguments: Any) -> None:
    kind = "UPDATE" if is_there else "CREATE"
    made = cloudformation.create_change_set(StackName=name, ChangeSetName="lists", ChangeSetType=kind, **arguments)
    cloudformation.execute_change_set(ChangeSetName=made["Id"], StackName=name)
    cloudformation.delete_change_set(ChangeSetName=made["Id"])


def by_stack(cloudformation: Any, name: str, is_there: bool, **arguments: Any) -> None:
    change = cloudformation.update_stack if is_there else cloudformation.create_stack
    change(StackName=name, **arguments)


@pytest.mark.parametrize("deploy_by", [by_change_set, by_stack])
def test_a_list_among_the_parameters_may_change_stay_and_be_left_out_at_each_update(
    client: Client, deploy_by: Any
) -> None:
    name, iam, cloudformation = f"lists-{deploy_by.__name__}", client("iam"), client("cloudformation")
    is_there = False

    def trusts_after(**parameters: Any) -> list[str]:
        nonlocal is_there
        given = [
            {"ParameterKey": key, **(value if value is PREVIOUS else {"ParameterValue": value})}
            for key, value in parameters.items()
        ]
        body = LISTS % deploy_by.__name__
        deploy_by(cloudformation, name, is_there, TemplateBody=body, Parameters=given, Capabilities=[NAMED])
        is_there = True
        (statement,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        return list(statement["Principal"]["AWS"])

    one, two, three = "111111111111", "222222222222", "333333333333"
    assert trusts_after() == [one, two]
    assert trusts_after(Principals=PREVIOUS, Actions="sts:AssumeRole,sts:TagSession") == [one, two]
    assert trusts_after(Principals=f"{two},{three}", Actions=PREVIOUS) == [two, three]
    assert trusts_after(Principals=PREVIOUS, Nothing="a,b") == [two, three]
    assert trusts_after(Principals=three, Nothing=PREVIOUS) == [three]
    assert trusts_after() == [one, two]
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert values == {"Principals": "111111111111, 222222222222", "Actions": "sts:AssumeRole", "Nothing": ""}


def test_a_stack_that_has_a_change_set_only_is_described(client: Client) -> None:
    cloudformation = client("cloudformation")
    given = {"StackName": "reviewed", "ChangeSetName": "one", "ChangeSetType": "CREATE", "Capabilities": [NAMED]}
    parameters = [{"ParameterKey": "Topic", "ParameterValue": "x"}]
    cloudformation.create_change_set(**given, TemplateBody=json.dumps(TEMPLATE), Parameters=parameters)
    (stack,) = cloudformation.describe_stacks(StackName="reviewed")["Stacks"]
    cloudformation.delete_stack(StackName="reviewed")
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
