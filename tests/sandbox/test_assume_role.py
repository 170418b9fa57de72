"""AssumeRole from the hub into the targets: both policies are evaluated, and the messages are AWS's.

More of AssumeRole is in behaviours/.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import Box
from sandbox.accounts import HUB

from .conftest import Client, document

GOOD, LEGACY, ACQUIRED = "123456789012", "456789012345", "567890123456"
EXTERNAL_ID = "sandbox-external-id"
MAY_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/external-role"}
Session = Callable[..., dict[str, Any]]


def arn(account: str = GOOD, role: str = "external-role") -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def assume(sts: Any, role: str | None = None, **arguments: Any) -> Any:
    return sts.assume_role(**{"RoleArn": role or arn(), "RoleSessionName": "tests", **arguments})


def refused(sts: Any, role: str | None = None, **arguments: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        assume(sts, role, **arguments)
    response = raised.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="module")
def hub(client: Client, hub_session: Session) -> Any:
    """An STS client of a hub role with the right policy."""
    return client("sts", hub_session(MAY_ASSUME))


def test_the_right_external_id_gives_credentials_of_the_target_account(hub: Any, client: Client) -> None:
    response = assume(hub, ExternalId=EXTERNAL_ID)
    assert response["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{GOOD}:assumed-role/external-role/tests"
    identity = client("sts", response["Credentials"]).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (GOOD, response["AssumedRoleUser"]["Arn"])


@pytest.mark.parametrize(
    ("account", "external_id"),
    [(GOOD, "wrong-external-id"), (GOOD, None), (ACQUIRED, EXTERNAL_ID), (LEGACY, EXTERNAL_ID), ("999999999999", None)],
    ids=["wrong", "absent", "of-another-account", "role-missing", "account-missing"],
)
def test_every_denial_has_the_same_message(hub: Any, account: str, external_id: str | None) -> None:
    me = hub.get_caller_identity()["Arn"]
    arguments = {} if external_id is None else {"ExternalId": external_id}
    sentence = f"User: {me} is not authorized to perform: sts:AssumeRole on resource: {arn(account)}"
    assert refused(hub, arn(account), **arguments) == ("AccessDenied", sentence, 403)


def test_a_hub_role_outside_the_trusted_pattern_is_refused(client: Client, administrator: Any) -> None:
    iam = client("iam", administrator("234567890123"))
    trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="other", PolicyName="p", PolicyDocument=document(MAY_ASSUME))
    other = assume(client("sts"), arn("234567890123", "other"))["Credentials"]
    assert refused(client("sts", other), ExternalId=EXTERNAL_ID)[0] == "AccessDenied"


def test_a_hub_role_without_the_action_is_refused(client: Client, hub_session: Session) -> None:
    nothing = client("sts", hub_session())
    elsewhere = client("sts", hub_session({**MAY_ASSUME, "Resource": "arn:aws:iam::*:role/other-role"}))
    for sts in (nothing, elsewhere):
        assert refused(sts, ExternalId=EXTERNAL_ID)[0] == "AccessDenied"


def test_an_explicit_deny_in_the_hubs_policy_is_in_the_message(client: Client, hub_session: Session) -> None:
    deny = {**MAY_ASSUME, "Effect": "Deny", "Resource": f"arn:aws:iam::{GOOD}:role/*"}
    code, message, _ = refused(client("sts", hub_session(MAY_ASSUME, deny)), ExternalId=EXTERNAL_ID)
    assert code == "AccessDenied"
    assert message.endswith(f"{arn()} with an explicit deny in an identity-based policy")


def test_an_explicit_deny_in_the_trust_policy_is_in_the_message(hub: Any, client: Client, administrator: Any) -> None:
    target = "234567890123"
    allow = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    iam = client("iam", administrator(target))
    iam.update_assume_role_policy(RoleName="external-role", PolicyDocument=document(allow, deny))
    assert refused(hub, arn(target))[1].endswith(" with an explicit deny in a resource-based policy")
    iam.update_assume_role_policy(RoleName="external-role", PolicyDocument=document(allow))
    assert assume(hub, arn(target))


def test_the_hubs_policy_can_require_the_organization(client: Client, hub_session: Session) -> None:
    organization = client("organizations").describe_organization()["Organization"]["Id"]
    for wanted, allowed in ((organization, True), ("o-another0000", False)):
        condition = {"StringEquals": {"aws:ResourceOrgID": wanted, "aws:PrincipalOrgID": wanted}}
        sts = client("sts", hub_session({**MAY_ASSUME, "Condition": condition}))
        if allowed:
            assert assume(sts, ExternalId=EXTERNAL_ID)
        else:
            assert refused(sts, ExternalId=EXTERNAL_ID)[0] == "AccessDenied"


def test_calls_are_counted_with_their_outcome(box: Box, hub: Any) -> None:
    me = hub.get_caller_identity()["Arn"]
    before = len(box.calls("sts", "AssumeRole"))
    assume(hub, ExternalId=EXTERNAL_ID)
    refused(hub)
    mine = [call for call in box.calls("sts", "AssumeRole")[before:] if call["caller"] == me]
    assert [(call["outcome"], call["resource"]) for call in mine] == [("allowed", arn()), ("denied", arn())]
