"""What the article does, written anew from its description: for every account a new STS client, AssumeRole for an
hour, and an S3 client with the credentials. One handler call per account, in threads: the network shall not decide.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from bench.contenders import AskAccounts, BucketNames, role_arn

logger = logging.getLogger(__name__)


def switch_to(account_id: str) -> dict[str, Any]:
    if not re.match(r"^\d{12}$", account_id):
        raise ValueError("not an account id")
    answer = boto3.client("sts").assume_role(
        RoleArn=role_arn(account_id), RoleSessionName="external-session", DurationSeconds=3600
    )
    credentials: dict[str, Any] = answer["Credentials"]
    return credentials


def handler(event: dict[str, Any]) -> dict[str, Any]:
    try:
        credentials = switch_to(event["account_id"])
        s3 = boto3.client(
            "s3",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    except (BotoCoreError, ClientError) as error:
        logger.error("AWS API error: %s", error)
        return {"statusCode": 500, "body": json.dumps({"message": "AWS API error occurred"})}
    return {"statusCode": 200, "body": json.dumps({"message": "Successfully processed request", "buckets": names})}


def in_threads(threads: int) -> AskAccounts:
    boto3.setup_default_session()  # beforehand: two threads that both find none would trip over each other

    def ask_one(account_id: str) -> list[str]:
        answer = handler({"account_id": account_id})
        names: list[str] = json.loads(answer["body"]).get("buckets", [])
        return names

    def ask(accounts: Sequence[str]) -> BucketNames:
        with ThreadPoolExecutor(threads) as pool:
            return dict(zip(accounts, pool.map(ask_one, accounts), strict=True))

    return ask
