"""The evaluator of policies, without moto or network, and its verdicts beside those of another engine."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.decide import decide, judge
from sandbox.policy_patterns import like
from tests.policies import ACCOUNT, ANYTHING, BY_ACCOUNT, assume, caller, own, policy
from tests.sandbox.verdicts.generate import FAMILIES

HUB = "111111111111"
HUB_ROLE = f"arn:aws:iam::{HUB}:role/cross-account-dev-switch_account"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"
OBJECT = "arn:aws:s3:::photos/alice/a.png"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:news"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"
ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"

NOTHING = policy(Action="ec2:*", Resource="*")  # for what is asked here
FORBIDDEN = policy("Deny", Action="*", Resource="*")


def named(principal: Any, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return policy(effect, **{"Principal": {"AWS": principal}, "Action": "*", "Resource": "*"} | elements)


def level(*policies: Any) -> dict[str, Any]:
    return {"orgIdentifier": "ou-a", "policies": list(policies)}


def get(policies: Any = ANYTHING, principal: str = USER, account: str = ACCOUNT, **layers: Any) -> dict[str, Any]:
    """A request for an S3 object in an account."""
    case = own(policies, "s3:GetObject", OBJECT, **{"resourcePolicy": None} | layers)
    case["request"] |= {"principal": principal, "resource": {"resource": OBJECT, "accountId": account}}
    return case


# ---- the kinds of policies


@pytest.mark.parametrize(
    ("case", "verdict", "kind"),
    [
        (get(), ALLOWED, ""),
        (get([]), IMPLICIT, "identity-based policy"),
        (get([ANYTHING, json.dumps(FORBIDDEN)]), EXPLICIT, "identity-based policy"),
        (get({"name": "in an envelope", "policy": ANYTHING}), ALLOWED, ""),
        (get(permissionBoundaries=[NOTHING]), IMPLICIT, "permissions boundary"),
        (get([], permissionBoundaries=[FORBIDDEN]), EXPLICIT, "permissions boundary"),
        (get(principal=SESSION, sessionPolicy=NOTHING), IMPLICIT, "session policy"),
        (get(principal=SESSION, sessionPolicy=[NOTHING, ANYTHING]), ALLOWED, ""),
        (get(principal=SESSION, sessionPolicy={}), IMPLICIT, "session policy"),
        (get([], principal=SESSION, sessionPolicy=ANYTHING), IMPLICIT, "identity-based policy"),
        (get(principal=SESSION, sessionPolicy=[ANYTHING, FORBIDDEN]), EXPLICIT, "session policy"),
        (get(serviceControlPolicies=[level(ANYTHING), level(NOTHING, ANYTHING)]), ALLOWED, ""),
        (get(serviceControlPolicies=[level(ANYTHING), level(NOTHING)]), IMPLICIT, "service control policy"),
        (get(serviceControlPolicies=[level(ANYTHING), level()]), IMPLICIT, "service control policy"),
        (get([], serviceControlPolicies=[level(ANYTHING, FORBIDDEN)]), EXPLICIT, "service control policy"),
        (get(resourceControlPolicies=[level(), level()]), ALLOWED, ""),
        (get(resourceControlPolicies=[level(named("*", "Deny"))]), EXPLICIT, "resource control policy"),
        (get(resourceControlPolicies=[level(named("*", Action="ec2:*"))]), IMPLICIT, "resource control policy"),
        (get([], resourceControlPolicies=[level(named("*"))]), IMPLICIT, "identity-based policy"),
        (get(resourcePolicy=named(USER, "Deny")), EXPLICIT, "resource-based policy"),
        (get(account=HUB), IMPLICIT, "resource-based policy"),
        (get(account=HUB, resourcePolicy=named(ACCOUNT)), ALLOWED, ""),
        (get([], account=HUB, resourcePolicy=named(USER)), IMPLICIT, "identity-based policy"),
        (
            get(account=HUB, resourcePolicy=named(USER), permissionBoundaries=[NOTHING]),
            IMPLICIT,
            "permissions boundary",
        ),
    ],
)
def test_each_kind_of_policy_must_allow_and_none_may_deny(case: Any, verdict: str, kind: str) -> None:
    found = judge(case)
    assert (found.verdict, found.policy) == (verdict, kind)


@pytest.mark.parametrize(
    ("principal", "name", "capped"),
    [
        (USER, USER, (False, False, True)),
        (SESSION, SESSION, (False, False, True)),
        (USER, "*", (False, False, True)),
        (SESSION, ROLE, (False, True, True)),
        (SESSION, ACCOUNT, (True, True, True)),
        (USER, f"arn:aws:iam::{ACCOUNT}:root", (True, True, True)),
    ],
)
def test_how_a_resource_policy_names_the_caller_tells_what_may_be_silent(
    principal: str, name: str, capped: tuple[bool, ...]
) -> None:
    """Silent are, in this order, identity-based policies, boundary and session policy."""
    silent: list[dict[str, Any]] = [{}, {"permissionBoundaries": [NOTHING]}, {"sessionPolicy": NOTHING}]
    verdicts = [decide(get([], principal, resourcePolicy=named(name), **layer)) for layer in silent]
    assert verdicts == [IMPLICIT if is_capped else ALLOWED for is_capped in capped]
    denied = get(principal=principal, resourcePolicy=named(name), permissionBoundaries=[FORBIDDEN])
    assert judge(denied).policy == "permissions boundary"


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", "states.amazonaws.com"])
def test_of_a_service_only_the_policies_of_the_resource_count(service: str) -> None:
    trusted = policy(Action="*", Resource="*", Principal={"Service": ["lambda.amazonaws.com", "sns.amazonaws.com"]})
    is_trusted = service == "lambda.amazonaws.com"
    assert (decide(get([], service, HUB, resourcePolicy=trusted)) == ALLOWED) is is_trusted
    kept_out = get([], service, HUB, resourcePolicy=trusted, resourceControlPolicies=[level(named("*", "Deny"))])
    assert judge(kept_out).policy == "resource control policy"


@pytest.mark.parametrize("layer", ["serviceControlPolicies", "permissionBoundaries", "sessionPolicy"])
def test_a_policy_that_a_case_has_for_a_service_is_not_passed_over(layer: str) -> None:
    policies = [level(FORBIDDEN)] if layer == "serviceControlPolicies" else [FORBIDDEN]
    assert decide(get([], "sns.amazonaws.com", resourcePolicy=named("*"), **{layer: policies})) == EXPLICIT


def test_organization_policies_do_not_bind_service_linked_roles() -> None:
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    case = own(ANYTHING, "s3:GetObject", OBJECT, serviceControlPolicies=[level(FORBIDDEN)])
    case |= {"resourceControlPolicies": [level(named("*", "Deny"))]}
    assert decide(case) == EXPLICIT
    case["request"] |= caller(linked)
    assert decide(case) == ALLOWED


@pytest.mark.parametrize("elements", [{"Principal": {"AWS": HUB}}, {"NotPrincipal": {"AWS": USER}}, {"Principal": {}}])
def test_a_resource_control_policy_that_is_not_for_everybody_denies_everybody(elements: Any) -> None:
    for effect, verdict in (("Deny", EXPLICIT), ("Allow", IMPLICIT)):
        document = policy(effect, Action="*", Resource="*", **elements)
        assert decide(get(resourceControlPolicies=[level(document)])) == verdict


def test_get_caller_identity_is_always_allowed() -> None:
    assert decide(own(FORBIDDEN, "sts:GetCallerIdentity", "*", serviceControlPolicies=[level()])) == ALLOWED


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kms:Decrypt", KEY),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/x"),
        ("sts:TagSession", f"arn:aws:iam::{ACCOUNT}:role/x"),
    ],
)
def test_these_need_the_policy_of_the_resource_at_home_too(action: str, resource: str) -> None:
    assert judge(own(ANYTHING, action, resource, resourcePolicy=None)).policy == "resource-based policy"
    assert decide(own(ANYTHING, action, resource, resourcePolicy=BY_ACCOUNT)) == ALLOWED
    assert decide(own([], action, resource, resourcePolicy=BY_ACCOUNT)) == IMPLICIT
    assert decide(own([], action, resource, resourcePolicy=named(USER))) == ALLOWED


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:DeletePolicy", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/x"),
        ("kms:DeleteAlias", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/aws/s3"),
    ],
)
def test_no_policy_lets_anybody_change_what_aws_owns(action: str, resource: str) -> None:
    assert decide(own(ANYTHING, action, resource, resourcePolicy=named("*"))) == IMPLICIT
    assert decide(own(ANYTHING, f"{action.partition(':')[0]}:ListTags", resource, resourcePolicy=None)) == ALLOWED


# ---- who is named


def trust(principal: Any, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return policy(effect, Action="sts:AssumeRole", Principal=principal, **elements)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": HUB},
        {"AWS": f"arn:aws:iam::{HUB}:root"},
        {"AWS": HUB_ROLE},
        {"AWS": ["arn:aws:iam::999999999999:root", HUB_ROLE]},
        {"AWS": f"arn:aws:sts::{HUB}:assumed-role/cross-account-dev-switch_account/session"},
        {"AWS": "AROAHUB"},
    ],
)
def test_a_policy_names_a_session_in_these_ways(principal: Any) -> None:
    who = caller(HUB_ROLE, **{"aws:userid": "AROAHUB:session"})
    assert decide(assume(trust(principal), who)) == ALLOWED
    assert decide(assume(trust(principal, "Deny"), who)) == EXPLICIT


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "999999999999"},
        {"AWS": "arn:aws:iam::999999999999:root"},
        {"AWS": f"arn:aws:iam::{HUB}:role/another"},
        {"AWS": f"arn:aws:iam::{HUB}:role/*"},
        {"AWS": "AROAANOTHER"},
        {"AWS": []},
        {"Service": "lambda.amazonaws.com"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {},
    ],
)
def test_a_policy_does_not_name_it_in_these(principal: Any) -> None:
    who = caller(HUB_ROLE, **{"aws:userid": "AROAHUB:session"})
    assert decide(assume(trust(principal), who)) == IMPLICIT
    denying = {"Version": "2012-10-17", "Statement": [*trust("*")["Statement"], *trust(principal, "Deny")["Statement"]]}
    assert decide(assume(denying, who)) == ALLOWED


def test_a_role_s_path_is_part_of_its_name() -> None:
    who = caller(ROLE)
    assert who["principal"] == SESSION
    assert decide(assume(trust({"AWS": ROLE}), who)) == ALLOWED
    assert decide(assume(trust({"AWS": ROLE.replace("team/", "")}), who)) == IMPLICIT


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        (ROLE, ROLE.replace("team/", "")),
        (ROLE, ROLE.replace("reader", "Reader")),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/alice", USER),
        ("accounts.google.com", {"Federated": "accounts.google.com"}),
    ],
)
def test_a_name_that_may_be_the_caller_s_never_lets_in_and_keeps_out(principal: str, name: Any) -> None:
    names = name if isinstance(name, dict) else {"AWS": name}
    who = caller(principal) if ":role/" in principal else {"principal": principal}
    for policies, verdict in (([trust(names)], IMPLICIT), ([trust("*"), trust(names, "Deny")], EXPLICIT)):
        statements = [statement for document in policies for statement in document["Statement"]]
        assert decide(assume({"Version": "2012-10-17", "Statement": statements}, who)) == verdict


def test_not_principal_is_everybody_else() -> None:
    def except_for(names: Any) -> dict[str, Any]:
        return policy("Deny", Action="*", Resource="*", NotPrincipal={"AWS": names})

    assert decide(get(resourcePolicy=except_for([USER, ACCOUNT]))) == ALLOWED
    assert decide(get(resourcePolicy=except_for(f"{USER}s"))) == EXPLICIT
    # "will always deny any IAM principal that has a permissions boundary policy attached"
    assert decide(get(resourcePolicy=except_for([USER, ACCOUNT]), permissionBoundaries=[ANYTHING])) == EXPLICIT


def test_a_trust_policy_must_not_have_not_principal() -> None:
    elements = {"Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "999999999999"}}
    assert decide(assume(policy(**elements), caller(HUB_ROLE))) == IMPLICIT
    assert decide(assume(policy("Deny", **elements), caller(HUB_ROLE))) == EXPLICIT


# ---- actions, resources, conditions


@pytest.mark.parametrize(
    ("elements", "matches"),
    [
        ({"Action": "S3:getobject", "Resource": OBJECT}, True),
        ({"Action": ["sqs:*", "s3:Get*"], "Resource": ["arn:aws:s3:::*/a.png"]}, True),
        ({"Action": "*:GetObject", "Resource": "*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::Photos/*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:*"}, True),
        ({"Action": "*", "Resource": "arn:aws:s3"}, True),
        ({"Action": "*", "Resource": "arn:aws:sns:*"}, False),
        ({"Action": [], "Resource": "*"}, False),
        ({"Action": "*", "Resource": []}, False),
        ({"NotAction": "sqs:*", "Resource": "*"}, True),
        ({"NotAction": "s3:*", "Resource": "*"}, False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::videos/*"}, True),
        ({"Action": "*", "NotResource": "arn:aws:s3:::photos/*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::photos/${aws:username}/*"}, True),
        ({"Action": "*", "Resource": "arn:aws:s3:::photos/${aws:PrincipalTag/dir, 'alice'}/*"}, True),
        ({"Action": "*", "Resource": "arn:aws:s3:::photos/${aws:PrincipalTag/dir}/*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::photos/${*}"}, False),
    ],
)
def test_a_statement_is_about_actions_and_resources(elements: Any, matches: bool) -> None:
    context = {"aws:username": "alice"}
    assert decide(own(policy(**elements), "s3:GetObject", OBJECT, context)) == (ALLOWED if matches else IMPLICIT)
    denying = [ANYTHING, policy("Deny", **elements)]
    assert decide(own(denying, "s3:GetObject", OBJECT, context)) == (EXPLICIT if matches else ALLOWED)


def test_an_action_without_resources_is_matched_by_a_star_alone() -> None:
    for resource, verdict in (("*", ALLOWED), ("arn:aws:ec2:*", IMPLICIT)):
        assert decide(own(policy(Action="*", Resource=resource), "ec2:DescribeInstances", "*")) == verdict


def test_variables_came_with_the_version_of_2012() -> None:
    written = policy(Action="*", Resource="*", Condition={"StringEquals": {"aws:PrincipalTag/x": "${aws:username}"}})
    for version, tag in (("2012-10-17", "alice"), ("2008-10-17", "${aws:username}")):
        for value in ("alice", "${aws:username}"):
            context = {"aws:username": "alice", "aws:PrincipalTag/x": value}
            decision = decide(own({**written, "Version": version}, "s3:GetObject", OBJECT, context))
            assert (decision == ALLOWED) is (value == tag)


@pytest.mark.parametrize(
    ("condition", "external_id", "met"),
    [
        ({"StringEquals": {"sts:ExternalId": "right"}}, "right", True),
        ({"StringEquals": {"sts:ExternalId": "right"}}, "Right", False),
        ({"StringEquals": {"sts:ExternalId": "right"}}, None, False),
        ({"StringEquals": {"STS:externalid": ["a", "right"]}}, "right", True),
        ({"StringEqualsIfExists": {"sts:ExternalId": "right"}}, None, True),
        ({"StringNotEquals": {"sts:ExternalId": "wrong"}}, None, True),
        ({"StringLike": {"sts:ExternalId": "[r]ight"}}, "right", False),
        ({"ForAnyValue:StringEquals": {"sts:ExternalId": "right"}}, None, False),
        ({"ForAllValues:StringEquals": {"sts:ExternalId": "right"}}, None, True),
        ({"Null": {"sts:ExternalId": True}}, None, True),
        ({"NumericLessThan": {"sts:ExternalId": 10}}, "9.5", True),
        ({"DateLessThan": {"sts:ExternalId": "2026-01-01T01:00:00+01:00"}}, "2025-12-31T23:59:59Z", True),
        ({"DateLessThan": {"sts:ExternalId": "1767225600"}}, "1767225599", True),
        ({"IpAddress": {"sts:ExternalId": ["2001:db8::/32", "0.0.0.0/0"]}}, "203.0.113.7", True),
        ({"NotIpAddress": {"sts:ExternalId": ["2001:db8::/32", "10.0.0.0/8"]}}, "203.0.113.7", True),
        ({"ArnLike": {"sts:ExternalId": "arn:aws:sns:*:*:n?ws"}}, TOPIC, True),
        ({"ArnLike": {"sts:ExternalId": "arn:aws:sns:*:news"}}, TOPIC, False),
        ({"StringEquals": {"sts:ExternalId": "right"}, "ArnLike": {"aws:PrincipalArn": USER}}, "right", False),
        ({}, None, True),
    ],
)
def test_conditions(condition: Any, external_id: str | None, met: bool) -> None:
    decision = decide(assume(trust("*", Condition=condition), caller(HUB_ROLE, external_id)))
    assert decision == (ALLOWED if met else IMPLICIT)


@pytest.mark.parametrize("value", [["right"], ["right", "right"], []])
def test_a_key_with_a_list_of_values_needs_a_set_operator(value: list[str]) -> None:
    for operator in ("StringEquals", "StringNotEquals", "StringEqualsIfExists"):
        who = caller(HUB_ROLE, **{"aws:TagKeys": value})
        assert decide(assume(trust("*", Condition={operator: {"aws:TagKeys": "right"}}), who)) == IMPLICIT


@given(st.text(min_size=1, max_size=40))
def test_only_the_exact_external_id_is_allowed(external_id: str) -> None:
    document = trust("*", Condition={"StringEquals": {"sts:ExternalId": "the-external-id"}})
    decision = decide(assume(document, caller(HUB_ROLE, external_id)))
    assert (decision == ALLOWED) is (external_id == "the-external-id")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_star_matches_any_text_and_other_text_only_itself(start: str, middle: str, end: str) -> None:
    start, end = (part.replace("*", "").replace("?", "").replace("$", "") for part in (start, end))
    assert like(start + middle + end, f"{start}*{end}")
    assert like(start, start)
    assert not like(start + "x", start)


# ---- what is not known never allows, and denies in a Deny

MALFORMED: list[dict[str, Any]] = [
    {"Action": "*"},
    {"Resource": "*"},
    {"Action": "*", "NotAction": "ec2:*", "Resource": "*"},
    {"Action": {"s3": "*"}, "Resource": "*"},
    {"Action": "GetObject", "Resource": "*"},
    {"Action": "*", "Resource": "photos"},
    {"Action": "*", "Resource": "*", "Principal": "*"},
    {"Action": "*", "Resource": "*", "Except": "me"},
    {"Action": "*", "Resource": "*", "Condition": []},
    {"Action": "*", "Resource": "*", "Condition": {"StringSimilar": {"aws:username": "alice"}}},
    {"Action": "*", "Resource": "*", "Condition": {"Sometimes:StringEquals": {"aws:username": "alice"}}},
    {"Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": None}}},
]
UNKNOWN: list[dict[str, Any]] = [
    {"Action": "*", "Resource": "*", "Condition": {operator: {"aws:SourceVpc": "true"}}}
    for operator in ("StringEquals", "StringNotEquals", "StringEqualsIfExists", "Null", "ForAllValues:StringEquals")
]
UNKNOWN += [
    {"Action": "*", "Resource": "arn:aws:s3:::photos/${aws:SourceVpc}"},
    {"Action": "*", "Resource": "arn:aws:s3:::${aws:SourceVpc, 'photos'}/*"},
    {"Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "${aws:SourceVpc}"}}},
]
# Where AWS's documentation and the engine of the verdicts differ, or AWS says nothing.
UNCLEAR: list[dict[str, Any]] = [
    {"Action": "*", "NotResource": "arn:aws:sns:*"},
    {"Action": "*", "NotResource": "arn:aws:s3:::${aws:PrincipalTag/x}/*"},
    {"Action": "*", "Resource": "arn:aws:*:photos/alice/a.png"},
    {"Action": "*", "Resource": "arn:aws:*:::*/alice/a.png"},
    {"Action": "*", "Resource": "arn:aws:s3:::photos/${aws:PrincipalTag/empty}alice/a.png"},
    {"Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:username": "${aws:PrincipalTag/x}"}}},
    {"Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "${*}"}}},
    {"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:username": "${aws:username}"}}},
    {"Action": "*", "Resource": "*", "Condition": {"DateGreaterThan": {"aws:EpochTime": "2026"}}},
    {"Action": "*", "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:sts:*"}}},
]


@pytest.mark.parametrize("elements", MALFORMED + UNKNOWN + UNCLEAR, ids=str)
def test_what_is_not_known_never_allows_and_always_denies(elements: Any) -> None:
    context = {"aws:username": "alice", "aws:PrincipalTag/empty": "", "aws:EpochTime": "1750000000"}
    for effect, policies in (("Allow", []), ("Deny", [ANYTHING])):
        case = own([*policies, policy(effect, **elements)], "s3:GetObject", OBJECT, context)
        case["request"]["known"] = ["aws:PrincipalTag/"]
        assert decide(case) == (EXPLICIT if effect == "Deny" else IMPLICIT)


@pytest.mark.parametrize("pattern", ["${aws:username}/x", "tab${aws:username}le/x", "t?ble/x", "*/x"])
def test_the_type_of_a_resource_that_is_no_plain_text_never_allows_and_always_denies(pattern: str) -> None:
    table = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:"
    statement = {"Action": "*", "Resource": table + pattern}
    context = {"aws:username": "table" if pattern.startswith("$") else ""}
    assert decide(own(policy(**statement), "dynamodb:GetItem", f"{table}table/x", context)) == IMPLICIT
    denying = [ANYTHING, policy("Deny", **statement)]
    assert decide(own(denying, "dynamodb:GetItem", f"{table}table/x", context)) == EXPLICIT


@pytest.mark.parametrize("value", [None, 7, True, {}, [None], [["alice"]]])
def test_a_value_of_a_key_that_is_no_text_is_not_known(value: Any) -> None:
    for operator in ("StringNotEquals", "ForAllValues:StringEquals", "Null"):
        statement = {"Action": "*", "Resource": "*", "Condition": {operator: {"aws:username": "false"}}}
        context = {"aws:username": value}
        assert decide(own(policy(**statement), "s3:GetObject", OBJECT, context)) == IMPLICIT
        assert decide(own([ANYTHING, policy("Deny", **statement)], "s3:GetObject", OBJECT, context)) == EXPLICIT


def test_a_resource_that_is_not_known_is_matched_by_a_star_alone() -> None:
    for resource, allowed, denied in (("*", ALLOWED, EXPLICIT), (OBJECT, IMPLICIT, EXPLICIT)):
        statement = {"Action": "s3:GetObject", "Resource": resource}
        assert decide(own(policy(**statement), "s3:GetObject", None)) == allowed
        assert decide(own([ANYTHING, policy("Deny", **statement)], "s3:GetObject", None)) == denied


@pytest.mark.parametrize(
    ("key", "met"),
    [("aws:RequestTag/team", True), ("aws:RequestTag/a/b", True), ("aws:SourceIp", True), ("aws:ResourceTag/x", False)],
)
def test_a_key_that_is_known_and_not_there_is_absent(key: str, met: bool) -> None:
    case = own(policy(Action="*", Resource="*", Condition={"Null": {key: "true"}}), "s3:GetObject", OBJECT)
    case["request"]["known"] = ["aws:requesttag/", "aws:SourceIp"]
    assert decide(case) == (ALLOWED if met else IMPLICIT)


@pytest.mark.parametrize(
    "document",
    [
        '{"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}',
        {"Version": "2030-01-01", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]},
        {"Statement": ["{'effect': 'deny'}"]},
        {"Statement": [{"effect": "deny", "Action": "s3:*", "Resource": "*"}]},
        [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
        {"Statement": {"Effect": "Deny", "Action": {"s3:*"}, "Resource": object()}},
    ],
)
def test_a_deny_in_a_document_that_is_no_policy_denies(document: Any) -> None:
    policies = [ANYTHING, {"policy": document}]
    assert decide(own(policies, "s3:GetObject", OBJECT)) == EXPLICIT


@pytest.mark.parametrize("document", ["", "no JSON", "null", 7, {}, {"Statement": None}, {"Statement": [[], "x", 1]}])
def test_a_document_that_is_no_policy_never_allows(document: Any) -> None:
    assert decide(own([{"policy": document}], "s3:GetObject", OBJECT)) == IMPLICIT
    assert decide(own([ANYTHING, {"policy": document}], "s3:GetObject", OBJECT)) == ALLOWED


# ---- beside another engine


@cache
def recorded() -> dict[str, list[dict[str, Any]]]:
    families = defaultdict(list)
    with gzip.open(Path(__file__).parent / "verdicts" / "recorded.jsonl.gz", "rt") as lines:
        for line in lines:
            case = json.loads(line)
            families[case["family"]].append(case)
    return families


@pytest.mark.parametrize("family", FAMILIES)
def test_the_verdicts_agree_with_another_engine_and_are_never_more_generous(family: str) -> None:
    """See verdicts/README.md."""
    cases = recorded()[family]
    pairs = [(decide(case), case["verdict"]) for case in cases]
    assert set(Counter(theirs for _, theirs in pairs)) == {ALLOWED, IMPLICIT, EXPLICIT}
    assert [case for case, (ours, theirs) in zip(cases, pairs, strict=True) if ours == ALLOWED != theirs] == []
    assert sum((ours == ALLOWED) == (theirs == ALLOWED) for ours, theirs in pairs) >= 0.99 * len(pairs)
    assert sum(ours == theirs for ours, theirs in pairs) >= 0.97 * len(pairs)
