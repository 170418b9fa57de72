"""CloudFormation: a custom resource is made, changed and deleted by its function, and what that refuses fails."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ..conftest import Client

CODE = """
import boto3, cfnresponse

def handler(event, context):
    asked = event["ResourceProperties"]
    boto3.client("sqs").send_message(QueueUrl=asked["Queue"], MessageBody=event["RequestType"] + " " + asked["Kept"])
    if asked["Kept"] == "silent":
        return
    if asked["Kept"] == "refused":
        return cfnresponse.send(event, context, cfnresponse.FAILED, {}, "an-id", reason="as asked")
    data = {"Upper": asked["Kept"].upper(), "Old": event.get("OldResourceProperties", {}).get("Kept", "")}
    cfnresponse.send(event, context, cfnresponse.SUCCESS, data, "id-of-" + asked["Id"])
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
SENDS = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


class Stack:
    """One custom resource, its function, the function's role, and a queue outside of it with what the function did."""

    def __init__(self, client: Client) -> None:
        self.name = f"custom-{uuid.uuid4().hex[:8]}"
        self._api, self._sqs = client("cloudformation"), client("sqs")
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self._change = self._api.create_stack

    def deploy(self, kept: str, place: str = "a", is_there: bool = True) -> Any:
        """Returns the stack."""
        policy = {"PolicyName": "send", "PolicyDocument": {"Version": "2012-10-17", "Statement": [SENDS]}}
        role = {"AssumeRolePolicyDocument": {"Statement": [TRUST]}, "Policies": [policy]}
        arn = {"Fn::GetAtt": ["Function", "Arn"]}
        function = {"Code": {"ZipFile": CODE}, "Handler": "index.handler", "Runtime": "python3.12", "Timeout": 20}
        asked = {"ServiceToken": arn, "Queue": self._queue, "Kept": kept, "Id": place}
        resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
        if is_there:
            resources |= {
                "Role": {"Type": "AWS::IAM::Role", "Properties": role},
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {**function, "Role": {"Fn::GetAtt": ["Role", "Arn"]}},
                },
                "Made": {"Type": "Custom::Made", "Properties": asked},
            }
        values = {"Upper": {"Fn::GetAtt": ["Made", "Upper"]}, "Id": {"Ref": "Made"}}
        outputs = {name: {"Value": value} for name, value in values.items()} if is_there else {}
        body = json.dumps({"Resources": resources, "Outputs": outputs})
        self._change(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        self._change = self._api.update_stack
        return self._api.describe_stacks(StackName=self.name)["Stacks"][0]

    def done(self) -> list[str]:
        """What the function was asked since."""
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            found += [one["Body"] for one in messages]
            for one in messages:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return found

    def reasons(self) -> str:
        events = self._api.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    def delete(self) -> None:
        self._api.delete_stack(StackName=self.name)


@pytest.fixture
def stack(client: Client) -> Iterator[Stack]:
    made = Stack(client)
    yield made
    made.delete()


def outputs(stack: Any) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def test_a_custom_resource_is_made_changed_replaced_and_deleted_before_its_function(stack: Stack) -> None:
    assert outputs(stack.deploy("one")) == {"Upper": "ONE", "Id": "id-of-a"}
    assert outputs(stack.deploy("two")) == {"Upper": "TWO", "Id": "id-of-a"}
    assert outputs(stack.deploy("two", place="b")) == {"Upper": "TWO", "Id": "id-of-b"}
    assert stack.done() == ["Create one", "Update two", "Update two", "Delete two"]
    assert stack.deploy("two", is_there=False)["StackStatus"] == "UPDATE_COMPLETE"
    assert stack.done() == ["Delete two"]
    stack.deploy("three")
    stack.delete()
    assert stack.done() == ["Create three", "Delete three"]


def test_what_its_function_refuses_fails_and_is_told(stack: Stack) -> None:
    assert stack.deploy("refused")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "from custom resource. Message returned: as asked" in stack.reasons()
    assert stack.done() == ["Create refused", "Delete refused"]


def test_a_function_that_does_not_respond_is_not_waited_for(stack: Stack) -> None:
    assert stack.deploy("silent")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "ended without a response to its ResponseURL" in stack.reasons()
