"""Who this process is, as a policy would name it. Asked for a denial's hint, and never more than once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["role", "user", "root"]

TRUSTED_ROLES = "cross-account-*"
"""The default of HubRoleName in role-template.yaml: what a target's trust policy asks of aws:PrincipalArn."""

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?:sts|iam)::(?P<account>[0-9]{12}):"
    r"(?:assumed-role/(?P<role>[\w+=,.@-]{1,64})/[\w+=,.@-]+|user/(?P<user>[\w+=,.@/-]{1,580})|root)",
    re.ASCII,
)


@dataclass(frozen=True)
class CallerIdentity:
    """A principal of the hub.

    Attributes:
        kind: what it is; AWS lets no root user assume a role.
        account: its account.
        name: of the role or user; of the root "root".
        arn: of the role itself and not of its session, or of the user. The path of a role is not in its session's
            ARN, so a role with one is named without it here; Chalice makes its roles without.
    """

    kind: Kind
    account: str
    name: str
    arn: str

    @classmethod
    def from_arn(cls, arn: str) -> CallerIdentity | None:
        """Read what GetCallerIdentity answers; None for anything that is no role, user or root."""
        found = _ARN.fullmatch(arn)
        if found is None:
            return None
        kind: Kind = "role" if found["role"] else "user" if found["user"] else "root"
        name = found["role"] or (found["user"] or "root").rsplit("/", 1)[-1]
        resource = f"role/{name}" if kind == "role" else arn.split(":", 5)[5]
        return cls(kind, found["account"], name, f"arn:{found['partition']}:iam::{found['account']}:{resource}")

    @property
    def fits_the_template(self) -> bool:
        """Whether a role deployed from role-template.yaml with its default HubRoleName trusts this caller."""
        return self.kind == "role" and self.name.startswith(TRUSTED_ROLES.removesuffix("*"))


class OwnIdentity:
    """Asks once and keeps the answer, a failure as well: a thousand denials cost one call, and a hanging STS one wait.

    Args:
        sts: makes the client to ask with; GetCallerIdentity needs no permission, and no policy of IAM can deny it.
    """

    def __init__(self, sts: Callable[[], Any]) -> None:
        self._sts = sts
        self._lock = threading.Lock()
        self._asked = False
        self._identity: CallerIdentity | None = None

    def __call__(self) -> CallerIdentity | None:
        """Give the identity, or None: it cannot be had, and the hint has to do without."""
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    self._identity = CallerIdentity.from_arn(self._sts().get_caller_identity()["Arn"])
                except Exception:  # whatever it is: the failure to be told is the one that this is a hint for
                    self._identity = None
            return self._identity
