"""Ways past the authorization: each of these requests is signed, and moto would answer it."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox import Box
from sandbox.accounts import HUB, REGION, TARGETS

from .conftest import document

CALLER, OTHER = TARGETS[3].id, TARGETS[4].id
FORM, JSON = "application/x-www-form-urlencoded; charset=utf-8", "application/x-amz-json-1.1"
Send = Callable[..., tuple[int, str]]
Of = Callable[[str], Any]


@pytest.fixture(scope="module")
def of_caller(within: Callable[[str], Of]) -> Of:
    return within(CALLER)


@pytest.fixture(scope="module")
def of_other(within: Callable[[str], Of]) -> Of:
    return within(OTHER)


@pytest.fixture(scope="module")
def send(box: Box, administrator: Any) -> Send:
    """Status and body of a request that boto3 would not send, but signs."""
    usual = administrator(CALLER)

    def post(
        service: str, path: str = "/", body: str = "", method: str = "POST", session: Any = None, **headers: str
    ) -> tuple[int, str]:
        keys = [(session or usual)[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url, data = box.endpoint_url + path, body.encode() if method == "POST" else None
        signed = AWSRequest(method, url, named, data)
        SigV4Auth(Credentials(*keys), service, REGION).add_auth(signed)
        request = urllib.request.Request(url, data, dict(signed.headers), method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return post


def new_name() -> str:
    return f"door-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize(
    ("service", "method", "path", "headers"),
    [
        ("es", "GET", "/2015-01-01/domain", {}),
        ("es", "POST", "/2015-01-01/es/domain", {}),
        ("workspaces-web", "GET", "/userSettings/arn", {}),
        ("codedeploy", "POST", "/tag-resource", {}),
        ("dynamodb", "POST", "/", {"X_Amz_Target": "DynamoDB_20111205.ListTables", "Content_Type": JSON}),
    ],
)
def test_what_moto_does_not_authorize_is_not_served(
    send: Send, service: str, method: str, path: str, headers: dict[str, str]
) -> None:
    assert send(service, path, "{}", method, **headers)[0] == 501


@pytest.mark.parametrize("name", ["queue", "sqs.any", "any.s3"])
def test_a_service_is_called_by_its_own_name(send: Send, name: str) -> None:
    # Otherwise a Deny of sqs:* would not concern the action queue:ListQueues.
    headers = {"X_Amz_Target": "AmazonSQS.ListQueues", "Content_Type": JSON}
    assert send("sqs", body="{}", **headers)[0] == 200
    assert send(name, body="{}", **headers)[0] == 403


@pytest.mark.parametrize("operation", ["ListSecrets", "list_secrets", "listSecrets"])
def test_an_operation_is_judged_however_its_name_is_written(send: Send, of_caller: Of, operation: str) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "secretsmanager:ListSecrets", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": CALLER}, "Action": "sts:AssumeRole"}
    name = new_name()
    role = of_caller("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    of_caller("iam").put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=document(everything, deny))
    session = of_caller("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    headers = {"X_Amz_Target": f"secretsmanager.{operation}", "Content_Type": JSON}
    assert send("secretsmanager", body="{}", session=session, **headers)[0] == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/?SecretId={two}", '{{"SecretId": "{one}"}}'),
        ("/", '{{"SecretId": "{one}", "VersionStage": "AWSCURRENT", "x": "&SecretId={two}&"}}'),
    ],
    ids=["URL", "body"],
)
def test_a_parameter_of_json_is_only_where_the_policy_looked(send: Send, of_caller: Of, path: str, body: str) -> None:
    names = {"one": new_name(), "two": new_name()}
    for name in names.values():
        of_caller("secretsmanager").create_secret(Name=name, SecretString=name)
    headers = {"X_Amz_Target": "secretsmanager.GetSecretValue", "Content_Type": JSON}
    status, answer = send("secretsmanager", path.format(**names), body.format(**names), **headers)
    assert names["two"] not in answer
    assert (status, names["one"] in answer) == (200, True)


def test_a_parameter_of_a_form_is_only_where_the_policy_looked(send: Send, of_caller: Of) -> None:
    one, two = (of_caller("sns").create_topic(Name=new_name())["TopicArn"] for _ in range(2))
    form = f"Action=GetTopicAttributes&Version=2010-03-31&TopicArn={quote(one, safe='')}"
    _, answer = send("sns", f"/?TopicArn={quote(two, safe='')}", form, Content_Type=FORM)
    assert (one in answer, two in answer) == (True, False)


def test_the_region_is_the_one_that_was_signed(send: Send, of_caller: Of) -> None:
    name = new_name()
    headers = {"X_Amz_Target": "AmazonSQS.CreateQueue", "Content_Type": JSON, "User_Agent": "any region/eu-west-1"}
    assert send("sqs", body=f'{{"QueueName": "{name}"}}', **headers)[0] == 200
    assert len(of_caller("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]) == 1


def test_when_a_key_was_used_is_known_in_its_account_alone(of_caller: Of, of_other: Of) -> None:
    name = new_name()
    of_other("iam").create_user(UserName=name)
    key = of_other("iam").create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    assert of_other("iam").get_access_key_last_used(AccessKeyId=key)["UserName"] == name
    with pytest.raises(ClientError):
        of_caller("iam").get_access_key_last_used(AccessKeyId=key)


def test_a_rule_reaches_the_bus_of_another_account_by_the_policy_of_the_bus(of_caller: Of, of_other: Of) -> None:
    name, group = new_name(), f"/aws/events/{new_name()}"
    bus = of_other("events").create_event_bus(Name=name)["EventBusArn"]
    of_other("logs").create_log_group(logGroupName=group)
    pattern = f'{{"source": ["{name}"]}}'
    of_other("events").put_rule(Name=name, EventBusName=name, EventPattern=pattern)
    log = {"Id": "log", "Arn": f"arn:aws:logs:{REGION}:{OTHER}:log-group:{group}"}
    of_other("events").put_targets(Rule=name, EventBusName=name, Targets=[log])
    of_caller("events").put_rule(Name=name, EventPattern=pattern)
    of_caller("events").put_targets(Rule=name, Targets=[{"Id": "bus", "Arn": bus}])

    def arrived() -> int:
        of_caller("events").put_events(Entries=[{"Source": name, "DetailType": "kind", "Detail": "{}"}])
        return len(of_other("logs").filter_log_events(logGroupName=group)["events"])

    assert arrived() == 0
    of_other("events").put_permission(
        EventBusName=name, Action="events:PutEvents", Principal=CALLER, StatementId="let-in"
    )
    assert arrived() == 1


def test_logs_are_not_copied_to_another_account(of_caller: Of, of_other: Of) -> None:
    name = new_name()
    for of in (of_caller, of_other):
        of("logs").create_log_group(logGroupName=name)
    group = f"arn:aws:logs:{REGION}:{OTHER}:log-group:{name}"
    with pytest.raises(ClientError, match="InvalidParameterException"):
        of_caller("logs").put_subscription_filter(
            logGroupName=name, filterName=name, filterPattern="", destinationArn=group
        )


def test_a_stack_set_creates_stacks_only_where_a_role_trusts_it(of_caller: Of, of_other: Of) -> None:
    name, role = new_name(), new_name()
    queue = f'{{"Resources": {{"Queue": {{"Type": "AWS::SQS::Queue", "Properties": {{"QueueName": "{name}"}}}}}}}}'
    of_caller("cloudformation").create_stack_set(StackSetName=name, TemplateBody=queue, ExecutionRoleName=role)

    def deploy() -> str:
        stacks = {"StackSetName": name, "Accounts": [OTHER], "Regions": [REGION]}
        of_caller("cloudformation").create_stack_instances(**stacks)
        (instance,) = of_caller("cloudformation").list_stack_instances(StackSetName=name)["Summaries"]
        return str(instance["StatusReason"])

    assert "should have" in deploy()
    assert "QueueUrls" not in of_other("sqs").list_queues(QueueNamePrefix=name)
    trust = {"Effect": "Allow", "Principal": {"AWS": CALLER}, "Action": "sts:AssumeRole"}
    of_other("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))
    assert not deploy()
    assert len(of_other("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]) == 1


def test_a_stack_set_administers_with_a_role_of_its_own_account(of_caller: Of, of_other: Of) -> None:
    name, role = new_name(), new_name()
    trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    of_other("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))
    with pytest.raises(ClientError, match="iam:PassRole"):
        of_caller("cloudformation").create_stack_set(
            StackSetName=name,
            TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
            AdministrationRoleARN=f"arn:aws:iam::{HUB}:role/administrator",
            ExecutionRoleName=role,
        )


def test_a_member_operates_no_stack_set_of_the_organization(of_caller: Of) -> None:
    name = new_name()
    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    of_caller("cloudformation").create_stack_set(
        StackSetName=name, TemplateBody=topic, PermissionModel="SERVICE_MANAGED"
    )
    with pytest.raises(ClientError, match="management account"):
        of_caller("cloudformation").create_stack_instances(
            StackSetName=name,
            Accounts=[HUB],
            DeploymentTargets={"OrganizationalUnitIds": ["ou-abcd-12345678"]},
            Regions=[REGION],
        )
