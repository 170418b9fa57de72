"""From a hub account into target accounts: assume a role there, and use boto3 clients that sign with its session.

    from cross_account import Hub

    hub = Hub.from_environment()

    def handler(event, context):
        account = hub.account(event["account_id"])
        return account.client("s3").list_buckets()["Buckets"]

Importing it changes nothing in the process. It needs boto3 and nothing else, and of that only botocore until
`Account.session` or a transfer of S3, such as `upload_file`, is called.
"""

from __future__ import annotations

import botocore

__version__ = "1.0.0"
MIN_BOTO3 = (1, 39)
"""The oldest boto3 it is tested with, and the first whose clients take `auth_scheme_preference`."""

# boto3 itself, whose import takes 20 ms, is not asked: 1.39 needs `botocore<1.40.0,>=1.39.0`, and so on.
if tuple(int(part) for part in botocore.__version__.split(".")[:2]) < MIN_BOTO3:
    raise ImportError(
        f"cross_account needs boto3 1.39 or newer, and its botocore, which is {botocore.__version__} here. Put a newer "
        "boto3 into the function's package or into a layer."
    )

from .account import Account
from .errors import (
    AccountNotAllowed,
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AssumeRoleTimedOut,
    AwsError,
    CrossAccountError,
    HubCredentialsRejected,
    InvalidAccountId,
    InvalidInput,
    InvalidSettings,
    MissingAccountId,
    WrongAccount,
)
from .hub import Hub, assume
from .role import TargetRole

__all__ = [
    "Account",
    "AccountNotAllowed",
    "AssumeRoleDenied",
    "AssumeRoleFailed",
    "AssumeRoleThrottled",
    "AssumeRoleTimedOut",
    "AwsError",
    "CrossAccountError",
    "Hub",
    "HubCredentialsRejected",
    "InvalidAccountId",
    "InvalidInput",
    "InvalidSettings",
    "MissingAccountId",
    "TargetRole",
    "WrongAccount",
    "assume",
]
