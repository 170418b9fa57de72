"""CloudFormation: what calls a function is as SAM's template says, changes and goes with its stack."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ..conftest import Client

STACK, BUCKET = "events-of-sam", "events-of-sam-bucket"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: events-of-sam}}
  Queue: {Type: AWS::SQS::Queue}
  Table: {Type: AWS::Serverless::SimpleTable}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: events-of-sam-bucket
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration: {BlockPublicPolicy: true}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: cross-account-sandbox-events-of-sam
      Runtime: python3.11
      Handler: index.main
      InlineCode: |
        import os, boto3
        def main(event, context):
            boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"id": {"S": source(event)}})
        def source(event):
            record = event.get("Records", [{}])[0]
            return record.get("eventSource") or record.get("EventSource")
      Environment: {Variables: {TABLE: !Ref Table}}
      Policies: [{DynamoDBWritePolicy: {TableName: !Ref Table}}]
      AutoPublishAlias: live
      Events:
        Get: {Type: Api, Properties: {Path: "/PATH/{id}", Method: get}}
        Any: {Type: Api, Properties: {Path: /any, Method: any}}
        Own: {Type: Api, Properties: {Path: /own, Method: get, RestApiId: !Ref Own}}
        Post: {Type: HttpApi, Properties: {Path: /things, Method: post}}
        Rest: {Type: HttpApi}
        Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        FromQueue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
        FromTopic: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {kind: [told]}}}
        FromBucket:
          Type: S3
          Properties:
            Bucket: !Ref Bucket
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: suffix, Value: .json}]}}
  Own:
    Type: AWS::Serverless::Api
    Properties:
      StageName: own
      Cors: "'*'"
      DefinitionBody:
        openapi: 3.0.1
        info: {title: own, version: "1"}
        paths:
          /own:
            get:
              responses: {200: {description: OK}}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
Outputs:
  Own: {Value: !Ref Own}
  Api: {Value: !Ref ServerlessRestApi}
  HttpApi: {Value: !Ref ServerlessHttpApi}
  Table: {Value: !Ref Table}
  Queue: {Value: !Ref Queue}
"""


@pytest.fixture(scope="module")
def api(client: Client) -> Any:
    return client("cloudformation")


def deploy(change: Any, path: str) -> None:
    capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    change(StackName=STACK, TemplateBody=TEMPLATE.replace("PATH", path), Capabilities=capabilities)


@pytest.fixture(scope="module")
def outputs(api: Any) -> Iterator[dict[str, str]]:
    deploy(api.create_stack, "one")
    (stack,) = api.describe_stacks(StackName=STACK)["Stacks"]
    yield {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    api.delete_stack(StackName=STACK)


def test_each_event_calls_the_function(client: Client, outputs: dict[str, str]) -> None:
    s3, sns, sqs, dynamodb = (client(name) for name in ("s3", "sns", "sqs", "dynamodb"))
    topic = sns.list_topics()["Topics"]
    (arn,) = [one["TopicArn"] for one in topic if one["TopicArn"].endswith(":events-of-sam")]
    for kind in ("told", "untold"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=arn, Message=kind, MessageAttributes=attributes)
    s3.put_object(Bucket=BUCKET, Key="a.json", Body=b"")
    sqs.send_message(QueueUrl=outputs["Queue"], MessageBody="m")
    expected = {"aws:sns", "aws:s3", "aws:sqs"}
    until = time.monotonic() + 60
    while (seen := {one["id"]["S"] for one in dynamodb.scan(TableName=outputs["Table"])["Items"]}) != expected:
        assert time.monotonic() < until, seen
        time.sleep(0.05)
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])


def test_a_bucket_is_as_its_template_says(client: Client, outputs: dict[str, str]) -> None:
    s3 = client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": False,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": False,
    }
    (configuration,) = s3.get_bucket_notification_configuration(Bucket=BUCKET)["LambdaFunctionConfigurations"]
    assert configuration["Events"] == ["s3:ObjectCreated:*"]
    assert configuration["LambdaFunctionArn"].endswith(":cross-account-sandbox-events-of-sam:live")


def test_the_apis_follow_their_template_and_go_with_the_stack(
    api: Any, client: Client, outputs: dict[str, str]
) -> None:
    rest, http = client("apigateway"), client("apigatewayv2")

    def methods(output: str = "Api") -> dict[str, list[str]]:
        items = rest.get_resources(restApiId=outputs[output])["items"]
        return {one["path"]: sorted(one["resourceMethods"]) for one in items if one.get("resourceMethods")}

    assert methods() == {"/one/{id}": ["GET"], "/any": ["ANY"]}
    assert methods("Own") == {"/own": ["GET", "OPTIONS"]}
    assert {route["RouteKey"] for route in http.get_routes(ApiId=outputs["HttpApi"])["Items"]} == {
        "POST /things",
        "$default",
    }
    before = {one["stageName"]: one["deploymentId"] for one in rest.get_stages(restApiId=outputs["Api"])["item"]}
    deploy(api.update_stack, "other")
    assert methods() == {"/other/{id}": ["GET"], "/any": ["ANY"]}
    after = {one["stageName"]: one["deploymentId"] for one in rest.get_stages(restApiId=outputs["Api"])["item"]}
    assert before["Prod"] != after["Prod"]
    api.delete_stack(StackName=STACK)
    assert json.dumps(api.list_stacks()["StackSummaries"], default=str).count(STACK) == 2  # name and id, deleted
    assert outputs["Api"] not in {one["id"] for one in rest.get_rest_apis()["items"]}
    assert outputs["HttpApi"] not in {one["ApiId"] for one in http.get_apis()["Items"]}
    assert client("scheduler").list_schedules()["Schedules"] == []
