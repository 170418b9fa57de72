"""The SAM project of the article that this one comes from, as files: written like it, or its own.

The article's code is not copied into this repository. ARTICLE names a file with its text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.e2e.conftest import HUB

TEXT = os.environ.get("ARTICLE")
FUNCTION = "functions/switch_account/app.py"
_LAYER = "layers/cross_account/cross_account.py"

WRITTEN_LIKE_IT = {
    "external.yaml": f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: external-role
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: sts:AssumeRole, Principal: {{AWS: {HUB}}}}}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]
""",
    "template.yaml": """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Tracing: Active}
  Api: {TracingEnabled: true}
Resources:
  CrossAccountLayer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties:
      LayerName: CrossAccountLayer
      ContentUri: layers/cross_account/
      CompatibleRuntimes: [python3.12]
  SwitchAccountFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/switch_account/
      Handler: app.lambda_handler
      Runtime: python3.12
      Architectures: [x86_64]
      Layers: [!Ref CrossAccountLayer]
      Timeout: 60
      LoggingConfig: {LogFormat: JSON}
      Policies:
        - Version: "2012-10-17"
          Statement: [{Effect: Allow, Action: [sts:AssumeRole], Resource: "arn:aws:iam::*:role/external-role"}]
""",
    _LAYER: """
import logging
import re

import boto3

logging.getLogger().setLevel("INFO")


def assume(account_id):
    if not re.match(r"^\\d{12}$", str(account_id)):
        raise ValueError("not an account's id")
    arn = f"arn:aws:iam::{account_id}:role/external-role"
    logging.getLogger().info(f"role: {arn}")
    sts = boto3.client("sts")
    return sts.assume_role(RoleArn=arn, RoleSessionName="external-session", DurationSeconds=3600)["Credentials"]
""",
    FUNCTION: """
import json

import boto3
import cross_account
from botocore.exceptions import BotoCoreError, ClientError


def lambda_handler(event, context):
    account_id = event.get("account_id")
    if not account_id:
        return {"statusCode": 400, "body": json.dumps({"message": "Missing account_id"})}
    try:
        found = cross_account.assume(account_id)
        boto3.client(
            "s3",
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
        ).list_buckets()
        return {"statusCode": 200, "body": json.dumps({"message": "Successfully processed request"})}
    except (BotoCoreError, ClientError):
        return {"statusCode": 500, "body": json.dumps({"message": "AWS API error occurred"})}
    except Exception:
        return {"statusCode": 500, "body": "Internal server error"}
""",
    "events/account.json": '{"account_id": "123456789012"}',
}


def word_for_word() -> dict[str, str] | None:
    """The article's own files, if ARTICLE names its text, with the import that its layer lacks and the hub's id."""
    if TEXT is None:
        return None
    text = Path(TEXT).read_text()

    def part(start: str, end: str) -> str:
        (found,) = re.findall(rf"^{start}\n({end})$", text, re.MULTILINE | re.DOTALL)
        return str(found)

    return {
        "external.yaml": part("external.yaml", "Resources:.*?ReadOnlyAccess").replace("接続元AWSアカウントのID", HUB),
        "template.yaml": part(".*", "AWSTemplateFormatVersion.*?role/external-role"),
        _LAYER: "from botocore.exceptions import ClientError\n"
        + part(_LAYER, "from typing.*?        raise(?=\n\nhttps)"),
        FUNCTION: part(".*", "import json\nimport boto3\nimport cross_account\n.*?(?=\n\n動作)"),
        "events/account.json": part("events/account.json", r"\{.*?\}"),
    }
