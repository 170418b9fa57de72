"""Sessions of AssumeRole: their name, their duration, their tags and their source identity.

Sources: STS API, AssumeRole; IAM User Guide, id_session-tags.html and
id_credentials_temp_control-access_monitor.html; service authorization reference of STS.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB

from .conftest import (
    ALIASES,
    EVERYTHING,
    OPEN_ID,
    READS,
    SAML,
    Cloud,
    allow,
    deny,
    policy_text,
    refusal,
    session_arn,
    trusting,
    unique,
)

TAGGED = [{"Key": "team", "Value": "blue"}]
ASSUME, TAG, SOURCE = "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"
IN_THE_HUB = {"AWS": HUB}


# ---- form


@pytest.mark.parametrize(
    "wrong",
    [
        {"DurationSeconds": 899},
        {"DurationSeconds": 43201},
        {"RoleSessionName": "x"},
        {"RoleSessionName": "x" * 65},
        {"RoleSessionName": "with space"},
        {"RoleSessionName": "a/b"},
        {"RoleSessionName": "line\n"},
        {"RoleSessionName": "１２３"},
        {"RoleArn": f"arn:aws:iam::１２３{HUB[3:]}:role/any"},
        {"RoleArn": f"arn:aws:iam::{HUB}:role/any\n"},
        {"SourceIdentity": "x"},
        {"SourceIdentity": "with space"},
        {"ExternalId": "x"},
        {"ExternalId": "with space"},
        {"Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(51)]},
        {"Tags": [{"Key": "k" * 129, "Value": "v"}]},
        {"Tags": [{"Key": "k", "Value": "v" * 257}]},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_what_does_not_have_the_form_is_a_validation_error(cloud: Cloud, wrong: dict[str, Any]) -> None:
    sts = cloud.client("sts", parameter_validation=False)
    role = {"RoleArn": f"arn:aws:iam::{HUB}:role/any", "RoleSessionName": "tests"}
    assert refusal(sts.assume_role, **{**role, **wrong})[0] == "ValidationError"


@pytest.mark.parametrize("name", ["ab", "x" * 64, "a_b+c=d,e.f@g-h"])
def test_a_session_has_the_name_that_it_was_given(cloud: Cloud, name: str) -> None:
    role = cloud.role()
    session = cloud.enter(role, RoleSessionName=name, DurationSeconds=900)
    assert cloud.client("sts", session).get_caller_identity()["Arn"] == session_arn(role, name)


def test_a_role_session_cannot_assume_a_role_for_more_than_an_hour(cloud: Cloud) -> None:
    """The developer is a session too, and the role itself allows twelve."""
    role = cloud.role(MaxSessionDuration=43200)
    assert cloud.enter(role, DurationSeconds=3600)
    assert cloud.cannot_enter(role, DurationSeconds=3601) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    )


def test_a_user_may_ask_for_the_role_s_maximum_and_no_more(cloud: Cloud) -> None:
    user, role = cloud.user(allow(ASSUME)), cloud.role(MaxSessionDuration=7200)
    assert cloud.enter(role, user.credentials, DurationSeconds=7200)
    assert cloud.cannot_enter(role, user.credentials, DurationSeconds=7201) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


# ---- source identity


@pytest.fixture(scope="module")
def hub(cloud: Cloud) -> dict[str, Any]:
    """A caller that may do everything."""
    return cloud.session(EVERYTHING)


def test_a_source_identity_needs_a_permission_in_the_trust_policy(cloud: Cloud, hub: Any) -> None:
    role = cloud.role(trust=trusting(IN_THE_HUB))
    assert cloud.is_let_in(role, hub)
    assert cloud.cannot_enter(role, hub, SourceIdentity="alice")[0] == "AccessDenied"
    cloud.trust(role, trusting(IN_THE_HUB, ASSUME, SOURCE))
    assert cloud.is_let_in(role, hub, SourceIdentity="alice")
    cloud.trust(role, trusting(IN_THE_HUB, ASSUME, SOURCE), trusting(IN_THE_HUB, SOURCE, effect="Deny"))
    assert not cloud.is_let_in(role, hub, SourceIdentity="alice")


def test_a_source_identity_needs_a_permission_of_the_caller_too(cloud: Cloud, member: str) -> None:
    role = cloud.role(account=member, trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    assert not cloud.is_let_in(role, cloud.session(allow(ASSUME)), SourceIdentity="alice")
    assert cloud.is_let_in(role, cloud.session(allow(ASSUME, SOURCE)), SourceIdentity="alice")
    assert not cloud.is_let_in(role, cloud.session(EVERYTHING, deny(SOURCE)), SourceIdentity="alice")


def test_the_response_repeats_the_source_identity(cloud: Cloud, hub: Any) -> None:
    role = cloud.role(trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    response = cloud.client("sts", hub).assume_role(RoleArn=role, RoleSessionName="tests", SourceIdentity="alice")
    assert response["SourceIdentity"] == "alice"


def test_a_trust_policy_sees_the_source_identity_that_was_sent(cloud: Cloud, hub: Any) -> None:
    alice = {"StringEquals": {"sts:SourceIdentity": "alice"}}
    role = cloud.role(trust=trusting(IN_THE_HUB, ASSUME, SOURCE, **alice))
    assert cloud.is_let_in(role, hub, SourceIdentity="alice")
    assert not cloud.is_let_in(role, hub, SourceIdentity="bob")
    assert not cloud.is_let_in(role, hub)


def test_the_session_s_policies_see_its_source_identity(cloud: Cloud, hub: Any) -> None:
    alice = {"StringEquals": {"aws:SourceIdentity": "alice"}}
    role = cloud.role(allow(ALIASES, Condition=alice), trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    assert cloud.may(cloud.enter(role, hub, SourceIdentity="alice")) == {ALIASES}
    assert cloud.may(cloud.enter(role, hub, SourceIdentity="bob")) == set()
    assert cloud.may(cloud.enter(role, hub)) == set()


def test_a_source_identity_stays_through_the_chain_and_cannot_be_changed(cloud: Cloud, hub: Any) -> None:
    alice = {"StringEquals": {"aws:SourceIdentity": "alice"}}
    first = cloud.role(EVERYTHING, trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    next_one = cloud.role(allow(ALIASES, Condition=alice), trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    session = cloud.enter(first, hub, SourceIdentity="alice")
    assert cloud.may(cloud.enter(next_one, session)) == {ALIASES}
    assert cloud.may(cloud.enter(next_one, session, SourceIdentity="alice")) == {ALIASES}
    assert cloud.cannot_enter(next_one, session, SourceIdentity="bob")[0] == "AccessDenied"


def test_where_the_next_role_lets_no_source_identity_in_the_chain_ends(cloud: Cloud, hub: Any) -> None:
    first = cloud.role(EVERYTHING, trust=trusting(IN_THE_HUB, ASSUME, SOURCE))
    next_one = cloud.role(trust=trusting(IN_THE_HUB, ASSUME))
    assert cloud.is_let_in(next_one, cloud.enter(first, hub))
    assert not cloud.is_let_in(next_one, cloud.enter(first, hub, SourceIdentity="alice"))


# ---- tags


def test_session_tags_need_a_permission_in_the_trust_policy(cloud: Cloud, hub: Any) -> None:
    role = cloud.role(trust=trusting(IN_THE_HUB))
    assert cloud.cannot_enter(role, hub, Tags=TAGGED)[0] == "AccessDenied"
    cloud.trust(role, trusting(IN_THE_HUB, ASSUME, TAG))
    assert cloud.is_let_in(role, hub, Tags=TAGGED)
    cloud.trust(role, trusting(IN_THE_HUB, ASSUME, TAG), trusting(IN_THE_HUB, TAG, effect="Deny"))
    assert not cloud.is_let_in(role, hub, Tags=TAGGED)


def test_session_tags_need_a_permission_of_the_caller_too(cloud: Cloud, member: str) -> None:
    role = cloud.role(account=member, trust=trusting(IN_THE_HUB, ASSUME, TAG))
    assert not cloud.is_let_in(role, cloud.session(allow(ASSUME)), Tags=TAGGED)
    assert cloud.is_let_in(role, cloud.session(allow(ASSUME, TAG)), Tags=TAGGED)


def test_a_policy_sees_the_session_s_tags(cloud: Cloud, hub: Any) -> None:
    blue = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    role = cloud.role(allow(ALIASES, Condition=blue), trust=trusting(IN_THE_HUB, ASSUME, TAG))
    assert cloud.may(cloud.enter(role, hub, Tags=TAGGED)) == {ALIASES}
    assert cloud.may(cloud.enter(role, hub, Tags=[{"Key": "team", "Value": "red"}])) == set()
    assert cloud.may(cloud.enter(role, hub)) == set()


def test_a_policy_sees_the_role_s_own_tags_and_the_session_s_before_them(cloud: Cloud, hub: Any) -> None:
    def tagged(value: str) -> dict[str, Any]:
        return {"StringEquals": {"aws:PrincipalTag/team": value}}

    statements = allow(ALIASES, Condition=tagged("blue")), allow(SAML, Condition=tagged("red"))
    role = cloud.role(*statements, trust=trusting(IN_THE_HUB, ASSUME, TAG), Tags=[{"Key": "team", "Value": "red"}])
    assert cloud.may(cloud.enter(role, hub)) == {SAML}
    assert cloud.may(cloud.enter(role, hub, Tags=TAGGED)) == {ALIASES}


def test_a_policy_sees_a_user_s_tags(cloud: Cloud) -> None:
    blue = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    assert cloud.may(cloud.user(allow(ALIASES, Condition=blue), Tags=TAGGED).credentials) == {ALIASES}
    assert cloud.may(cloud.user(allow(ALIASES, Condition=blue)).credentials) == set()


def test_a_trust_policy_sees_the_tags_that_were_sent(cloud: Cloud, hub: Any) -> None:
    only_team = {
        "StringEquals": {"aws:RequestTag/team": ["blue", "green"]},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    role = cloud.role(trust=[trusting(IN_THE_HUB, ASSUME, TAG, **only_team)])
    assert cloud.is_let_in(role, hub, Tags=TAGGED)
    assert not cloud.is_let_in(role, hub, Tags=[{"Key": "team", "Value": "red"}])
    assert not cloud.is_let_in(role, hub, Tags=[*TAGGED, {"Key": "cost", "Value": "1"}])
    assert not cloud.is_let_in(role, hub)


def test_transitive_tags_stay_through_the_chain_and_others_do_not(cloud: Cloud, hub: Any) -> None:
    tags = [*TAGGED, {"Key": "cost", "Value": "1"}]
    trust = trusting(IN_THE_HUB, ASSUME, TAG)
    first = cloud.role(EVERYTHING, trust=trust)
    last = cloud.role(
        allow(ALIASES, Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
        allow(SAML, Condition={"StringEquals": {"aws:PrincipalTag/cost": "1"}}),
        allow(OPEN_ID, Condition={"Null": {"aws:PrincipalTag/cost": "true"}}),
        trust=trust,
    )
    session = cloud.enter(first, hub, Tags=tags, TransitiveTagKeys=["team"])
    assert cloud.may(cloud.enter(last, session), *READS) == {ALIASES, OPEN_ID}
    between = cloud.enter(first, session)
    assert cloud.may(cloud.enter(last, between), *READS) == {ALIASES, OPEN_ID}
    assert cloud.may(cloud.enter(last, cloud.enter(first, hub, Tags=tags)), *READS) == {OPEN_ID}


def test_a_transitive_tag_cannot_be_changed_in_the_chain(cloud: Cloud, hub: Any) -> None:
    role = cloud.role(EVERYTHING, trust=trusting(IN_THE_HUB, ASSUME, TAG))
    session = cloud.enter(role, hub, Tags=TAGGED, TransitiveTagKeys=["team"])
    for key in ("team", "Team"):
        with pytest.raises(ClientError):
            cloud.enter(role, session, Tags=[{"Key": key, "Value": "red"}])


def test_where_the_next_role_lets_no_tags_in_transitive_ones_end_the_chain(cloud: Cloud, hub: Any) -> None:
    first = cloud.role(EVERYTHING, trust=trusting(IN_THE_HUB, ASSUME, TAG))
    last = cloud.role(trust=trusting(IN_THE_HUB))
    assert not cloud.is_let_in(last, cloud.enter(first, hub, Tags=TAGGED, TransitiveTagKeys=["team"]))
    assert cloud.is_let_in(last, cloud.enter(first, hub, Tags=TAGGED))


def test_keys_of_tags_differ_in_more_than_their_case(cloud: Cloud, hub: Any) -> None:
    blue = {"StringEquals": {"aws:PrincipalTag/TEAM": "blue"}}
    role = cloud.role(EVERYTHING, trust=trusting(IN_THE_HUB, ASSUME, TAG))
    last = cloud.role(allow(ALIASES, Condition=blue), trust=trusting(IN_THE_HUB, ASSUME, TAG))
    with pytest.raises(ClientError):
        cloud.enter(role, hub, Tags=[*TAGGED, {"Key": "Team", "Value": "red"}])
    session = cloud.enter(role, hub, Tags=TAGGED, TransitiveTagKeys=["Team"])
    assert cloud.may(cloud.enter(last, session), ALIASES) == {ALIASES}


def test_session_tags_are_no_tags_of_the_role(cloud: Cloud, hub: Any) -> None:
    blue = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    role = cloud.role(allow(ALIASES, Condition=blue), trust=trusting(IN_THE_HUB, ASSUME, TAG))
    cloud.enter(role, hub, Tags=TAGGED)
    assert cloud.may(cloud.enter(role, hub)) == set()


# ---- several things at once


def test_tags_source_identity_and_a_session_policy_are_all_of_one_session(cloud: Cloud, hub: Any) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "alice"}}
    role = cloud.role(allow(ALIASES, SAML, Condition=condition), trust=trusting(IN_THE_HUB, ASSUME, TAG, SOURCE))
    given = {"Tags": TAGGED, "SourceIdentity": "alice"}
    assert cloud.may(cloud.enter(role, hub, **given)) == {ALIASES, SAML}
    assert cloud.may(cloud.enter(role, hub, **given, Policy=policy_text(allow(SAML)))) == {SAML}


def test_a_session_of_a_function_s_role_is_not_tagged_by_another_s(cloud: Cloud, hub: Any) -> None:
    name = unique()
    role = cloud.role(trust=trusting(IN_THE_HUB, ASSUME, StringEquals={"sts:RoleSessionName": name}))
    assert cloud.is_let_in(role, hub, RoleSessionName=name)
    assert not cloud.is_let_in(role, hub, RoleSessionName=f"{name}-2")
