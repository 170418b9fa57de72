"""A target account whose role has been assumed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .clients import SharedClients, SigningIdentity, session_of
from .region import valid_region

if TYPE_CHECKING:
    import boto3


class Account:
    """A target account. Code that is given one cannot tell how its credentials came about.

    Attributes:
        id: its 12 digits.
        region: where its clients work unless told otherwise.
        cached: whether its session was there already, so that STS was not called.
    """

    def __init__(
        self, account_id: str, identity: SigningIdentity, clients: SharedClients, *, region: str, cached: bool
    ) -> None:
        self.id = account_id
        self.region = region
        self.cached = cached
        self._identity = identity
        self._clients = clients

    def in_region(self, region: str | None) -> Account:
        """The same account and session, with another default region; None: this one.

        Raises:
            InvalidInput: it is not the name of a region.
        """
        there = copy.copy(self)
        there.region = self.region if region is None else valid_region(region)
        return there

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client that signs with this account's session. It costs nothing to make: connections are shared.

        Its `meta.events` take no handlers, which would see every account's requests; a client of `session()` does.

        Args:
            service: boto3's name of the service, such as `s3`.
            region: default: the account's `region`.
        """
        return self._clients.client(self._identity, service, region or self.region)

    def pages(self, service: str, operation: str, /, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Every page of a call, such as `pages("s3", "list_buckets", Prefix="log")`, as boto3's paginator yields them.

        Args:
            service, operation: boto3's names. An operation without pages has one.
            arguments: of the operation, or PaginationConfig as boto3 takes it.
        """
        return self._clients.pages.of(self.client(service), operation, arguments)

    def session(self) -> boto3.Session:
        """A boto3.Session, for code that needs one. It and its clients are its own, so slower and larger."""
        return session_of(self._identity, self.region)

    def __repr__(self) -> str:
        return f"<Account {self.id}>"
