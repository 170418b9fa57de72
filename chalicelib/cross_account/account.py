"""A target account whose role has been assumed."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session

from .clients import CredentialsProvider, SharedClients, SigningIdentity
from .errors import InvalidInput

REGION = re.compile(r"[a-z]{2,4}(-[a-z]{1,20}){1,3}-[0-9]{1,2}")
"""For `fullmatch`: a region's name becomes part of a host name, so nothing else may pass for one."""


def valid_region(value: Any) -> str:
    """Return `value` if it has the form of a region's name.

    Raises:
        InvalidInput
    """
    if not isinstance(value, str) or not REGION.fullmatch(value):
        raise InvalidInput("region must be the name of an AWS region, such as eu-west-1.")
    return value


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

        Args:
            service: boto3's name of the service, such as `s3`.
            region: default: the account's `region`.
        """
        return self._clients.client(self._identity, service, region or self.region)

    def pages(self, service: str, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Every page of a call, such as `pages("s3", "list_buckets", Prefix="log")`, as boto3's paginator yields them.

        Args:
            service, operation: boto3's names. An operation without pages has one.
            arguments: of the operation, or PaginationConfig as boto3 takes it.
        """
        return self._clients.pages.of(self.client(service), operation, arguments)

    def session(self) -> boto3.Session:
        """A boto3.Session, for code that needs one. It and its clients are its own, so slower and larger."""
        core = botocore.session.Session()
        core.register_component("credential_provider", _Provider(self._identity.credentials))
        return boto3.Session(botocore_session=core, region_name=self.region)

    def __repr__(self) -> str:
        return f"<Account {self.id}>"


class _Provider:
    def __init__(self, credentials: CredentialsProvider) -> None:
        self._credentials = credentials

    def load_credentials(self) -> CredentialsProvider:
        return self._credentials
