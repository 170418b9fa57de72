"""`python -m sandbox.deploy_sweep`: deploy sweep-template.yaml into the hub, with the developer's credentials.

The AWS CLI command, on AWS or here, is `aws cloudformation deploy --template-file sweep-template.yaml ...`.
"""

import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from sandbox.state_file import PROJECT

SWEEP_TEMPLATE = "sweep-template.yaml"
STACK = "cross-account-sandbox-sweep"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status. Arguments are parameters of the template, as Name=value."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        outputs = deploy_sweep(boto3.client("cloudformation"), **dict(item.split("=", 1) for item in given))
    except (ClientError, WaiterError) as error:
        print(f"Could not deploy the state machine: {error}", file=sys.stderr)
        return 1
    for value in outputs.values():
        print(value)
    return 0


def deploy_sweep(cloudformation: Any, **parameters: str) -> dict[str, str]:
    """Create the stack in the account of the client, and return its outputs."""
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=(PROJECT / SWEEP_TEMPLATE).read_text(),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in {"Stage": "sandbox", **parameters}.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK)
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


if __name__ == "__main__":
    sys.exit(main())
