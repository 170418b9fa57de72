"""`python -m sandbox.deploy_role ACCOUNT`: deploy role-template.yaml into a target, as its administrator would.

With the AWS CLI, on AWS or here, this is `aws cloudformation deploy --template-file role-template.yaml ...`.
"""

import sys

import boto3
from botocore.exceptions import ClientError, WaiterError

from sandbox import accounts
from sandbox.state_file import PROJECT


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    (account_id,) = sys.argv[1:] if arguments is None else arguments
    try:
        print(deploy_role(account_id))
    except (ClientError, WaiterError) as error:
        print(f"The role was not deployed in {account_id}: {error}", file=sys.stderr)
        return 1
    return 0


def deploy_role(account_id: str) -> str:
    """Create the stack of role-template.yaml in an account; returns the role's ARN."""
    cloudformation = administrator(account_id).client("cloudformation", region_name=accounts.REGION)
    cloudformation.create_stack(
        StackName=accounts.ROLE_STACK,
        TemplateBody=(PROJECT / accounts.ROLE_TEMPLATE).read_text(),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in accounts.role_parameters().items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=accounts.ROLE_STACK)
    (stack,) = cloudformation.describe_stacks(StackName=accounts.ROLE_STACK)["Stacks"]
    outputs: dict[str, str] = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return outputs["RoleArn"]


def administrator(account_id: str) -> boto3.Session:
    """A session of the administrator role that AWS Organizations creates in every account it creates."""
    role = f"arn:aws:iam::{account_id}:role/{accounts.ADMINISTRATOR_ROLE}"
    session = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="administrator")["Credentials"]
    return boto3.Session(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


if __name__ == "__main__":
    sys.exit(main())
