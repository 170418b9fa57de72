"""Temporary credentials: what a session carries, and an index of all that the sandbox issued.

moto searches all accounts for a key; with hundreds of accounts that is the slowest part of a request.
"""

import secrets
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["role", "user", "federated user"]
"""Whose session it is: AssumeRole's, GetSessionToken's or GetFederationToken's."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """The session of a role or a user.

    Attributes:
        principal: moto's Role or User.
        principal_id: its unique id then: a role that is made again under the same name is another role.
        name: of the session; that of GetSessionToken has none.
        seconds: how long it lasts.
        policies: its session policies; None: it has none, and may do what its principal may.
        tags: its session tags.
        transitive: the keys, in lower case, of those tags that the next role's session inherits.
        source_identity: set once, and kept through every role that is assumed with it.
        function_arn: the Lambda function that runs with it.
        issued: when, in seconds since 1970.
    """

    principal: Any
    principal_id: str
    name: str
    seconds: int
    kind: Kind = "role"
    policies: tuple[str, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    source_identity: str = ""
    function_arn: str = ""
    access_key_id: str = field(default_factory=lambda: f"ASIA{_random(string.ascii_uppercase + '234567', 16)}")
    secret_access_key: str = field(default_factory=lambda: _random(string.ascii_letters + string.digits, 40))
    session_token: str = field(default_factory=lambda: secrets.token_urlsafe(96))
    issued: float = field(default_factory=time.time)

    @property
    def account(self) -> str:
        return str(self.principal.account_id)

    @property
    def has_expired(self) -> bool:
        return time.time() >= self.issued + self.seconds

    @property
    def arn(self) -> str:
        """Of the session; GetSessionToken's has that of its user."""
        if self.kind == "role":
            return f"arn:aws:sts::{self.account}:assumed-role/{self.principal.name}/{self.name}"
        if self.kind == "federated user":
            return f"arn:aws:sts::{self.account}:federated-user/{self.name}"
        return str(self.principal.arn)

    @property
    def user_id(self) -> str:
        """The value of aws:userid."""
        if self.kind == "federated user":
            return f"{self.account}:{self.name}"
        return f"{self.principal_id}:{self.name}" if self.name else self.principal_id

    def credentials(self) -> dict[str, Any]:
        """As STS returns them."""
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": datetime.fromtimestamp(int(self.issued + self.seconds), UTC).replace(tzinfo=None),
        }


_issued: dict[str, Session] = {}


def issue(principal: Any, name: str, seconds: int, **carries: Any) -> Session:
    """New credentials of a role or user; the caller of this function must have authorized them before."""
    session = Session(principal=principal, principal_id=principal.id, name=name, seconds=seconds, **carries)
    _issued[session.access_key_id] = session
    return session


def find_session(access_key_id: str) -> Session | None:
    """The session of a key, also if it has expired or its principal was deleted."""
    return _issued.get(access_key_id)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
