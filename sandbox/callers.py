"""Finds who signed a request: from the access key id to the principal, its policies and its condition keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.credentials import Credentials
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from sandbox import organization
from sandbox.policy_patterns import ContextValue
from sandbox.sts.sessions import Session, find_session

PARTITION = "aws"
NOTHING = '{"Statement": []}'
"""The document of a policy that is named and does not exist, or was not sent."""


@dataclass(frozen=True)
class Caller:
    """The principal of an access key.

    Attributes:
        account: its account.
        arn: of the session, or of the user.
        principal_arn: of the role or user itself: aws:PrincipalArn.
        identity: moto's Role or User.
        session: for temporary credentials; None for a user's own key.
    """

    account: str
    arn: str
    principal_arn: str
    credentials: Credentials
    identity: Any
    session: Session | None = None

    @property
    def is_role(self) -> bool:
        return self.session is not None and self.session.kind == "role"

    @property
    def user_id(self) -> str:
        return str(self.session.user_id if self.session else self.identity.id)

    def identity_policies(self) -> list[str]:
        """Inline and attached policies; for a user also those of its groups."""
        holders = [self.identity]
        if not self.is_role:
            holders += iam_backends[self.account][PARTITION].get_groups_for_user(self.identity.name)
        return [document for holder in holders for document in documents_of(holder)]

    def boundary(self) -> str | None:
        """The permissions boundary's document, or None if there is no boundary."""
        arn = getattr(self.identity, "permissions_boundary_arn", None)
        return managed_policy(self.account, arn) or NOTHING if arn else None

    def tags(self) -> dict[str, str]:
        """The tags of the role or user, and of its session, which has precedence.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html: "session tag values override".
        """
        own = {tag["Key"]: tag["Value"] for tag in self.identity.tags or []}
        passed = self.session.tags if self.session else {}
        overridden = {name.lower() for name in passed}
        return {**{name: value for name, value in own.items() if name.lower() not in overridden}, **passed}

    def keys(self) -> dict[str, ContextValue]:
        """The condition keys that AWS sets from the principal.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        keys: dict[str, ContextValue] = {
            "aws:PrincipalArn": self.principal_arn,
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalIsAWSService": "false",
            "aws:PrincipalType": "AssumedRole" if self.is_role else "User",
            "aws:userid": self.user_id,
            **{f"aws:PrincipalTag/{name}": value for name, value in self.tags().items()},
        }
        if path := organization.path_of(self.account):
            keys |= {"aws:PrincipalOrgID": path.partition("/")[0], "aws:PrincipalOrgPaths": [path]}
        if self.session is None or self.session.kind == "user":
            keys["aws:username"] = self.identity.name
        if session := self.session:
            # Temporary credentials have this key, a user's own do not; the sandbox has no MFA.
            keys["aws:MultiFactorAuthPresent"] = "false"
            # With the fraction, for a revocation in this second is older than the sessions that follow it.
            keys["aws:TokenIssueTime"] = f"{datetime.fromtimestamp(session.issued, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            if session.source_identity:
                keys["aws:SourceIdentity"] = session.source_identity
            if session.function_arn:
                keys["lambda:SourceFunctionArn"] = session.function_arn
        return keys


def find_caller(access_key_id: str) -> Caller | None:
    """The caller, or None if the key is unknown or inactive, or its role or user was deleted."""
    session = find_session(access_key_id)
    if session is None:
        return _user_of(access_key_id)
    identity = find_principal(session.principal.arn)
    if identity is None or identity.id != session.principal_id:
        return None
    credentials = Credentials(access_key_id, session.secret_access_key, session.session_token)
    principal_arn = session.arn if session.kind == "federated user" else identity.arn
    return Caller(session.account, session.arn, principal_arn, credentials, identity, session)


def find_role(arn: str) -> Any | None:
    """The role with exactly this ARN, including the path, or None; a closed account has none."""
    parts = arn.split(":")
    is_there = len(parts) == 6 and parts[5].startswith("role/") and not organization.is_closed(parts[4])
    return find_principal(arn) if is_there else None


def find_principal(arn: str) -> Any | None:
    """The role or user with exactly this ARN, including the path, or None."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[4] not in iam_backends:
        return None
    iam = iam_backends[parts[4]][PARTITION]
    found: dict[str, Any] = iam.roles if parts[5].startswith("role/") else iam.users
    return next((principal for principal in list(found.values()) if principal.arn == arn), None)


def managed_policy(account: str, arn: str) -> str | None:
    """The document of a managed policy, by its default version, or None if there is no such policy."""
    try:
        return _default_document(iam_backends[account][PARTITION].get_policy(arn))
    except NotFoundException:
        return None


def documents_of(holder: Any) -> Sequence[str]:
    """The inline and attached policies of a user, a group or a role."""
    inline = list(holder.policies.values())
    return inline + [_default_document(policy) for policy in list(holder.managed_policies.values())]


def _user_of(access_key_id: str) -> Caller | None:
    for account, backends in list(iam_backends.items()):
        if user := backends[PARTITION].get_user_from_access_key_id(access_key_id):
            key = user.get_access_key_by_id(access_key_id)
            credentials = Credentials(access_key_id, key.secret_access_key)
            return Caller(account, user.arn, user.arn, credentials, user) if key.status == "Active" else None
    return None


def _default_document(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))
