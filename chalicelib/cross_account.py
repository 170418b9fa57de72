"""The helper: from the hub account into a target account, and back with an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, NoCredentialsError

from chalicelib.account import Account
from chalicelib.assume_faults import assume_error, hub_error
from chalicelib.aws_faults import from_aws
from chalicelib.caller_identity import OwnIdentity
from chalicelib.credential_cache import CredentialCache
from chalicelib.denial import Denial
from chalicelib.errors import InvalidSettings
from chalicelib.settings import REGION, Settings
from chalicelib.shared_clients import Caller, SharedClients
from chalicelib.sts_answer import LAST_CALL_SECONDS, session_of
from chalicelib.tally import Tally

REFRESH_SECONDS = 300
"""A session is renewed when it has less than this left. botocore's own 15 minutes would renew a 900 s session at
every call."""


def role_arn(account_id: str, role_name: str, path: str = "/", partition: str = "aws") -> str:
    """Name the role to assume in an account, as IAM writes it."""
    return f"arn:{partition}:iam::{account_id}:role{path}{role_name}"


def session_name(request_id: str) -> str:
    """Name a session after the request it was made for, so that CloudTrail in the target leads back to it.

    STS takes 2 to 64 of `[A-Za-z0-9_+=,.@-]`; anything else becomes a dash.
    """
    return re.sub(r"[^\w+=,.@-]", "-", f"cross-account-{request_id}", flags=re.ASCII)[:64]


@lru_cache(maxsize=128)
def session_policy(actions: tuple[str, ...]) -> str:
    """Narrow a session to a check's declared actions: it may do what both the role and this allow, and no more."""
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


class Hub:
    """The account this runs in. Make one per process and keep it: clients and sessions stay warm in it.

    Raises:
        InvalidSettings: there is no region by that name, or the AWS configuration cannot be used.
        HubCredentialsRejected: where the credentials should come from, there are none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self.clients = SharedClients()
        except BotoCoreError as error:
            raise hub_error(error) from None
        self.region = self.clients.region or ""
        if not REGION.fullmatch(self.region):
            raise InvalidSettings(
                f"The setting AWS_DEFAULT_REGION has {self.region[:80]!r}; the rule is: a region, such as eu-west-1.",
                hint="Lambda sets it by itself; on a laptop export it or name it in the AWS profile.",
            )
        self._sessions = CredentialCache()
        self._identity = OwnIdentity(lambda: self.client("sts"))
        self.tally = Tally()

    def account(
        self, account_id: str, actions: Sequence[str], *, region: str | None = None, request_id: str = "local"
    ) -> Account:
        """Assume the role in an account, for a check that needs `actions`, or use the session that is still good.

        Args:
            account_id: 12 digits, validated and allowed by the caller.
            actions: the IAM actions that the session shall be good for.
            region: where the account's clients work unless told otherwise.
            request_id: names a new session, for CloudTrail.

        Raises:
            AwsError: of stage "assume".
        """
        key = self._key(account_id, actions)

        def assume() -> RefreshableCredentials:
            return self._assume(account_id, tuple(actions), request_id)

        credentials, cached = self._sessions.get(key, assume)
        return Account(account_id, Caller(credentials), self.clients, region=region or self.region, cached=cached)

    def forget(self, account_id: str, actions: Sequence[str]) -> None:
        """Drop the session of an account, because the account no longer accepts it."""
        self._sessions.forget(self._key(account_id, actions))

    def end_invocation(self) -> None:
        """Drop every session, unless the settings let them live until the next invocation."""
        if not self.settings.cache_credentials:
            self._sessions.clear()

    def _key(self, account_id: str, actions: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        return account_id, tuple(actions)  # role, external ID and duration are the hub's own and do not change

    def caller(self) -> Caller:
        """The hub itself, with a retry quota of its own.

        Raises:
            HubCredentialsRejected: this process has no credentials.
        """
        if self.clients.hub_credentials is None:
            raise hub_error(NoCredentialsError())
        return Caller(self.clients.hub_credentials)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client for the hub account itself."""
        return self.clients.client(self.caller(), service, region)

    def _assume(self, account_id: str, actions: tuple[str, ...], request_id: str) -> RefreshableCredentials:
        caller = self.caller()

        def ask() -> dict[str, str]:
            return self._ask_sts(account_id, actions, request_id, caller)

        session = ask()
        return RefreshableCredentials(
            session["access_key"],
            session["secret_key"],
            session["token"],
            datetime.fromisoformat(session["expiry_time"]),  # botocore's own way parses it ten times as slowly
            refresh_using=ask,
            method="cross-account",
            advisory_timeout=REFRESH_SECONDS,
            mandatory_timeout=LAST_CALL_SECONDS,
        )

    def _ask_sts(self, account_id: str, actions: tuple[str, ...], request_id: str, caller: Caller) -> dict[str, str]:
        settings = self.settings
        sts = self.clients.client(caller, "sts")
        arn = role_arn(account_id, settings.role_name, settings.role_path, sts.meta.partition)
        asked = {
            "RoleArn": arn,
            "RoleSessionName": session_name(request_id),
            "DurationSeconds": settings.session_seconds,
            "Policy": session_policy(actions),
        }
        if settings.external_id:
            asked["ExternalId"] = settings.external_id
        try:
            answer = sts.assume_role(**asked)
        except Exception as error:
            if not from_aws(error):
                raise
            # `from None`: the original's text is AWS's, with the hub's ARN in it, and goes nowhere.
            failure = assume_error(error, arn, lambda: self._denial(arn))
            self.tally.not_assumed(failure)
            raise failure from None
        session = session_of(answer, account_id)
        self.tally.assumed()
        return session

    def _denial(self, arn: str) -> Denial:
        return Denial(arn, self._identity(), bool(self.settings.external_id), self.tally.let_in)
