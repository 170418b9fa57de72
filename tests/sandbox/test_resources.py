"""Resources of other accounts: closed without their own policy, and what this policy opens."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import resources
from sandbox.accounts import REGION, TARGETS
from sandbox.functions.environment import runtime_name

from .conftest import document, zipped

CALLER, OWNER = TARGETS[3].id, TARGETS[4].id
Of = Callable[[str], Any]


@pytest.fixture(scope="module")
def of_caller(within: Callable[[str], Of]) -> Of:
    return within(CALLER)


@pytest.fixture(scope="module")
def of_owner(within: Callable[[str], Of]) -> Of:
    return within(OWNER)


def allowing(principal: Any, *actions: str, resource: Any = "*") -> str:
    named = principal if isinstance(principal, dict) else {"AWS": principal}
    return document({"Sid": "a", "Effect": "Allow", "Principal": named, "Action": actions, "Resource": resource})


def new_name(prefix: str = "shared") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


# Reading moto's state. These accounts are in no sandbox.
HERE, THERE = "990000000001", "990000000002"


def test_the_owner_stands_in_the_arn_and_of_a_bucket_is_looked_up() -> None:
    from moto.s3.models import s3_backends

    bucket = new_name()
    s3_backends[THERE]["aws"].create_bucket(bucket, REGION)
    assert resources.owner_of(f"arn:aws:s3:::{bucket}", HERE) == THERE
    assert resources.owner_of(f"arn:aws:s3:::{bucket}/a/key:with/colons", HERE) == THERE
    assert resources.owner_of(f"arn:aws:sqs:{REGION}:{THERE}:queue", HERE) == THERE


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        "arn:aws:s3:::no-bucket-of-anyone/key",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:apigateway:us-east-1::/restapis",
        "arn:aws:s3:::*",
    ],
)
def test_what_names_no_account_is_the_callers(arn: str) -> None:
    assert resources.owner_of(arn, HERE) == HERE
    assert resources.policy_of(arn) is None


def test_policies_and_tags_are_read_in_the_owners_account_and_in_the_arns_region() -> None:
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[HERE]["eu-west-1"].create_queue("one", {"team": "blue"}, Policy=allowing(CALLER, "sqs:*"))
    assert json.loads(str(resources.policy_of(queue.queue_arn)))["Statement"][0]["Sid"] == "a"
    assert resources.tags_of(queue.queue_arn) == {"team": "blue"}
    for other in (queue.queue_arn.replace("eu-west-1", REGION), queue.queue_arn.replace(HERE, THERE)):
        assert resources.policy_of(other) is None
        assert resources.tags_of(other) == {}
    assert THERE not in sqs_backends


def test_a_key_has_its_policy_and_its_tags_under_its_alias_too() -> None:
    from moto.kms.models import kms_backends

    backend = kms_backends[HERE][REGION]
    key = backend.create_key(None, "ENCRYPT_DECRYPT", "", "", [{"TagKey": "team", "TagValue": "blue"}])
    backend.create_alias(key.id, "alias/blue")
    for arn in (key.arn, f"arn:aws:kms:{REGION}:{HERE}:alias/blue"):
        assert f"arn:aws:iam::{HERE}:root" in str(resources.policy_of(arn))
        assert resources.tags_of(arn) == {"team": "blue"}


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}"])
def test_what_is_no_policy_is_none(text: str) -> None:
    from moto.kms.models import kms_backends

    key = kms_backends[HERE][REGION].create_key(None, "ENCRYPT_DECRYPT", "", "", None)
    key.policy = text
    assert resources.policy_of(key.arn) is None


def test_tags_that_are_kept_where_the_sandbox_does_not_look_are_unknown() -> None:
    assert resources.tags_of(f"arn:aws:ecs:{REGION}:{HERE}:cluster/main") is None
    assert resources.tags_of("*") is None


def test_services_without_resource_policies_stay_closed() -> None:
    assert resources.policy_of(f"arn:aws:ecs:{REGION}:{HERE}:cluster/main") is None


@pytest.mark.parametrize(
    ("action", "shared"),
    [
        ("sqs:SendMessage", True),
        ("SQS:SetQueueAttributes", False),
        ("kms:Decrypt", True),
        ("kms:PutKeyPolicy", False),
        ("sns:Publish", True),
        ("sns:TagResource", False),
        ("s3:PutObject", True),
        ("s3:PutBucketPolicy", False),
        ("dynamodb:PutResourcePolicy", False),
        ("secretsmanager:PutSecretValue", True),
    ],
)
def test_some_actions_cannot_be_given_to_other_accounts(action: str, shared: bool) -> None:
    assert resources.can_be_given(action) is shared


# End to end.


def test_a_message_is_for_the_queue_of_the_account_in_its_url(of_caller: Of, of_owner: Of) -> None:
    name = new_name()
    urls = [of("sqs").create_queue(QueueName=name)["QueueUrl"] for of in (of_caller, of_owner)]
    assert code_of(lambda: of_caller("sqs").send_message(QueueUrl=urls[1], MessageBody="hello")).startswith(
        "AccessDenied"
    )
    of_owner("sqs").set_queue_attributes(
        QueueUrl=urls[1], Attributes={"Policy": allowing(CALLER, "sqs:SendMessage", "sqs:GetQueueUrl", "sqs:Set*")}
    )
    found = of_caller("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=OWNER)["QueueUrl"]
    of_caller("sqs").send_message(QueueUrl=found, MessageBody="hello")
    assert of_owner("sqs").receive_message(QueueUrl=urls[1])["Messages"][0]["Body"] == "hello"
    assert "Messages" not in of_caller("sqs").receive_message(QueueUrl=urls[0])
    rename = {"VisibilityTimeout": "1"}
    with pytest.raises(ClientError, match="AccessDenied"):  # whatever the policy says
        of_caller("sqs").set_queue_attributes(QueueUrl=urls[1], Attributes=rename)


def test_a_topic_is_closed_under_each_parameter_that_names_it(of_caller: Of, of_owner: Of) -> None:
    topic = of_owner("sns").create_topic(Name=new_name())["TopicArn"]
    for parameter in ("TopicArn", "TargetArn"):
        with pytest.raises(ClientError):
            of_caller("sns").publish(**{parameter: topic}, Message="hello")
    of_owner("sns").add_permission(TopicArn=topic, Label="a", AWSAccountId=[CALLER], ActionName=["Publish"])
    assert of_caller("sns").publish(TopicArn=topic, Message="hello")["MessageId"]


def test_a_topic_reaches_a_queue_of_another_account_that_lets_sns_in(of_caller: Of, of_owner: Of) -> None:
    topic = of_owner("sns").create_topic(Name=new_name())["TopicArn"]
    of_owner("sns").add_permission(TopicArn=topic, Label="a", AWSAccountId=[CALLER], ActionName=["Subscribe"])
    queue = of_caller("sqs").create_queue(QueueName=new_name())["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{CALLER}:{queue.rpartition('/')[2]}"
    of_caller("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    of_owner("sns").publish(TopicArn=topic, Message="kept out")
    of_caller("sqs").set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": allowing({"Service": "sns.amazonaws.com"}, "sqs:SendMessage")}
    )
    of_owner("sns").publish(TopicArn=topic, Message="let in")
    messages = of_caller("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["Message"] for message in messages] == ["let in"]


def test_a_ciphertext_leads_to_the_key_of_another_account(of_caller: Of, of_owner: Of) -> None:
    key = of_owner("kms").create_key()["KeyMetadata"]["Arn"]
    alias = f"alias/{new_name()}"
    of_owner("kms").create_alias(AliasName=alias, TargetKeyId=key)
    own = of_owner("kms").encrypt(KeyId=alias, Plaintext=b"secret")["CiphertextBlob"]
    with pytest.raises(ClientError):
        of_caller("kms").decrypt(CiphertextBlob=own)
    statements = [
        *json.loads(allowing(OWNER, "kms:*"))["Statement"],
        *json.loads(allowing(CALLER, "kms:Encrypt", "kms:Decrypt", "kms:DisableKey"))["Statement"],
    ]
    of_owner("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document(*statements))
    theirs = of_caller("kms").encrypt(KeyId=f"arn:aws:kms:{REGION}:{OWNER}:{alias}", Plaintext=b"mine")
    assert of_caller("kms").decrypt(CiphertextBlob=own)["Plaintext"] == b"secret"
    assert of_owner("kms").decrypt(CiphertextBlob=theirs["CiphertextBlob"])["Plaintext"] == b"mine"
    with pytest.raises(ClientError, match="AccessDenied"):  # whatever the policy says
        of_caller("kms").disable_key(KeyId=key)


@pytest.fixture(scope="module")
def function(of_owner: Of) -> str:
    """The ARN of a function of the owner, with the alias "live"."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = of_owner("iam").create_role(RoleName=new_name(), AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    code = "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Account']"
    made = of_owner("lambda").create_function(
        FunctionName=new_name(),
        Runtime=runtime_name(),
        Role=role,
        Handler="app.handler",
        Timeout=20,
        Code={"ZipFile": zipped(app=code)},
        Publish=True,
    )
    of_owner("lambda").create_alias(FunctionName=made["FunctionName"], Name="live", FunctionVersion="1")
    return str(made["FunctionArn"]).removesuffix(":1")


def test_a_permission_for_an_alias_opens_the_alias_alone(of_caller: Of, of_owner: Of, function: str) -> None:
    name = function.rpartition(":")[2]
    of_owner("lambda").add_permission(
        FunctionName=f"{name}:live", StatementId="a", Action="lambda:InvokeFunction", Principal=CALLER
    )
    answer = of_caller("lambda").invoke(FunctionName=f"{function}:live")
    assert json.load(answer["Payload"]) == OWNER  # it runs as its own role
    for other in (function, f"{function}:1"):
        assert code_of(lambda other=other: of_caller("lambda").invoke(FunctionName=other)) == "AccessDeniedException"  # type: ignore[misc]


def test_get_policy_shows_what_lambda_writes(of_owner: Of, function: str) -> None:
    of_owner("lambda").add_permission(
        FunctionName=function,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:{REGION}:{OWNER}:rule/*",
        SourceAccount=OWNER,
        PrincipalOrgID="o-a1b2c3d4e5",
        EventSourceToken="token",
    )
    policy = json.loads(of_owner("lambda").get_policy(FunctionName=function)["Policy"])
    statement = next(one for one in policy["Statement"] if one["Sid"] == "events")
    assert statement == {
        "Sid": "events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": function,
        "Condition": {
            "ArnLike": {"AWS:SourceArn": f"arn:aws:events:{REGION}:{OWNER}:rule/*"},
            "StringEquals": {
                "AWS:SourceAccount": OWNER,
                "aws:PrincipalOrgID": "o-a1b2c3d4e5",
                "lambda:EventSourceToken": "token",
            },
        },
    }


def test_a_secret_is_found_in_the_account_of_its_arn(of_caller: Of, of_owner: Of) -> None:
    name = new_name()
    of_caller("secretsmanager").create_secret(Name=name, SecretString="mine")
    secret = of_owner("secretsmanager").create_secret(Name=name, SecretString="theirs")["ARN"]
    with pytest.raises(ClientError, match="AccessDenied"):
        of_caller("secretsmanager").get_secret_value(SecretId=secret)
    policy = allowing(CALLER, "secretsmanager:GetSecretValue")
    of_owner("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    assert of_caller("secretsmanager").get_secret_value(SecretId=secret)["SecretString"] == "theirs"


@pytest.fixture
def bucket(of_owner: Of) -> str:
    """A bucket of the owner, with one object and without a policy."""
    name = new_name()
    of_owner("s3").create_bucket(Bucket=name)
    of_owner("s3").put_object(Bucket=name, Key="key", Body=zipped(app="def handler(event, context): pass"))
    return name


def test_a_bucket_that_is_closed_and_one_that_does_not_exist_are_told_apart(of_caller: Of, bucket: str) -> None:
    s3 = of_caller("s3")
    for call in (s3.get_object, s3.head_object, s3.put_object, s3.delete_object):
        assert code_of(lambda call=call: call(Bucket=bucket, Key="key")) in ("AccessDenied", "403")  # type: ignore[misc]
    assert code_of(lambda: s3.list_objects_v2(Bucket=bucket)) == "AccessDenied"
    assert code_of(lambda: s3.get_object(Bucket=new_name(), Key="key")) == "NoSuchBucket"


def test_what_another_account_writes_is_the_bucket_owners(of_caller: Of, of_owner: Of, bucket: str) -> None:
    policy = allowing(CALLER, "s3:PutObject", resource=f"arn:aws:s3:::{bucket}/theirs/*")
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    of_caller("s3").put_object(Bucket=bucket, Key="theirs/key", Body=b"hello")
    assert of_owner("s3").get_object(Bucket=bucket, Key="theirs/key")["Body"].read() == b"hello"
    assert code_of(lambda: of_caller("s3").get_object(Bucket=bucket, Key="theirs/key")) == "AccessDenied"
    assert code_of(lambda: of_caller("s3").put_object(Bucket=bucket, Key="key", Body=b"")) == "AccessDenied"


def test_who_may_not_list_a_bucket_does_not_learn_which_keys_exist(of_caller: Of, of_owner: Of, bucket: str) -> None:
    s3, objects = of_caller("s3"), f"arn:aws:s3:::{bucket}/*"
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=allowing(CALLER, "s3:GetObject", resource=objects))
    assert s3.get_object(Bucket=bucket, Key="key")["ContentLength"]
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="missing")) == "AccessDenied"
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="missing")) == "403"
    both = allowing(CALLER, "s3:GetObject", "s3:ListBucket", resource=[objects, objects.removesuffix("/*")])
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=both)
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="missing")) == "NoSuchKey"
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="missing")) == "404"


def test_a_copy_needs_the_source_and_the_destination(of_caller: Of, of_owner: Of, bucket: str) -> None:
    mine = new_name()
    of_caller("s3").create_bucket(Bucket=mine)

    def copy() -> Any:
        return of_caller("s3").copy_object(Bucket=mine, Key="copy", CopySource=f"{bucket}/key")

    assert code_of(copy) == "AccessDenied"
    policy = allowing(CALLER, "s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*")
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    copy()
    assert of_caller("s3").head_object(Bucket=mine, Key="copy")["ContentLength"]


def test_no_other_service_reads_the_bucket_for_another_account(
    of_caller: Of, of_owner: Of, bucket: str, function: str
) -> None:
    url = f"https://s3.amazonaws.com/{bucket}/key"
    role = of_owner("lambda").get_function_configuration(FunctionName=function)["Role"]
    for call in (
        lambda: of_caller("cloudformation").create_stack(StackName=new_name(), TemplateURL=url),
        lambda: of_caller("lambda").create_function(
            FunctionName=new_name(),
            Runtime=runtime_name(),
            Role=role.replace(OWNER, CALLER),
            Handler="app.handler",
            Code={"S3Bucket": bucket, "S3Key": "key"},
        ),
    ):
        with pytest.raises(ClientError):
            call()


@pytest.mark.parametrize("policy", ["text", "[]", '{"Statement": ["text"]}'])
def test_what_is_not_a_policy_is_malformed(of_owner: Of, bucket: str, policy: str) -> None:
    assert code_of(lambda: of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=policy)) == "MalformedPolicy"


def test_a_new_bucket_takes_no_public_policy(of_owner: Of, bucket: str) -> None:
    public = allowing("*", "s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*")
    assert code_of(lambda: of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=public)) == "AccessDenied"
    of_owner("s3").delete_public_access_block(Bucket=bucket)
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=public)


def test_a_restricted_bucket_with_a_public_policy_is_open_to_its_own_account_alone(
    of_caller: Of, of_owner: Of, bucket: str
) -> None:
    of_owner("s3").delete_public_access_block(Bucket=bucket)
    public = allowing("*", "s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*")
    of_owner("s3").put_bucket_policy(Bucket=bucket, Policy=public)
    assert of_caller("s3").get_object(Bucket=bucket, Key="key")["ContentLength"]
    of_owner("s3").put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True}
    )
    assert code_of(lambda: of_caller("s3").get_object(Bucket=bucket, Key="key")) == "AccessDenied"
    assert of_owner("s3").get_object(Bucket=bucket, Key="key")["ContentLength"]


def new_table(of: Of, name: str = "") -> str:
    """The ARN of a new table, whose key is the text id."""
    key = {"AttributeName": "id", "KeyType": "HASH"}
    attribute = {"AttributeName": "id", "AttributeType": "S"}
    made = of("dynamodb").create_table(
        TableName=name or new_name(), KeySchema=[key], AttributeDefinitions=[attribute], BillingMode="PAY_PER_REQUEST"
    )
    return str(made["TableDescription"]["TableArn"])


def test_a_table_of_another_account_is_read_by_its_arn(of_caller: Of, of_owner: Of) -> None:
    table = new_table(of_owner)
    with pytest.raises(ClientError, match="AccessDenied"):
        of_caller("dynamodb").scan(TableName=table)
    policy = allowing(CALLER, "dynamodb:Scan", "dynamodb:PutItem", resource=table)
    of_owner("dynamodb").put_resource_policy(ResourceArn=table, Policy=policy)
    of_caller("dynamodb").put_item(TableName=table, Item={"id": {"S": "one"}})
    assert of_caller("dynamodb").scan(TableName=table)["Count"] == 1


def test_a_request_about_several_accounts_touches_none(of_caller: Of, of_owner: Of) -> None:
    name, item = new_name(), {"id": {"S": "one"}}
    opened = new_table(of_owner)
    new_table(of_caller, name)
    closed = new_table(of_owner, name)  # what the caller's bare name must not lead to
    of_owner("dynamodb").put_item(TableName=closed, Item=item)
    of_owner("dynamodb").put_resource_policy(
        ResourceArn=opened, Policy=allowing(CALLER, "dynamodb:PutItem", resource=opened)
    )
    both = [{"Put": {"TableName": opened, "Item": item}}, {"Delete": {"TableName": name, "Key": item}}]
    with pytest.raises(ClientError, match="several accounts"):
        of_caller("dynamodb").transact_write_items(TransactItems=both)
    assert of_owner("dynamodb").scan(TableName=closed)["Count"] == 1


def test_secrets_of_another_account_are_read_together(of_caller: Of, of_owner: Of) -> None:
    name = new_name()
    of_caller("secretsmanager").create_secret(Name=name, SecretString="mine")
    secret = of_owner("secretsmanager").create_secret(Name=name, SecretString="theirs")["ARN"]
    policy = allowing(CALLER, "secretsmanager:GetSecretValue")
    of_owner("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    found = of_caller("secretsmanager").batch_get_secret_value(SecretIdList=[secret])["SecretValues"]
    assert [one["SecretString"] for one in found] == ["theirs"]
