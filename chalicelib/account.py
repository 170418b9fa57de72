"""A target account that has let us in."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.session

from chalicelib.shared_clients import Caller, FrozenCredentials, SharedClients


class Account:
    """What a check is given: it cannot tell how the credentials came about.

    Attributes:
        id: its 12 digits.
        cached: whether the session was already there, so that STS was not asked.
    """

    def __init__(self, account_id: str, caller: Caller, clients: SharedClients, *, region: str, cached: bool) -> None:
        self.id = account_id
        self.region = region
        self.cached = cached
        self._caller = caller
        self._clients = clients

    def client(self, service: str, region: str | None = None) -> Any:
        """A client as boto3 makes it, signed with this account's session and cheap to make.

        Args:
            service: boto3's name of the service, such as `s3`.
            region: default: the region that was asked for, else the function's own.
        """
        return self._clients.client(self._caller, service, region or self.region)

    def session(self) -> boto3.Session:
        """A real session, for code that insists on one: slower and bigger, with clients of its own."""
        core = botocore.session.Session()
        core.register_component("credential_provider", _Provider(self._caller.credentials))
        return boto3.Session(botocore_session=core, region_name=self.region)

    def __repr__(self) -> str:
        return f"<Account {self.id}>"


class _Provider:
    def __init__(self, credentials: FrozenCredentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> FrozenCredentials:
        return self._credentials
