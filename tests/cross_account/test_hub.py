from __future__ import annotations

import json
import re
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, UnknownServiceError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cross_account import (
    Account,
    AccountNotAllowed,
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AwsError,
    CrossAccountError,
    Hub,
    HubCredentialsRejected,
    InvalidAccountId,
    InvalidInput,
    InvalidSettings,
    MissingAccountId,
    TargetRole,
    WrongAccount,
    assume,
)
from chalicelib.cross_account.hub import _process_hub
from chalicelib.cross_account.role import session_name, session_policy
from tests.fake_aws import EXTERNAL_ID, HUB, Answer, FakeAws, Reply, denied, error, result, session, session_key

ONE, TWO = "111111111111", "222222222222"
LIST = ("s3:ListAllMyBuckets",)
DIGITS = st.text(string.digits, min_size=12, max_size=12)
ROLE = st.text(string.ascii_letters + string.digits + "_+=,.@-", min_size=1, max_size=64)


def read(account: Account) -> list[str]:
    """One call as that account."""
    return [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]


def test_a_role_is_named_as_iam_writes_it() -> None:
    assert TargetRole("external-role").arn(ONE) == f"arn:aws:iam::{ONE}:role/external-role"


@given(DIGITS, ROLE, st.sampled_from(["/", "/team/", "/a/b/"]), st.sampled_from(["aws", "aws-cn", "aws-us-gov"]))
def test_a_role_arn_can_be_taken_apart_again(account: str, name: str, path: str, partition: str) -> None:
    parts = TargetRole(name, path).arn(account, partition).split(":", 5)
    assert parts == ["arn", partition, "iam", "", account, f"role{path}{name}"]


@given(st.text(max_size=200))
def test_a_session_name_is_one_that_sts_takes_whatever_the_request_id(request_id: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", session_name(request_id))


def test_a_session_name_leads_back_to_the_request() -> None:
    request_id = "11111111-2222-3333-4444-555555555555"
    assert session_name(request_id) == f"cross-account-{request_id}"


ACTIONS = st.from_regex(r"[a-z0-9]{1,12}:[A-Z][A-Za-z]{1,30}", fullmatch=True)


@given(st.lists(ACTIONS, min_size=1, unique=True))
def test_a_session_policy_allows_exactly_the_declared_actions(actions: list[str]) -> None:
    (statement,) = json.loads(session_policy(tuple(actions)))["Statement"]
    assert statement == {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def test_assume_role_asks_for_no_more_than_the_check_needs(hub: Hub, aws: FakeAws) -> None:
    hub.account(ONE, LIST, request_id="request-7")
    (request,) = aws.seen
    asked = request.form
    assert request.signer == HUB
    assert json.loads(asked.pop("Policy")) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(LIST), "Resource": "*"}],
    }
    assert asked == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": f"arn:aws:iam::{ONE}:role/external-role",
        "RoleSessionName": "cross-account-request-7",
        "DurationSeconds": "3600",
    }


def test_the_role_decides_name_path_duration_and_external_id(aws: FakeAws) -> None:
    Hub(TargetRole("r", "/p/", EXTERNAL_ID, session_seconds=900)).account(ONE, LIST)
    asked = aws.seen[0].form
    assert asked["RoleArn"] == f"arn:aws:iam::{ONE}:role/p/r"
    assert asked["DurationSeconds"] == "900"
    assert asked["ExternalId"] == EXTERNAL_ID


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_the_partition_is_that_of_the_functions_region(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, region: str, partition: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    Hub().account(ONE, LIST)
    assert aws.seen[0].form["RoleArn"].startswith(f"arn:{partition}:iam::")


def test_the_second_time_sts_is_not_asked(hub: Hub, aws: FakeAws) -> None:
    assert not hub.account(ONE, LIST).cached
    assert hub.account(ONE, LIST).cached
    assert len(aws.operations("AssumeRole")) == 1


def test_other_actions_are_another_session(hub: Hub, aws: FakeAws) -> None:
    first, second = hub.account(ONE, LIST), hub.account(ONE, ("iam:GetAccountSummary",))
    policies = [json.loads(request.form["Policy"])["Statement"][0]["Action"] for request in aws.seen]
    assert policies == [["s3:ListAllMyBuckets"], ["iam:GetAccountSummary"]]
    read(first), second.client("iam").get_account_summary()
    assert [request.access_key for request in aws.seen[2:]] == [session_key(ONE, 1), session_key(ONE, 2)]


def test_another_account_is_another_session(hub: Hub, aws: FakeAws) -> None:
    assert [read(hub.account(account, LIST)) for account in (ONE, TWO)] == [[f"bucket-of-{ONE}"], [f"bucket-of-{TWO}"]]


def test_without_caching_the_sessions_go_with_the_invocation(aws: FakeAws) -> None:
    hub = Hub(cache_credentials=False)
    hub.account(ONE, LIST)
    assert hub.account(ONE, LIST).cached
    hub.end_invocation()
    assert not hub.account(ONE, LIST).cached


def test_with_caching_they_stay(hub: Hub) -> None:
    hub.account(ONE, LIST)
    hub.end_invocation()
    assert hub.account(ONE, LIST).cached


def test_a_forgotten_session_is_assumed_again(hub: Hub) -> None:
    hub.account(ONE, LIST)
    hub.forget(ONE, LIST)
    assert not hub.account(ONE, LIST).cached


def refused(hub: Hub) -> AwsError:
    with pytest.raises(AwsError) as caught:
        hub.account(ONE, LIST)
    assert caught.value.stage == "assume"
    return caught.value


def test_another_accounts_session_is_refused(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", session(account=TWO))
    assert type(refused(hub)) is WrongAccount


def test_a_session_that_has_run_out_is_refused(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", session(lasting=-5))
    assert "has expired" in refused(hub).message


USER = f"<AssumedRoleUser><Arn>arn:aws:sts::{ONE}:assumed-role/external-role/x</Arn></AssumedRoleUser>"
LATER = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
CREDENTIALS = {"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C", "Expiration": LATER}


@pytest.mark.parametrize(
    "inner",
    [
        "",
        USER,
        f"{USER}<Credentials/>",
        *(
            f"{USER}<Credentials>"
            + "".join(f"<{key}>{value}</{key}>" for key, value in CREDENTIALS.items() if key != missing)
            + "</Credentials>"
            for missing in CREDENTIALS
        ),
        "<AssumedRoleUser><Arn>nonsense</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>A</AccessKeyId><Expiration>{LATER}</Expiration></Credentials>",
    ],
)
def test_a_response_without_all_its_fields_is_refused(hub: Hub, aws: FakeAws, inner: str) -> None:
    aws.tell("AssumeRole", result("AssumeRole", inner))
    assert "contains no credentials" in refused(hub).message


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (denied(), AssumeRoleDenied),
        (error("Throttling"), AssumeRoleThrottled),
        (error("ExpiredToken", 403), HubCredentialsRejected),
        (error("RegionDisabledException", 403), AssumeRoleFailed),
        (Reply("<html><body>proxy</body></html>"), AssumeRoleFailed),
        (Reply("Service Unavailable", 503), AssumeRoleFailed),
        (Reply(""), AssumeRoleFailed),
    ],
    ids=["denied", "throttled", "expired", "region", "page", "503 text", "empty"],
)
@pytest.mark.usefixtures("no_backoff")
def test_what_sts_refuses_is_an_error_of_its_kind(
    hub: Hub, aws: FakeAws, reply: Answer, expected: type[AwsError]
) -> None:
    aws.tell("AssumeRole", reply, always=True)
    assert type(refused(hub)) is expected


def test_a_refusal_is_not_kept(hub: Hub, aws: FakeAws) -> None:
    aws.tell("AssumeRole", denied())
    refused(hub)
    assert read(hub.account(ONE, LIST)) == [f"bucket-of-{ONE}"]


@pytest.mark.parametrize("region", ["", "not a region", "eu-west-1\n", "evil.example/", "eu"])
def test_an_impossible_region_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with pytest.raises(InvalidSettings) as caught:
        Hub()
    assert caught.value.message.startswith(f"The setting AWS_DEFAULT_REGION has {region!r}; the rule is: a region")


def test_no_region_at_all_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(InvalidSettings, match="AWS_DEFAULT_REGION"):
        Hub()


def test_a_hub_without_credentials_sends_nothing(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(HubCredentialsRejected, match="sign in again"):
        Hub().account(ONE, LIST)
    assert aws.seen == []


@pytest.mark.parametrize(
    "environment", [{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, {"AWS_PROFILE": "gone"}], ids=str
)
def test_a_hub_whose_configuration_is_half_there_is_an_error_of_ours(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CrossAccountError):
        Hub().account(ONE, LIST)
    assert aws.seen == []


# ---- the helper alone, without the app


def test_without_actions_the_session_has_no_policy_of_its_own(hub: Hub, aws: FakeAws) -> None:
    account = hub.account(ONE)
    assert "Policy" not in aws.seen[0].form
    assert read(account) == [f"bucket-of-{ONE}"]
    assert not hub.account(ONE, LIST).cached, "a narrowed session is another one"


@pytest.mark.parametrize(
    ("value", "error"), [(None, MissingAccountId), ("", MissingAccountId), ("12", InvalidAccountId)]
)
def test_an_invalid_id_is_a_value_error_and_nothing_is_sent(
    hub: Hub, aws: FakeAws, value: str, error: type[CrossAccountError]
) -> None:
    for enter in (hub.account, hub.assume):
        with pytest.raises(error) as raised:
            enter(value)
        assert isinstance(raised.value, ValueError)
    assert aws.seen == []


def test_an_account_that_is_not_allowed_is_refused_and_nothing_is_sent(aws: FakeAws) -> None:
    hub = Hub(allowed_accounts=[TWO])
    for enter in (hub.account, hub.assume):
        with pytest.raises(AccountNotAllowed, match=f"Account {ONE} is not among the allowed accounts"):
            enter(ONE)
    assert aws.seen == []
    assert (hub.allows(ONE), hub.allows(TWO)) == (False, True)


@pytest.mark.parametrize("allowed", [ONE, ["12"], [None], [123456789012]])
def test_an_allowed_account_that_is_not_an_id_is_a_wrong_setting(allowed: Any) -> None:
    with pytest.raises(InvalidSettings, match=r"^The setting ALLOWED_ACCOUNTS has "):
        Hub(allowed_accounts=allowed)


def test_a_hub_from_the_environment_reads_all_its_variables(aws: FakeAws) -> None:
    variables = {
        "ROLE_NAME": "reader",
        "ROLE_PATH": "/team/",
        "EXTERNAL_ID": EXTERNAL_ID,
        "SESSION_SECONDS": "900",
        "ALLOWED_ACCOUNTS": f"{ONE}, {TWO}",
        "CACHE_CREDENTIALS": "false",
    }
    hub = Hub.from_environment(variables)
    assert hub.role == TargetRole("reader", "/team/", EXTERNAL_ID, 900)
    assert not hub.allows("333333333333")
    hub.account(ONE)
    hub.end_invocation()
    assert not hub.account(ONE).cached


@pytest.mark.parametrize("name", ["CACHE_CREDENTIALS", "ALLOWED_ACCOUNTS", "ROLE_NAME"])
def test_a_wrong_variable_is_named(name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"^The setting {name} has 'not! right'; the rule is: "):
        Hub.from_environment({name: "not! right"})


@pytest.mark.parametrize(("function", "name"), [(None, "cross-account-local"), ("billing", "cross-account-billing")])
def test_without_a_request_id_the_session_is_named_after_the_function(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, function: str | None, name: str
) -> None:
    if function:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    hub.account(ONE)
    assert aws.seen[0].form["RoleSessionName"] == name


def test_assume_returns_what_sts_returns_and_a_new_session_each_time(aws: FakeAws) -> None:
    _process_hub.cache_clear()
    first, second = assume(ONE), assume(ONE)
    _process_hub.cache_clear()
    assert set(first) == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert [first["AccessKeyId"], second["AccessKeyId"]] == [session_key(ONE, 1), session_key(ONE, 2)]
    assert first["Expiration"] > datetime.now(UTC) + timedelta(minutes=50)


def test_a_denial_of_assume_is_also_a_client_error(aws: FakeAws) -> None:
    _process_hub.cache_clear()
    aws.tell("AssumeRole", denied())
    with pytest.raises(ClientError) as raised:
        assume(ONE)
    _process_hub.cache_clear()
    assert raised.value.response["Error"]["Code"] == "AccessDenied"


def test_behind_an_error_there_is_nothing_of_the_original(hub: Hub, aws: FakeAws) -> None:
    """Its text is AWS's, and the external ID is in its frames: a reporter of errors would show both."""
    aws.tell("AssumeRole", denied())
    with pytest.raises(AssumeRoleDenied) as raised:
        hub.account(ONE)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert not [frame for frame in raised.traceback if "botocore" in str(frame.path)]


@pytest.mark.parametrize("actions", ["s3:ListAllMyBuckets", [], ["ListAllMyBuckets"], [7]])
def test_actions_that_are_not_a_list_of_actions_are_refused_and_nothing_is_sent(
    hub: Hub, aws: FakeAws, actions: Any
) -> None:
    with pytest.raises(InvalidInput, match="actions must be a list of IAM actions"):
        hub.account(ONE, actions)
    assert aws.seen == []


@pytest.mark.parametrize("region", ["evil.example/", "x y", "", 7])
def test_a_region_that_is_not_one_is_refused(hub: Hub, aws: FakeAws, region: Any) -> None:
    with pytest.raises(InvalidInput, match="region must be the name of an AWS region"):
        hub.account(ONE, region=region)
    assert aws.seen == []
    with pytest.raises(InvalidInput, match="region must be the name of an AWS region"):
        hub.account(ONE).in_region(region)


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "foo"), ("AWS_REQUEST_CHECKSUM_CALCULATION", "q")])
def test_a_configuration_that_botocore_cannot_use_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    hub = Hub()
    for call in (lambda: hub.account(ONE), lambda: hub.assume(ONE), lambda: hub.client("s3")):
        with pytest.raises(InvalidSettings, match="configuration of this process cannot be used"):
            call()


def test_a_service_that_does_not_exist_is_not_blamed_on_the_configuration(hub: Hub) -> None:
    with pytest.raises(UnknownServiceError, match="s4"):
        hub.client("s4")


def test_a_session_that_is_due_is_renewed_when_the_account_is_entered(hub: Hub, aws: FakeAws) -> None:
    """And so an AssumeRole that hangs is not taken for the check."""
    aws.tell("AssumeRole", session(lasting=200))
    hub.account(ONE, LIST)
    hub.account(ONE, LIST)
    assert len(aws.operations("AssumeRole")) == 2
    assert aws.operations("ListBuckets") == []


def test_a_bearer_token_of_the_environment_signs_nothing(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-foreign-token")
    hub.account(ONE).client("bedrock").list_foundation_models()
    assert aws.seen[-1].signer == ONE
    assert "a-foreign-token" not in str(aws.seen[-1].headers)
