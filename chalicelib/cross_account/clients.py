"""One botocore client per service and region, signed per account.

A client of its own for every account costs a quarter of a CPU second and several megabytes, and all of it is the same
but for the credentials. botocore's signer asks its credentials object at every request, so one client serves every
account if that object returns the credentials of the current call: those of a `SigningIdentity` in a context variable,
which is set for the length of one call and reset after it. Outside a call there is none, and signing fails.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError
from botocore.retries import standard
from botocore.retries.quota import RetryQuota

from .pages import Pages

MAX_CONNECTIONS = 64  # kept open per client: as many as a sweep may have calls in flight

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=MAX_CONNECTIONS,
    user_agent=f"cross-account Boto3/{boto3.__version__}",  # botocore builds its own twice a call: 6 to 7 % of its CPU
    # Both are computed or kept per client, not per request, so a shared client would mix accounts: S3 Express
    # sessions are cached by bucket alone, and account-based endpoints hold the account's id in the host name.
    s3={"disable_s3_express_session_auth": True},  # type: ignore[arg-type]  # the stubs do not know it
    account_id_endpoint_mode="disabled",
    # Whatever AWS_BEARER_TOKEN_* says: a token of the environment would sign for every account.
    auth_scheme_preference="sigv4",  # type: ignore[call-arg]  # the stubs do not know it
)
_CONFIGS = {
    # A model may take most of a minute: one long attempt instead of three short ones, still under 60 s.
    "bedrock-runtime": _CONFIG.merge(Config(read_timeout=50, retries={"mode": "standard", "total_max_attempts": 1})),
    # Three attempts of 2 + 5 s and their backoff leave time for the check within the 60 s of a direct invocation.
    "sts": _CONFIG.merge(Config(connect_timeout=2, read_timeout=5)),
}


class CredentialsProvider(Protocol):
    """What botocore's signer asks of a credentials object."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials: ...


@dataclass(frozen=True, eq=False)
class SigningIdentity:
    """Whose credentials sign a call, and the retries that it may still use.

    The quota is the identity's and not the client's: one account that is throttled for ever would use up a shared
    client's 500 tokens, and leave every other account without retries.
    """

    credentials: CredentialsProvider
    retry_quota: RetryQuota = field(default_factory=RetryQuota)


_identity: ContextVar[SigningIdentity | None] = ContextVar("signing_identity", default=None)


@contextmanager
def _signing_as(identity: SigningIdentity) -> Iterator[None]:
    token = _identity.set(identity)
    try:
        yield
    finally:
        _identity.reset(token)


def _current_identity() -> SigningIdentity:
    identity = _identity.get()
    if identity is None:
        raise NoCredentialsError
    return identity


class _CurrentCredentials(Credentials):
    """The credentials object of the shared clients: it holds none, and returns the current identity's."""

    def __init__(self) -> None:
        self.method = "cross-account"

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _current_identity().credentials.get_frozen_credentials()

    # botocore reads these few directly, for example when it presigns; each is the current identity's as well.
    access_key = property(lambda self: self.get_frozen_credentials().access_key)
    secret_key = property(lambda self: self.get_frozen_credentials().secret_key)
    token = property(lambda self: self.get_frozen_credentials().token)
    account_id = None

    def load_credentials(self) -> Credentials:
        """Stand in for botocore's chain of credential providers."""
        return self


class _CurrentRetryQuota(RetryQuota):
    """The retry quota of the shared clients: it draws on the current identity's."""

    def acquire(self, capacity_amount: int) -> bool:
        return _current_identity().retry_quota.acquire(capacity_amount)

    def release(self, capacity_amount: int) -> None:
        _current_identity().retry_quota.release(capacity_amount)


class SharedClients:
    """Makes each client once, and gives each identity a view on it. Safe to use from many threads.

    Attributes:
        hub_credentials: what botocore's own chain of providers finds for this process, or None.
        region: the process's own region, or None.
        pages: how a client's pages are read.
    """

    def __init__(self) -> None:
        core = botocore.session.Session()
        core.set_config_variable("sts_regional_endpoints", "regional")
        self.hub_credentials = core.get_component("credential_provider").load_credentials()
        self.region: str | None = core.get_config_variable("region")
        # From here on the session, and so every client it makes, knows no credentials of its own.
        core.register_component("credential_provider", _CurrentCredentials())
        self.pages = Pages(core)
        self._session = boto3.Session(botocore_session=core)
        self._clients: dict[tuple[str, str | None], BaseClient] = {}
        self._making = threading.Lock()

    def client(self, identity: SigningIdentity, service: str, region: str | None = None) -> Any:
        """The view of `identity` on the client for a service and region (default: the process's own)."""
        return ClientView(self.shared(service, region or self.region), identity)

    def shared(self, service: str, region: str | None) -> BaseClient:
        """The client itself; outside a view's call it has no credentials."""
        key = (service, region)
        if key not in self._clients:
            with self._making:  # botocore's client creation is not thread-safe
                if key not in self._clients:
                    self._clients[key] = self._make(service, region)
        return self._clients[key]

    def _make(self, service: str, region: str | None) -> BaseClient:
        config = _CONFIGS.get(service, _CONFIG)
        client: BaseClient = self._session.client(service, region_name=region, config=config)  # type: ignore[call-overload]
        _use_current_retry_quota(client)
        return client


def _use_current_retry_quota(client: BaseClient) -> None:
    """Register the standard retry handler again, with the current identity's quota in place of the client's.

    botocore has no parameter for the quota, so this reaches for two private attributes. Its `legacy` mode has no quota
    at all, but is no longer the default, and does not retry RequestTimeout and others that the standard mode does.
    """
    service = client.meta.service_model.service_id.hyphenize()
    attempts = client.meta.config.retries["total_max_attempts"]  # type: ignore[attr-defined]
    client.meta.events.unregister(f"needs-retry.{service}", unique_id=f"retry-config-{service}")
    handler = standard.register_retry_handler(client, max_attempts=attempts)
    handler._retry_quota._quota = _CurrentRetryQuota()  # type: ignore[attr-defined]


class ClientView:
    """A client as one identity sees it: each public method runs with that identity's credentials.

    It is passed as `self` to the client's own methods, so paginators, waiters, transfers and presigned URLs, which
    call back into their client later and from other threads, come through here as well. `meta.events` is the shared
    client's: a handler registered there would see every account, so use `Account.session()` for that.
    """

    def __init__(self, client: BaseClient, identity: SigningIdentity) -> None:
        self._shared = client
        self._identity = identity

    def __getattr__(self, name: str) -> Any:
        method = getattr(type(self._shared), name, None)
        if name.startswith("_") or not inspect.isfunction(method):
            return getattr(self._shared, name)
        return self._bind(method)

    def _bind(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            with _signing_as(self._identity):
                return method(self, *args, **kwargs)

        return call

    def close(self) -> None:
        """No-op: the connections are shared."""

    def __repr__(self) -> str:
        return f"<{type(self._shared).__name__} client, credentials not shown>"
