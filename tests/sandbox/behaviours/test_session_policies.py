"""Session policies: Policy and PolicyArns of AssumeRole.

Sources: IAM User Guide, access_policies.html#policies_session; STS API, AssumeRole.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.checks import CHECKS
from chalicelib.cross_account import Hub, TargetRole

from .conftest import ALIASES, EVERYTHING, OPEN_ID, READS, SAML, Cloud, allow, deny, is_denied, policy_text, refusal

AWS_MANAGED = "arn:aws:iam::aws:policy"


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    """It may take two of the three actions."""
    return cloud.role(allow(ALIASES, SAML))


def test_without_a_session_policy_the_role_decides(cloud: Cloud, role: str) -> None:
    assert cloud.may(cloud.enter(role), *READS) == {ALIASES, SAML}


def test_a_session_may_do_only_what_role_and_session_policy_both_allow(cloud: Cloud, role: str) -> None:
    session = cloud.enter(role, Policy=policy_text(allow(ALIASES)))
    assert cloud.may(session) == {ALIASES}
    assert cloud.why_not(session, SAML).endswith(f"because no session policy allows the {SAML} action")


def test_a_session_policy_cannot_give_what_the_role_lacks(cloud: Cloud, role: str) -> None:
    session = cloud.enter(role, Policy=policy_text(allow(OPEN_ID)))
    assert cloud.may(session, *READS) == set()
    assert cloud.why_not(session, OPEN_ID).endswith(f"because no identity-based policy allows the {OPEN_ID} action")


def test_an_explicit_deny_in_a_session_policy_holds(cloud: Cloud, role: str) -> None:
    session = cloud.enter(role, Policy=policy_text(EVERYTHING, deny(ALIASES)))
    assert cloud.may(session) == {SAML}
    assert cloud.why_not(session, ALIASES).endswith("with an explicit deny in a session policy")


def test_a_condition_of_a_session_policy_is_evaluated(cloud: Cloud, role: str) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    there = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    policy = policy_text(allow(ALIASES, Condition=here), allow(SAML, Condition=there))
    assert cloud.may(cloud.enter(role, Policy=policy)) == {ALIASES}


def test_managed_session_policies_narrow_like_an_inline_one(cloud: Cloud, role: str) -> None:
    own = {"arn": cloud.policy(allow(ALIASES))}
    assert cloud.may(cloud.enter(role, PolicyArns=[own])) == {ALIASES}
    of_aws = {"arn": f"{AWS_MANAGED}/AmazonSQSReadOnlyAccess"}
    assert cloud.may(cloud.enter(role, PolicyArns=[of_aws])) == set()
    assert cloud.may(cloud.enter(role, PolicyArns=[{"arn": f"{AWS_MANAGED}/IAMReadOnlyAccess"}])) == {ALIASES, SAML}


def test_all_session_policies_together_allow_what_one_of_them_allows(cloud: Cloud, role: str) -> None:
    one, two = ({"arn": cloud.policy(allow(action))} for action in (ALIASES, SAML))
    assert cloud.may(cloud.enter(role, PolicyArns=[one, two])) == {ALIASES, SAML}
    assert cloud.may(cloud.enter(role, PolicyArns=[one], Policy=policy_text(allow(SAML)))) == {ALIASES, SAML}
    assert cloud.may(cloud.enter(role, PolicyArns=[two], Policy=policy_text(EVERYTHING, deny(SAML)))) == {ALIASES}


def test_a_session_gains_nothing_when_its_managed_policy_is_deleted(cloud: Cloud, role: str) -> None:
    policy = cloud.policy(allow(ALIASES))
    session = cloud.enter(role, PolicyArns=[{"arn": policy}])
    cloud.client("iam").delete_policy(PolicyArn=policy)
    assert cloud.may(session) <= {ALIASES}


def test_a_managed_session_policy_must_exist_in_the_role_s_account(cloud: Cloud, role: str, member: str) -> None:
    for wrong in ("arn:aws:iam::111111111111:policy/none", cloud.policy(EVERYTHING, account=member)):
        with pytest.raises(ClientError):
            cloud.enter(role, PolicyArns=[{"arn": wrong}])


def test_at_most_ten_managed_session_policies_are_accepted(cloud: Cloud, role: str) -> None:
    policy = {"arn": f"{AWS_MANAGED}/IAMReadOnlyAccess"}
    assert cloud.cannot_enter(role, PolicyArns=[policy] * 11)[0] == "ValidationError"


def test_a_session_policy_also_rules_who_may_be_assumed_next(cloud: Cloud, member: str) -> None:
    first, target = cloud.role(allow("sts:AssumeRole")), cloud.role(account=member)
    assert cloud.is_let_in(target, cloud.enter(first))
    assert cloud.is_let_in(target, cloud.enter(first, Policy=policy_text(allow("sts:AssumeRole", on=target))))
    assert not cloud.is_let_in(target, cloud.enter(first, Policy=policy_text(allow("iam:*"))))
    elsewhere = policy_text(allow("sts:AssumeRole", on=f"{target}-2"))
    assert not cloud.is_let_in(target, cloud.enter(first, Policy=elsewhere))
    denied = cloud.enter(first, Policy=policy_text(EVERYTHING, deny("sts:AssumeRole", on=target)))
    code, message = cloud.cannot_enter(target, denied)
    assert (code, message.endswith("with an explicit deny in a session policy")) == ("AccessDenied", True)


def test_a_session_policy_is_of_its_session_alone(cloud: Cloud, role: str) -> None:
    """Neither another session of the role nor the session of the next role has it."""
    cloud.put(first := cloud.role(), allow("sts:AssumeRole"))
    narrow = cloud.enter(first, Policy=policy_text(allow("sts:AssumeRole", on=role)))
    assert cloud.may(cloud.enter(role, narrow)) == {ALIASES, SAML}


def long_policy(length: int) -> str:
    start = policy_text(allow(ALIASES))
    return start + " " * (length - len(start))


def test_a_session_policy_has_at_most_2048_characters(cloud: Cloud, role: str) -> None:
    assert cloud.cannot_enter(role, Policy=long_policy(2049))[0] == "ValidationError"
    assert cloud.may(cloud.enter(role, Policy=long_policy(2048))) == {ALIASES}


@pytest.mark.parametrize(
    "policy",
    [
        "{not json",
        "[]",
        '"text"',
        policy_text({"Effect": "Maybe", "Action": "*", "Resource": "*"}),
        policy_text({"Effect": "Allow", "Resource": "*"}),
        policy_text({"Effect": "Allow", "Action": "*"}),
        policy_text({**EVERYTHING, "Principal": "*"}),
    ],
    ids=["not JSON", "a list", "a text", "no such effect", "no action", "no resource", "a principal"],
)
def test_a_session_policy_that_is_no_policy_is_malformed(cloud: Cloud, role: str, policy: str) -> None:
    assert cloud.cannot_enter(role, Policy=policy)[0] == "MalformedPolicyDocument"


def test_the_response_tells_how_much_of_the_limit_policies_and_tags_take(cloud: Cloud, role: str) -> None:
    def size(**arguments: Any) -> int | None:
        response = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="tests", **arguments)
        packed: int | None = response.get("PackedPolicySize")
        return packed

    assert size() is None
    assert 1 <= (size(Policy=policy_text(allow(ALIASES))) or 0) <= 100
    assert 1 <= (size(PolicyArns=[{"arn": f"{AWS_MANAGED}/IAMReadOnlyAccess"}]) or 0) <= 100


def test_a_role_without_a_policy_is_given_nothing(cloud: Cloud) -> None:
    session = cloud.enter(cloud.role(), Policy=policy_text(EVERYTHING))
    assert refusal(cloud.client("sqs", session).list_queues)[0] in {"AccessDenied", "AccessDeniedException"}


def test_api_call_may_do_nothing_but_its_one_action(cloud: Cloud, member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much its role may."""
    for name, value in cloud.box.environment.items():
        monkeypatch.setenv(name, value)
    role = cloud.role(EVERYTHING, account=member)
    asked = CHECKS["api_call"].asked({"operation": "iam:ListAccountAliases"})
    account = Hub(TargetRole(role.rpartition("/")[2])).account(member, asked.needs.actions)
    assert asked.run(account) == {"AccountAliases": []}
    assert is_denied(account.client("iam").list_saml_providers)
    assert is_denied(account.client("iam").create_user, UserName="nobody")
    assert is_denied(account.client("s3").list_buckets)
    assert is_denied(account.client("ec2").describe_instances)
