"""What a sweep knows of its organization, for the checks that judge by it. It is read once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from chalicelib.app_log import logger
from chalicelib.checks.check import Asked
from chalicelib.checks.organization import UNKNOWN, Organization
from chalicelib.checks.role_actions import LIST_ANALYZERS, LIST_ORGANIZATION
from chalicelib.cross_account import Account, CrossAccountError, Hub
from chalicelib.cross_account.aws_errors import code_of, is_aws_error
from chalicelib.inputs.requests import ListingRequest
from chalicelib.sweeps import units
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.organization import Listing, list_targets

EVERYONE = ListingRequest(organizational_unit=None, exclude=frozenset())


def organization_for(
    checks: Iterable[Asked],
    hub: Hub,
    listing: Listing,
    organization_account_id: str,
    request_id: str,
    deadline: Deadline,
) -> Organization:
    """What these checks may know of the organization. That it cannot be read ends no sweep: a line of the log says why.

    Args:
        listing: of the accounts that are asked; it is not read again if it has all accounts.
        organization_account_id: the account to read it from, through the role in it; empty: the hub itself.
        deadline: of reading the accounts.
    """
    if not any(asked.check.wants_organization for asked in checks):
        return UNKNOWN
    if listing.members is None and listing.targets:
        try:
            listing = list_targets(hub, EVERYONE, organization_account_id, request_id, deadline, units_part=0)
        except CrossAccountError as error:
            name = type(error).__name__
            logger.warning("organization not known", stage="list", error=name, code=error.code, request_id=request_id)
    analyzers = _Analyzers(hub, organization_account_id, request_id)
    return Organization(listing.members, listing.organization_id, analyzers=analyzers.of)


class _Analyzers:
    """Access Analyzer's for the whole organization: in the account that lists it, or in one that it has delegated
    Access Analyzer to."""

    def __init__(self, hub: Hub, organization_account_id: str, request_id: str) -> None:
        self._hub = hub
        self._organization_account_id = organization_account_id
        self._request_id = request_id
        self._by_region: dict[str, Sequence[str] | None] = {}
        self._delegated: Sequence[str] | None = None
        self._reading = threading.Lock()

    def of(self, region: str) -> Sequence[str] | None:
        """The ARNs of those that are active and look for external access; None: they could not be read."""
        with self._reading:
            if region not in self._by_region:
                self._by_region[region] = self._read(region)
            return self._by_region[region]

    def _read(self, region: str) -> Sequence[str] | None:
        try:
            return self._listed(region)
        except CrossAccountError as error:
            code, name = error.code, type(error).__name__
        except Exception as error:
            if not is_aws_error(error):
                raise
            code, name = code_of(error), type(error).__name__
        logger.warning(
            "analyzers not known", stage="list", region=region, error=name, code=code, request_id=self._request_id
        )
        return None

    def _listed(self, region: str) -> Sequence[str]:
        found = self._in_account(self._organization_account_id, region)
        if not found and self._delegated is None:
            self._delegated = self._administrators()
        return found or [arn for account in self._delegated or () for arn in self._in_account(account, region)]

    def _in_account(self, account_id: str, region: str) -> list[str]:
        """Those in an account; an empty id is the hub itself."""
        client = self._owner(account_id, (LIST_ANALYZERS,)).client("accessanalyzer", region)
        found = units.pages(client, "list_analyzers", "analyzers", type="ORGANIZATION")
        return [units.field(one, "arn", str) for one in found if one.get("status") == "ACTIVE"]

    def _administrators(self) -> list[str]:
        """The accounts that Access Analyzer is delegated to, but for the one that was looked into."""
        client = self._owner(self._organization_account_id, LIST_ORGANIZATION).client("organizations")
        listed = units.pages(
            client,
            "list_delegated_administrators",
            "DelegatedAdministrators",
            ServicePrincipal="access-analyzer.amazonaws.com",
        )
        own = self._organization_account_id or self._hub.own_account_id()
        return [account for one in listed if (account := units.field(one, "Id", str)) != own]

    def _owner(self, account_id: str, actions: Sequence[str]) -> Hub | Account:
        return self._hub.account(account_id, actions, request_id=self._request_id) if account_id else self._hub
