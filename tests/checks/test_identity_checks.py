"""The checks of the group identity: what each judges, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.checks import (
    admin_principals,
    credential_report,
    external_trust,
    iam_user_mfa,
    old_access_keys,
    policy_document,
    root_user,
)
from chalicelib.checks.finding import judged
from chalicelib.checks.organization import NOT_READ, UNKNOWN, Organization
from chalicelib.errors import CheckCallFailed
from tests.checks.fake_account import ACCOUNT, FakeAccount

HUB, MEMBER, OUTSIDE = "111122223333", "222233334444", "999988887777"
OWN_ORG, OTHER_ORG = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
ORGANIZATION = Organization(accounts=frozenset({ACCOUNT, HUB, MEMBER}), id=OWN_ORG, hub=HUB)
EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NOW = datetime(2026, 11, 27, tzinfo=UTC)


# ---- root_user


@pytest.mark.parametrize(
    ("keys", "password", "mfa", "verdict", "said"),
    [
        (0, 1, 1, "ok", "MFA"),
        (1, 1, 1, "alarm", "access keys."),
        (1, 0, 0, "alarm", "access keys."),
        (0, 1, 0, "alarm", "a password without MFA."),
        (1, 1, 0, "alarm", "access keys and a password without MFA."),
        (0, 0, 0, "skip", "neither a password nor access keys"),
        (0, 0, 1, "skip", "neither a password nor access keys"),
        (0, None, 0, "alarm", "a password without MFA."),
        (0, None, 1, "ok", "MFA"),
    ],
)
def test_a_root_user_has_no_keys_and_no_password_without_mfa(keys, password, mfa, verdict, said):
    counts = {"AccountAccessKeysPresent": keys, "AccountMFAEnabled": mfa}
    found = root_user.judge(ACCOUNT, counts if password is None else counts | {"AccountPasswordPresent": password})
    assert (found["resource"], found["verdict"]) == (ACCOUNT, verdict)
    assert said in found["reason"]


@pytest.mark.parametrize(("region", "verdict"), [("us-gov-west-1", "skip"), ("eu-west-1", "alarm")])
def test_a_root_user_of_govcloud_has_no_password_unless_aws_tells_of_one(region, verdict):
    counts = {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 0}
    account = FakeAccount(get_account_summary=lambda: {"SummaryMap": counts})
    account.region = region
    assert [found["verdict"] for found in root_user.root_user.function(account)] == [verdict]
    counts["AccountPasswordPresent"] = 1
    assert [found["verdict"] for found in root_user.root_user.function(account)] == ["alarm"]


def test_a_signing_certificate_of_the_root_user_is_worth_to_know():
    counts = {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1, "AccountSigningCertificatesPresent": 1}
    assert root_user.judge(ACCOUNT, counts)["verdict"] == "info"


def test_without_the_counts_nothing_is_said_of_the_root_user():
    with pytest.raises(CheckCallFailed):
        root_user.judge(ACCOUNT, {"Users": 3})


# ---- the credential report

HEADER = "user,arn,password_enabled,mfa_active"
ROOT = f"<root_account>,arn:aws:iam::{ACCOUNT}:root,not_supported,false"
ANN = f"ann,arn:aws:iam::{ACCOUNT}:user/ann,true,false"
BOT = f"bot,arn:aws:iam::{ACCOUNT}:user/bot,false,false"


def report(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def account_with(content: bytes, *states: str) -> Any:
    left = iter(states or ["COMPLETE"])
    return FakeAccount(
        generate_credential_report=lambda: {"State": next(left)},
        get_credential_report=lambda: {"Content": content, "ReportFormat": "text/csv"},
    )


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """The seconds that were waited for the report, in which no time passes."""
    seconds: list[float] = []
    monkeypatch.setattr(credential_report, "sleep", seconds.append)
    return seconds


def test_the_report_is_read_when_it_is_ready(slept):
    account = account_with(report(ROOT, ANN), "STARTED", "INPROGRESS", "COMPLETE")
    assert [user["user"] for user in credential_report.users(account)] == ["ann"]
    assert slept == [0.25, 0.5]


def test_a_report_that_is_not_ready_in_time_is_not_waited_for(slept):
    with pytest.raises(CheckCallFailed, match="not ready after 20 seconds"):
        credential_report.users(account_with(b"", *["INPROGRESS"] * 20))
    assert sum(slept) < 20


@pytest.mark.parametrize("content", [report("ann,arn"), report(ANN + ",more"), b"<html>\nSorry\n</html>"])
def test_a_report_that_cannot_be_read_says_nothing_of_anybody(content):
    with pytest.raises(CheckCallFailed, match="cannot be read"):
        judged(iam_user_mfa.iam_user_mfa.function(account_with(content)), ACCOUNT)


@pytest.mark.parametrize("check", [iam_user_mfa.iam_user_mfa, old_access_keys.old_access_keys])
def test_where_there_are_no_users_both_say_so(check):
    assert [found["verdict"] for found in check.function(account_with(report(ROOT)))] == ["skip"]


# ---- iam_user_mfa


def test_each_user_is_judged():
    found = iam_user_mfa.iam_user_mfa.function(account_with(report(ROOT, ANN, BOT)))
    assert [(one["user"], one["verdict"]) for one in found] == [("ann", "alarm"), ("bot", "skip")]


@pytest.mark.parametrize(
    ("password", "mfa", "verdict"),
    [
        ("true", "true", "ok"),
        ("true", "false", "alarm"),
        ("TRUE", "FALSE", "alarm"),
        ("no_information", "false", "alarm"),
        ("true", "N/A", "alarm"),
        ("false", "false", "skip"),
        ("false", "true", "skip"),
    ],
)
def test_who_can_sign_in_to_the_console_needs_mfa(password, mfa, verdict):
    user = {"user": "ann", "arn": "arn:ann", "password_enabled": password, "mfa_active": mfa}
    assert iam_user_mfa.judge(user)["verdict"] == verdict


# ---- old_access_keys


def days_ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def keys_of(*keys: tuple[str, str, str]) -> dict[str, str]:
    user = {"user": "ann", "arn": "arn:ann"}
    for number, (active, created, used) in enumerate([*keys, ("false", "N/A", "N/A")][:2], 1):
        key = f"access_key_{number}"
        user |= {f"{key}_active": active, f"{key}_last_rotated": created, f"{key}_last_used_date": used}
    return user


@pytest.mark.parametrize(
    ("created", "used", "verdict", "said"),
    [
        (days_ago(10), days_ago(1), "ok", "Key 1 is neither old nor unused."),
        (days_ago(90), days_ago(44), "ok", "Key 1 is neither old nor unused."),
        (days_ago(91), days_ago(1), "alarm", "Key 1 is older than 90 days."),
        (days_ago(60), days_ago(45), "alarm", "Key 1 was not used for 45 days."),
        (days_ago(400), days_ago(50), "alarm", "Key 1 is older than 90 days and was not used for 45 days."),
        (days_ago(44), "N/A", "ok", "Key 1 is neither old nor unused."),
        (days_ago(45), "N/A", "alarm", "Key 1 was never used."),
        (days_ago(45), "no_information", "alarm", "Key 1 was never used."),
        ("N/A", "N/A", "unknown", "AWS does not tell how old key 1 is."),
    ],
)
def test_an_active_key_is_neither_old_nor_unused(created, used, verdict, said):
    [found] = old_access_keys.judge(keys_of(("true", created, used)), NOW)
    assert (found["resource"], found["verdict"]) == ("arn:ann", verdict)
    assert said in found["reason"]


@pytest.mark.parametrize(("used", "used_tomorrow"), [(50, 50), (1, 0)])
def test_a_finding_is_the_same_tomorrow(used: int, used_tomorrow: int) -> None:
    """Or --since would tell of every old key, and of every key in use, every day."""
    today, tomorrow = (
        [*old_access_keys.judge(keys_of(("true", days_ago(400), days_ago(last))), NOW + timedelta(days=day))]
        for day, last in ((0, used), (1, used_tomorrow))
    )
    assert today == tomorrow


def test_each_active_key_is_judged_and_no_inactive_one():
    old, new = (days_ago(400), days_ago(1)), (days_ago(1), days_ago(1))
    both = old_access_keys.judge(keys_of(("true", *old), ("true", *new)), NOW)
    assert [(found["key"], found["verdict"]) for found in both] == [(1, "alarm"), (2, "ok")]
    assert not [*old_access_keys.judge(keys_of(("false", *old)), NOW)]


# ---- admin_principals


def attached(arn: str) -> dict[str, Any]:
    return {"AttachedManagedPolicies": [{"PolicyName": arn.split("/")[-1], "PolicyArn": arn}]}


def inline(kind: str, document: Any) -> dict[str, Any]:
    return {f"{kind}PolicyList": [{"PolicyName": "own", "PolicyDocument": document}]}


def allow(**parts: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", **parts}]}


OWN_ADMIN = f"arn:aws:iam::{ACCOUNT}:policy/own-admin"


def of_role(name: str = "app", path: str = "/", **more: Any) -> Any:
    role = {"Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}", "RoleName": name, "Path": path, **more}
    return admin_principals.judge(role, {OWN_ADMIN: True}, {})


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_administrator_access_is_an_alarm_in_each_partition(partition):
    found = of_role(**attached(f"arn:{partition}:iam::aws:policy/AdministratorAccess"))
    assert (found["verdict"], found["through"]) == ("alarm", ["AdministratorAccess"])


@pytest.mark.parametrize(
    ("arn", "verdict"),
    [
        (OWN_ADMIN, "alarm"),
        (f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess", "ok"),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", "ok"),
        ("arn:aws:iam::aws:policy/PowerUserAccess", "ok"),
    ],
)
def test_other_managed_policies_are_told_apart_by_their_arn(arn, verdict):
    assert of_role(**attached(arn))["verdict"] == verdict


@pytest.mark.parametrize(
    ("document", "verdict"),
    [
        (EVERYTHING, "alarm"),
        (allow(Action=["s3:*", "*:*"], Resource=["*"]), "alarm"),
        (allow(Action="*", Resource="arn:aws:s3:::one"), "ok"),
        (allow(Action="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), "info"),
        (allow(Action="*:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}), "info"),
        ({"Statement": [*allow(Action="*", Condition={"Bool": {}})["Statement"], EVERYTHING["Statement"]]}, "alarm"),
        ({"Statement": {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::audit"}}, "info"),
        ({"Statement": {"Effect": "Allow", "NotAction": ["organizations:*", "account:*"], "Resource": "*"}}, "info"),
        ({"Statement": {"Effect": "Allow", "NotAction": ["IAM:*"], "NotResource": "arn:aws:s3:::audit"}}, "ok"),
        ({"Statement": {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}}, "ok"),
        (allow(Action="iam:*"), "ok"),
        (allow(Effect="Deny", Action="*"), "ok"),
        ({"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}, "ok"),
    ],
)
def test_a_policy_of_ones_own_allows_everything_or_not(document, verdict):
    assert of_role(**inline("Role", document))["verdict"] == verdict


@pytest.mark.parametrize(
    ("name", "path", "verdict", "said"),
    [
        ("AWSReservedSSO_Admin_1", "/aws-reserved/sso.amazonaws.com/eu-west-1/", "info", "Identity Center"),
        ("AWSReservedSSO_Admin_1", "/", "alarm", "AdministratorAccess."),
        ("OrganizationAccountAccessRole", "/", "info", "organization"),
        ("stacksets-exec-0123abcd", "/", "info", "organization"),
    ],
)
def test_what_the_organization_itself_needs_is_no_alarm(name, path, verdict, said):
    found = of_role(name, path, **attached("arn:aws:iam::aws:policy/AdministratorAccess"))
    assert found["verdict"] == verdict
    assert said in found["reason"]


@pytest.mark.parametrize(
    ("boundary", "verdict"),
    [
        (f"arn:aws:iam::{ACCOUNT}:policy/limits", "info"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "alarm"),
        (OWN_ADMIN, "alarm"),
    ],
)
def test_a_permissions_boundary_counts_if_it_limits_anything(boundary, verdict):
    found = of_role(PermissionsBoundary={"PermissionsBoundaryArn": boundary}, **inline("Role", EVERYTHING))
    assert found["verdict"] == verdict


def managed(arn: str, now: Any, before: Any) -> dict[str, Any]:
    versions = [{"Document": now, "IsDefaultVersion": True}, {"Document": before, "IsDefaultVersion": False}]
    return {"Arn": arn, "PolicyVersionList": versions}


def test_a_user_is_an_administrator_through_a_group_whose_policy_is_listed_last():
    harmless = f"arn:aws:iam::{ACCOUNT}:policy/harmless"
    first = [
        {"GroupDetailList": [{"GroupName": "admins", **attached(OWN_ADMIN)}], "Policies": []},
        {"GroupDetailList": [{"GroupName": "staff", **attached(harmless)}], "Policies": []},
        {
            "GroupDetailList": [],
            "Policies": [managed(OWN_ADMIN, EVERYTHING, allow()), managed(harmless, allow(), EVERYTHING)],
        },
    ]
    users = [
        {"Arn": "arn:ann", "UserName": "ann", "GroupList": ["staff", "admins"]},
        {"Arn": "arn:bob", "UserName": "bob", "GroupList": ["staff"]},
        {"Arn": "arn:cem", "UserName": "cem", **inline("User", EVERYTHING)},
    ]
    second = [{"UserDetailList": users, "RoleDetailList": []}]

    def details(Filter: list[str]) -> Any:
        return first if "LocalManagedPolicy" in Filter else second

    account = FakeAccount(get_account_authorization_details=details)
    found = [*admin_principals.admin_principals.function(account)]
    assert [one["verdict"] for one in found] == ["alarm", "ok", "alarm"]
    assert found[0]["through"] == ["own-admin (group admins)"]


# ---- external_trust


def trusts(principal: Any, organization: Organization = ORGANIZATION, *more: dict[str, Any], **parts: Any) -> Any:
    """The finding of a role with such a principal, and more statements; None if there is none."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **parts}
    role = {"Arn": "arn:role", "AssumeRolePolicyDocument": {"Statement": [statement, *more]}}
    return next(iter(external_trust.judge(role, ACCOUNT, organization)), None)


def root(account: str) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:root"}


WITH_ID = {"StringEquals": {"sts:ExternalId": "the-secret-one"}}


@pytest.mark.parametrize(
    ("principal", "verdict"),
    [
        (root(ACCOUNT), "ok"),
        (root(HUB), "ok"),
        (root(MEMBER), "ok"),
        ({"AWS": MEMBER}, "ok"),
        (root(OUTSIDE), "alarm"),
        ({"AWS": OUTSIDE}, "alarm"),
        ({"AWS": f"arn:aws-cn:iam::{OUTSIDE}:role/path/app"}, "alarm"),
        ({"AWS": f"arn:aws:sts::{OUTSIDE}:assumed-role/app/session"}, "alarm"),
        ({"AWS": [f"arn:aws:iam::{MEMBER}:user/ann", f"arn:aws:iam::{OUTSIDE}:user/ann"]}, "alarm"),
        ("*", "alarm"),
        ({"AWS": "*"}, "alarm"),
        ({"AWS": ["*"], "Service": "ec2.amazonaws.com"}, "alarm"),
        ({"AWS": "AROA1234567890ABCDEFG"}, "info"),
        ({"AWS": ["AROA1234567890ABCDEFG", OUTSIDE]}, "alarm"),
    ],
)
def test_a_trust_within_the_organization_is_not_external(principal, verdict):
    assert trusts(principal)["verdict"] == verdict


@pytest.mark.parametrize(
    "principal", [{"Service": "ec2.amazonaws.com"}, {"Federated": "arn:aws:iam::1:saml-provider/x"}]
)
def test_a_role_of_services_or_an_identity_provider_is_not_judged(principal):
    assert trusts(principal) is None


def test_a_third_party_has_an_external_id_and_its_value_is_told_nobody():
    found = trusts(root(OUTSIDE), Condition=WITH_ID)
    assert (found["verdict"], found["external_id"], found["trusted"]) == ("info", True, [OUTSIDE])
    assert "the-secret-one" not in str(found)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEqualsIfExists": {"sts:ExternalId": "x1"}},
        {"StringNotEquals": {"sts:ExternalId": "x1"}},
        {"StringLike": {"sts:ExternalId": "*"}},
        {"StringLike": {"sts:ExternalId": ["x1", "?*"]}},
        {"Null": {"sts:ExternalId": "false"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ],
)
def test_what_does_not_ask_for_one_external_id_is_none(condition):
    assert trusts(root(OUTSIDE), Condition=condition)["verdict"] == "alarm"


@pytest.mark.parametrize(
    ("operator", "key", "value", "verdict"),
    [
        ("StringEquals", "aws:PrincipalOrgID", OWN_ORG, "ok"),
        ("StringEquals", "AWS:principalorgid", [OWN_ORG], "ok"),
        ("StringLike", "aws:PrincipalOrgID", OWN_ORG, "ok"),
        ("StringEquals", "aws:PrincipalOrgID", OTHER_ORG, "alarm"),
        ("StringEquals", "aws:PrincipalOrgID", [OWN_ORG, OTHER_ORG], "alarm"),
        ("StringLike", "aws:PrincipalOrgID", "o-*", "alarm"),
        ("StringEqualsIfExists", "aws:PrincipalOrgID", OWN_ORG, "alarm"),
        ("StringNotEquals", "aws:PrincipalOrgID", OWN_ORG, "alarm"),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", OWN_ORG, "alarm"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN_ORG}/r-ab12/ou-ab12-11111111/*", "ok"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-ab12/*", "alarm"),
        ("StringEquals", "aws:PrincipalAccount", [MEMBER, HUB], "ok"),
        ("StringEquals", "aws:PrincipalAccount", [MEMBER, OUTSIDE], "alarm"),
        ("StringLike", "aws:PrincipalAccount", "2222*", "alarm"),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{MEMBER}:role/app-*", "ok"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app", "alarm"),
        ("StringLike", "aws:PrincipalArn", f"*:{MEMBER}:role/app", "alarm"),
        ("StringEquals", "aws:SourceAccount", ACCOUNT, "ok"),
        ("ArnEquals", "aws:SourceArn", f"arn:aws:sns:eu-west-1:{ACCOUNT}:topic", "ok"),
        ("StringEquals", "aws:ResourceAccount", ACCOUNT, "alarm"),
        ("IpAddress", "aws:SourceIp", "192.0.2.0/24", "alarm"),
        ("StringEquals", "sts:ExternalId", "x1", "alarm"),
    ],
)
def test_everyone_is_narrowed_by_a_condition_on_who_it_is(operator, key, value, verdict):
    assert trusts("*", Condition={operator: {key: value}})["verdict"] == verdict


def test_an_outside_account_is_none_if_a_condition_asks_for_the_organization():
    found = trusts({"AWS": [OUTSIDE, MEMBER]}, Condition={"StringEquals": {"aws:PrincipalOrgID": OWN_ORG}})
    assert found["verdict"] == "ok"


@pytest.mark.parametrize(
    ("parts", "judged"),
    [
        ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, True),
        ({"Action": "sts:*"}, True),
        ({"Action": "*"}, True),
        ({"Action": "STS:assume*"}, True),
        ({"NotAction": "s3:*", "Action": []}, True),
        ({"Action": ["sts:TagSession", "sts:SetSourceIdentity"]}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_only_what_lets_in_is_judged(parts, judged):
    assert (trusts(root(OUTSIDE), **parts) is not None) == judged


def test_everyone_but_one_is_everyone():
    assert trusts({}, NotPrincipal=root(OUTSIDE))["trusted"] == ["*"]


def test_the_worst_of_several_statements_counts():
    third_party = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": root("777766665555")}
    found = trusts(root(OUTSIDE), ORGANIZATION, third_party | {"Condition": WITH_ID})
    assert (found["verdict"], found["external_id"]) == ("alarm", False)
    assert (OUTSIDE in found["reason"], "777766665555" in found["reason"]) == (True, False)
    assert found["trusted"] == ["777766665555", OUTSIDE]


def test_where_the_organization_is_not_known_only_the_hub_and_the_account_are():
    known = Organization(hub=HUB)
    assert trusts({"AWS": [HUB, ACCOUNT]}, known)["verdict"] == "ok"
    found = trusts(root(MEMBER), known)
    assert found["verdict"] == "alarm"
    assert found["reason"].startswith(f"It lets in {MEMBER}, not known to be of the organization")
    assert found["reason"].endswith(NOT_READ)


def test_whether_an_organization_is_ones_own_may_not_be_known():
    found = trusts("*", UNKNOWN, Condition={"StringEquals": {"aws:PrincipalOrgID": OWN_ORG}})
    assert found["verdict"] == "unknown"
    assert OWN_ORG in found["reason"]


def test_where_no_role_trusts_an_account_it_says_so():
    document = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x"}}}
    account = FakeAccount(list_roles={"Roles": [{"Arn": "arn:role", "AssumeRolePolicyDocument": document}]})
    assert [one["verdict"] for one in external_trust.external_trust.function(account, UNKNOWN)] == ["skip"]


def test_a_policy_that_is_not_json_says_nothing():
    with pytest.raises(CheckCallFailed):
        policy_document.statements("<html>")
