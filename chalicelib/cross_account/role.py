"""The role to assume in every target account, and the AssumeRole request for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .environment import Environment, checked, invalid, shown
from .errors import InvalidInput, InvalidSettings


@dataclass(frozen=True)
class TargetRole:
    """The role in the targets, the same in all of them. role-template.yaml creates it.

    Attributes:
        name, path: as IAM has them (ROLE_NAME, ROLE_PATH).
        external_id: what its trust policy asks for; empty: none is sent (EXTERNAL_ID).
        session_seconds: lifetime of a session, 900 to 3600 (SESSION_SECONDS). A Lambda function runs as a role, so
            assuming another role is role chaining, which AWS limits to one hour.

    Raises:
        InvalidSettings: one sentence that names the variable, its value and the rule.
    """

    name: str = "external-role"
    path: str = "/"
    external_id: str = field(default="", repr=False)
    session_seconds: int = 3600

    def __post_init__(self) -> None:
        checked("ROLE_NAME", self.name, r"[\w+=,.@-]{1,64}", "1 to 64 of A-Z a-z 0-9 _+=,.@-")
        checked("ROLE_PATH", self.path, r"/|/[\x21-\x2e\x30-\x7e/]{1,510}/", "begins and ends with a slash")
        rule = "empty, or 2 to 1224 of A-Z a-z 0-9 _+=,.@:/-"
        checked("EXTERNAL_ID", self.external_id, r"|[\w+=,.@:/-]{2,1224}", rule, secret=True)
        if type(self.session_seconds) is not int or not 900 <= self.session_seconds <= 3600:
            raise _invalid_seconds(str(self.session_seconds))

    @classmethod
    def from_environment(cls, environment: Environment | None = None) -> TargetRole:
        """Read ROLE_NAME, ROLE_PATH, EXTERNAL_ID and SESSION_SECONDS.

        Args:
            environment: variables by name; default: the process's own, read now and not at import.

        Raises:
            InvalidSettings: one sentence that names the variable, its value and the rule.
        """
        source = os.environ if environment is None else environment
        seconds = source.get("SESSION_SECONDS", "3600")
        if not re.fullmatch("[0-9]{1,6}", seconds):
            raise _invalid_seconds(seconds)
        return cls(
            name=source.get("ROLE_NAME", cls.name),
            path=source.get("ROLE_PATH", cls.path),
            external_id=source.get("EXTERNAL_ID", cls.external_id),
            session_seconds=int(seconds),
        )

    def arn(self, account_id: str, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{account_id}:role{self.path}{self.name}"

    def assume_role_request(self, arn: str, actions: Sequence[str] | None, session: str) -> dict[str, Any]:
        """The arguments of AssumeRole.

        Args:
            arn: of the role, with the account and the partition.
            actions: the IAM actions to limit the session to; None: all that the role allows.
            session: what the session is for, such as a request id; CloudTrail in the target shows it.
        """
        request: dict[str, Any] = {
            "RoleArn": arn,
            "RoleSessionName": session_name(session),
            "DurationSeconds": self.session_seconds,
        }
        if actions is not None:
            request["Policy"] = session_policy(tuple(actions))
        if self.external_id:
            request["ExternalId"] = self.external_id
        return request


def session_name(session: str) -> str:
    """A valid RoleSessionName: 2 to 64 of `[A-Za-z0-9_+=,.@-]`; any other character becomes a dash."""
    return re.sub(r"[^\w+=,.@-]", "-", f"cross-account-{session}", flags=re.ASCII)[:64]


@lru_cache(maxsize=128)
def session_policy(actions: tuple[str, ...]) -> str:
    """A session policy that allows these IAM actions; the session may do what both it and the role's policy allow.

    Raises:
        InvalidInput: there are none, or one is not an action.
    """
    if not actions or not all(isinstance(action, str) and ":" in action for action in actions):
        raise InvalidInput("actions must be a list of IAM actions, such as s3:ListAllMyBuckets.")
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _invalid_seconds(value: str) -> InvalidSettings:
    return invalid(
        "SESSION_SECONDS",
        shown(value),
        "900 to 3600 seconds (a Lambda role that assumes a role is role chaining, limited to one hour)",
    )
