"""The evaluator of policies, without moto or network."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.policy_conditions import arn_like, like
from sandbox.policy_evaluation import Decision, TrustRequest, evaluate_identity, evaluate_trust, names_directly

HUB_ROLE = "arn:aws:iam::111111111111:role/cross-account-dev-switch_account"
TARGET_ROLE = "arn:aws:iam::123456789012:role/external-role"
ALLOW, EXPLICIT, IMPLICIT = Decision.ALLOW, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY


def trust(principal: Any, condition: Any = None, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **more}
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": statement}


def identity(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, **elements}]}


def caller(external_id: str | None = None, role: str = HUB_ROLE, org_id: str | None = None) -> TrustRequest:
    return TrustRequest.of_role(role, external_id=external_id, org_id=org_id)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": "111111111111"},
        {"AWS": "arn:aws:iam::111111111111:root"},
        {"AWS": HUB_ROLE},
        {"AWS": ["arn:aws:iam::999999999999:root", HUB_ROLE]},
        {"AWS": "arn:aws:sts::111111111111:assumed-role/cross-account-dev-switch_account/session"},
    ],
)
def test_a_trust_policy_allows_the_principals_it_names(principal: Any) -> None:
    assert evaluate_trust(trust(principal), caller()) is ALLOW


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "999999999999"},
        {"AWS": "arn:aws:iam::999999999999:root"},
        {"AWS": "arn:aws:iam::111111111111:role/another"},
        {"AWS": "arn:aws:iam::111111111111:role/*"},
        {"AWS": "AROAEXAMPLEUNIQUEID12"},
        {"Service": "lambda.amazonaws.com"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {},
        None,
        "arn:aws:iam::111111111111:root",
    ],
)
def test_a_trust_policy_denies_all_others(principal: Any) -> None:
    assert evaluate_trust(trust(principal), caller()) is IMPLICIT


def test_not_principal_never_allows() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
    assert evaluate_trust({"Statement": [statement]}, caller()) is IMPLICIT


def test_a_service_is_allowed_only_by_its_own_name() -> None:
    policy = trust({"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]})
    assert evaluate_trust(policy, TrustRequest(service="lambda.amazonaws.com")) is ALLOW
    assert evaluate_trust(policy, TrustRequest(service="ec2.amazonaws.com")) is IMPLICIT


def test_naming_the_account_does_not_name_the_caller() -> None:
    assert names_directly(trust({"AWS": HUB_ROLE}), caller())
    assert not names_directly(trust({"AWS": "111111111111"}), caller())


@pytest.mark.parametrize(
    ("condition", "external_id", "decision"),
    [
        ({"StringEquals": {"sts:ExternalId": "right"}}, "right", ALLOW),
        ({"StringEquals": {"sts:ExternalId": "right"}}, "Right", IMPLICIT),
        ({"StringEquals": {"sts:ExternalId": "right"}}, None, IMPLICIT),
        ({"StringEquals": {"STS:externalid": "right"}}, "right", ALLOW),
        ({"StringEquals": {"sts:ExternalId": ["a", "right"]}}, "right", ALLOW),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "RIGHT"}}, "right", ALLOW),
        ({"StringEqualsIfExists": {"sts:ExternalId": "right"}}, None, ALLOW),
        ({"StringEqualsIfExists": {"sts:ExternalId": "right"}}, "wrong", IMPLICIT),
        ({"StringNotEquals": {"sts:ExternalId": "wrong"}}, None, ALLOW),
        ({"StringNotEquals": {"sts:ExternalId": "wrong"}}, "wrong", IMPLICIT),
        ({"StringLike": {"sts:ExternalId": "r?gh*"}}, "right", ALLOW),
        ({"StringLike": {"sts:ExternalId": "[r]ight"}}, "right", IMPLICIT),
        ({"StringNotLike": {"sts:ExternalId": "r*"}}, "right", IMPLICIT),
        ({"ForAnyValue:StringEquals": {"sts:ExternalId": "right"}}, "right", ALLOW),
        ({"ForAnyValue:StringEquals": {"sts:ExternalId": "right"}}, None, IMPLICIT),
        ({"Null": {"sts:ExternalId": "false"}}, "right", ALLOW),
        ({"Null": {"sts:ExternalId": "true"}}, "right", IMPLICIT),
        ({"Null": {"sts:ExternalId": True}}, None, ALLOW),
        ({}, None, ALLOW),
        ("not a block", "right", IMPLICIT),
    ],
)
def test_conditions_on_the_external_id(condition: Any, external_id: str | None, decision: Decision) -> None:
    assert evaluate_trust(trust("*", condition), caller(external_id)) is decision


@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
@pytest.mark.parametrize(
    ("pattern", "decision"),
    [
        ("arn:aws:iam::111111111111:role/cross-account-*", ALLOW),
        ("arn:aws:iam::*:role/cross-account-dev-switch_account", ALLOW),
        ("arn:aws:iam::222222222222:role/cross-account-*", IMPLICIT),
        ("arn:aws:iam::111111111111:role/other-*", IMPLICIT),
        ("arn:*:role/cross-account-dev-switch_account", IMPLICIT),
    ],
)
def test_each_part_of_the_principals_arn_is_matched_separately(operator: str, pattern: str, decision: Decision) -> None:
    policy = trust({"AWS": "111111111111"}, {operator: {"aws:PrincipalArn": pattern}})
    assert evaluate_trust(policy, caller()) is decision


def test_the_organization_must_be_the_callers() -> None:
    policy = trust("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}})
    assert evaluate_trust(policy, caller(org_id="o-abc")) is ALLOW
    assert evaluate_trust(policy, caller(org_id="o-other")) is IMPLICIT
    assert evaluate_trust(policy, caller()) is IMPLICIT


def test_all_operators_and_all_keys_must_be_met() -> None:
    both = {
        "StringEquals": {"sts:ExternalId": "right", "aws:PrincipalAccount": "111111111111"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/other"},
    }
    assert evaluate_trust(trust("*", both), caller("right")) is IMPLICIT


UNKNOWN = [
    {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}},
    {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/${aws:username}"}},
    {"StringNotEquals": {"aws:RequestTag/team": "billing"}},
    {"Null": {"aws:RequestTag/team": "true"}},
    {"Null": {"aws:RequestTag/team": "false"}},
    {"Sometimes:StringEquals": {"sts:ExternalId": "right"}},
    {"StringSimilar": {"sts:ExternalId": "right"}},
]


@pytest.mark.parametrize("condition", UNKNOWN, ids=str)
def test_an_unknown_condition_never_allows_and_always_denies(condition: Any) -> None:
    assert evaluate_trust(trust("*", condition), caller("right")) is IMPLICIT
    denying = {"Statement": [*_statements(trust("*")), *_statements(trust("*", condition, effect="Deny"))]}
    assert evaluate_trust(denying, caller("right")) is EXPLICIT


def test_a_deny_wins_in_any_position() -> None:
    allow, deny = _statements(trust("*")), _statements(trust({"AWS": HUB_ROLE}, effect="Deny"))
    for order in (allow + deny, deny + allow):
        assert evaluate_trust({"Statement": order}, caller()) is EXPLICIT
    other = caller(role="arn:aws:iam::111111111111:role/other")
    assert evaluate_trust({"Statement": allow + deny}, other) is ALLOW


def test_a_trust_policy_allows_only_the_action_it_names() -> None:
    assert evaluate_trust(trust("*", Action="sts:TagSession"), caller()) is IMPLICIT
    assert evaluate_trust(trust("*", Action=["sts:TagSession", "sts:Assume*"]), caller()) is ALLOW


@pytest.mark.parametrize(
    ("elements", "decision"),
    [
        ({"Action": "sts:AssumeRole", "Resource": TARGET_ROLE}, ALLOW),
        ({"Action": "STS:assumerole", "Resource": TARGET_ROLE}, ALLOW),
        ({"Action": ["s3:*", "sts:Assume*"], "Resource": ["arn:aws:iam::*:role/external-role"]}, ALLOW),
        ({"Action": "*", "Resource": "*"}, ALLOW),
        ({"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/External-role"}, IMPLICIT),
        ({"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*"}, IMPLICIT),
        ({"Action": "sts:AssumeRole", "Resource": []}, IMPLICIT),
        ({"Action": "sts:AssumeRole"}, IMPLICIT),
        ({"NotAction": "s3:*", "Resource": "*"}, ALLOW),
        ({"NotAction": "sts:*", "Resource": "*"}, IMPLICIT),
        ({"Action": "*", "NotResource": "arn:aws:iam::*:role/other"}, ALLOW),
        ({"Action": "*", "NotResource": "arn:aws:iam::*:role/external-*"}, IMPLICIT),
    ],
)
def test_identity_policies_match_action_and_resource(elements: Any, decision: Decision) -> None:
    assert evaluate_identity(identity(**elements), "sts:AssumeRole", TARGET_ROLE) is decision


def test_several_identity_policies_are_evaluated_together() -> None:
    allow = identity(Action="*", Resource="*")
    deny = identity("Deny", Action="sts:*", NotResource="arn:aws:iam::123456789012:role/*")
    assert evaluate_identity([allow, json.dumps(deny)], "sts:AssumeRole", TARGET_ROLE) is ALLOW
    assert evaluate_identity([deny, allow], "sts:AssumeRole", "arn:aws:iam::9:role/x") is EXPLICIT
    assert evaluate_identity([], "sts:AssumeRole", TARGET_ROLE) is IMPLICIT


def test_a_policy_can_require_the_resources_organization() -> None:
    policy = identity(Action="sts:AssumeRole", Resource="*", Condition={"StringEquals": {"aws:ResourceOrgID": "o-abc"}})
    assert evaluate_identity(policy, "sts:AssumeRole", TARGET_ROLE, {"aws:ResourceOrgID": "o-abc"}) is ALLOW
    assert evaluate_identity(policy, "sts:AssumeRole", TARGET_ROLE, {}) is IMPLICIT


NO_OTHER_TAGS = {"aws:RequestTag/": ()}
BILLING = {**NO_OTHER_TAGS, "aws:RequestTag/Team": "billing"}


@pytest.mark.parametrize(
    ("condition", "context", "met"),
    [
        ({"StringEquals": {"aws:RequestTag/team": "billing"}}, BILLING, True),
        ({"StringEquals": {"aws:RequestTag/team": "billing"}}, NO_OTHER_TAGS, False),
        ({"StringNotEquals": {"aws:RequestTag/team": "billing"}}, BILLING, False),
        ({"StringNotEquals": {"aws:RequestTag/team": "billing"}}, NO_OTHER_TAGS, True),
        ({"Null": {"aws:RequestTag/team": "true"}}, NO_OTHER_TAGS, True),
        ({"Null": {"aws:RequestTag/team": "false"}}, NO_OTHER_TAGS, False),
        ({"Null": {"aws:RequestTag/a/b": "true"}}, BILLING, True),
        ({"StringEquals": {"aws:RequestTag/": "anything"}}, NO_OTHER_TAGS, False),
    ],
)
def test_a_tag_that_the_request_does_not_have_is_absent(condition: Any, context: Any, met: bool) -> None:
    allow, deny = (identity(effect, Action="*", Resource="*", Condition=condition) for effect in ("Allow", "Deny"))
    assert evaluate_identity(allow, "lambda:CreateFunction", "*", context) is (ALLOW if met else IMPLICIT)
    assert evaluate_identity(deny, "lambda:CreateFunction", "*", context) is (EXPLICIT if met else IMPLICIT)


@given(st.text(max_size=30))
def test_text_without_wildcards_matches_only_itself(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert like(plain, plain)
    assert not like(plain + "x", plain)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_star_matches_any_text(start: str, middle: str, end: str) -> None:
    start, end = (part.replace("*", "").replace("?", "") for part in (start, end))
    assert like(start + middle + end, f"{start}*{end}")


@given(st.text(alphabet="ab:*?", max_size=20))
def test_a_star_in_an_arn_does_not_match_across_its_parts(pattern: str) -> None:
    if arn_like(TARGET_ROLE, pattern):
        assert pattern == "*" or pattern.count(":") == 5


@given(st.text(min_size=1, max_size=40))
def test_only_the_exact_external_id_is_allowed(external_id: str) -> None:
    policy = trust("*", {"StringEquals": {"sts:ExternalId": "the-external-id"}})
    assert evaluate_trust(policy, caller(external_id)).allowed == (external_id == "the-external-id")


def _statements(policy: dict[str, Any]) -> list[Any]:
    return [policy["Statement"]]
