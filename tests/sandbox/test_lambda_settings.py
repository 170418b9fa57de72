"""lambda:GetAccountSettings, which a reader of SECURITY.md asks before she reserves concurrency."""

import sys
from uuid import uuid4

from sandbox.accounts import HUB
from tests.sandbox.conftest import Client, document, zipped


def test_what_is_reserved_is_no_longer_unreserved(client: Client) -> None:
    functions, name = client("lambda"), f"reserving-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    before = functions.get_account_settings()
    functions.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",
        Role=f"arn:aws:iam::{HUB}:role/{name}",
        Handler="app.handler",
        Code={"ZipFile": zipped(app="handler = print")},
    )
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    after = functions.get_account_settings()
    functions.delete_function(FunctionName=name)
    for key, limit in before["AccountLimit"].items():
        assert after["AccountLimit"][key] == limit - 5 * (key == "UnreservedConcurrentExecutions")
    assert after["AccountUsage"]["FunctionCount"] == before["AccountUsage"]["FunctionCount"] + 1
    assert after["AccountUsage"]["TotalCodeSize"] > before["AccountUsage"]["TotalCodeSize"]
