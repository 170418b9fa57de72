"""Credentials: unknown, wrong, inactive, without a token, of GetSessionToken, and in the query of a URL.

Sources: IAM and S3, common errors; IAM User Guide, id_credentials_access-keys.html and
id_credentials_temp_control-access_getsessiontoken.html; STS API, GetSessionToken, GetFederationToken and
GetCallerIdentity; EC2 API, errors; S3 API, GetObject and ListBuckets.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

from sandbox.accounts import HUB

from .conftest import (
    ALIASES,
    EVERYTHING,
    READS,
    SAML,
    Cloud,
    Credentials,
    User,
    allow,
    deny,
    policy_text,
    refusal,
    unique,
)

CALLS = {"sts": "get_caller_identity", "iam": "list_users", "s3": "list_buckets", "lambda": "list_functions"}
UNKNOWN = {
    "sts": "InvalidClientTokenId",
    "iam": "InvalidClientTokenId",
    "s3": "InvalidAccessKeyId",
    "lambda": "UnrecognizedClientException",
}


@pytest.fixture(scope="module")
def session(cloud: Cloud) -> Credentials:
    return cloud.session(EVERYTHING)


# ---- who is not known


@pytest.mark.parametrize(("service", "code"), UNKNOWN.items())
def test_an_unknown_key_and_a_session_s_key_without_its_token_are_unknown(
    cloud: Cloud, session: Credentials, service: str, code: str
) -> None:
    for changed in ({"AccessKeyId": "ASIAXXXXXXXXXXXXXXXX"}, {"SessionToken": None}, {"SessionToken": "another"}):
        client = cloud.client(service, {**session, **changed})
        assert refusal(getattr(client, CALLS[service]))[0] == code


def test_a_user_s_key_has_no_token(cloud: Cloud, user: User) -> None:
    with_one = {**user.credentials, "SessionToken": "any"}
    assert refusal(cloud.client("sts", with_one).get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_token_of_another_session_is_not_this_one_s(cloud: Cloud, session: Credentials) -> None:
    mixed = {**session, "SessionToken": cloud.session(allow(ALIASES))["SessionToken"]}
    assert refusal(cloud.client("sts", mixed).get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(("service", "code"), {**dict.fromkeys(CALLS, "SignatureDoesNotMatch")}.items())
def test_a_wrong_secret_does_not_match(cloud: Cloud, session: Credentials, service: str, code: str) -> None:
    client = cloud.client(service, {**session, "SecretAccessKey": "another"})
    expected = "InvalidSignatureException" if service == "lambda" else code
    assert refusal(getattr(client, CALLS[service]))[0] == expected


def test_an_inactive_key_is_unknown_until_it_is_active_again(cloud: Cloud) -> None:
    user, iam = cloud.user(allow(ALIASES)), cloud.client("iam")
    key = {"UserName": user.name, "AccessKeyId": user.credentials["AccessKeyId"]}
    assert cloud.may(user.credentials) == {ALIASES}
    iam.update_access_key(**key, Status="Inactive")
    assert refusal(cloud.client("sts", user.credentials).get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(cloud.client("s3", user.credentials).list_buckets)[0] == "InvalidAccessKeyId"
    second = {**iam.create_access_key(UserName=user.name)["AccessKey"]}
    assert cloud.may(second) == {ALIASES}
    iam.update_access_key(**key, Status="Active")
    assert cloud.may(user.credentials) == {ALIASES}


# ---- how a refusal is called


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("s3", "list_buckets", {}, "AccessDenied"),
        ("iam", "list_users", {}, "AccessDenied"),
        ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{HUB}:role/none", "RoleSessionName": "x1"}, "AccessDenied"),
        ("lambda", "list_functions", {}, "AccessDeniedException"),
        ("organizations", "list_accounts", {}, "AccessDeniedException"),
        ("secretsmanager", "list_secrets", {}, "AccessDeniedException"),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation"),
        ("sns", "list_topics", {}, "AuthorizationError"),
    ],
)
def test_each_service_has_its_own_word_for_a_refusal(
    cloud: Cloud, nothing: Credentials, service: str, operation: str, arguments: dict[str, Any], code: str
) -> None:
    assert refusal(getattr(cloud.client(service, nothing), operation), **arguments)[0] == code


@pytest.fixture(scope="module")
def nothing(cloud: Cloud) -> Credentials:
    return cloud.session()


def test_ec2_says_more_than_its_code(cloud: Cloud, nothing: Credentials) -> None:
    _, message = refusal(cloud.client("ec2", nothing).describe_vpcs)
    assert message.startswith("You are not authorized to perform this operation.")
    assert "because no identity-based policy allows the ec2:DescribeVpcs action" in message


def test_get_caller_identity_answers_even_to_an_explicit_deny(cloud: Cloud) -> None:
    denied = cloud.session(deny("*"))
    assert cloud.client("sts", denied).get_caller_identity()["Account"] == HUB
    role = cloud.role(EVERYTHING)
    narrow = cloud.enter(role, Policy=policy_text(deny("*")))
    assert cloud.client("sts", narrow).get_caller_identity()["Account"] == HUB


# ---- GetSessionToken


@pytest.fixture(scope="module")
def user(cloud: Cloud) -> User:
    """It has one bucket action, and is denied what cannot be denied."""
    return cloud.user(allow("s3:ListAllMyBuckets", "sts:AssumeRole", "iam:*"), deny("sts:GetSessionToken"))


@pytest.fixture(scope="module")
def token(cloud: Cloud, user: User) -> Credentials:
    return dict(cloud.client("sts", user.credentials).get_session_token(DurationSeconds=900)["Credentials"])


def test_credentials_of_get_session_token_are_those_of_the_user(cloud: Cloud, user: User, token: Any) -> None:
    assert cloud.client("sts", token).get_caller_identity()["Arn"] == user.arn
    assert cloud.client("s3", token).list_buckets()["Buckets"] is not None
    assert refusal(cloud.client("lambda", token).list_functions)[0] == "AccessDeniedException"
    cloud.client("iam").put_user_policy(
        UserName=user.name, PolicyName="later", PolicyDocument=policy_text(deny("s3:ListAllMyBuckets"))
    )
    assert refusal(cloud.client("s3", token).list_buckets)[0] == "AccessDenied"
    cloud.client("iam").delete_user_policy(UserName=user.name, PolicyName="later")


def test_they_come_with_a_token_that_is_asked_for(cloud: Cloud, token: Credentials) -> None:
    without = {**token, "SessionToken": None}
    assert refusal(cloud.client("sts", without).get_caller_identity)[0] == "InvalidClientTokenId"


def test_they_call_no_iam_without_multi_factor_authentication(cloud: Cloud, token: Credentials) -> None:
    iam = cloud.client("iam", token)
    assert {refusal(getattr(iam, read))[0] for read in READS.values()} == {"InvalidClientTokenId"}


def test_of_sts_they_call_only_assume_role_and_get_caller_identity(cloud: Cloud, token: Credentials) -> None:
    assert cloud.is_let_in(cloud.role(), token)
    sts = cloud.client("sts", token)
    assert refusal(sts.get_session_token) == (
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )
    assert refusal(sts.get_federation_token, Name="alice")[0] == "AccessDenied"


def test_a_role_session_gets_no_session_token(cloud: Cloud, session: Credentials) -> None:
    assert refusal(cloud.client("sts", session).get_session_token) == (
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )


def test_policies_see_that_they_are_a_user_s_session(cloud: Cloud) -> None:
    sees = {
        "StringEquals": {"aws:PrincipalType": "User"},
        "Bool": {"aws:MultiFactorAuthPresent": "false"},
        "Null": {"aws:TokenIssueTime": "false", "aws:username": "false"},
    }
    user = cloud.user(allow("s3:ListAllMyBuckets", Condition=sees))
    token = cloud.client("sts", user.credentials).get_session_token()["Credentials"]
    assert cloud.client("s3", token).list_buckets()
    assert refusal(cloud.client("s3", user.credentials).list_buckets)[0] == "AccessDenied"


@pytest.mark.parametrize("seconds", [899, 129601])
def test_a_session_token_lasts_a_quarter_of_an_hour_to_36_hours(cloud: Cloud, user: User, seconds: int) -> None:
    sts = cloud.client("sts", user.credentials, parameter_validation=False)
    assert refusal(sts.get_session_token, DurationSeconds=seconds)[0] == "ValidationError"


def test_a_federated_user_may_do_what_user_and_policy_both_allow(cloud: Cloud) -> None:
    user = cloud.user(allow("sts:GetFederationToken", "s3:ListAllMyBuckets", "sqs:ListQueues"))
    sts = cloud.client("sts", user.credentials)
    policy = policy_text(allow("s3:ListAllMyBuckets", "lambda:ListFunctions"))
    made = sts.get_federation_token(Name="alice", Policy=policy)
    assert made["FederatedUser"]["Arn"] == f"arn:aws:sts::{HUB}:federated-user/alice"
    token = made["Credentials"]
    assert cloud.client("sts", token).get_caller_identity()["Arn"] == made["FederatedUser"]["Arn"]
    assert cloud.client("s3", token).list_buckets()
    for service in ("sqs", "lambda"):
        call = {"sqs": "list_queues", "lambda": "list_functions"}[service]
        assert refusal(getattr(cloud.client(service, token), call))[0] in {"AccessDenied", "AccessDeniedException"}
    without = sts.get_federation_token(Name="alice")["Credentials"]
    assert refusal(cloud.client("s3", without).list_buckets)[0] == "AccessDenied"
    other = cloud.user(allow("s3:ListAllMyBuckets"))
    assert refusal(cloud.client("sts", other.credentials).get_federation_token, Name="alice")[0] == "AccessDenied"


# ---- S3


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name = unique()
    cloud.client("s3").create_bucket(Bucket=name)
    cloud.client("s3").put_object(Bucket=name, Key="there", Body=b"content")
    return name


def test_a_missing_key_is_told_only_to_who_may_list_the_bucket(cloud: Cloud, bucket: str) -> None:
    reader = cloud.client("s3", cloud.session(allow("s3:GetObject")))
    assert reader.get_object(Bucket=bucket, Key="there")["Body"].read() == b"content"
    assert refusal(reader.get_object, Bucket=bucket, Key="missing")[0] == "AccessDenied"
    assert refusal(reader.head_object, Bucket=bucket, Key="missing")[0] == "403"
    elsewhere = cloud.session(allow("s3:GetObject"), allow("s3:ListBucket", on="arn:aws:s3:::another"))
    assert refusal(cloud.client("s3", elsewhere).get_object, Bucket=bucket, Key="missing")[0] == "AccessDenied"
    lister = cloud.session(allow("s3:GetObject"), allow("s3:ListBucket", on=f"arn:aws:s3:::{bucket}"))
    assert refusal(cloud.client("s3", lister).get_object, Bucket=bucket, Key="missing")[0] == "NoSuchKey"
    assert refusal(cloud.client("s3", lister).head_object, Bucket=bucket, Key="missing")[0] == "404"


def test_list_buckets_names_only_the_caller_s_own(cloud: Cloud, bucket: str, member: str) -> None:
    theirs = unique()
    cloud.within(member, "s3").create_bucket(Bucket=theirs)

    def listed(credentials: Credentials | None) -> set[str]:
        return {one["Name"] for one in cloud.client("s3", credentials).list_buckets()["Buckets"]}

    assert bucket in listed(None)
    assert theirs not in listed(None)
    assert theirs in listed(cloud.administrator(member))
    assert bucket not in listed(cloud.administrator(member))


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_may_do_what_its_signer_may_do_now(cloud: Cloud, bucket: str, version: str) -> None:
    role = cloud.role(allow("s3:GetObject"))
    wide, narrow = cloud.enter(role), cloud.enter(role, Policy=policy_text(allow("s3:PutObject")))
    urls = [
        cloud.client("s3", credentials, signature_version=version).generate_presigned_url(
            "get_object", {"Bucket": bucket, "Key": "there"}
        )
        for credentials in (wide, narrow)
    ]
    assert [status_of(url) for url in urls] == [200, 403]
    cloud.put(role, allow("s3:PutObject"))
    assert status_of(urls[0]) == 403


# ---- variables


def test_a_user_s_policy_may_have_its_name_in_it(cloud: Cloud) -> None:
    own = f"arn:aws:iam::{HUB}:user/${{aws:username}}"
    user = cloud.user(allow("iam:GetUser", on=own))
    iam = cloud.client("iam", user.credentials)
    assert iam.get_user(UserName=user.name)["User"]["Arn"] == user.arn
    assert refusal(iam.get_user, UserName=cloud.user().name)[0] == "AccessDenied"
    everyone = cloud.user(allow("iam:GetUser"), deny("iam:GetUser", on=own))
    assert refusal(cloud.client("iam", everyone.credentials).get_user, UserName=everyone.name)[0] == "AccessDenied"
    assert cloud.client("iam", everyone.credentials).get_user(UserName=user.name)


def test_a_role_has_no_user_name_to_stand_in_a_policy(cloud: Cloud) -> None:
    target = cloud.user()
    session = cloud.session(allow("iam:GetUser", on=f"arn:aws:iam::{HUB}:user/${{aws:username}}"))
    assert refusal(cloud.client("iam", session).get_user, UserName=target.name)[0] == "AccessDenied"
    by_default = cloud.session(allow("iam:GetUser", on=f"arn:aws:iam::{HUB}:user/${{aws:username, '{target.name}'}}"))
    assert cloud.client("iam", by_default).get_user(UserName=target.name)


def test_what_is_not_allowed_and_not_denied_is_not_allowed(cloud: Cloud) -> None:
    assert cloud.may(cloud.session(allow("iam:List*"), deny(SAML)), *READS) == set(READS) - {SAML}


def test_a_user_may_do_what_its_groups_may_do(cloud: Cloud) -> None:
    user, iam, group = cloud.user(), cloud.client("iam"), unique()
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="policy", PolicyDocument=policy_text(allow(ALIASES)))
    assert cloud.may(user.credentials) == set()
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    assert cloud.may(user.credentials) == {ALIASES}


def test_of_a_managed_policy_its_default_version_counts(cloud: Cloud) -> None:
    policy, iam = cloud.policy(allow(ALIASES)), cloud.client("iam")
    session, name = cloud.enter(role := cloud.role()), role.rpartition("/")[2]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    assert cloud.may(session) == {ALIASES}
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=policy_text(allow(SAML)), SetAsDefault=True)
    assert cloud.may(session) == {SAML}
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    assert cloud.may(session) == {ALIASES}
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    assert cloud.may(session) == set()
