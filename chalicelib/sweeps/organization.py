"""Which accounts the organization has, by AWS Organizations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.cross_account import Account, Hub, HubCredentialsRejected
from chalicelib.cross_account.account_id import ACCOUNT_ID
from chalicelib.cross_account.aws_errors import ErrorKind, classify, code_of, is_aws_error, request_id_of, time_is_up
from chalicelib.errors import AccountsNotListed, to_cross_account_error
from chalicelib.inputs.requests import ListingRequest
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import LeftOut, Target

ACTIONS = (
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
)
_WHO_MAY = (
    "Only the management account or a delegated administrator may list them: set ORGANIZATION_ACCOUNT_ID to one, with "
    "role-template.yaml deployed there and ListOrganization=true. Or name the accounts in the event."
)


@dataclass(frozen=True)
class Listing:
    """Accounts of the organization, by id.

    Attributes:
        complete: these are all; False: there was no time for the rest.
        left_out: accounts that are not asked.
    """

    targets: list[Target]
    complete: bool = True
    left_out: list[LeftOut] = field(default_factory=list)


def list_accounts(
    hub: Hub, request: ListingRequest, organization_account_id: str, request_id: str, deadline: Deadline
) -> dict[str, Any]:
    """The response of `list_accounts`: ids and names, or batches of ids that a state machine can carry.

    10,000 ids stay under the 256 KiB of a Step Functions state; with names they would not.

    Raises:
        as `list_targets` does.
        AccountsNotListed: there was no time for all of them.
    """
    listing = list_targets(hub, request, organization_account_id, request_id, deadline)
    targets = listing.targets
    if not listing.complete:
        raise _too_slow(len(targets))
    if request.batch_size is None:
        return {"accounts": [{"id": target.id, "name": target.name} for target in targets], "count": len(targets)}
    ids = [target.id for target in targets]
    size = request.batch_size
    return {"batches": [ids[start : start + size] for start in range(0, len(ids), size)], "count": len(ids)}


def list_targets(
    hub: Hub, request: ListingRequest, organization_account_id: str, request_id: str, deadline: Deadline
) -> Listing:
    """The organization's active accounts that the settings allow; if there is no time for all of them, the first ones.

    Only the organization's management account or a delegated administrator may list them.

    Args:
        request: the unit to list, and the ids to leave out.
        organization_account_id: the account to list them from, through the role in it; empty: the hub itself.
        request_id: names the session in the organization account, for CloudTrail.
        deadline: of the listing alone.

    Raises:
        AccountsNotListed: Organizations did not return the list, or none of it in time.
        AwsError: of stage "assume", if the role in the organization account cannot be assumed.
    """
    reading = _Reading(hub, request.organizational_unit, organization_account_id, request_id)
    try:
        listing = deadline.run(reading.all, late=reading.so_far)
    except HubCredentialsRejected as error:
        if not organization_account_id:
            error.stage = "list"
        raise
    except Exception as error:
        if not is_aws_error(error):
            raise to_cross_account_error(error, "list") from None
        if organization_account_id and classify(error) is ErrorKind.CREDENTIALS:
            hub.forget(organization_account_id, ACTIONS)
        raise _not_listed(error, request.organizational_unit, organization_account_id) from None
    if not listing.complete and not listing.targets:
        raise _too_slow(0)
    wanted = {  # by id: an account that moves from unit to unit meanwhile is listed twice
        target.id: target for target in listing.targets if target.id not in request.exclude and hub.allows(target.id)
    }
    return Listing([wanted[id] for id in sorted(wanted)], listing.complete)


@dataclass
class _Reading:
    """A listing, while it is being read by another thread."""

    hub: Hub
    unit: str | None
    organization_account_id: str
    request_id: str
    owner: Hub | Account | None = None
    found: list[Target] = field(default_factory=list)

    def all(self) -> Listing:
        self.owner = self._enter()
        for account in _accounts(self.owner.client("organizations"), self.unit):
            if target := _target(account):
                self.found.append(target)
        return Listing(self.found)

    def so_far(self) -> Listing:
        if self.owner is None:
            raise time_is_up(self.organization_account_id)
        return Listing(list(self.found), complete=False)

    def _enter(self) -> Hub | Account:
        if not self.organization_account_id:
            return self.hub
        return self.hub.account(self.organization_account_id, ACTIONS, request_id=self.request_id)


def _accounts(organizations: Any, unit: str | None) -> Iterator[dict[str, Any]]:
    """All accounts, or those below a unit at any depth."""
    if unit is None:
        yield from _pages(organizations, "list_accounts", "Accounts")
        return
    yield from _pages(organizations, "list_accounts_for_parent", "Accounts", ParentId=unit)
    for child in _pages(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=unit):
        yield from _accounts(organizations, _field(child, "Id", str))


def _pages(organizations: Any, operation: str, item: str, **request: str) -> Iterator[Any]:
    for page in organizations.get_paginator(operation).paginate(**request):
        yield from _field(page, item, list)


def _target(account: Any) -> Target | None:
    """None: the account is not active. AWS announced to retire `Status` in favour of `State` (botocore's Organizations
    model says when)."""
    account_id = _field(account, "Id", str)
    if not ACCOUNT_ID.fullmatch(account_id):
        raise _malformed("an Id that is not an account id")
    is_active = (account.get("State") or account.get("Status")) == "ACTIVE"
    return Target(account_id, str(account.get("Name", ""))) if is_active else None


def _field(of: Any, name: str, kind: type) -> Any:
    if not isinstance(of, dict) or name not in of:
        raise _malformed(f"no {name}")
    if not isinstance(of[name], kind):
        raise _malformed(f"a malformed {name}")
    return of[name]


def _too_slow(listed: int) -> AccountsNotListed:
    return AccountsNotListed(
        f"AWS Organizations did not list the accounts in time; it had listed {listed}.",
        hint="Retry with a unit of the organization, or name the accounts in the event.",
        operation="ListAccounts",
    )


def _malformed(what: str) -> AccountsNotListed:
    return AccountsNotListed(
        f"The response of AWS Organizations has {what}.", hint="Is there a proxy in between? Retry."
    )


def _not_listed(error: Exception, unit: str | None, organization_account_id: str) -> AccountsNotListed:
    code, request_id = code_of(error), request_id_of(error)
    operation = getattr(error, "operation_name", "")
    if code == "ParentNotFoundException":
        return AccountsNotListed(
            f"The organization has no unit or root {unit}: {code}.",
            hint="See the ids: aws organizations list-roots, then aws organizations "
            "list-organizational-units-for-parent --parent-id with each root and unit.",
            code=code,
            request_id=request_id,
            operation=operation,
        )
    asked = f"account {organization_account_id} (ORGANIZATION_ACCOUNT_ID)" if organization_account_id else "the hub"
    # AWSOrganizationsNotInUseException is a refusal: this account is in no organization.
    refused = classify(error) in (ErrorKind.DENIED, ErrorKind.REFUSED)
    return AccountsNotListed(
        f"AWS Organizations did not list the accounts: {code or type(error).__name__}, called from {asked}.",
        hint=_WHO_MAY if refused else "Retry, or name the accounts in the event.",
        code=code,
        request_id=request_id,
        operation=operation,
    )
