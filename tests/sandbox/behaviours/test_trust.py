"""Trust policies: who may assume a role, within an account and across two, and on which conditions.

Sources: IAM User Guide, reference_policies_evaluation-logic-cross-account.html,
reference_policies_elements_principal.html and reference_policies_condition-keys.html.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.accounts import HUB

from .conftest import ALIASES, EVERYTHING, Cloud, Credentials, allow, deny, is_denied, of, session_arn, trusting, unique

ASSUME = "sts:AssumeRole"
IN_THE_HUB = {"AWS": HUB}


@pytest.fixture(scope="module")
def caller(cloud: Cloud) -> str:
    """A role of the hub that may assume every role, with a tag."""
    return cloud.role(EVERYTHING, Tags=[{"Key": "team", "Value": "blue"}])


@pytest.fixture(scope="module")
def hub(cloud: Cloud, caller: str) -> Credentials:
    return cloud.enter(caller)


@pytest.fixture(scope="module")
def target(cloud: Cloud, member: str) -> str:
    """A role of another account, whose trust policy each test writes."""
    return cloud.role(account=member)


# ---- whose word counts


def test_across_accounts_the_caller_s_policy_and_the_trust_policy_must_both_allow(
    cloud: Cloud, target: str, other: str
) -> None:
    role = cloud.role(allow("iam:*"))
    nothing = cloud.enter(role)
    for principal in (HUB, role, session_arn(role)):
        cloud.trust(target, trusting({"AWS": principal}))
        assert not cloud.is_let_in(target, nothing)
    cloud.put(role, allow(ASSUME, on=target))
    assert cloud.is_let_in(target, nothing)
    cloud.trust(target, trusting({"AWS": other}))
    assert not cloud.is_let_in(target, nothing)


def test_within_an_account_a_trust_policy_that_names_the_role_is_enough(cloud: Cloud) -> None:
    role = cloud.role(allow("iam:*"))
    session = cloud.enter(role)
    assert cloud.is_let_in(cloud.role(trust=trusting({"AWS": role})), session)
    assert cloud.is_let_in(cloud.role(trust=trusting({"AWS": session_arn(role)})), session)
    assert not cloud.is_let_in(cloud.role(trust=trusting(IN_THE_HUB)), session)
    assert not cloud.is_let_in(cloud.role(trust=trusting({"AWS": f"arn:aws:iam::{HUB}:root"})), session)


def test_within_an_account_a_trust_policy_that_names_the_user_is_enough(cloud: Cloud) -> None:
    user = cloud.user()
    assert cloud.is_let_in(cloud.role(trust=trusting({"AWS": user.arn})), user.credentials)
    assert not cloud.is_let_in(cloud.role(trust=trusting(IN_THE_HUB)), user.credentials)


def test_within_an_account_too_the_trust_policy_must_name_caller_or_account(cloud: Cloud, hub: Any) -> None:
    assert cloud.is_let_in(cloud.role(), hub)
    assert not cloud.is_let_in(cloud.role(trust=trusting({"AWS": cloud.role()})), hub)
    assert not cloud.is_let_in(cloud.role(trust=trusting({"Service": "lambda.amazonaws.com"})), hub)


def test_an_explicit_deny_of_the_caller_s_holds_where_the_trust_policy_names_it(cloud: Cloud) -> None:
    caller = cloud.role(EVERYTHING, deny(ASSUME))
    target = cloud.role(trust=trusting({"AWS": caller}))
    assert not cloud.is_let_in(target, cloud.enter(caller))


def test_an_explicit_deny_in_the_trust_policy_holds(cloud: Cloud, target: str, caller: str, hub: Any) -> None:
    for principal in ({"AWS": caller}, {"AWS": HUB}, "*", {"AWS": "*"}, {"AWS": session_arn(caller)}):
        cloud.trust(target, trusting(IN_THE_HUB), trusting(principal, effect="Deny"))
        assert not cloud.is_let_in(target, hub)
    cloud.trust(target, trusting(IN_THE_HUB), trusting({"AWS": cloud.role()}, effect="Deny"))
    assert cloud.is_let_in(target, hub)


def test_a_role_s_path_is_in_its_arn_and_not_in_its_session_s(cloud: Cloud, target: str) -> None:
    caller = cloud.role(EVERYTHING, Path="/team/")
    session = cloud.enter(caller)
    bare = caller.replace("/team/", "/")
    assert cloud.client("sts", session).get_caller_identity()["Arn"] == session_arn(caller)
    for principal in (caller, session_arn(caller)):
        cloud.trust(target, trusting({"AWS": principal}))
        assert cloud.is_let_in(target, session)
    for arn, expected in ((caller, True), (bare, False)):
        cloud.trust(target, trusting(IN_THE_HUB, ArnEquals={"aws:PrincipalArn": arn}))
        assert cloud.is_let_in(target, session) is expected


def test_a_trust_policy_may_name_one_session_of_a_role(cloud: Cloud, target: str, caller: str) -> None:
    cloud.trust(target, trusting({"AWS": session_arn(caller, "one")}))
    assert cloud.is_let_in(target, cloud.enter(caller, RoleSessionName="one"))
    assert not cloud.is_let_in(target, cloud.enter(caller, RoleSessionName="two"))


def test_the_external_id_must_be_the_right_one(cloud: Cloud, target: str, hub: Any) -> None:
    cloud.trust(target, trusting(IN_THE_HUB, StringEquals={"sts:ExternalId": "right-one"}))
    assert cloud.is_let_in(target, hub, ExternalId="right-one")
    wrong = cloud.cannot_enter(target, hub, ExternalId="wrong-one")
    assert wrong == cloud.cannot_enter(target, hub)
    assert wrong[0] == "AccessDenied"
    cloud.trust(target, trusting(IN_THE_HUB, Null={"sts:ExternalId": "true"}))
    assert cloud.is_let_in(target, hub)
    assert not cloud.is_let_in(target, hub, ExternalId="right-one")


# ---- conditions


def organization(cloud: Cloud) -> tuple[str, str]:
    """Its id and its root's."""
    api = cloud.client("organizations")
    return api.describe_organization()["Organization"]["Id"], api.list_roots()["Roots"][0]["Id"]


LONG_AGO, FAR_AWAY = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
CONDITIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # What is met by a session of `caller` from this machine at this time, and what is not.
    "aws:SourceIp": ({"IpAddress": ["10.0.0.0/8", "127.0.0.0/8"]}, {"IpAddress": "10.0.0.0/8"}),
    "aws:SourceIp, not": ({"NotIpAddress": "10.0.0.0/8"}, {"NotIpAddress": "127.0.0.1"}),
    "aws:SecureTransport": ({"Bool": "true"}, {"Bool": "false"}),  # as the same call has on AWS
    "aws:CurrentTime": ({"DateLessThan": FAR_AWAY}, {"DateLessThan": LONG_AGO}),
    "aws:EpochTime": ({"NumericGreaterThan": "1577836800"}, {"NumericGreaterThan": "32472144000"}),
    "aws:TokenIssueTime": ({"DateGreaterThan": LONG_AGO}, {"DateGreaterThan": FAR_AWAY}),
    "aws:PrincipalTag/team": ({"StringEquals": "blue"}, {"StringEquals": "red"}),
    "aws:PrincipalTag/none": ({"Null": "true"}, {"Null": "false"}),
    "aws:PrincipalAccount": ({"StringEquals": HUB}, {"StringEquals": "222222222222"}),
    "aws:PrincipalType": ({"StringEquals": "AssumedRole"}, {"StringEquals": "User"}),
    "aws:PrincipalIsAWSService": ({"Bool": "false"}, {"Bool": "true"}),
    "aws:ViaAWSService": ({"Bool": "false"}, {"Bool": "true"}),
    "aws:MultiFactorAuthPresent": ({"Bool": "false"}, {"Bool": "true"}),
    "aws:RequestedRegion": ({"StringEquals": "us-east-1"}, {"StringEquals": "eu-west-1"}),
    "aws:SourceIdentity": ({"Null": "true"}, {"StringLike": "*"}),
    "aws:username": ({"Null": "true"}, {"StringLike": "*"}),
    "sts:RoleSessionName": ({"StringLike": "te?ts"}, {"StringEquals": "Tests"}),
    "sts:ExternalId": ({"StringEqualsIgnoreCase": "GIVEN"}, {"StringNotEquals": "given"}),
    "sts:SourceIdentity": ({"Null": "true"}, {"StringLike": "*"}),
    "sts:TransitiveTagKeys": ({"Null": "true"}, {"ForAnyValue:StringLike": "*"}),
    "aws:RequestTag/team": ({"Null": "true"}, {"StringLike": "*"}),
    "iam:ResourceTag/none": ({"Null": "true"}, {"StringLike": "*"}),
    "aws:SourceVpc": ({"StringNotEquals": "vpc-1"}, {"StringEquals": "vpc-1"}),
    "aws:SourceVpc, if exists": ({"StringEqualsIfExists": "vpc-1"}, {"StringLike": "*"}),
}


def condition(name: str, operators: dict[str, Any]) -> dict[str, Any]:
    return {operator: {name.partition(",")[0]: value} for operator, value in operators.items()}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_trust_policy_sees_the_keys_that_aws_sets(cloud: Cloud, target: str, hub: Any, name: str) -> None:
    met, unmet = (condition(name, operators) for operators in CONDITIONS[name])
    cloud.trust(target, trusting(IN_THE_HUB, **met), trusting("*", effect="Deny", **unmet))
    assert cloud.is_let_in(target, hub, ExternalId="given")


def test_a_trust_policy_lets_in_for_none_of_those_that_are_not_met(cloud: Cloud, target: str, hub: Any) -> None:
    unmet = [condition(name, operators) for name, (_, operators) in CONDITIONS.items()]
    cloud.trust(target, *(trusting(IN_THE_HUB, **one) for one in unmet))
    assert not cloud.is_let_in(target, hub, ExternalId="given")


def test_a_policy_of_the_caller_s_sees_the_same_keys(cloud: Cloud) -> None:
    """All at once: each that is met is met, and no Deny meets that is not."""
    own = {name: operators for name, operators in CONDITIONS.items() if not name.startswith("sts:")}
    met: dict[str, Any] = {}
    for name, (operators, _) in own.items():
        for operator, keys in condition(name, operators).items():
            met.setdefault(operator, {}).update(keys)
    denials = [deny(ALIASES, Condition=condition(name, unmet)) for name, (_, unmet) in own.items()]
    role = cloud.role(allow(ALIASES, Condition=met), *denials, Tags=[{"Key": "team", "Value": "blue"}])
    assert cloud.may(cloud.enter(role), ALIASES) == {ALIASES}


def test_a_trust_policy_may_ask_for_the_organization(cloud: Cloud, target: str, hub: Any) -> None:
    here, _ = organization(cloud)
    cloud.trust(target, trusting("*", StringEquals={"aws:PrincipalOrgID": here}))
    assert cloud.is_let_in(target, hub)
    cloud.trust(target, trusting("*", StringEquals={"aws:PrincipalOrgID": "o-another0000"}))
    assert not cloud.is_let_in(target, hub)


def test_a_trust_policy_may_ask_for_a_place_in_the_organization(cloud: Cloud, hub: Any, other: str) -> None:
    here, root = organization(cloud)
    api = cloud.client("organizations")
    unit = api.create_organizational_unit(Name=unique(), ParentId=root)["OrganizationalUnit"]["Id"]
    inner = api.create_organizational_unit(Name=unique(), ParentId=unit)["OrganizationalUnit"]["Id"]
    api.move_account(AccountId=other, SourceParentId=root, DestinationParentId=inner)
    within = cloud.session(EVERYTHING, account=other)
    target = cloud.role()

    def lets_in(path: str, session: Credentials, operator: str = "ForAnyValue:StringLike") -> bool:
        cloud.trust(target, trusting("*", **{operator: {"aws:PrincipalOrgPaths": path}}))
        return cloud.is_let_in(target, session)

    full = f"{here}/{root}/{unit}/{inner}/"
    assert lets_in(full, within, "ForAnyValue:StringEquals")
    assert lets_in(f"{here}/{root}/{unit}/*", within)
    assert lets_in(f"{here}/*", within)
    assert not lets_in(f"{here}/{root}/{inner}/*", within)
    assert not lets_in(full, within, "StringEquals"), "a key of several values needs a set operator"
    assert lets_in(f"{here}/{root}/", hub, "ForAnyValue:StringEquals")
    assert not lets_in(f"{here}/{root}/{unit}/*", hub)
    api.move_account(AccountId=other, SourceParentId=inner, DestinationParentId=root)
    assert not lets_in(f"{here}/{root}/{unit}/*", within)
    for gone in (inner, unit):
        api.delete_organizational_unit(OrganizationalUnitId=gone)


def test_a_trust_policy_may_name_the_caller_s_unique_id(cloud: Cloud, target: str, caller: str, hub: Any) -> None:
    role_id = cloud.client("iam").get_role(RoleName=of(caller)[1])["Role"]["RoleId"]
    cloud.trust(target, trusting(IN_THE_HUB, StringEquals={"aws:userid": f"{role_id}:tests"}))
    assert cloud.is_let_in(target, hub)
    cloud.trust(target, trusting(IN_THE_HUB, StringEquals={"aws:userid": f"{role_id}:other"}))
    assert not cloud.is_let_in(target, hub)
    cloud.trust(target, trusting(IN_THE_HUB, StringLike={"aws:userid": f"{role_id}:*"}))
    assert cloud.is_let_in(target, hub)


def test_a_trust_policy_sees_a_user_s_name_and_that_it_has_no_session(cloud: Cloud, target: str) -> None:
    user = cloud.user(allow(ASSUME))
    for conditions, expected in (
        ({"StringEquals": {"aws:username": user.name}}, True),
        ({"StringEquals": {"aws:username": user.name.upper()}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, True),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, False),
    ):
        cloud.trust(target, trusting(IN_THE_HUB, **conditions))
        assert cloud.is_let_in(target, user.credentials) is expected, conditions


def test_a_session_may_have_to_be_named_after_its_user(cloud: Cloud, target: str) -> None:
    user = cloud.user(allow(ASSUME))
    cloud.trust(target, trusting(IN_THE_HUB, StringEquals={"sts:RoleSessionName": "${aws:username}"}))
    assert cloud.is_let_in(target, user.credentials, RoleSessionName=user.name)
    assert not cloud.is_let_in(target, user.credentials)


@pytest.mark.parametrize(
    "made",
    ["role", "queue", "secret"],
)
def test_a_policy_sees_the_tags_of_a_resource(cloud: Cloud, made: str) -> None:
    open_ones = {"StringEquals": {"aws:ResourceTag/open": "yes"}}
    session = cloud.session(allow("*", Condition=open_ones))

    def sees(tagged: bool) -> bool:
        name, value = unique(), "yes" if tagged else "no"
        tags = [{"Key": "open", "Value": value}]
        if made == "role":
            cloud.role(RoleName=name, Tags=tags)
            return not is_denied(cloud.client("iam", session).get_role, RoleName=name)
        if made == "queue":
            url = cloud.client("sqs").create_queue(QueueName=name, tags={"open": value})["QueueUrl"]
            return not is_denied(cloud.client("sqs", session).receive_message, QueueUrl=url)
        cloud.client("secretsmanager").create_secret(Name=name, SecretString="text", Tags=tags)
        return not is_denied(cloud.client("secretsmanager", session).get_secret_value, SecretId=name)

    assert (sees(tagged=True), sees(tagged=False)) == (True, False)


def test_a_policy_sees_the_tags_of_a_request(cloud: Cloud) -> None:
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    iam = cloud.client("iam", cloud.session(allow("iam:CreateUser", "iam:TagUser", Condition=blue)))
    tag = {"Key": "team", "Value": "blue"}
    assert iam.create_user(UserName=unique(), Tags=[tag])
    for tags in ([], [{**tag, "Value": "red"}], [tag, {"Key": "cost", "Value": "1"}]):
        assert is_denied(iam.create_user, UserName=unique(), Tags=tags)


def test_the_caller_s_policy_sees_the_role_s_tags(cloud: Cloud, member: str) -> None:
    tagged = cloud.role(account=member, Tags=[{"Key": "open", "Value": "yes"}])
    session = cloud.session(allow(ASSUME, Condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}))
    assert cloud.is_let_in(tagged, session)
    assert not cloud.is_let_in(cloud.role(account=member), session)
