"""What the tests of AWS's rules need again and again: roles, users and accounts of their own, in one sandbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import sandbox
from sandbox.accounts import ADMINISTRATOR_ROLE, CREDENTIALS, HUB, REGION
from tests.sandbox.conftest import document

Credentials = dict[str, Any]
"""As STS returns them; a user's have no SessionToken."""

ALIASES, SAML, OPEN_ID = "iam:ListAccountAliases", "iam:ListSAMLProviders", "iam:ListOpenIDConnectProviders"
READS = {
    ALIASES: "list_account_aliases",
    SAML: "list_saml_providers",
    OPEN_ID: "list_open_id_connect_providers",
}
"""Three actions that need nothing but a permission, and one client."""

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
"""The word for it of S3, IAM, STS; of JSON services; of SNS; of EC2."""


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


EVERYTHING = allow("*")
SERVICE, RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
FULL_ACCESS = "p-FullAWSAccess"
"""The service control policy that AWS attaches everywhere."""


def trusting(principal: Any, *actions: str, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    """A statement of a trust policy; the keywords are operators with their keys and values."""
    statement = {"Effect": effect, "Principal": principal, "Action": list(actions) or "sts:AssumeRole"}
    return {**statement, "Condition": condition} if condition else statement


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """The code and the message of a call that must be refused."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def is_denied(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether a policy refuses it; any other error is not a refusal, and is raised."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return True
        raise
    return False


@dataclass(frozen=True)
class User:
    """A user with an access key."""

    name: str
    arn: str
    credentials: Credentials


class As:
    """A client that is used as somebody; making another one of boto3's would take longer than its call."""

    def __init__(self, client: Any, signer: Any, keys: tuple[str, str, str | None]) -> None:
        self._client, self._signer, self._keys = client, signer, keys

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)

        def call(*args: Any, **arguments: Any) -> Any:
            self._signer.access_key, self._signer.secret_key, self._signer.token = self._keys
            return found(*args, **arguments)

        return call if callable(found) else found


@dataclass(repr=False)
class Cloud:
    """The sandbox, as its developer uses it; whatever it makes has a name of its own."""

    box: sandbox.Box
    _clients: dict[tuple[str, ...], Any] = field(default_factory=dict)
    _administrators: dict[str, Credentials] = field(default_factory=dict)
    _sessions: dict[str, Credentials] = field(default_factory=dict)

    @cached_property
    def _session(self) -> Any:
        """All its clients sign with the same object, which is told for each call who makes it."""
        session = botocore.session.Session()
        session.set_credentials("nobody", "nothing")
        return session

    def client(self, service: str, credentials: Credentials | None = None, region: str = REGION, **config: Any) -> Any:
        """A client of the developer's, or with other credentials."""
        key, secret, token = (self.box.environment[name] for name in CREDENTIALS)
        keys: tuple[str, str, str | None] = (key, secret, token)
        if credentials:
            keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials.get("SessionToken"))
        name = (service, region, str(config))
        if name not in self._clients:
            self._clients[name] = self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self.box.endpoint_url,
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        return As(self._clients[name], self._session.get_credentials(), keys)

    def administrator(self, account: str) -> Credentials | None:
        """Who may do everything in an account: in the hub the developer."""
        if account == HUB:
            return None
        if account not in self._administrators:
            self._administrators[account] = self.enter(f"arn:aws:iam::{account}:role/{ADMINISTRATOR_ROLE}")
        return self._administrators[account]

    def within(self, account: str, service: str) -> Any:
        """A client of an account's administrator."""
        return self.client(service, self.administrator(account))

    def role(self, *statements: dict[str, Any], trust: Any = None, account: str = HUB, **arguments: Any) -> str:
        """The ARN of a new role with these statements; it trusts the hub, or whom these statements say."""
        iam, name = self.within(account, "iam"), arguments.pop("RoleName", "") or unique()
        trusts = [trust] if isinstance(trust, dict) else trust or [trusting({"AWS": HUB})]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trusts), **arguments)
        if statements:
            self.put(made["Role"]["Arn"], *statements)
        return str(made["Role"]["Arn"])

    def put(self, role: str, *statements: dict[str, Any]) -> None:
        """The one policy of a role, in place of what it was."""
        account, name = of(role)
        iam = self.within(account, "iam")
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))

    def trust(self, role: str, *statements: dict[str, Any]) -> None:
        """The trust policy of a role, in place of what it was."""
        account, name = of(role)
        self.within(account, "iam").update_assume_role_policy(RoleName=name, PolicyDocument=document(*statements))

    def enter(self, role: str, credentials: Credentials | None = None, **arguments: Any) -> Credentials:
        """Credentials of a role."""
        sts = self.client("sts", credentials)
        made = sts.assume_role(**{"RoleArn": role, "RoleSessionName": "tests", **arguments})
        return dict(made["Credentials"])

    def cannot_enter(self, role: str, credentials: Credentials | None = None, **arguments: Any) -> tuple[str, str]:
        """The code and the message of AssumeRole."""
        sts = self.client("sts", credentials)
        return refusal(sts.assume_role, **{"RoleArn": role, "RoleSessionName": "tests", **arguments})

    def is_let_in(self, role: str, credentials: Credentials | None = None, **arguments: Any) -> bool:
        sts = self.client("sts", credentials)
        return not is_denied(sts.assume_role, **{"RoleArn": role, "RoleSessionName": "tests", **arguments})

    def session(self, *statements: dict[str, Any], account: str = HUB) -> Credentials:
        """Credentials of a role that has these statements for good."""
        name = f"{account} {document(*statements)}"
        if name not in self._sessions:
            self._sessions[name] = self.enter(self.role(*statements, account=account))
        return self._sessions[name]

    def user(self, *statements: dict[str, Any], account: str = HUB, name: str = "", **arguments: Any) -> User:
        iam, name = self.within(account, "iam"), name or unique()
        arn = iam.create_user(UserName=name, **arguments)["User"]["Arn"]
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=document(*statements))
        return User(name, arn, iam.create_access_key(UserName=name)["AccessKey"])

    def policy(self, *statements: dict[str, Any], account: str = HUB) -> str:
        """The ARN of a new managed policy."""
        iam = self.within(account, "iam")
        made = iam.create_policy(PolicyName=unique(), PolicyDocument=document(*statements))
        return str(made["Policy"]["Arn"])

    def account(self) -> str:
        """A new account of the organization, at its root."""
        name = unique()
        made = self.client("organizations").create_account(AccountName=name, Email=f"{name}@sandbox.invalid")
        return str(made["CreateAccountStatus"]["AccountId"])

    def may(self, credentials: Credentials | None, *actions: str) -> set[str]:
        """Which of these actions the credentials may take; by default of two."""
        return {action for action in actions or (ALIASES, SAML) if not is_denied(self._read(credentials, action))}

    def _read(self, credentials: Credentials | None, action: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self.client("iam", credentials), READS[action])
        return call

    def why_not(self, credentials: Credentials | None, action: str) -> str:
        """The message with which one of the three actions is refused."""
        code, message = refusal(self._read(credentials, action))
        assert code == "AccessDenied"
        return message


def unique() -> str:
    return f"behaviour-{uuid.uuid4().hex[:12]}"


def of(arn: str) -> tuple[str, str]:
    """The account and the last name of an ARN."""
    parts = arn.split(":", 5)
    return parts[4], parts[5].rsplit("/", 1)[-1]


def session_arn(role: str, name: str = "tests") -> str:
    account, role_name = of(role)
    return f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}"


def policy_text(*statements: dict[str, Any]) -> str:
    """Without spaces, as a session policy is counted."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))


@pytest.fixture(scope="session")
def cloud(box: sandbox.Box) -> Cloud:
    return Cloud(box)


@pytest.fixture(scope="session")
def member(cloud: Cloud) -> str:
    """An account of the organization that is these tests' own."""
    return cloud.account()


@pytest.fixture(scope="session")
def other(cloud: Cloud) -> str:
    """Another one."""
    return cloud.account()


@pytest.fixture(scope="module")
def organizations(cloud: Cloud) -> Iterator[Any]:
    """Organizations, with both kinds of control policies turned on; afterwards as it was."""
    api = cloud.client("organizations")
    (root,) = api.list_roots()["Roots"]
    off = {SERVICE, RESOURCE} - {kind["Type"] for kind in root["PolicyTypes"]}
    for kind in off:
        api.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    yield api
    for kind in off:
        api.disable_policy_type(RootId=root["Id"], PolicyType=kind)
