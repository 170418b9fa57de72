"""Stack sets of the organization: where their stacks are, and that these follow the set."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import yaml
from botocore.exceptions import ClientError

from sandbox.accounts import ACQUIRED, ANALYTICS, HUB, LEGACY, PRODUCTION, REGION, STAGING
from tests.sandbox.conftest import Client, document

TARGETS = {PRODUCTION, STAGING, ANALYTICS, LEGACY, ACQUIRED}


def template(name: str) -> str:
    """A role with a policy, and two parameters of which one has a default."""
    trust = {"Effect": "Allow", "Principal": {"AWS": {"Ref": "Trusted"}}, "Action": "sts:AssumeRole"}
    properties = {
        "RoleName": name,
        "Description": {"Ref": "Text"},
        "AssumeRolePolicyDocument": json.loads(document(trust)),
    }
    policy = {
        "PolicyName": "policy",
        "Roles": [{"Ref": "Role"}],
        "PolicyDocument": json.loads(document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})),
    }
    return yaml.safe_dump(
        {
            "Parameters": {"Trusted": {"Type": "String"}, "Text": {"Type": "String", "Default": "the default"}},
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": properties},
                "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
            },
        }
    )


def parameters(**given: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]


@dataclass(frozen=True)
class StackSet:
    """One of the organization's, whose template makes a role of the same name."""

    name: str
    root: str
    cloudformation: Any
    within: Callable[[str], Client]

    def create(self, **preferences: int) -> None:
        self.cloudformation.create_stack_instances(
            StackSetName=self.name,
            Regions=[REGION],
            DeploymentTargets={"OrganizationalUnitIds": [self.root]},
            OperationPreferences=preferences,
        )

    def instances(self, *filters: dict[str, str]) -> dict[str, Any]:
        found = self.cloudformation.list_stack_instances(StackSetName=self.name, Filters=filters)["Summaries"]
        return {each["Account"]: each for each in found}

    def role(self, account: str) -> dict[str, Any]:
        found: dict[str, Any] = self.within(account)("iam").get_role(RoleName=self.name)["Role"]
        return found


@pytest.fixture
def stack_set(client: Client, within: Callable[[str], Client]) -> Iterator[StackSet]:
    name, cloudformation = f"set-{uuid4().hex[:8]}", client("cloudformation")
    cloudformation.create_stack_set(
        StackSetName=name,
        TemplateBody=template(name),
        PermissionModel="SERVICE_MANAGED",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Parameters=parameters(Trusted=HUB, Text="the first"),
    )
    root = client("organizations").list_roots()["Roots"][0]["Id"]
    made = StackSet(name, root, cloudformation, within)
    yield made
    cloudformation.delete_stack_instances(
        StackSetName=name,
        Regions=[REGION],
        DeploymentTargets={"OrganizationalUnitIds": [root]},
        RetainStacks=False,
    )
    cloudformation.delete_stack_set(StackSetName=name)


def test_every_account_below_the_root_gets_the_stack_and_the_management_account_does_not(stack_set: StackSet) -> None:
    stack_set.create()
    assert set(stack_set.instances()) >= TARGETS
    assert HUB not in stack_set.instances()
    assert {stack_set.role(account)["Description"] for account in TARGETS} == {"the first"}


def test_a_change_of_the_set_reaches_every_stack_and_what_is_left_out_has_its_default(stack_set: StackSet) -> None:
    stack_set.create()
    stack_set.cloudformation.update_stack_set(
        StackSetName=stack_set.name,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Parameters=[{"ParameterKey": "Trusted", "UsePreviousValue": True}],
    )
    assert {stack_set.role(account)["Description"] for account in TARGETS} == {"the default"}


@pytest.fixture
def take_the_name(stack_set: StackSet, within: Callable[[str], Client]) -> Iterator[Callable[[str], None]]:
    """A role of the set's name is in an account already, until the test ends: the stack fails there."""
    made = []

    def take(account: str) -> None:
        trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
        made.append(within(account)("iam"))
        made[-1].create_role(RoleName=stack_set.name, AssumeRolePolicyDocument=document(trust))

    yield take
    for iam in made:
        iam.delete_role(RoleName=stack_set.name)


def test_where_it_cannot_be_is_told_and_the_others_are_done_if_that_is_tolerated(
    stack_set: StackSet, take_the_name: Callable[[str], None]
) -> None:
    take_the_name(STAGING)
    stack_set.create(FailureTolerancePercentage=100)
    failed = stack_set.instances({"Name": "DETAILED_STATUS", "Values": "FAILED"})
    assert set(failed) == {STAGING}
    assert "already exists" in failed[STAGING]["StatusReason"]
    assert stack_set.role(LEGACY)["Description"] == "the first"


def test_without_tolerance_the_rest_is_cancelled_after_a_failure(
    stack_set: StackSet, take_the_name: Callable[[str], None]
) -> None:
    take_the_name(PRODUCTION)
    stack_set.create()
    detailed = [each["StackInstanceStatus"]["DetailedStatus"] for each in stack_set.instances().values()]
    assert set(detailed) == {"FAILED", "CANCELLED"}


@pytest.mark.parametrize("changed", ["policy", "trust"])
def test_where_a_role_was_changed_by_hand_has_drifted(
    stack_set: StackSet, within: Callable[[str], Client], changed: str
) -> None:
    stack_set.create()
    iam, deny = within(ANALYTICS)("iam"), {"Effect": "Deny", "Action": "*", "Resource": "*"}
    if changed == "policy":
        iam.put_role_policy(RoleName=stack_set.name, PolicyName="policy", PolicyDocument=document(deny))
    else:
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam.update_assume_role_policy(RoleName=stack_set.name, PolicyDocument=document(trust))
    stack_set.cloudformation.detect_stack_set_drift(StackSetName=stack_set.name)
    assert set(stack_set.instances({"Name": "DRIFT_STATUS", "Values": "DRIFTED"})) == {ANALYTICS}
    assert set(stack_set.instances({"Name": "DRIFT_STATUS", "Values": "IN_SYNC"})) >= TARGETS - {ANALYTICS}


def test_an_instance_goes_with_its_stack(stack_set: StackSet) -> None:
    stack_set.create()
    stack_set.cloudformation.delete_stack_instances(
        StackSetName=stack_set.name,
        Regions=[REGION],
        DeploymentTargets={
            "OrganizationalUnitIds": [stack_set.root],
            "Accounts": [LEGACY],
            "AccountFilterType": "INTERSECTION",
        },
        RetainStacks=False,
    )
    assert LEGACY not in stack_set.instances()
    with pytest.raises(ClientError, match="NoSuchEntity"):
        stack_set.role(LEGACY)
    assert stack_set.role(STAGING)


def test_an_account_that_joins_gets_the_stack_by_itself_and_one_that_leaves_loses_it(
    stack_set: StackSet, client: Client
) -> None:
    organizations = client("organizations")
    stack_set.create()
    status = organizations.create_account(AccountName="new", Email="new@sandbox.invalid")["CreateAccountStatus"]
    account = status["AccountId"]
    assert stack_set.role(account)["Description"] == "the first"
    administrator = stack_set.within(account)("iam")
    organizations.remove_account_from_organization(AccountId=account)
    assert account not in stack_set.instances()
    with pytest.raises(ClientError, match="NoSuchEntity"):
        administrator.get_role(RoleName=stack_set.name)
