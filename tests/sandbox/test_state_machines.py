"""Step Functions with moto's engine: its tasks call the sandbox as the state machine's role."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.accounts import HUB
from sandbox.functions.environment import runtime_name

from .conftest import Client, document, zipped

Administrator = Callable[[str], dict[str, Any]]

ACCOUNTS = ["123456789012", "234567890123", "345678901234"]


def service_role(client: Client, service: str, *statements: dict[str, Any]) -> str:
    name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    arn = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if statements:
        client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    return str(arn)


def run_to_its_end(states: Any, machine: str, event: Any) -> Any:
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # boto3 has no waiter for executions
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        threading.Event().wait(0.1)
    raise AssertionError("the execution did not end")


def test_a_distributed_map_invokes_functions_as_its_role(client: Client) -> None:
    functions, states = client("lambda"), client("stepfunctions")
    name = f"cross-account-sandbox-{uuid.uuid4().hex[:8]}"
    functions.create_function(
        FunctionName=name,
        Runtime=runtime_name(),
        Handler="app.handler",
        Role=service_role(client, "lambda.amazonaws.com"),
        Code={"ZipFile": zipped(app="def handler(event, context): return {'seen': event}")},
    )
    arn = f"arn:aws:lambda:us-east-1:{HUB}:function:{name}"
    may_invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    parameters = {"FunctionName": arn, "Payload": {"account_id.$": "$"}}
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": True}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Invoke",
        "States": {"Invoke": {**invoke, "OutputPath": "$.Payload"}},
    }
    each = {"Type": "Map", "ItemsPath": "$.accounts", "ItemProcessor": processor, "MaxConcurrency": 3, "End": True}

    def run(state: Any, *statements: dict[str, Any]) -> Any:
        machine = states.create_state_machine(
            name=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}",
            definition=json.dumps({"StartAt": "Only", "States": {"Only": state}}),
            roleArn=service_role(client, "states.amazonaws.com", *statements),
        )
        return run_to_its_end(states, machine["stateMachineArn"], {"accounts": ACCOUNTS})

    ended = run(each, may_invoke)
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == [{"seen": {"account_id": account}} for account in ACCOUNTS]
    refused = run(invoke)
    assert (refused["status"], refused["error"]) == ("FAILED", "Lambda.AccessDeniedException")


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_partition_makes_as_many_batches_as_it_takes(client: Client, count: int, sizes: list[int]) -> None:
    states = client("stepfunctions")
    split = {"Type": "Pass", "Output": "{% $partition($states.input, 50) %}", "End": True}
    machine = states.create_state_machine(
        name=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Split", "States": {"Split": split}}),
        roleArn=service_role(client, "states.amazonaws.com"),
    )
    ended = run_to_its_end(states, machine["stateMachineArn"], [str(number) for number in range(count)])
    assert [len(batch) for batch in json.loads(ended["output"])] == sizes


def test_a_variable_keeps_its_text_whatever_is_in_it(client: Client) -> None:
    states, text = client("stepfunctions"), '["s3_buckets", "identity"] \\ \n'
    keep = {"Type": "Pass", "Assign": {"kept": "{% $states.input %}"}, "Next": "Return"}
    definition = {"Keep": keep, "Return": {"Type": "Pass", "Output": {"kept": "{% $kept %}"}, "End": True}}
    machine = states.create_state_machine(
        name=f"cross-account-sandbox-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Keep", "States": definition}),
        roleArn=service_role(client, "states.amazonaws.com"),
    )
    assert json.loads(run_to_its_end(states, machine["stateMachineArn"], text)["output"]) == {"kept": text}


@pytest.mark.parametrize(("trusted", "status"), [("mine", "SUCCEEDED"), ("another", "FAILED")])
def test_a_role_that_trusts_one_state_machine_serves_no_other(client: Client, trusted: str, status: str) -> None:
    states, suffix = client("stepfunctions"), uuid.uuid4().hex[:8]
    machine = f"arn:aws:states:us-east-1:{HUB}:stateMachine:{trusted}-{suffix}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": f"{machine}*"}},
    }
    role = client("iam").create_role(RoleName=f"machine-{suffix}", AssumeRolePolicyDocument=document(trust))
    may_publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    client("iam").put_role_policy(RoleName=f"machine-{suffix}", PolicyName="p", PolicyDocument=document(may_publish))
    topic = client("sns").create_topic(Name=f"topic-{suffix}")["TopicArn"]
    publish = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
    only = {**publish, "Parameters": {"TopicArn": topic, "Message": "x"}}
    arn = states.create_state_machine(
        name=f"mine-{suffix}",
        definition=json.dumps({"StartAt": "Only", "States": {"Only": only}}),
        roleArn=role["Role"]["Arn"],
    )["stateMachineArn"]
    assert run_to_its_end(states, arn, {})["status"] == status


WHO_AM_I = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity", "End": True}


@pytest.mark.parametrize(("trusted", "status"), [("the machine's role", "SUCCEEDED"), ("the service", "FAILED")])
def test_a_task_s_credentials_are_of_a_role_that_trusts_the_machine_s_role(
    client: Client, administrator: Administrator, trusted: str, status: str
) -> None:
    target, name = ACCOUNTS[0], f"target-{uuid.uuid4().hex[:8]}"
    role = f"arn:aws:iam::{target}:role/{name}"
    may_assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    machine_role = service_role(client, "states.amazonaws.com", may_assume)
    principal = {"AWS": machine_role} if trusted == "the machine's role" else {"Service": "states.amazonaws.com"}
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    client("iam", administrator(target)).create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    only = {**WHO_AM_I, "Parameters": {}, "Credentials": {"RoleArn": role}}
    states = client("stepfunctions")
    machine = states.create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Only", "States": {"Only": only}}), roleArn=machine_role
    )
    ended = run_to_its_end(states, machine["stateMachineArn"], {})
    assert ended["status"] == status
    assert status == "FAILED" or json.loads(ended["output"])["Account"] == target


def test_a_stack_s_state_machine_has_no_role_of_another_account(client: Client, administrator: Administrator) -> None:
    name, elsewhere = f"machine-{uuid.uuid4().hex[:8]}", administrator(ACCOUNTS[0])
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {**WHO_AM_I, "Parameters": {}}}})
    role = service_role(client, "states.amazonaws.com")
    properties = {"StateMachineName": name, "RoleArn": role, "DefinitionString": definition}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    client("cloudformation", elsewhere).create_stack(StackName=name, TemplateBody=json.dumps(template))
    machine = f"arn:aws:states:us-east-1:{ACCOUNTS[0]}:stateMachine:{name}"
    assert run_to_its_end(client("stepfunctions", elsewhere), machine, {})["status"] == "FAILED"


def test_a_map_reads_its_items_from_s3_as_the_machine_s_role(client: Client) -> None:
    bucket, states = f"items-{uuid.uuid4().hex[:8]}", client("stepfunctions")
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="items.json", Body=json.dumps(ACCOUNTS))
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket, "Key": "items.json"},
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Pass",
        "States": {"Pass": {"Type": "Pass", "End": True}},
    }
    each = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}

    def run(*statements: dict[str, Any]) -> Any:
        machine = states.create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:8]}",
            definition=json.dumps({"StartAt": "Only", "States": {"Only": each}}),
            roleArn=service_role(client, "states.amazonaws.com", *statements),
        )
        return run_to_its_end(states, machine["stateMachineArn"], {})

    may_read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    assert json.loads(run(may_read)["output"]) == ACCOUNTS
    assert run()["status"] == "FAILED"


def test_a_state_machine_of_sam_has_its_definition_from_s3_with_what_is_substituted(client: Client) -> None:
    definition = "StartAt: Told\nStates: {Told: {Type: Pass, Result: {is: '${What}'}, End: true}}"
    client("s3").create_bucket(Bucket="definitions")
    client("s3").put_object(Bucket="definitions", Key="told.asl.yaml", Body=definition)
    machine = {"DefinitionUri": "s3://definitions/told.asl.yaml", "DefinitionSubstitutions": {"What": "told"}}
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": machine}},
        "Outputs": {"Arn": {"Value": {"Ref": "Machine"}}},
    }
    api = client("cloudformation")
    api.create_stack(
        StackName="machine-of-sam",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    (stack,) = api.describe_stacks(StackName="machine-of-sam")["Stacks"]
    (output,) = stack["Outputs"]
    done = run_to_its_end(client("stepfunctions"), output["OutputValue"], {})
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", {"is": "told"})
    api.delete_stack(StackName="machine-of-sam")
