"""CloudFormation in a target account: parameters are validated, and a role's policies are enforced."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB

from .conftest import TEMPLATE, Client

ACCOUNT = "456789012345"


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


@pytest.fixture
def cloudformation(client: Client, administrator: Any) -> Any:
    return client("cloudformation", administrator(ACCOUNT))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"HubAccountId": "nope", "ExternalId": "right"}, "'HubAccountId' must match pattern"),
        ({"HubAccountId": HUB, "ExternalId": "x"}, "'ExternalId' must contain at least 2"),
    ],
)
def test_a_stack_with_a_wrong_parameter_is_refused(cloudformation: Any, values: Any, message: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloudformation.create_stack(
            StackName="wrong", TemplateBody=TEMPLATE.read_text(), Parameters=parameters(**values)
        )
    assert raised.value.response["Error"]["Code"] == "ValidationError"
    assert message in str(raised.value)


def test_a_role_can_be_deployed_changed_and_deleted_by_its_stack(
    cloudformation: Any, client: Client, hub_session: Any
) -> None:
    def may_assume(external_id: str) -> Any:
        try:
            return client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{ACCOUNT}:role/external-role",
                RoleSessionName="tests",
                ExternalId=external_id,
            )["Credentials"]
        except ClientError:
            return None

    assert not may_assume("first")
    name, template = "role", TEMPLATE.read_text()
    arguments = {"StackName": name, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    cloudformation.create_stack(
        **arguments,
        TemplateBody=template.replace(
            "Policies:", "ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess]\n      Policies:"
        ),
        Parameters=parameters(HubAccountId=HUB, ExternalId="first"),
    )
    first = may_assume("first")
    assert client("s3", first).list_objects_v2(Bucket="legacy-archive")["KeyCount"] == 0
    changed = template.replace("s3:ListAllMyBuckets, ", "")
    cloudformation.update_stack(
        **arguments, TemplateBody=changed, Parameters=parameters(HubAccountId=HUB, ExternalId="second")
    )
    assert not may_assume("first")
    second = may_assume("second")
    assert client("iam", second).list_account_aliases()["AccountAliases"] == ["legacy"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3", second).list_buckets()
    cloudformation.delete_stack(StackName=name)
    assert not may_assume("second")


def test_another_value_of_a_parameter_that_is_only_substituted_changes_the_role(
    client: Client, administrator: Any
) -> None:
    credentials = administrator(ACCOUNT)
    cloudformation, iam = client("cloudformation", credentials), client("iam", credentials)
    template = """
Parameters: {Name: {Type: String}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: substituted
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {AWS: !Sub "${AWS::AccountId}"}
            Condition: {ArnLike: {"aws:PrincipalArn": !Sub "arn:aws:iam::*:role/${Name}"}}
"""
    arguments = {"StackName": "substituted", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    cloudformation.create_stack(**arguments, Parameters=parameters(Name="one"))
    cloudformation.update_stack(**arguments, Parameters=parameters(Name="other"))
    (statement,) = iam.get_role(RoleName="substituted")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["ArnLike"]["aws:PrincipalArn"] == "arn:aws:iam::*:role/other"
