"""What two calls cost at the least, if nothing had to be made for them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from bench.contenders import AskAccounts, BucketNames, role_arn


def ready_clients(threads: int) -> AskAccounts:
    """AssumeRole and ListBuckets on two clients that are there already.

    boto3 cannot do the work like this: the second call is signed by the hub, not by the account. That is what makes
    it a floor.
    """
    config = Config(max_pool_connections=threads)
    sts = boto3.client("sts", config=config)
    s3 = boto3.client("s3", config=config)

    def ask_one(account_id: str) -> list[str]:
        sts.assume_role(RoleArn=role_arn(account_id), RoleSessionName="bench")
        return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]

    def ask(accounts: Sequence[str]) -> BucketNames:
        with ThreadPoolExecutor(threads) as pool:
            return dict(zip(accounts, pool.map(ask_one, accounts), strict=True))

    return ask
