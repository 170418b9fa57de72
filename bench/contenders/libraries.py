"""The libraries that do this job, each as its own README shows it, with the cheaper option where it has two.

Those that do not ask many accounts themselves get the same pool of threads. No session is kept afterwards: keeping
them costs megabytes an account, and this is about the first time that an account is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from bench.contenders import ROLE_NAME, AskAccounts, BucketNames, role_arn


def botocove(threads: int) -> AskAccounts:
    from botocove import cove

    def ask(accounts: Sequence[str]) -> BucketNames:
        def one_account(session: boto3.Session) -> list[str]:
            return _bucket_names(session.client("s3"))

        ask_all = cove(target_ids=list(accounts), rolename=ROLE_NAME, thread_workers=threads)(one_account)
        return {answer["Id"]: answer["Result"] for answer in ask_all()["Results"]}

    return ask


def assume_role_lib(threads: int) -> AskAccounts:
    from aws_assume_role_lib import assume_role

    hub = boto3.Session()
    # validate=True, the default, would make a second STS client per account to try the role at once.
    return _in_threads(threads, lambda arn: assume_role(hub, arn, validate=False).client("s3"))


def boto3_assume(threads: int) -> AskAccounts:
    from boto3_assume import assume_role

    hub = boto3.Session()
    return _in_threads(threads, lambda arn: assume_role(hub, {"RoleArn": arn, "RoleSessionName": "bench"}).client("s3"))


def session_manager(threads: int) -> AskAccounts:
    from boto_session_manager.api import BotoSesManager

    hub = BotoSesManager()
    hub.get_client("sts")  # kept by it for all accounts
    return _in_threads(threads, lambda arn: hub.assume_role(role_arn=arn).s3_client)


def _in_threads(threads: int, s3_client: Callable[[str], Any]) -> AskAccounts:
    def ask(accounts: Sequence[str]) -> BucketNames:
        with ThreadPoolExecutor(threads) as pool:
            names = pool.map(lambda account_id: _bucket_names(s3_client(role_arn(account_id))), accounts)
            return dict(zip(accounts, names, strict=True))

    return ask


def _bucket_names(s3: Any) -> list[str]:
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
