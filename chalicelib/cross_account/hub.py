"""The hub: it assumes the role in a target account, and keeps sessions and clients warm."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError, NoCredentialsError, UnknownServiceError
from botocore.retries.quota import RetryQuota

from .account import Account
from .account_id import ACCOUNT_ID, valid_account_id
from .aws_errors import ErrorKind, assume_role_error, classify, hub_error, is_aws_error, time_is_up
from .clients import SharedClients, SigningIdentity
from .denial import Denial, OwnIdentity
from .environment import Environment, checked, flag
from .errors import AssumeRoleFailed, InvalidSettings, WrongAccount
from .region import REGION, valid_region
from .role import TargetRole
from .session import MANDATORY_REFRESH_SECONDS, TargetSession
from .session_cache import SessionCache


class Hub:
    """The account this runs in. Make one per process and keep it: its sessions and clients stay warm.

    Args:
        role: the role in the targets; default: external-role, without an external ID.
        allowed_accounts: the ids that may be asked for; None: every account (ALLOWED_ACCOUNTS).
        cache_credentials: whether sessions outlive `end_invocation` (CACHE_CREDENTIALS).

    Raises:
        InvalidSettings: an allowed account is not an account id, there is no such region, or botocore cannot use the
            AWS configuration.
        HubCredentialsRejected: the source of the hub's credentials has none.
    """

    def __init__(
        self,
        role: TargetRole | None = None,
        *,
        allowed_accounts: Collection[str] | None = None,
        cache_credentials: bool = True,
    ) -> None:
        self.role = role or TargetRole()
        self._allowed = None if allowed_accounts is None else _account_ids(allowed_accounts)
        self._cache_credentials = cache_credentials
        try:
            self._clients = SharedClients()
        except BotoCoreError as error:
            raise hub_error(error) from None
        self.region = self._clients.region or ""
        if not REGION.fullmatch(self.region):
            raise InvalidSettings(
                f"The setting AWS_DEFAULT_REGION has {self.region[:80]!r}; the rule is: a region, such as eu-west-1.",
                hint="Lambda sets it by itself; on a laptop export it or name it in the AWS profile.",
            )
        self._sessions = SessionCache()
        self._own_identity = OwnIdentity(lambda: self.client("sts"))
        self._assumed_any = False

    @classmethod
    def from_environment(cls, environment: Environment | None = None) -> Hub:
        """Read ROLE_NAME, ROLE_PATH, EXTERNAL_ID, SESSION_SECONDS, ALLOWED_ACCOUNTS and CACHE_CREDENTIALS.

        Args:
            environment: variables by name; default: the process's own, read now.

        Raises:
            InvalidSettings: one sentence that names the variable, its value and the rule.
        """
        source = os.environ if environment is None else environment
        return cls(
            TargetRole.from_environment(source),
            allowed_accounts=allowed_accounts(source),
            cache_credentials=cache_credentials(source),
        )

    def account(
        self,
        account_id: str,
        actions: Sequence[str] | None = None,
        *,
        region: str | None = None,
        request_id: str | None = None,
    ) -> Account:
        """Assume the role in an account, or use the session that is still valid.

        Args:
            account_id: a str of 12 digits.
            actions: the IAM actions to limit the session to; None: all that the role allows.
            region: where the account's clients work; default: the hub's region.
            request_id: names a new session, for CloudTrail; default: the function's name.

        Raises:
            InvalidInput: it is not an account id or not an allowed one, or the actions or the region are not valid. AWS
                has not been called.
            InvalidSettings: botocore cannot use the AWS configuration.
            AwsError: of stage "assume".
        """
        valid_account_id(account_id, self._allowed)
        region = self.region if region is None else valid_region(region)

        def assume(retries: bool) -> dict[str, Any]:
            return self._assume_role(account_id, actions, request_id, retries=retries)

        session, cached = self._sessions.get(self._key(account_id, actions), lambda: TargetSession(assume))
        if cached:
            session.get_frozen_credentials()  # if it is time to renew the session, then here and not within a check
        return Account(account_id, SigningIdentity(session), self._clients, region=region, cached=cached)

    def assume(self, account_id: str, *, request_id: str | None = None) -> dict[str, Any]:
        """A new session as plain credentials, for code that makes its own clients. They are not renewed.

        Returns:
            AccessKeyId, SecretAccessKey, SessionToken and Expiration (a datetime), as STS returns them.

        Raises:
            as `account` does.
        """
        valid_account_id(account_id, self._allowed)
        return self._assume_role(account_id, None, request_id)

    def allows(self, account_id: str) -> bool:
        """Whether the settings allow an account."""
        return self._allowed is None or account_id in self._allowed

    def own_account_id(self) -> str | None:
        """The hub's own account, by GetCallerIdentity, which is called once; None: it is not known, or not yet."""
        caller = self._own_identity()
        return caller.account if caller else None

    def forget(self, account_id: str, actions: Sequence[str] | None = None) -> None:
        """Drop the session of an account, because the account no longer accepts it."""
        self._sessions.forget(self._key(account_id, actions))

    def end_invocation(self) -> None:
        """Drop every session, unless the settings let them live until the next invocation, and what is not one yet."""
        self._sessions.give_up()
        if not self._cache_credentials:
            self._sessions.clear()

    def client(self, service: str, region: str | None = None) -> Any:
        """A client for the hub account itself.

        Raises:
            HubCredentialsRejected: this process has no credentials.
            InvalidSettings: botocore cannot use the AWS configuration.
        """
        return self._client(self._identity(), service, region)

    def _client(self, identity: SigningIdentity, service: str, region: str | None = None) -> Any:
        try:
            return self._clients.client(identity, service, region)
        except UnknownServiceError:
            raise  # a mistake in the call, as boto3 reports it
        except (BotoCoreError, ValueError) as error:  # such as an AWS_ENDPOINT_URL that is not a URL
            raise hub_error(error) from None

    def _key(self, account_id: str, actions: Sequence[str] | None) -> tuple[str, tuple[str, ...] | None]:
        """What AssumeRole is asked for; the external ID and the duration are the hub's own and do not change."""
        return self.role.arn(account_id), None if actions is None else tuple(actions)

    def _identity(self, retries: bool = True) -> SigningIdentity:
        """The hub's own, with a retry quota of its own."""
        if self._clients.hub_credentials is None:
            raise hub_error(NoCredentialsError())
        return SigningIdentity(self._clients.hub_credentials, RetryQuota() if retries else RetryQuota(0))

    def _assume_role(
        self, account_id: str, actions: Sequence[str] | None, request_id: str | None, retries: bool = True
    ) -> dict[str, Any]:
        identity = self._identity(retries)
        sts = self._client(identity, "sts")
        arn = self.role.arn(account_id, sts.meta.partition)
        session = request_id or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "local"
        try:
            response = sts.assume_role(**self.role.assume_role_request(arn, actions, session))
        except Exception as error:
            if identity.calls and identity.calls.ended:
                raise time_is_up(account_id) from None
            if not is_aws_error(error):
                raise
            if classify(error) is ErrorKind.DENIED:
                self._own_identity()  # in the meantime, others of a sweep have been let in: a hint needs to know that
            name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
            function = f"{self.region}:function:{name}" if name else ""
            denial = Denial(arn, self._own_identity, bool(self.role.external_id), self._assumed_any, function)
            failure = assume_role_error(error, arn, denial)
        else:
            credentials = parse_assume_role_response(response, account_id)
            self._assumed_any = True
            return credentials
        # Not within `except`: the original would stay its context, with AWS's text, the external ID in its frames.
        raise failure


def parse_assume_role_response(response: dict[str, Any], account_id: str) -> dict[str, Any]:
    """The credentials in a response of AssumeRole, if they are of the account that was asked for.

    Raises:
        WrongAccount: the session is for another account.
        AssumeRoleFailed: the response contains no credentials, or expired ones.
    """
    try:
        responding_account = response["AssumedRoleUser"]["Arn"].split(":")[4]
        found = response["Credentials"]
        credentials = {name: found[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}
        seconds_left = (credentials["Expiration"] - datetime.now(UTC)).total_seconds()
    except (KeyError, IndexError, TypeError, AttributeError):
        raise AssumeRoleFailed(
            f"The AssumeRole response for account {account_id} contains no credentials.",
            hint="Is there a proxy between this function and STS? Retry.",
            operation="AssumeRole",
        ) from None
    if responding_account != account_id:
        raise WrongAccount(
            f"STS returned a session of another account than {account_id}.",
            hint="The session was not used. Is AWS_ENDPOINT_URL set where it should not be?",
            operation="AssumeRole",
        )
    if seconds_left < MANDATORY_REFRESH_SECONDS:
        raise AssumeRoleFailed(
            f"The AssumeRole response for account {account_id} contains a session that has expired.",
            hint="Is the clock of this machine right?",
            operation="AssumeRole",
        )
    return credentials


def allowed_accounts(environment: Environment) -> frozenset[str] | None:
    """ALLOWED_ACCOUNTS: the ids that may be asked for, or None for every account."""
    value = environment.get("ALLOWED_ACCOUNTS", "*")
    return None if value.strip() == "*" else _account_ids(part.strip() for part in value.split(","))


def _account_ids(values: Iterable[Any]) -> frozenset[str]:
    rule = "* for every account, or ids of 12 digits separated by commas"
    return frozenset(checked("ALLOWED_ACCOUNTS", value, ACCOUNT_ID.pattern, rule) for value in values)


def cache_credentials(environment: Environment) -> bool:
    """CACHE_CREDENTIALS: whether sessions are kept for the next invocation."""
    return flag(environment, "CACHE_CREDENTIALS", default=True)


@lru_cache(maxsize=1)
def _process_hub() -> Hub:
    return Hub.from_environment()


def assume(account_id: str) -> dict[str, Any]:
    """Assume the role in an account with the settings of the environment, which are read at the first call.

    Args:
        account_id: a str of 12 digits.

    Returns:
        AccessKeyId, SecretAccessKey, SessionToken and Expiration, as STS returns them.

    Raises:
        MissingAccountId, InvalidAccountId: also a ValueError.
        AwsError: also a botocore ClientError.
    """
    return _process_hub().assume(account_id)
