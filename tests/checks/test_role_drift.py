"""role_drift: the role in a target against what the checks declare, by its own inline policies."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.checks.policy_document import statements
from chalicelib.checks.role_actions import LIST_ORGANIZATION
from chalicelib.checks.role_drift import declared, role_drift, summary
from chalicelib.cross_account import Hub
from chalicelib.errors import CheckCallFailed
from tests.fake_aws import FakeAws
from tests.policies import policy

NEEDED = ["s3:ListAllMyBuckets", "iam:GetRolePolicy"]
OWN = "arn:aws:iam::123456789012:role/security/reader"
BUCKETS = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
ITSELF = {"Effect": "Allow", "Action": ["iam:GetRolePolicy"], "Resource": OWN}
AS_NEEDED = [BUCKETS, ITSELF]


def compared(*of_policy: dict[str, Any], attached: tuple[str, ...] = (), **others: list[Any]) -> dict[str, Any]:
    return summary("reader", {"checks": list(of_policy), **others}, attached, NEEDED)


def allow(*actions: str, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **elements}


def deny(*actions: str, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {**allow(*actions, resource=resource, **elements), "Effect": "Deny"}


WHEN = {"DateLessThan": {"aws:TokenIssueTime": "2026-01-31T12:00:00Z"}}


@pytest.mark.parametrize(
    ("of_policy", "drift", "lacks", "exceeds"),
    [
        (AS_NEEDED, "none", [], []),
        ([BUCKETS], "lacks", ["iam:GetRolePolicy"], []),
        ([], "lacks", sorted(NEEDED), []),
        ([*AS_NEEDED, allow("s3:GetObject")], "exceeds", [], ["s3:GetObject"]),
        ([ITSELF, allow("s3:List*")], "exceeds", [], ["s3:List*"]),
        ([allow("*")], "exceeds", [], ["*"]),
        ([ITSELF, allow("s3:GetObject")], "both", ["s3:ListAllMyBuckets"], ["s3:GetObject"]),
        ([ITSELF, allow("S3:listallmybuckets")], "none", [], []),
        ([BUCKETS, allow("iam:GetRolePolicy")], "exceeds", [], ["iam:GetRolePolicy on *"]),
        ([BUCKETS, allow("iam:GetRolePolicy", resource=[OWN, OWN.replace("reader", "*")])],
         "exceeds", [], ["iam:GetRolePolicy on arn:aws:iam::123456789012:role/security/*"]),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}, *AS_NEEDED],
         "exceeds", [], ["everything but iam:*, s3:*"]),
        ([{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], "exceeds", [], ["everything but ec2:*"]),
        ([*AS_NEEDED, deny("s3:*")], "lacks", ["s3:ListAllMyBuckets"], []),
        ([*AS_NEEDED, deny("s3:*", resource="arn:aws:s3:::secret")], "none", [], []),
        ([*AS_NEEDED, deny("*", Condition=WHEN)], "none", [], []),
        ([*AS_NEEDED, {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}], "lacks", ["s3:ListAllMyBuckets"], []),
        ([ITSELF, allow("s3:ListAllMyBuckets", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.1"}})],
         "none", [], []),
        ([*AS_NEEDED, allow("bedrock:InvokeModel", resource="arn:aws:bedrock:*::foundation-model/x")], "none", [], []),
        ([*AS_NEEDED, allow(*LIST_ORGANIZATION)], "none", [], []),
        ([*AS_NEEDED, allow(LIST_ORGANIZATION[0])], "lacks", sorted(LIST_ORGANIZATION[1:]), []),
    ],
)  # fmt: skip
def test_the_roles_own_statements_are_held_against_what_it_needs(of_policy, drift, lacks, exceeds):
    found = compared(*of_policy)
    assert (found["drift"], found["lacks"], found["exceeds"]) == (drift, lacks, exceeds)


def test_what_the_templates_parameters_allow_is_told_and_is_no_drift():
    models = allow("bedrock:InvokeModel", resource=["arn:aws:bedrock:*::foundation-model/b", "a"])
    found = compared(*AS_NEEDED, attached=("arn:b", "arn:a"), organization=[allow(*LIST_ORGANIZATION)], x=[models])
    assert found == {
        "drift": "none",
        "lacks": [],
        "exceeds": [],
        "attached": ["arn:a", "arn:b"],
        "models": ["a", "arn:aws:bedrock:*::foundation-model/b"],
        "lists_organization": True,
        "limits": [],
        "next": None,
    }


def test_denials_and_conditions_are_told_without_their_values():
    revoked = {"revoked": [deny("*", Condition=WHEN), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "x"}]}
    assert compared(*AS_NEEDED, **revoked)["limits"] == [
        "revoked: Deny * if DateLessThan aws:TokenIssueTime",
        "revoked: Deny everything but s3:*",
    ]


UPDATE = "update it to role-template.yaml: aws cloudformation update-stack-set, or deploy (docs/operating-it.md)"
DELETE = "aws iam delete-role-policy --role-name reader --policy-name debugging"


@pytest.mark.parametrize(
    ("of_policy", "debugging", "command"),
    [
        (AS_NEEDED, [], None),
        ([BUCKETS], [], UPDATE),
        ([*AS_NEEDED, allow("s3:GetObject")], [], UPDATE),
        (AS_NEEDED, [allow("s3:GetObject")], DELETE),
        ([BUCKETS], [allow("s3:GetObject")], f"{UPDATE}; {DELETE}"),
        (AS_NEEDED, [BUCKETS], None),
    ],
)
def test_the_next_step_is_a_command(of_policy, debugging, command):
    assert compared(*of_policy, debugging=debugging)["next"] == command


def test_a_role_needs_what_every_check_declares_but_for_the_models():
    assert {"s3:ListAllMyBuckets", "iam:ListRolePolicies", "ec2:DescribeRegions"} <= declared()
    assert "bedrock:InvokeModel" not in declared()


def test_one_statement_may_stand_without_a_list():
    document = policy(Action="s3:ListAllMyBuckets", Resource="*")
    assert statements({**document, "Statement": document["Statement"][0]}) == document["Statement"]


def test_a_policy_that_is_not_json_is_an_unexpected_response():
    with pytest.raises(CheckCallFailed, match="not JSON"):
        statements("{'Version': 1}")


def test_it_asks_for_the_role_that_the_session_came_through_and_no_other(hub: Hub, aws: FakeAws) -> None:
    found = role_drift.asked({}).run(hub.account("123456789012", role_drift.actions))
    assert (found["role"], found["drift"]) == ("external-role", "lacks")
    assert found["attached"] == ["arn:aws:iam::aws:policy/ViewOnlyAccess"]
    assert "s3:ListAllMyBuckets" not in found["lacks"]
    calls = [aws.operations(action.partition(":")[2]) for action in role_drift.actions]
    assert [{request.form["RoleName"] for request in requests} for requests in calls] == 3 * [{"external-role"}]
