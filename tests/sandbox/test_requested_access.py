"""What a request asks for: its IAM actions, their resources and the condition keys of its content."""

from dataclasses import replace
from typing import Any

import pytest
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.requested_access import Access, accesses_of
from tests.sandbox.serialized import ACCOUNT, asked, request

R = f"us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
TABLE = f"arn:aws:dynamodb:{R}:table"


def pairs(accesses: Any) -> list[tuple[str, str | None]]:
    return [(access.action, access.resource) for access in accesses]


def test_a_copy_reads_the_source_and_writes_the_target() -> None:
    found = asked("s3", "CopyObject", Bucket="to", Key="k", CopySource="from/a%20b?versionId=1")
    assert pairs(found) == [("s3:PutObject", "arn:aws:s3:::to/k"), ("s3:GetObjectVersion", "arn:aws:s3:::from/a b")]


def test_an_upload_needs_a_permission_for_what_its_headers_set() -> None:
    found = asked(
        "s3", "PutObject", Bucket="b", Key="k", Tagging="a=b", ACL="public-read", ObjectLockLegalHoldStatus="ON"
    )
    names = {access.action for access in found}
    assert names == {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl", "s3:PutObjectLegalHold"}


def test_every_key_of_a_deletion_is_asked_for() -> None:
    found = asked("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]})
    assert pairs(found) == [("s3:DeleteObject", "arn:aws:s3:::b/x"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/y")]


def test_a_query_that_may_be_several_operations_needs_them_all() -> None:
    of_acl = request("s3", "GetBucketAcl", {"Bucket": "b"})
    found = accesses_of(replace(of_acl, path="/b?acl&policy"))
    assert {access.action for access in found} == {"s3:GetBucketAcl", "s3:GetBucketPolicy"}


@pytest.mark.parametrize("body", [b"", b"no XML", b"<Delete/>"])
def test_a_request_that_names_nothing_still_asks_for_something(body: bytes) -> None:
    of_some = request("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}]}})
    assert pairs(accesses_of(replace(of_some, body=body))) == [("s3:DeleteObjects", None)]


def test_s3_s_keys_are_those_of_the_query_and_of_the_headers() -> None:
    (access,) = asked("s3", "ListObjectsV2", Bucket="b", Prefix="home/", Delimiter="/")
    assert (access.keys["s3:prefix"], access.keys["s3:delimiter"]) == ("home/", "/")
    assert "s3:max-keys" in access.known
    (access,) = asked("s3", "PutObject", Bucket="b", Key="k", ServerSideEncryption="aws:kms")
    assert access.keys["s3:x-amz-server-side-encryption"] == "aws:kms"
    (access,) = asked("s3", "CreateBucket", Bucket="b", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert access.keys["s3:LocationConstraint"] == "eu-west-1"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "a", "Item": {}}},
                    {"Update": {"TableName": "b", "Key": {}, "UpdateExpression": "x"}},
                ]
            },
            [("dynamodb:PutItem", f"{TABLE}/a"), ("dynamodb:UpdateItem", f"{TABLE}/b")],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": 'delete from "a"."by-day" where x=1'},
            [("dynamodb:PartiQLDelete", f"{TABLE}/a/index/by-day")],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": "select 'from b' from a"},
            [("dynamodb:PartiQLSelect", None)],
        ),
        (
            "iam",
            "CreateRole",
            {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "team", "Value": "blue"}]},
            [
                ("iam:CreateRole", "arn:aws:iam::111111111111:role/r"),
                ("iam:TagRole", "arn:aws:iam::111111111111:role/r"),
            ],
        ),
        (
            "sns",
            "CreateTopic",
            {"Name": "t", "Tags": [{"Key": "team", "Value": "blue"}]},
            [("sns:CreateTopic", f"arn:aws:sns:{R}:t"), ("sns:TagResource", f"arn:aws:sns:{R}:t")],
        ),
        (
            "kms",
            "ReEncrypt",
            {"CiphertextBlob": b"1" * 36, "DestinationKeyId": "2"},
            [("kms:ReEncryptFrom", None), ("kms:ReEncryptTo", f"arn:aws:kms:{R}:key/2")],
        ),
        (
            "secretsmanager",
            "BatchGetSecretValue",
            {"SecretIdList": ["db"]},
            [
                ("secretsmanager:BatchGetSecretValue", "*"),
                ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{R}:secret:db-??????"),
            ],
        ),
        (
            "ecs",
            "DescribeServices",
            {"services": ["a", f"arn:aws:ecs:{R}:service/other/b"]},
            [
                ("ecs:DescribeServices", f"arn:aws:ecs:{R}:service/default/a"),
                ("ecs:DescribeServices", f"arn:aws:ecs:{R}:service/other/b"),
            ],
        ),
        ("lambda", "Invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", f"arn:aws:lambda:{R}:function:f")]),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:eu-west-1:222222222222:function:f", "Qualifier": "live"},
            [("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:222222222222:function:f:live")],
        ),
        (
            "ec2",
            "CreateTags",
            {"Resources": ["i-1", "unheard-of-1"], "Tags": []},
            [("ec2:CreateTags", f"arn:aws:ec2:{R}:instance/i-1"), ("ec2:CreateTags", None)],
        ),
        (
            "iam",
            "CreateUser",
            {"UserName": "u", "Path": "/t/"},
            [("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/t/u")],
        ),
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, [("ec2:CreateVpc", f"arn:aws:ec2:{R}:vpc/*")]),
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "us.amazon.nova-lite-v1:0", "messages": []},
            [("bedrock:InvokeModel", f"arn:aws:bedrock:{R}:inference-profile/us.amazon.nova-lite-v1:0")],
        ),
        ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "session"}, [("sts:AssumeRole", ROLE)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_actions_and_resources(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    assert pairs(asked(service, operation, **parameters)) == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("codedeploy", "GetDeployment", {"deploymentId": "d-1"}),
        ("ecs", "DescribeTasks", {"tasks": ["arn:aws:ecs:us-east-1:1:task-of-old"]}),
        ("glue", "GetSchema", {"SchemaId": {"SchemaName": "s"}}),
        ("route53", "ListTagsForResources", {"ResourceType": "hostedzone", "ResourceIds": ["Z1"]}),
        ("organizations", "DescribePolicy", {"PolicyId": "p-12345678"}),
    ],
    ids=["a name of something else", "an ARN of no type", "inside an object", "in XML", "nothing that exists"],
)
def test_what_does_not_tell_its_resource_is_unknown(service: str, operation: str, parameters: dict[str, Any]) -> None:
    assert [access.resource for access in asked(service, operation, **parameters)] == [None]


GROUP_ARN = f"arn:aws:elasticloadbalancing:{R}:targetgroup/t/1"
WINDOW = "mw-12345678901234567"
SUBNET = {"DeviceIndex": 0, "SubnetId": "subnet-1", "Groups": ["sg-1"]}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("codebuild", "StopBuild", {"id": "app:1234"}, f"codebuild:{R}:project/app"),
        ("config", "StopConfigurationRecorder", {"ConfigurationRecorderName": "r"}, "configuration-recorder/r/*"),
        ("dms", "DeleteReplicationInstance", {"ReplicationInstanceArn": f"arn:aws:dms:{R}:rep:A"}, f"dms:{R}:rep:A"),
        ("dynamodb", "RestoreTableToPointInTime", {"SourceTableName": "old", "TargetTableName": "new"}, "table/old"),
        ("ec2", "AuthorizeSecurityGroupIngress", {"GroupId": "sg-1"}, "security-group/sg-1"),
        ("ec2", "DeleteKeyPair", {"KeyName": "k"}, "key-pair/k"),
        ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [SUBNET]}, "subnet/subnet-1"),
        ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateName": "abc"}}, None),
        ("ec2", "DeleteSecurityGroup", {"GroupName": "web"}, None),
        ("ec2", "ReleaseAddress", {"PublicIp": "192.0.2.1"}, None),
        ("ecs", "RunTask", {"taskDefinition": "web:1"}, f"ecs:{R}:task-definition/web:1"),
        ("elbv2", "AddTags", {"ResourceArns": [GROUP_ARN], "Tags": [{"Key": "a"}]}, "targetgroup/t/1"),
        ("glacier", "DeleteVault", {"accountId": "-", "vaultName": "v"}, f"glacier:{R}:vaults/v"),
        ("glue", "BatchDeleteTable", {"DatabaseName": "d", "TablesToDelete": ["a", "b"]}, "table/d/b"),
        ("logs", "GetLogEvents", {"logGroupIdentifier": "g", "logStreamName": "s"}, "log-group:g:log-stream:s"),
        ("rds", "CreateDBInstanceReadReplica", {"SourceDBInstanceIdentifier": "a", "DBInstanceIdentifier": "b"}, ":a"),
        ("route53", "CreateQueryLoggingConfig", {"HostedZoneId": "Z1", "CloudWatchLogsLogGroupArn": "arn:x"}, None),
        (
            "ssm",
            "SendCommand",
            {"DocumentName": "AWS-RunShellScript", "Targets": [{"Key": "InstanceIds", "Values": ["i-1"]}]},
            f"ec2:{R}:instance/i-1",
        ),
        ("sns", "Publish", {"TargetArn": f"arn:aws:sns:{R}:t", "Message": "x"}, f"sns:{R}:t"),
        ("ssm", "GetDocument", {"Name": "AWS-RunShellScript"}, "ssm:us-east-1::document/AWS-RunShellScript"),
        ("ssm", "UpdateMaintenanceWindowTarget", {"WindowId": WINDOW, "WindowTargetId": "1" * 36}, WINDOW),
        ("timestream-query", "Query", {"QueryString": "select 1"}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_denial_of_what_is_named_in_another_way_is_not_missed(
    service: str, operation: str, parameters: dict[str, Any], expected: str | None
) -> None:
    found = [access.resource for access in asked(service, operation, **parameters)]
    assert None in found if expected is None else any(arn and arn.endswith(expected) for arn in found)


def test_an_operation_that_a_service_does_not_have_is_not_taken_for_another() -> None:
    of_writing = replace(request("timestream-query", "Query", {"QueryString": "q"}), service="timestream-write")
    assert pairs(accesses_of(of_writing)) == [("timestream:Select", None)]


def test_an_operation_without_an_action_keeps_its_name() -> None:
    assert pairs(asked("logs", "GetLogObject", logObjectPointer="p")) == [("logs:GetLogObject", None)]


@pytest.mark.parametrize("operation", ["describejobqueues", "", None])
def test_an_operation_is_found_by_its_path_where_moto_calls_it_otherwise(operation: Any) -> None:
    found = accesses_of(replace(request("batch", "DescribeJobQueues", {}), operation=operation))
    assert pairs(found) == [("batch:DescribeJobQueues", "*")]


def test_an_id_or_a_path_that_a_request_does_not_tell_is_looked_up() -> None:
    role = iam_backends[ACCOUNT]["aws"].create_role("deep", "{}", "/team/", None, "", [], "3600")
    key = kms_backends[ACCOUNT]["us-east-1"].create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [])
    kms_backends[ACCOUNT]["us-east-1"].create_alias(key.id, "alias/app")
    secrets = secretsmanager_backends[ACCOUNT]["us-east-1"]
    for name in ("app/db-other", "app/db"):
        secrets.create_secret(name, "x", None, None, None, None, None, [], False)
    found = [
        *asked("iam", "GetRole", RoleName="deep"),
        *asked("kms", "DescribeKey", KeyId="alias/app"),
        *asked("secretsmanager", "GetSecretValue", SecretId="app/db"),
    ]
    assert [access.resource for access in found] == [role.arn, key.arn, secrets.secrets["app/db"].arn]


def test_who_names_no_user_means_himself() -> None:
    himself = replace(request("iam", "ListAccessKeys", {}), caller=f"arn:aws:iam::{ACCOUNT}:user/ann")
    assert pairs(accesses_of(himself)) == [("iam:ListAccessKeys", f"arn:aws:iam::{ACCOUNT}:user/ann")]


def test_to_give_a_role_to_a_service_is_to_pass_it() -> None:
    found = asked("stepfunctions", "CreateStateMachine", name="m", definition="{}", roleArn=ROLE)
    assert found[1] == Access("iam:PassRole", ROLE, {"iam:PassedToService": "states.amazonaws.com"})
    found = asked("events", "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{R}:q", "RoleArn": ROLE}])
    assert found[1].resource == ROLE
    found = asked("glue", "CreateJob", Name="j", Role="worker", Command={})
    assert pairs(found)[-1] == ("iam:PassRole", ROLE)
    backend = iam_backends[ACCOUNT]["aws"]
    backend.create_role("worker", "{}", "/", None, "", [], "3600")
    backend.create_instance_profile("hosts", "/", [])
    backend.add_role_to_instance_profile("hosts", "worker")
    found = asked("ec2", "RunInstances", MinCount=1, MaxCount=1, ImageId="ami-1", IamInstanceProfile={"Name": "hosts"})
    assert found[-1] == Access("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"})
    found = asked("iam", "AddRoleToInstanceProfile", InstanceProfileName="p", RoleName="worker")
    assert pairs(found)[-1] == ("iam:PassRole", ROLE)
    assert len(asked("stepfunctions", "UpdateStateMachine", stateMachineArn=f"arn:aws:states:{R}:stateMachine:m")) == 1


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("lambda", "TagResource", {"Resource": f"arn:aws:lambda:{R}:function:f", "Tags": {"team": "x", "a/b": ""}}),
        ("iam", "TagUser", {"UserName": "u", "Tags": [{"Key": "team", "Value": "x"}, {"Key": "a/b", "Value": ""}]}),
        (
            "kms",
            "TagResource",
            {"KeyId": "1", "Tags": [{"TagKey": "team", "TagValue": "x"}, {"TagKey": "a/b", "TagValue": ""}]},
        ),
        ("ecs", "CreateCluster", {"tags": [{"key": "team", "value": "x"}, {"key": "a/b", "value": ""}]}),
        (
            "ec2",
            "CreateVpc",
            {
                "TagSpecifications": [
                    {"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": "x"}, {"Key": "a/b", "Value": ""}]}
                ]
            },
        ),
    ],
    ids=["a map", "keys and values in a form", "TagKey", "lower case", "EC2's specifications"],
)
def test_the_tags_of_a_request_are_known_completely(service: str, operation: str, parameters: dict[str, Any]) -> None:
    access = asked(service, operation, **parameters)[0]
    tags = {name: value for name, value in access.keys.items() if name.startswith("aws:")}
    assert tags == {"aws:RequestTag/team": "x", "aws:RequestTag/a/b": "", "aws:TagKeys": ["team", "a/b"]}
    assert {"aws:RequestTag/", "aws:TagKeys"} <= set(access.known)


def test_tags_that_are_removed_are_keys_without_values() -> None:
    access = asked("lambda", "UntagResource", Resource=f"arn:aws:lambda:{R}:function:f", TagKeys=["team"])[0]
    assert (access.keys, set(access.known)) == ({"aws:TagKeys": ["team"]}, {"aws:RequestTag/", "aws:TagKeys"})


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b'{"Tags": {"team": "x"}}'}),
        ("lambda", "TagResource", {"Resource": f"arn:aws:lambda:{R}:function:f", "Tags": {"team": "x", "Team": "y"}}),
        (
            "route53",
            "ChangeTagsForResource",
            {"ResourceType": "hostedzone", "ResourceId": "Z", "AddTags": [{"Key": "a"}]},
        ),
    ],
    ids=["an event", "two spellings", "XML"],
)
def test_the_tags_of_other_requests_are_unknown(service: str, operation: str, parameters: dict[str, Any]) -> None:
    (access,) = asked(service, operation, **parameters)
    assert (access.known, [name for name in access.keys if name.startswith("aws:RequestTag")]) == ((), [])


def test_keys_of_a_service_are_the_parameters_of_that_name() -> None:
    policy = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert asked("iam", "AttachRolePolicy", RoleName="r", PolicyArn=policy)[0].keys == {"iam:PolicyARN": policy}
    assert asked("sns", "Subscribe", TopicArn=f"arn:aws:sns:{R}:t", Protocol="https", Endpoint="https://x")[0].keys == {
        "sns:Protocol": "https",
        "sns:Endpoint": "https://x",
    }
    encrypted = asked("kms", "Encrypt", KeyId="1", Plaintext=b"x", EncryptionContext={"app": "y"})[0].keys
    assert encrypted == {"kms:EncryptionContext:app": "y", "kms:EncryptionContextKeys": ["app"]}


def test_a_name_is_not_the_value_of_a_key_that_is_an_arn() -> None:
    task = f"arn:aws:ecs:{R}:task/prod/1"
    assert asked("ecs", "DescribeTasks", cluster="prod", tasks=[task])[0].keys == {}
    cluster = f"arn:aws:ecs:{R}:cluster/prod"
    assert asked("ecs", "DescribeTasks", cluster=cluster, tasks=[task])[0].keys == {"ecs:cluster": cluster}
