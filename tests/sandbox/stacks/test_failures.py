"""CloudFormation: a stack that cannot be made, updated or deleted has failed and says why; nothing is half there."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ..conftest import Client

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": 111111111111}, "Action": "sts:AssumeRole"}]}
UNKNOWN = "arn:aws:iam::aws:policy/NoSuchPolicy"


def role(*policies: str) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": list(policies)},
    }


class Stack:
    """A stack of the hub, deployed directly or by change sets."""

    def __init__(self, client: Client, by_change_set: bool) -> None:
        self._api, self._by_change_set = client("cloudformation"), by_change_set
        self.name = f"failures-{uuid.uuid4().hex[:8]}"

    def deploy(self, resources: dict[str, Any], **more: Any) -> None:
        given = {
            "StackName": self.name,
            "TemplateBody": json.dumps({"Resources": resources, **more}),
            "Capabilities": ["CAPABILITY_IAM"],
        }
        is_there = self.status != "DELETE_COMPLETE"
        if not self._by_change_set:
            (self._api.update_stack if is_there else self._api.create_stack)(**given)
            return
        kind = "UPDATE" if is_there else "CREATE"
        made = self._api.create_change_set(ChangeSetName="deploy", ChangeSetType=kind, **given)
        self._api.execute_change_set(ChangeSetName=made["Id"], StackName=self.name)
        self._api.delete_change_set(ChangeSetName=made["Id"])

    def delete(self) -> None:
        self._api.delete_stack(StackName=self.name)

    @property
    def status(self) -> str:
        found = [one for one in self._api.list_stacks()["StackSummaries"] if one["StackName"] == self.name]
        statuses = [one["StackStatus"] for one in found]
        return next((str(one) for one in statuses if one != "DELETE_COMPLETE"), "DELETE_COMPLETE")

    @property
    def outputs(self) -> Any:
        return self._api.describe_stacks(StackName=self.name)["Stacks"][0].get("Outputs", [])

    @property
    def resources(self) -> list[str]:
        found = self._api.describe_stack_resources(StackName=self.name)["StackResources"]
        return [one["LogicalResourceId"] for one in found]

    def failures(self) -> dict[str, str]:
        """The reasons, by logical id."""
        events = self._api.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return {event["LogicalResourceId"]: event["ResourceStatusReason"] for event in failed}


@pytest.fixture(params=["by change set", "directly"])
def stack(client: Client, request: pytest.FixtureRequest) -> Iterator[Stack]:
    made = Stack(client, request.param == "by change set")
    yield made
    made.delete()


def queue(name: str, seconds: int = 30) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, "VisibilityTimeout": seconds}}


def test_a_stack_of_which_one_resource_fails_is_rolled_back_and_may_only_be_deleted(
    client: Client, stack: Stack
) -> None:
    outputs = {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": stack.name}}}
    stack.deploy({"Queue": queue(stack.name), "Role": {**role(UNKNOWN), "DependsOn": "Queue"}}, Outputs=outputs)
    assert stack.status == "ROLLBACK_COMPLETE"
    assert stack.failures() == {"Role": f"Policy {UNKNOWN} not found"}
    assert (stack.resources, stack.outputs) == ([], [])
    assert "QueueUrls" not in client("sqs").list_queues(QueueNamePrefix=stack.name)
    roles = client("iam").get_paginator("list_roles").paginate().search("Roles[].RoleName")
    assert [name for name in roles if name.startswith(stack.name)] == []
    exports = client("cloudformation").list_exports()["Exports"]
    assert stack.name not in {export["Name"] for export in exports}
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stack.deploy({"Queue": queue(stack.name)})
    stack.delete()
    assert stack.status == "DELETE_COMPLETE"
    stack.deploy({"Queue": queue(stack.name)})
    assert stack.status == "CREATE_COMPLETE"


def test_an_update_that_fails_leaves_the_stack_as_it_was(client: Client, stack: Stack) -> None:
    stack.deploy({"Queue": queue(stack.name, 30), "Old": queue(f"{stack.name}-old")})
    stack.deploy({"Queue": queue(stack.name, 60), "New": queue(f"{stack.name}-new"), "Role": role(UNKNOWN)})
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert set(stack.failures()) == {"Role"}
    urls = client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"]
    assert {url.rpartition("/")[2] for url in urls} == {stack.name, f"{stack.name}-old"}
    attributes = client("sqs").get_queue_attributes(QueueUrl=urls[0], AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"] == {"VisibilityTimeout": "30"}
    stack.deploy({"Queue": queue(stack.name, 60)})
    assert stack.status == "UPDATE_COMPLETE"


def test_a_bucket_that_was_replaced_and_has_objects_comes_back(client: Client, stack: Stack) -> None:
    def bucket(name: str) -> dict[str, Any]:
        return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}, "DeletionPolicy": "Retain"}

    stack.deploy({"Bucket": bucket(stack.name)})
    client("s3").put_object(Bucket=stack.name, Key="results", Body=b"")
    stack.deploy({"Bucket": bucket(f"{stack.name}-2"), "Role": {**role(UNKNOWN), "DependsOn": "Bucket"}})
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    found = client("cloudformation").describe_stack_resources(StackName=stack.name)["StackResources"]
    assert [one["PhysicalResourceId"] for one in found] == [stack.name]
    names = [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    assert [name for name in names if name.startswith(stack.name)] == [stack.name]


def test_a_change_that_moto_cannot_make_is_refused_and_not_forgotten(client: Client, stack: Stack) -> None:
    def group(days: int, name: str = stack.name) -> dict[str, Any]:
        return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": days}}

    def volume(size: int) -> dict[str, Any]:
        return {"Type": "AWS::EC2::Volume", "Properties": {"AvailabilityZone": "us-east-1a", "Size": size}}

    stack.deploy({"Group": group(1), "Volume": volume(1)})
    stack.deploy({"Group": group(7), "Volume": {**volume(1), "Metadata": {"changed": True}}})
    assert (stack.status, stack.resources) == ("UPDATE_COMPLETE", ["Group", "Volume"])
    (found,) = client("logs").describe_log_groups(logGroupNamePrefix=stack.name)["logGroups"]
    assert found["retentionInDays"] == 7
    for changed, reason in (
        ({"Group": group(7, f"{stack.name}-other"), "Volume": volume(1)}, "cannot update LogGroupName of this type"),
        ({"Group": group(7), "Volume": volume(2)}, "cannot update Size of this type"),
    ):
        stack.deploy(changed)
        assert (stack.status, stack.resources) == ("UPDATE_ROLLBACK_COMPLETE", ["Group", "Volume"])
        assert any(reason in one for one in stack.failures().values())


def test_a_bucket_with_objects_is_not_deleted_and_neither_is_its_stack(client: Client, stack: Stack) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": stack.name}}
    stack.deploy({"Queue": queue(stack.name), "Bucket": bucket})
    client("s3").put_object(Bucket=stack.name, Key="a", Body=b"")
    stack.delete()
    assert (stack.status, stack.resources) == ("DELETE_FAILED", ["Bucket"])
    assert "not empty" in stack.failures()["Bucket"]
    client("s3").delete_object(Bucket=stack.name, Key="a")
    stack.delete()
    assert stack.status == "DELETE_COMPLETE"


def test_a_property_that_is_left_out_is_told(client: Client, stack: Stack) -> None:
    def bucket(days: int) -> dict[str, Any]:
        rules = {"Rules": [{"Status": "Enabled", "ExpirationInDays": days}]}
        return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": stack.name, "LifecycleConfiguration": rules}}

    def told() -> list[str]:
        events = client("cloudformation").describe_stack_events(StackName=stack.name)["StackEvents"]
        return [one["ResourceStatusReason"] for one in events if one["LogicalResourceId"] == "Bucket"]

    reason = "The sandbox's CloudFormation (moto 5.2.5) leaves out LifecycleConfiguration."
    stack.deploy({"Bucket": bucket(1), "Queue": queue(stack.name)})
    assert told() == [reason]
    stack.deploy({"Bucket": bucket(2), "Queue": queue(stack.name)})
    assert told() == [reason, reason]


def test_what_moto_cannot_delete_is_told_and_may_be_retained(client: Client, stack: Stack) -> None:
    zone = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": f"{stack.name}.example"}}
    stack.deploy({"Queue": queue(stack.name), "Zone": zone})
    stack.delete()
    assert (stack.status, stack.resources) == ("DELETE_FAILED", ["Zone"])
    assert "cannot delete AWS::Route53::HostedZone" in stack.failures()["Zone"]
    client("cloudformation").delete_stack(StackName=stack.name, RetainResources=["Zone"])
    assert stack.status == "DELETE_COMPLETE"


def test_a_network_is_deleted_with_its_stack(client: Client, stack: Stack) -> None:
    def of(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::EC2::{kind}", "Properties": properties}

    network, table, gateway = {"Ref": "Network"}, {"Ref": "Table"}, {"Ref": "Gateway"}
    resources = {
        "Network": of("VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": of("Subnet", VpcId=network, CidrBlock="10.0.0.0/24"),
        "Gateway": of("InternetGateway"),
        "Attachment": of("VPCGatewayAttachment", VpcId=network, InternetGatewayId=gateway),
        "Table": of("RouteTable", VpcId=network),
        "Route": of("Route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway),
        "Association": of("SubnetRouteTableAssociation", RouteTableId=table, SubnetId={"Ref": "Subnet"}),
        "Address": of("EIP", Domain="vpc"),
    }

    def there() -> dict[str, int]:
        ec2 = client("ec2")
        return {
            "gateways": len(ec2.describe_internet_gateways()["InternetGateways"]),
            "networks": len(ec2.describe_vpcs()["Vpcs"]),
            "subnets": len(ec2.describe_subnets()["Subnets"]),
            "tables": len(ec2.describe_route_tables()["RouteTables"]),
            "addresses": len(ec2.describe_addresses()["Addresses"]),
        }

    before = there()
    stack.deploy(resources)
    assert there() != before
    stack.delete()
    assert there() == before


def test_a_protected_stack_is_not_deleted(client: Client, stack: Stack) -> None:
    stack.deploy({"Queue": queue(stack.name)})
    protect = client("cloudformation").update_termination_protection
    protect(StackName=stack.name, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stack.delete()
    protect(StackName=stack.name, EnableTerminationProtection=False)
    stack.delete()
    assert stack.status == "DELETE_COMPLETE"


def test_what_a_stack_exports_another_imports_until_it_is_deleted(client: Client, stack: Stack) -> None:
    importing = Stack(client, by_change_set=True)
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": stack.name}}}
    outputs = {"Name": {"Value": "exported", "Export": {"Name": stack.name}}}
    stack.deploy({"Queue": queue(stack.name)}, Outputs=outputs)
    importing.deploy({"Topic": topic})
    assert importing.status == "CREATE_COMPLETE"
    assert client("cloudformation").list_imports(ExportName=stack.name)["Imports"] == [importing.name]
    outputs["Name"]["Value"] = "changed"
    stack.deploy({"Queue": queue(stack.name)}, Outputs=outputs)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    stack.delete()
    assert (stack.status, stack.resources) == ("DELETE_FAILED", ["Queue"])
    reason = f"Export {stack.name} cannot be deleted as it is in use by {importing.name}"
    assert stack.failures()[stack.name] == reason
    importing.delete()
    stack.delete()
    importing.deploy({"Topic": topic})
    assert importing.failures() == {"Topic": f"No export named {stack.name} found."}
    importing.delete()


def test_a_nested_stack_gives_its_outputs_and_fails_with_the_one_around_it(
    client: Client, stack: Stack, box: Any
) -> None:
    inner = {"Queue": queue(f"{stack.name}-inner"), "Role": {**role(), "Condition": "HasPolicy"}}
    inner["Role"]["Properties"]["ManagedPolicyArns"] = [{"Ref": "Policy"}]
    body = {
        "Parameters": {"Policy": {"Type": "String", "Default": ""}},
        "Conditions": {"HasPolicy": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Policy"}, ""]}]}},
        "Resources": inner,
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    }
    client("s3").create_bucket(Bucket=stack.name)
    client("s3").put_object(Bucket=stack.name, Key="inner.json", Body=json.dumps(body))

    def resources(**parameters: str) -> dict[str, Any]:
        properties = {"TemplateURL": f"{box.endpoint_url}/{stack.name}/inner.json", "Parameters": parameters}
        return {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}

    for failing, name in (
        (resources(Policy=UNKNOWN), "Inner"),
        ({**resources(), "Role": {**role(UNKNOWN), "DependsOn": "Inner"}}, "Role"),
    ):
        stack.deploy(failing)
        assert stack.status == "ROLLBACK_COMPLETE"
        assert f"Policy {UNKNOWN} not found" in stack.failures()[name]
        assert "QueueUrls" not in client("sqs").list_queues(QueueNamePrefix=stack.name)
        stack.delete()
    stack.deploy(resources(), Outputs={"Url": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Url"]}}})
    (output,) = stack.outputs
    assert output["OutputValue"].endswith(f"/{stack.name}-inner")
    assert len(client("sqs").list_queues(QueueNamePrefix=stack.name)["QueueUrls"]) == 1
    names = {one["StackName"] for one in client("cloudformation").describe_stacks()["Stacks"]}
    assert len([name for name in names if name.startswith(stack.name)]) == 2
    stack.delete()
    assert "QueueUrls" not in client("sqs").list_queues(QueueNamePrefix=stack.name)
