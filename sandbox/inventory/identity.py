"""Users, roles, the root user, and analyzers of access."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import AccessKeyLastUsed, iam_backends

from sandbox.accounts import ANALYTICS, PRODUCTION, REGION, STAGING
from sandbox.callers import PARTITION

_OUTSIDE = "999999999999"
"""An account that is not in the organization."""
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Root:
    """What an account's root user has. A new member of an organization has none of it."""

    password: bool = False
    mfa: bool = False
    key: bool = False


@dataclass(frozen=True)
class User:
    """A user. An access key is made, and was used, so many days ago."""

    name: str
    password: bool = False
    mfa: bool = False
    key_days: int | None = None
    used_days: int | None = None
    managed_policy: str = ""


@dataclass(frozen=True)
class Role:
    """A role that others may assume."""

    name: str
    principal: Mapping[str, str] | str
    external_id: str = ""
    does_everything: bool = False


@dataclass(frozen=True)
class Analyzer:
    """An analyzer of external access, with the resources of its findings and whether these are active."""

    name: str
    findings: Mapping[str, bool]


ROOTS = {PRODUCTION: Root(password=True, mfa=True), STAGING: Root(password=True, key=True)}
USERS = {
    PRODUCTION: [User("anna", password=True, mfa=True), User("deploy", key_days=20, used_days=1)],
    STAGING: [
        User("ben", password=True, managed_policy=_ADMINISTRATOR),
        User("deploy", key_days=700, used_days=400),
        User("robot", key_days=300),
    ],
}
ROLES = {
    PRODUCTION: [
        Role("monitoring", {"AWS": f"arn:aws:iam::{_OUTSIDE}:root"}, external_id="of-production"),
    ],
    STAGING: [
        Role("auditors", {"AWS": f"arn:aws:iam::{PRODUCTION}:root"}),
        Role("monitoring", {"AWS": f"arn:aws:iam::{_OUTSIDE}:root"}),
        Role("anyone", "*"),
        Role("pipeline", {"Service": "codebuild.amazonaws.com"}, does_everything=True),
    ],
}
_ANALYZERS = {
    PRODUCTION: Analyzer("organization-default", {"arn:aws:s3:::production-website": False}),
    ANALYTICS: Analyzer("own", {"arn:aws:s3:::analytics-reports": True}),
}


def root_of(account: str) -> Root:
    """The root user of an account."""
    return ROOTS.get(account, Root())


def analyzer_of(account: str, region: str) -> Analyzer | None:
    """Production has one in each region, analytics in one."""
    return _ANALYZERS.get(account) if account == PRODUCTION or region == REGION else None


def fill(account: str) -> None:
    """Make the users and roles of an account."""
    iam = iam_backends[account][PARTITION]
    for user in USERS.get(account, ()):
        _make_user(iam, user)
    for role in ROLES.get(account, ()):
        _make_role(iam, role)


def _make_user(iam: Any, user: User) -> None:
    made = iam.create_user(iam.region_name, user.name)
    made.create_date = _days_ago(800)
    if user.password:
        iam.create_login_profile(user.name, "of-no-use-here")
    if user.mfa:
        iam.enable_mfa_device(user.name, f"arn:aws:iam::{iam.account_id}:mfa/{user.name}", "123456", "654321")
    if user.key_days is not None:
        key = iam.create_access_key(user.name)
        key.create_date = _days_ago(user.key_days)
        key.last_used = AccessKeyLastUsed(_days_ago(user.used_days), "s3", REGION) if user.used_days else None
    if user.managed_policy:
        iam.attach_user_policy(user.managed_policy, user.name)


def _make_role(iam: Any, role: Role) -> None:
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": role.external_id}}} if role.external_id else {}
    trust = {"Effect": "Allow", "Principal": role.principal, "Action": "sts:AssumeRole", **condition}
    iam.create_role(
        role_name=role.name,
        assume_role_policy_document=_policy(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    if role.does_everything:
        iam.put_role_policy(role.name, "everything", _policy(_EVERYTHING))


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _days_ago(days: int) -> datetime:
    return utcnow() - timedelta(days=days)
