"""Finds who signed a request: from the access key id to the account, the ARN, the role and the policies.

moto searches all accounts and all sessions for a key; with hundreds of accounts that is the slowest part of a request.
This module keeps every session that the sandbox issues in one index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.sts.models import AssumedRole, sts_backends

from sandbox.accounts import HUB, REGION
from sandbox.policy_conditions import ContextValue
from sandbox.policy_evaluation import TrustRequest

PARTITION = "aws"


@dataclass(frozen=True)
class Session:
    """A role session that the sandbox issued, and the function that it belongs to, if any."""

    assumed: AssumedRole
    function_arn: str = ""


@dataclass(frozen=True)
class Caller:
    """The principal of an access key, with the interface of moto's own access keys."""

    account: str
    arn: str
    principal_arn: str  # of the role or user itself: aws:PrincipalArn
    user_id: str
    credentials: Credentials
    identity: Any  # moto's Role or User
    is_session: bool
    function_arn: str = ""

    def create_credentials(self) -> Credentials:
        return self.credentials

    def policy_documents(self) -> list[str]:
        """Inline and attached policies; for a user also those of its groups."""
        holders = [self.identity]
        if not self.is_session:
            holders += iam_backends[self.account][PARTITION].get_groups_for_user(self.identity.name)
        return [document for holder in holders for document in _documents_of(holder)]

    def boundary_document(self) -> str | None:
        """The permissions boundary, or None."""
        arn = getattr(self.identity, "permissions_boundary_arn", None)
        return _default_document(iam_backends[self.account][PARTITION].get_policy(arn)) if arn else None

    def keys(self) -> dict[str, ContextValue]:
        """The condition keys AWS sets from the principal."""
        keys: dict[str, ContextValue] = {
            "aws:PrincipalArn": self.principal_arn,
            "aws:PrincipalAccount": self.account,
            "aws:userid": self.user_id,
        }
        if organization := organization_of(self.account):
            keys["aws:PrincipalOrgID"] = organization
        if self.function_arn:
            keys["lambda:SourceFunctionArn"] = self.function_arn
        return keys

    def trust_request(self, **keys: str) -> TrustRequest:
        """This caller as a trust policy sees it."""
        # AWS sets the function's key only for the caller's own policies, not for a trust policy.
        own = {key: value for key, value in self.keys().items() if key != "lambda:SourceFunctionArn"}
        arns = tuple(dict.fromkeys((self.principal_arn, self.arn)))
        return TrustRequest(self.account, arns, keys={**own, **keys})


_sessions: dict[str, Session] = {}


def issue_session(role: Any, session_name: str, duration: int, policy: str = "", function_arn: str = "") -> AssumedRole:
    """New credentials of a role; the caller of this function must have authorized them before."""
    backend = sts_backends[role.account_id][PARTITION]
    assumed = backend.assume_role(REGION, session_name, role.arn, policy, duration, "")
    _sessions[assumed.access_key_id] = Session(assumed, function_arn)
    return assumed


def account_of(access_key: str) -> str:
    """The account of a key; the hub for an unknown key, which fails authentication there."""
    if session := _sessions.get(access_key):
        return str(session.assumed.account_id)
    for account, backends in list(iam_backends.items()):
        if backends[PARTITION].get_user_from_access_key_id(access_key):
            return account
    return HUB


def session_of(access_key_id: str) -> AssumedRole | None:
    session = _sessions.get(access_key_id)
    return session.assumed if session else None


def find_caller(access_key_id: str) -> Caller | None:
    """The caller, or None if the key is unknown or its role or user was deleted."""
    if session := _sessions.get(access_key_id):
        assumed = session.assumed
        role = find_role(assumed.role_arn)
        credentials = Credentials(access_key_id, assumed.secret_access_key, assumed.session_token)
        if role is None:
            return None
        return Caller(
            assumed.account_id,
            assumed.arn,
            role.arn,
            assumed.user_id,
            credentials,
            role,
            True,
            session.function_arn,
        )
    account = account_of(access_key_id)
    user = iam_backends[account][PARTITION].get_user_from_access_key_id(access_key_id)
    if user is None:
        return None
    secret = next(key.secret_access_key for key in user.access_keys if key.access_key_id == access_key_id)
    return Caller(account, user.arn, user.arn, user.id, Credentials(access_key_id, secret), user, False)


def find_role(arn: str) -> Any | None:
    """The role with exactly this ARN, including the path, or None."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[4] not in iam_backends:
        return None
    roles = iam_backends[parts[4]][PARTITION].roles.values()
    return next((role for role in list(roles) if role.arn == arn), None)


def organization_of(account: str) -> str | None:
    """The organization's id, if the account is in it."""
    backend = organizations_backends[HUB][PARTITION]
    is_member = account == HUB or account in organizations_backends.master_accounts
    return str(backend.org.id) if backend.org and is_member else None


def _documents_of(holder: Any) -> Sequence[str]:
    inline = list(holder.policies.values())
    return inline + [_default_document(policy) for policy in list(holder.managed_policies.values())]


def _default_document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))
