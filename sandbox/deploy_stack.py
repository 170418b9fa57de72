"""Creates a stack or updates it, as `aws cloudformation deploy` does."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError


class UnknownParameter(Exception):
    """The template has no such parameter; the message says which it has."""


class StackFailed(Exception):
    """The stack was rolled back; the message says why."""


def deploy_stack(
    cloudformation: Any, name: str, template: Path, first: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Returns the stack's outputs. The parameters `first` are those of a new stack; an existing one keeps its own."""
    body = template.read_text()
    known = {one["ParameterKey"] for one in cloudformation.get_template_summary(TemplateBody=body)["Parameters"]}
    if unknown := ", ".join(sorted(given.keys() - known)):
        raise UnknownParameter(f"{template.name} has no parameter {unknown}. It has {', '.join(sorted(known))}")
    stack = _stack(cloudformation, name)
    if stack and stack["StackStatus"] == "ROLLBACK_COMPLETE":  # there never was more of it
        cloudformation.delete_stack(StackName=name)
        stack = None
    parameters = given if stack else {**first, **given}
    before = {one["ParameterKey"] for one in stack["Parameters"]} if stack else set()
    asked = {
        "StackName": name,
        "TemplateBody": body,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [
            *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(before & known - parameters.keys())),
        ],
    }
    try:
        if stack:
            cloudformation.update_stack(**asked)
        else:
            cloudformation.create_stack(**asked)
        cloudformation.get_waiter(f"stack_{'update' if stack else 'create'}_complete").wait(
            StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
        )
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        print(f"The stack {name} is already as the template says.", file=sys.stderr)
    except WaiterError as error:
        raise StackFailed(_reason(cloudformation, name) or str(error)) from None
    stack = _stack(cloudformation, name)
    assert stack is not None
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(stack)


def _reason(cloudformation: Any, name: str) -> str:
    """That of the latest failure of a resource."""
    for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:  # the latest first
        if event["ResourceStatus"] in ("CREATE_FAILED", "UPDATE_FAILED"):
            return f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
    return ""
