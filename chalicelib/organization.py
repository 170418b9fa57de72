"""Which accounts there are, by AWS Organizations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.aws_faults import Fault, code_of, fault_of, from_aws, request_id_of
from chalicelib.check import field
from chalicelib.cross_account import Hub
from chalicelib.errors import AccountsNotListed
from chalicelib.sweep_request import ListingRequest

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
class Member:
    """An account of the organization."""

    id: str
    name: str


def listing(hub: Hub, request: ListingRequest, request_id: str) -> dict[str, Any]:
    """Give the answer of `list_accounts`: with names, or in batches of ids that a state machine can carry.

    10,000 ids stay under the 256 KiB of a Step Functions state; with names they would not.
    """
    found = members(hub, request, request_id)
    if request.batch_size is None:
        return {"accounts": [asdict(member) for member in found], "count": len(found)}
    ids = [member.id for member in found]
    size = request.batch_size
    return {"batches": [ids[start : start + size] for start in range(0, len(ids), size)], "count": len(ids)}


def members(hub: Hub, request: ListingRequest, request_id: str) -> list[Member]:
    """List the active accounts that this stage may look into, by id.

    Only the organization's management account, or one that it made a delegated administrator, may list them; if the
    hub is neither, ORGANIZATION_ACCOUNT_ID names one, and it is asked through its own external-role.

    Args:
        hub: the account this runs in.
        request: the unit to look below, at any depth, and the ids to leave out.
        request_id: names the session in the organization account, for CloudTrail.

    Raises:
        AccountsNotListed: Organizations did not give the list.
        AwsError: of stage "assume", if the organization account did not let us in.
    """
    asked_from = hub.settings.organization_account_id
    owner: Any = hub.account(asked_from, ACTIONS, request_id=request_id) if asked_from else hub
    organizations = owner.client("organizations")
    try:
        found = (
            _below(organizations, request.organizational_unit)
            if request.organizational_unit
            else _pages(organizations, "list_accounts", "Accounts")
        )
        active = {field(account, "Id"): account.get("Name", "") for account in found if _is_active(account)}
    except Exception as error:
        if not from_aws(error):
            raise
        if asked_from and fault_of(error) is Fault.CREDENTIALS:
            hub.forget(asked_from, ACTIONS)
        raise _not_listed(error, asked_from) from None
    return [
        Member(account_id, name)
        for account_id, name in sorted(active.items())
        if account_id not in request.exclude and hub.settings.allows(account_id)
    ]


def _below(organizations: Any, parent: str) -> Iterator[dict[str, Any]]:
    yield from _pages(organizations, "list_accounts_for_parent", "Accounts", ParentId=parent)
    for unit in _pages(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        yield from _below(organizations, field(unit, "Id"))


def _pages(organizations: Any, operation: str, item: str, **asked: str) -> Iterator[dict[str, Any]]:
    for page in organizations.get_paginator(operation).paginate(**asked):
        yield from field(page, item)


def _is_active(account: dict[str, Any]) -> bool:
    """AWS announced to retire `Status` in favour of `State` (botocore's Organizations model says when)."""
    return (account.get("State") or account.get("Status")) == "ACTIVE"


def _not_listed(error: Exception, asked_from: str) -> AccountsNotListed:
    where = f"account {asked_from} (ORGANIZATION_ACCOUNT_ID)" if asked_from else "the hub account"
    # AWSOrganizationsNotInUseException is a refusal: this account is in no organization.
    who_may = fault_of(error) in (Fault.DENIED, Fault.REFUSED)
    return AccountsNotListed(
        f"AWS Organizations did not list the accounts: {code_of(error) or type(error).__name__}, asked from {where}.",
        hint=_WHO_MAY if who_may else "Ask again, or name the accounts in the event.",
        code=code_of(error),
        request_id=request_id_of(error),
    )
