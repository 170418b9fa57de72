"""One botocore client per service and region, signed per account.

A client of its own for every account costs a quarter of a CPU second and several megabytes, and all of it is the same
but for the credentials. botocore's signer asks its credentials object at every request, so one client serves every
account if that object returns the credentials of the current call: those of a `SigningIdentity` in a context variable,
which is set for the length of one call and reset after it. Outside a call there is none, and signing fails.
"""

from __future__ import annotations

import copy
import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import botocore.session
from botocore.client import BaseClient, ClientMeta
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import DataNotFoundError, NoCredentialsError
from botocore.loaders import Loader
from botocore.retries import standard
from botocore.retries.quota import RetryQuota
from botocore.utils import parse_timestamp

from .calls import Calls, end_with_calls, here
from .pages import Pages
from .region import known_regions, valid_region

if TYPE_CHECKING:
    import boto3

MAX_CONNECTIONS = 64  # kept open per client: as many as a sweep may have calls in flight
MAX_CLIENTS = 256
"""One takes 0.3 MB and more; fifteen services in seventeen regions fit."""

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=MAX_CONNECTIONS,
    # botocore builds its own twice a call: 6 to 7 % of its CPU.
    user_agent=f"cross-account Botocore/{botocore.__version__}",
    # Whatever AWS_BEARER_TOKEN_* says: a token of the environment would sign for every account.
    auth_scheme_preference="sigv4",  # type: ignore[call-arg]  # the stubs do not know it
)
_CONFIG_OF_SERVICE = {
    # A model may take most of a minute: one long attempt instead of three short ones, still under 60 s.
    "bedrock-runtime": Config(read_timeout=50, retries={"mode": "standard", "total_max_attempts": 1}),
    # Three attempts of 2 + 5 s and their backoff leave time for the check within the 60 s of a direct invocation.
    "sts": Config(connect_timeout=2, read_timeout=5),
}
_SHARED_CONFIG = Config(
    # All three are computed or kept per client, not per request, so a shared client would mix accounts: S3 Express
    # sessions are cached by bucket alone, account-based endpoints hold the account's id in the host name, and
    # discovered endpoints are cached by operation alone.
    s3={"disable_s3_express_session_auth": True},  # type: ignore[arg-type]  # the stubs do not know it
    account_id_endpoint_mode="disabled",
    endpoint_discovery_enabled=False,
)


class CredentialsProvider(Protocol):
    """What botocore's signer asks of a credentials object."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials: ...


class SigningIdentity:
    """Whose credentials sign a call, and the retries that it may still use.

    The quota is the identity's and not the client's: one account that is throttled for ever would use up a shared
    client's 500 tokens, and leave every other account without retries.

    Its calls are those of the work it was made for, in whichever thread.
    """

    def __init__(self, credentials: CredentialsProvider, retry_quota: RetryQuota | None = None) -> None:
        self.credentials = credentials
        self.retry_quota = retry_quota or RetryQuota()
        self.calls = here.get()


_identity: ContextVar[SigningIdentity | None] = ContextVar("signing_identity", default=None)


@contextmanager
def _signing_as(identity: SigningIdentity) -> Iterator[None]:
    signing = _identity.set(identity)
    calls = here.set(identity.calls or here.get())
    try:
        yield
    finally:
        here.reset(calls)
        _identity.reset(signing)


def _current_identity() -> SigningIdentity:
    identity = _identity.get()
    if identity is None:
        raise NoCredentialsError
    return identity


class _IdentityCredentials(Credentials):
    """The credentials object of a session's clients: it holds none, and returns those of an identity.

    If they have to be renewed, that is one of the identity's calls, in whichever thread.
    """

    def __init__(self, identity: Callable[[], SigningIdentity]) -> None:
        self.method = "cross-account"
        self._identity = identity

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        identity = self._identity()
        with _signing_as(identity):
            return identity.credentials.get_frozen_credentials()

    # botocore reads these few directly, for example when it presigns; each is the identity's as well.
    access_key = property(lambda self: self.get_frozen_credentials().access_key)
    secret_key = property(lambda self: self.get_frozen_credentials().secret_key)
    token = property(lambda self: self.get_frozen_credentials().token)
    account_id = None


class _CurrentRetryQuota(RetryQuota):
    """The retry quota of the shared clients: it draws on the current identity's."""

    def acquire(self, capacity_amount: int) -> bool:
        return _current_identity().retry_quota.acquire(capacity_amount)

    def release(self, capacity_amount: int) -> None:
        _current_identity().retry_quota.release(capacity_amount)


class _NoTokens:
    """Stands in for botocore's token provider: a token is the environment's, so it would sign for every account."""

    def load_token(self, **_: Any) -> None:
        return None


class _Loader(Loader):
    """Finds a service in its own folder. botocore's loader first lists those of all services: 9 ms, and twice.

    Args:
        loader: botocore's, with whose paths and models it works.
    """

    def __init__(self, loader: Loader) -> None:
        vars(self).update(vars(loader))

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        asked = copy.copy(self)  # both keep what they load in one dictionary
        asked.list_available_services = lambda type_name: [service_name]  # type: ignore[method-assign]
        if "/" not in service_name:  # a name and not a path
            with suppress(DataNotFoundError):
                return Loader.load_service_model(asked, service_name, type_name, api_version)
        return super().load_service_model(service_name, type_name, api_version)  # which names those that there are


class _Session(botocore.session.Session):
    """A botocore session whose clients sign with credentials alone.

    Args:
        config: of all its clients, beside what the clients of every session have.
        calls: returns those that a call belongs to.
    """

    def __init__(self, config: Config, calls: Callable[[], Calls | None]) -> None:
        super().__init__()
        self.user_agent_name = "cross-account"  # boto3.Session would add to botocore's own
        self.register_component("data_loader", _Loader(self.get_component("data_loader")))
        self.register_component("token_provider", _NoTokens())
        self.set_config_variable("sts_regional_endpoints", "regional")
        self.set_config_variable("csm_enabled", False)  # AWS_CSM_*: botocore tells a UDP port each call, token included
        self.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
        self._config_of_all = _CONFIG.merge(config)
        self._calls = calls

    def sign_with(self, credentials: CredentialsProvider) -> None:
        """Know these credentials and no others."""
        self.register_component("credential_provider", _Provider(credentials))

    def create_client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        ours = self._config_of_all.merge(_CONFIG_OF_SERVICE.get(service_name, Config()))
        ours = copy.deepcopy(ours)  # botocore writes into its dictionaries
        kwargs["config"] = ours.merge(kwargs.get("config") or Config())  # boto3 passes it by name
        client = super().create_client(service_name, *args, **kwargs)
        end_with_calls(client, self._calls)
        return client


def _time(value: Any) -> datetime:
    """A time in a response. botocore's own parser guesses its format: 12 % of the CPU of all checks that judge."""
    if isinstance(value, str) and value[10:11] == "T":
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    return parse_timestamp(value)


class _Provider:
    """Stands in for botocore's chain of credential providers."""

    def __init__(self, credentials: CredentialsProvider) -> None:
        self._credentials = credentials

    def load_credentials(self) -> CredentialsProvider:
        return self._credentials


def session_of(identity: SigningIdentity, region: str | None) -> boto3.Session:
    """A boto3.Session of an identity's own. Its clients are not shared."""
    import boto3  # 20 ms of CPU, and a client needs none of it

    return boto3.Session(botocore_session=_own_session(identity), region_name=region)


def _own_session(identity: SigningIdentity) -> _Session:
    core = _Session(Config(), lambda: identity.calls)
    core.sign_with(_IdentityCredentials(lambda: identity))
    return core


def _add_transfers(class_attributes: dict[str, Any], **_: Any) -> None:
    """Give the class of a client of S3 the methods that boto3 adds to it.

    They are class attributes and functions, as boto3's are, so a view runs them as its identity; boto3 is imported when
    one is called.
    """
    for name in ("upload_file", "download_file", "copy", "upload_fileobj", "download_fileobj"):
        class_attributes[name] = _transfer(name)


def _transfer(name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        from boto3.s3 import inject

        return getattr(inject, name)(*args, **kwargs)

    call.__name__ = name
    call.__doc__ = f"boto3's own: see `help(boto3.s3.inject.{name})`."
    return call


class SharedClients:
    """Makes each client once, and gives each identity a view on it. Safe to use from many threads.

    Attributes:
        hub_credentials: what botocore's own chain of providers finds for this process, or None.
        region: the process's own region, or None.
        pages: how a client's pages are read.
    """

    def __init__(self) -> None:
        core = _Session(_SHARED_CONFIG, here.get)
        self.hub_credentials = core.get_component("credential_provider").load_credentials()
        self.region: str | None = core.get_config_variable("region")
        core.sign_with(_IdentityCredentials(_current_identity))
        core.register("creating-client-class.s3", _add_transfers)  # type: ignore[arg-type]  # called by keyword
        self.pages = Pages(core)
        self._core = core
        self._clients: OrderedDict[tuple[str, str | None], BaseClient] = OrderedDict()
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._tls: dict[str | bool, Any] = {}

    def client(self, identity: SigningIdentity, service: str, region: str | None = None) -> Any:
        """The view of `identity` on the client for a service and region (default: the process's own).

        A service whose endpoints have to be discovered gets a client of the identity's own: botocore keeps what one
        account has discovered, and would send the next one's requests there.

        Raises:
            InvalidInput: there is no such region.
        """
        region = region or self.region
        client = self.shared(service, region)
        if client.meta.service_model.endpoint_discovery_required:
            return _own_session(identity).create_client(service, region)
        return ClientView(client, identity)

    def shared(self, service: str, region: str | None) -> BaseClient:
        """The client itself; outside a view's call it has no credentials."""
        key = (service, region)
        with self._lock:
            if key in self._clients:
                self._clients.move_to_end(key)
                return self._clients[key]
        with self._making:  # botocore's client creation is not thread-safe
            if key not in self._clients:
                made = self._make(service, region)
                with self._lock:
                    self._clients[key] = made
                    if len(self._clients) > MAX_CLIENTS:
                        self._clients.popitem(last=False)
            return self._clients[key]

    def _make(self, service: str, region: str | None) -> BaseClient:
        if region != self.region and region not in known_regions():
            valid_region(region)
        client: BaseClient = self._core.create_client(service, region)
        _use_current_retry_quota(client)
        _close_events(client)
        # One context of TLS for all with the same file of CA certificates, so that it is read once (calls.py).
        session = client._endpoint.http_session  # type: ignore[attr-defined]
        connections = session._manager.connection_pool_kw
        connections["ssl_context"] = self._tls.setdefault(session._verify, connections["ssl_context"])
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


class _ClosedEvents:
    """The events of a shared client: handlers are called, but no further one is registered.

    It would see the requests of every account, with their session tokens.
    """

    def __init__(self, events: Any) -> None:
        self.emit = events.emit
        self.emit_until_response = events.emit_until_response
        self._events = events

    def register(self, event_name: str, handler: Callable[..., Any], *args: Any, **kwargs: Any) -> NoReturn:
        """
        Raises:
            RuntimeError: with the way out.
        """
        raise RuntimeError(
            f"A handler for {event_name} would see every account's requests: the client is shared. Register it on a "
            "client of account.session()."
        )

    unregister = register

    def register_first(self, event_name: str, handler: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._register("register_first", event_name, handler, *args, **kwargs)

    def register_last(self, event_name: str, handler: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._register("register_last", event_name, handler, *args, **kwargs)

    def _register(self, how: str, event_name: str, handler: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        # What a transfer registers are two functions of a module, which keep nothing: the same for every account.
        if not getattr(handler, "__module__", "").startswith("s3transfer."):
            self.register(event_name, handler)
        getattr(self._events, how)(event_name, handler, *args, **kwargs)


def _close_events(client: BaseClient) -> None:
    meta = client.meta
    client.meta = ClientMeta(
        _ClosedEvents(meta.events),  # type: ignore[arg-type]  # all of it that clients use
        meta.config,
        meta.endpoint_url,
        meta.service_model,
        meta.method_to_api_mapping,
        meta.partition,
    )


class ClientView:
    """A client as one identity sees it: each public method runs with that identity's credentials.

    It is passed as `self` to the client's own methods, so paginators, waiters, transfers and presigned URLs, which
    call back into their client later and from other threads, come through here as well.
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

    def __dir__(self) -> list[str]:
        return dir(self._shared)

    def close(self) -> None:
        """No-op: the connections are shared."""

    def __repr__(self) -> str:
        return f"<{type(self._shared).__name__} client, credentials not shown>"
