"""CloudFormation: what a template takes from Parameter Store and Secrets Manager."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from ..conftest import Client

Deploy = Callable[[str], str]


@pytest.fixture
def deploy(client: Client) -> Iterator[Deploy]:
    """A stack with a parameter of that value; returns the value that it got, or why the stack failed."""
    api, ssm, name = client("cloudformation"), client("ssm"), f"references-{uuid.uuid4().hex[:8]}"

    def made(value: str) -> str:
        parameter = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": f"/{name}", "Type": "String", "Value": value},
        }
        api.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Parameter": parameter}}))
        if api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE":
            return str(ssm.get_parameter(Name=f"/{name}")["Parameter"]["Value"])
        events = api.describe_stack_events(StackName=name)["StackEvents"]
        return next(event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED")

    yield made
    api.delete_stack(StackName=name)


@pytest.fixture(scope="module", autouse=True)
def _stored(client: Client) -> None:
    ssm, secrets = client("ssm"), client("secretsmanager")
    ssm.put_parameter(Name="/shop/size", Value="small", Type="String")
    ssm.put_parameter(Name="/shop/size", Value="large", Type="String", Overwrite=True)
    ssm.put_parameter(Name="/shop/code", Value="1234", Type="SecureString")
    secrets.create_secret(Name="shop/database", SecretString='{"user": "alice"}')


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{{resolve:ssm:/shop/size}}", "large"),
        ("{{resolve:ssm:/shop/size:1}}", "small"),
        ("{{resolve:ssm-secure:/shop/code}}", "1234"),
        ("{{resolve:secretsmanager:shop/database}}", '{"user": "alice"}'),
        ("{{resolve:secretsmanager:shop/database:SecretString:user}}", "alice"),
        ("{{resolve:secretsmanager:shop/database:SecretString:user:AWSCURRENT}}", "alice"),
        (
            "{{resolve:secretsmanager:shop/database:SecretString:user::}} is {{resolve:ssm:/shop/size}}",
            "alice is large",
        ),
        ("{{ not one }}", "{{ not one }}"),
    ],
)
def test_a_reference_becomes_its_value(deploy: Deploy, value: str, found: str) -> None:
    assert deploy(value) == found


def test_a_secret_is_found_by_its_arn(deploy: Deploy, client: Client) -> None:
    arn = client("secretsmanager").describe_secret(SecretId="shop/database")["ARN"]
    assert deploy(f"{{{{resolve:secretsmanager:{arn}:SecretString:user}}}}") == "alice"


@pytest.mark.parametrize(
    "reference",
    [
        "{{resolve:ssm:/shop/colour}}",
        "{{resolve:ssm:/shop/size:9}}",
        "{{resolve:secretsmanager:shop/queue}}",
        "{{resolve:secretsmanager:shop/database:SecretString:password}}",
        "{{resolve:secretsmanager:shop/database:SecretString:user:NOSTAGE}}",
    ],
)
def test_a_reference_to_nothing_fails_the_stack_and_is_named(deploy: Deploy, reference: str) -> None:
    assert deploy(reference) == f"{reference} leads to nothing in 111111111111 us-east-1. Make it first."
