"""iam:SimulatePrincipalPolicy and iam:SimulateCustomPolicy."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB, TARGETS

from .conftest import Client, document

LISTS = {"Effect": "Allow", "Action": ["s3:List*", "sts:AssumeRole"], "Resource": "*"}
NOT_THE_SECRET = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret*"}
QUEUES_OF_A_REGION = {
    "Effect": "Allow",
    "Action": "sqs:*",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
}
INSTANCES = document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
OPEN, SECRET = "arn:aws:s3:::open", "arn:aws:s3:::secret"
Simulate = Callable[..., list[dict[str, Any]]]


def role_in(iam: Any, account: str, *statements: dict[str, Any]) -> str:
    name = f"simulated-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), Path="/simulated/")["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
    return str(role)


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    return role_in(client("iam"), HUB, LISTS, NOT_THE_SECRET, QUEUES_OF_A_REGION)


@pytest.fixture(scope="module")
def simulate(client: Client, role: str) -> Simulate:
    def results(*actions: str, **parameters: Any) -> list[dict[str, Any]]:
        asked = {"PolicySourceArn": role, **parameters}
        answer = client("iam").simulate_principal_policy(ActionNames=list(actions), **asked)
        listed: list[dict[str, Any]] = answer["EvaluationResults"]
        return listed

    return results


def decisions(results: list[dict[str, Any]]) -> list[str]:
    return [result["EvalDecision"] for result in results]


def test_each_action_is_decided_for_a_role(simulate: Simulate) -> None:
    results = simulate("s3:ListAllMyBuckets", "ec2:DescribeInstances")
    assert [result["EvalActionName"] for result in results] == ["s3:ListAllMyBuckets", "ec2:DescribeInstances"]
    assert decisions(results) == ["allowed", "implicitDeny"]


def test_the_most_restrictive_decision_counts_among_those_of_the_resources(simulate: Simulate) -> None:
    (result,) = simulate("s3:ListBucket", ResourceArns=[OPEN, SECRET])
    by_resource = {one["EvalResourceName"]: one["EvalResourceDecision"] for one in result["ResourceSpecificResults"]}
    assert by_resource == {OPEN: "allowed", SECRET: "explicitDeny"}
    assert result["EvalDecision"] == "explicitDeny"


def test_a_condition_key_has_the_value_that_was_sent(simulate: Simulate) -> None:
    def with_region(region: str) -> list[dict[str, Any]]:
        entry = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string", "ContextKeyValues": [region]}
        return simulate("sqs:SendMessage", ContextEntries=[entry])

    assert decisions(with_region("eu-west-1")) == ["allowed"]
    assert decisions(with_region("us-east-1")) == ["implicitDeny"]
    (unknown,) = simulate("sqs:SendMessage")
    assert (unknown["EvalDecision"], unknown["MissingContextValues"]) == ("implicitDeny", ["aws:RequestedRegion"])


def test_policies_that_are_sent_count_with_those_of_the_role(simulate: Simulate) -> None:
    assert decisions(simulate("ec2:DescribeInstances", "s3:ListBucket", PolicyInputList=[INSTANCES])) == ["allowed"] * 2


def test_a_boundary_that_is_sent_caps_the_role(simulate: Simulate) -> None:
    capped = simulate("s3:ListBucket", PermissionsBoundaryPolicyInputList=[INSTANCES])
    assert decisions(capped) == ["implicitDeny"]
    assert capped[0]["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_a_role_is_assumed_without_its_trust_policy(simulate: Simulate) -> None:
    assert decisions(simulate("sts:AssumeRole", ResourceArns=[f"arn:aws:iam::{HUB}:role/nowhere"])) == ["allowed"]


def test_a_resource_policy_allows_what_the_role_s_own_do_not(simulate: Simulate, role: str) -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetObject", "Resource": "*"}
    asked = {"ResourceArns": ["arn:aws:s3:::open/key"], "ResourcePolicy": document(allow)}
    assert decisions(simulate("s3:GetObject", **asked)) == ["allowed"]
    assert decisions(simulate("s3:GetObject", **asked, ResourceOwner=TARGETS[0].id)) == ["implicitDeny"]


def test_the_policies_of_a_user_s_groups_count(client: Client, simulate: Simulate) -> None:
    iam = client("iam")
    name = f"simulated-{uuid.uuid4().hex[:8]}"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    iam.create_group(GroupName=name)
    iam.put_group_policy(GroupName=name, PolicyName="policy", PolicyDocument=INSTANCES)
    assert decisions(simulate("ec2:DescribeInstances", PolicySourceArn=user)) == ["implicitDeny"]
    iam.add_user_to_group(GroupName=name, UserName=name)
    assert decisions(simulate("ec2:DescribeInstances", PolicySourceArn=user)) == ["allowed"]


def test_a_service_control_policy_denies_in_a_simulation_too(client: Client, administrator: Any) -> None:
    organizations = client("organizations")
    made = organizations.create_account(AccountName="simulated", Email="s@sandbox.invalid")["CreateAccountStatus"]
    iam = client("iam", administrator(made["AccountId"]))
    role = role_in(iam, made["AccountId"], LISTS)
    deny = document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    policy = organizations.create_policy(
        Name=str(uuid.uuid4()), Description="", Type="SERVICE_CONTROL_POLICY", Content=deny
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=made["AccountId"])
    actions = ["s3:ListBucket", "sts:AssumeRole"]
    results = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions)["EvaluationResults"]
    assert decisions(results) == ["explicitDeny", "allowed"]
    allowed = [result["OrganizationsDecisionDetail"]["AllowedByOrganizations"] for result in results]
    assert allowed == [False, True]
    organizations.remove_account_from_organization(AccountId=made["AccountId"])
    organizations.delete_policy(PolicyId=policy)


def test_custom_policies_are_decided_alone(client: Client) -> None:
    asked = {"PolicyInputList": [INSTANCES], "ActionNames": ["ec2:DescribeInstances", "s3:ListBucket"]}
    results = client("iam").simulate_custom_policy(**asked)["EvaluationResults"]
    assert decisions(results) == ["allowed", "implicitDeny"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"PolicySourceArn": f"arn:aws:iam::{HUB}:role/nowhere"}, "NoSuchEntity"),
        ({"PolicyInputList": ["no JSON"]}, "InvalidInput"),
        ({"PolicyInputList": ['{"Statement": ["text"]}']}, "InvalidInput"),
        ({"PolicyInputList": ['{"Statement": {"Condition": ["text"]}}']}, "InvalidInput"),
        ({"ActionNames": ["s3:*"]}, "InvalidInput"),
    ],
)
def test_what_cannot_be_simulated_is_refused(client: Client, role: str, parameters: dict[str, Any], code: str) -> None:
    asked = {"PolicySourceArn": role, "ActionNames": ["s3:ListBucket"], **parameters}
    with pytest.raises(ClientError) as raised:
        client("iam").simulate_principal_policy(**asked)
    assert raised.value.response["Error"]["Code"] == code
