"""CloudFormation: parameters are validated, and the policies of a template are enforced, changed and deleted."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB

from ..conftest import TEMPLATE, Client, document, zipped

ACCOUNT = "456789012345"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}}


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


@pytest.mark.parametrize(
    ("rules", "value", "message"),
    [
        ({"Type": "Number", "MaxValue": 5}, "6", "not greater than 5"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "be one of AllowedValues"),
        ({"Type": "String", "MinLength": 2, "ConstraintDescription": "two letters"}, "a", "two letters"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "/nothing", r"Unable to fetch parameters \[/nothing\]"),
    ],
)
def test_rules_of_parameters_are_kept(cloudformation: Any, rules: Any, value: str, message: str) -> None:
    body = {"Parameters": {"It": rules}, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with pytest.raises(ClientError, match=message):
        cloudformation.create_stack(StackName="x", TemplateBody=json.dumps(body), Parameters=parameters(It=value))


@pytest.mark.parametrize(
    ("version", "stage", "message"),
    [("5", "dev", "Rule Bootstrap failed: Bootstrap again."), ("6", "prod", "Rule Prod failed"), ("7", "prod", None)],
)
def test_rules_of_templates_are_kept(cloudformation: Any, version: str, stage: str, message: Any) -> None:
    old = {"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "Version"}]}
    rules = {
        "Bootstrap": {"Assertions": [{"Assert": {"Fn::Not": [old]}, "AssertDescription": "Bootstrap again."}]},
        "Prod": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Assertions": [{"Assert": {"Fn::EachMemberIn": [[{"Ref": "Version"}], ["7", "8"]]}}],
        },
    }
    slots = {"Version": {"Type": "String"}, "Stage": {"Type": "String"}}
    body = json.dumps({"Parameters": slots, "Rules": rules, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    values = parameters(Version=version, Stage=stage)
    try:
        cloudformation.create_stack(StackName="rules", TemplateBody=body, Parameters=values)
        told = None
        cloudformation.delete_stack(StackName="rules")
    except ClientError as error:
        told = str(error)
    assert told is message is None or message in str(told)


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
    reading = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    cloudformation.create_stack(
        **arguments,
        TemplateBody=template,
        Parameters=parameters(HubAccountId=HUB, ExternalId="first", ManagedPolicyArns=reading),
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


@dataclass
class Deployed:
    """A stack of the hub; its template is in the short form {logical id: (type, properties)}."""

    client: Client
    name: str

    def deploy(self, resources: dict[str, tuple[str, dict[str, Any]]], **more: Any) -> None:
        api, is_new = self.client("cloudformation"), not self.__dict__.get("is_there")
        body = {
            "Resources": {name: {"Type": f"AWS::{kind}", "Properties": of} for name, (kind, of) in resources.items()}
        }
        change = api.create_stack if is_new else api.update_stack
        change(StackName=self.name, TemplateBody=json.dumps(body | more), Capabilities=["CAPABILITY_NAMED_IAM"])
        self.is_there = True

    def delete(self) -> None:
        self.client("cloudformation").delete_stack(StackName=self.name)


def is_denied(call: Any, **arguments: Any) -> bool:
    """By a Deny."""
    try:
        call(**arguments)
    except ClientError as error:
        if "explicit deny" in str(error):
            return True
        raise
    return False


def get(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


RESOURCES = {
    "Bucket": ("S3::Bucket", {"BucketName": "stacks-of-the-hub"}),
    "Queue": ("SQS::Queue", {"QueueName": "stacks"}),
    "OtherQueue": ("SQS::Queue", {"QueueName": "stacks-other"}),
    "Topic": ("SNS::Topic", {"TopicName": "stacks"}),
    "OtherTopic": ("SNS::Topic", {"TopicName": "stacks-other"}),
    "Stream": ("Kinesis::Stream", {"Name": "stacks", "ShardCount": 1}),
}


def policies(effect: str, secret: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """All that a template can say of who uses a resource: the hub may, or is denied to."""

    def of(action: str, resource: Any = "*") -> dict[str, Any]:
        statement = {"Effect": effect, "Principal": {"AWS": HUB}, "Action": action, "Resource": resource}
        return {"Version": "2012-10-17", "Statement": [statement]}

    queue, topic = of("sqs:GetQueueAttributes"), of("sns:GetTopicAttributes")
    key = of("kms:DescribeKey")
    key["Statement"].append({"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "kms:*", "Resource": "*"})
    return {
        "BucketPolicy": (
            "S3::BucketPolicy",
            {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": of("s3:ListBucket", get("Bucket", "Arn"))},
        ),
        "QueuePolicy": ("SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": queue}),
        "QueueInlinePolicy": ("SQS::QueueInlinePolicy", {"Queue": {"Ref": "OtherQueue"}, "PolicyDocument": queue}),
        "TopicPolicy": ("SNS::TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": topic}),
        "TopicInlinePolicy": ("SNS::TopicInlinePolicy", {"TopicArn": {"Ref": "OtherTopic"}, "PolicyDocument": topic}),
        "StreamPolicy": (
            "Kinesis::ResourcePolicy",
            {
                "ResourceArn": get("Stream", "Arn"),
                "ResourcePolicy": of("kinesis:DescribeStreamSummary", get("Stream", "Arn")),
            },
        ),
        "SecretPolicy": (
            "SecretsManager::ResourcePolicy",
            {"SecretId": secret, "ResourcePolicy": of("secretsmanager:DescribeSecret")},
        ),
        "BusPolicy": (
            "Events::EventBusPolicy",
            {
                "StatementId": "stacks",
                "Statement": of("events:PutEvents", f"arn:aws:events:us-east-1:{HUB}:event-bus/default")["Statement"][
                    0
                ],
            },
        ),
        "Key": ("KMS::Key", {"KeyPolicy": key}),
        "Repository": ("ECR::Repository", {"RepositoryName": "stacks", "RepositoryPolicyText": of("ecr:ListImages")}),
        "Table": (
            "DynamoDB::Table",
            {
                "TableName": "stacks",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
                "ResourcePolicy": {"PolicyDocument": of("dynamodb:DescribeTable")},
            },
        ),
    }


def test_the_policies_of_resources_are_enforced_changed_and_deleted_with_their_stack(client: Client) -> None:
    secret = client("secretsmanager").create_secret(Name="stacks", SecretString="s")["ARN"]
    stack = Deployed(client, "resources")
    stack.deploy(RESOURCES | policies("Deny", secret))
    found = client("cloudformation").describe_stack_resources(StackName="resources")["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    reads: dict[str, Any] = {
        "s3": (client("s3").list_objects_v2, {"Bucket": ids["Bucket"]}),
        "sqs": (client("sqs").get_queue_attributes, {"QueueUrl": ids["Queue"]}),
        "sqs inline": (client("sqs").get_queue_attributes, {"QueueUrl": ids["OtherQueue"]}),
        "sns": (client("sns").get_topic_attributes, {"TopicArn": ids["Topic"]}),
        "sns inline": (client("sns").get_topic_attributes, {"TopicArn": ids["OtherTopic"]}),
        "kinesis": (client("kinesis").describe_stream_summary, {"StreamName": "stacks"}),
        "secretsmanager": (client("secretsmanager").describe_secret, {"SecretId": secret}),
        "events": (client("events").put_events, {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
        "kms": (client("kms").describe_key, {"KeyId": ids["Key"]}),
        "ecr": (client("ecr").list_images, {"repositoryName": "stacks"}),
        "dynamodb": (client("dynamodb").describe_table, {"TableName": "stacks"}),
    }

    def denied() -> set[str]:
        return {name for name, (call, arguments) in reads.items() if is_denied(call, **arguments)}

    assert denied() == set(reads)
    stack.deploy(RESOURCES | policies("Allow", secret))
    assert denied() == set()
    stack.deploy(RESOURCES | policies("Deny", secret))
    assert denied() == set(reads)
    stack.deploy(RESOURCES)
    for name in ("kms", "ecr", "dynamodb"):
        del reads[name]
    assert denied() == set()
    stack.deploy(RESOURCES | policies("Deny", secret))
    stack.delete()
    assert not is_denied(client("secretsmanager").describe_secret, SecretId=secret)


LIST = {"iam:ListAccountAliases": "list_account_aliases", "iam:ListSAMLProviders": "list_saml_providers"}
ALIASES, SAML = LIST


def identities(denied: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Users who may do everything but one action, each for another reason."""

    def document_of(effect: str, action: str) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}

    def ref(name: str) -> dict[str, str]:
        return {"Ref": name}

    deny = document_of("Deny", denied)
    other = next(action for action in LIST if action != denied)
    inline = [{"PolicyName": "all", "PolicyDocument": document_of("Allow", "*")}]
    denying = [*inline, {"PolicyName": "denied", "PolicyDocument": deny}]

    def user(name: str, **properties: Any) -> tuple[str, dict[str, Any]]:
        return ("IAM::User", {"UserName": f"stacks-{name}", "Policies": inline, **properties})

    return {
        "Deny": ("IAM::ManagedPolicy", {"PolicyDocument": deny}),
        "Other": ("IAM::ManagedPolicy", {"PolicyDocument": document_of("Allow", other)}),
        "DenyingGroup": ("IAM::Group", {"ManagedPolicyArns": [ref("Deny")]}),
        "InlineGroup": ("IAM::Group", {"Policies": denying}),
        "PlainGroup": ("IAM::Group", {}),
        "Inline": user("inline", Policies=denying),
        "Attached": user("attached", ManagedPolicyArns=[ref("Deny")]),
        "Bounded": user("bounded", PermissionsBoundary=ref("Other")),
        "Member": user("member", Groups=[ref("DenyingGroup")]),
        "MemberOfInline": user("member-of-inline", Groups=[ref("InlineGroup")]),
        "Added": user("added"),
        "OfPolicy": user("of-policy"),
        "OfUserPolicy": user("of-user-policy"),
        "OfGroupPolicy": user("of-group-policy", Groups=[ref("PlainGroup")]),
        "OfManaged": user("of-managed"),
        "Addition": ("IAM::UserToGroupAddition", {"GroupName": ref("InlineGroup"), "Users": [ref("Added")]}),
        "Policy": ("IAM::Policy", {"PolicyName": "one", "Users": [ref("OfPolicy")], "PolicyDocument": deny}),
        "UserPolicy": (
            "IAM::UserPolicy",
            {"PolicyName": "one", "UserName": ref("OfUserPolicy"), "PolicyDocument": deny},
        ),
        "GroupPolicy": (
            "IAM::GroupPolicy",
            {"PolicyName": "one", "GroupName": ref("PlainGroup"), "PolicyDocument": deny},
        ),
        "Managed": ("IAM::ManagedPolicy", {"Users": [ref("OfManaged")], "PolicyDocument": deny}),
    }


def test_what_restricts_the_users_of_a_stack_is_enforced_and_changed_and_nothing_remains(client: Client) -> None:
    iam, stack = client("iam"), Deployed(client, "identities")
    before = iam.get_account_summary()["SummaryMap"]
    stack.deploy(identities(denied=ALIASES))
    users = [of["UserName"] for kind, of in identities(ALIASES).values() if kind == "IAM::User"]
    keys = {name: iam.create_access_key(UserName=name)["AccessKey"] | {"SessionToken": None} for name in users}
    clients = {name: client("iam", key) for name, key in keys.items()}

    def denied() -> dict[str, set[str]]:
        def is_refused(user: str, action: str) -> bool:
            try:
                getattr(clients[user], LIST[action])()
            except ClientError as error:
                return error.response["Error"]["Code"] == "AccessDenied"
            return False

        return {user: {action for action in LIST if is_refused(user, action)} for user in users}

    assert denied() == {user: {ALIASES} for user in users}
    stack.deploy(identities(denied=SAML))
    assert denied() == {user: {SAML} for user in users}
    stack.delete()
    assert iam.get_account_summary()["SummaryMap"] == before


def test_a_policy_goes_with_its_condition_and_stays_where_it_is_to_be_retained(client: Client) -> None:
    """Also if nothing else changes in the template than the value of a parameter."""
    bucket, api = "stacks-conditions", client("cloudformation")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    policy: dict[str, Any] = {
        "Type": "AWS::S3::BucketPolicy",
        "Condition": "IsClosed",
        "Properties": {"Bucket": bucket, "PolicyDocument": {"Statement": [deny]}},
    }
    template: dict[str, Any] = {
        "Parameters": {"Closed": {"Type": "String"}},
        "Conditions": {"IsClosed": {"Fn::Equals": [{"Ref": "Closed"}, "yes"]}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Policy": policy},
    }
    client("s3").create_bucket(Bucket=bucket)

    def is_closed(change: Any, **values: str) -> bool:
        change(StackName="conditions", TemplateBody=json.dumps(template), Parameters=parameters(**values))
        return is_denied(client("s3").list_objects_v2, Bucket=bucket)

    assert not is_closed(api.create_stack, Closed="no")
    assert is_closed(api.update_stack, Closed="yes")
    assert not is_closed(api.update_stack, Closed="no")
    policy["DeletionPolicy"] = "Retain"
    assert is_closed(api.update_stack, Closed="yes")
    del template["Resources"]["Policy"]
    assert is_closed(api.update_stack, Closed="yes")


def test_a_topic_that_a_stack_makes_again_keeps_its_policy(client: Client) -> None:
    stack, topic = Deployed(client, "topic"), f"arn:aws:sns:us-east-1:{HUB}:stacks-again"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:GetTopicAttributes", "Resource": topic}
    policy = ("SNS::TopicPolicy", {"Topics": [topic], "PolicyDocument": {"Statement": [deny]}})
    for name in ("one", "other"):
        topic_of_name = ("SNS::Topic", {"TopicName": "stacks-again", "DisplayName": name})
        stack.deploy({"Topic": topic_of_name, "Policy": policy})
        assert is_denied(client("sns").get_topic_attributes, TopicArn=topic)


def test_a_permission_of_a_function_is_replaced_and_deleted_with_its_stack(client: Client) -> None:
    lambda_, trust = client("lambda"), {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName="stacks-function", AssumeRolePolicyDocument=document(trust))
    lambda_.create_function(
        FunctionName="stacks-function",
        Runtime="python3.11",
        Handler="app.main",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": zipped(app="")},
    )
    stack = Deployed(client, "permission")
    for account in ("222222222222", "333333333333"):
        permission = {"FunctionName": "stacks-function", "Action": "lambda:InvokeFunction", "Principal": account}
        stack.deploy({"Permission": ("Lambda::Permission", permission)})
        (statement,) = json.loads(lambda_.get_policy(FunctionName="stacks-function")["Policy"])["Statement"]
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
    stack.delete()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        lambda_.get_policy(FunctionName="stacks-function")
