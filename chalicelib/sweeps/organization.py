"""Which accounts the organization has, by AWS Organizations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from chalicelib.app_log import logger
from chalicelib.checks.role_actions import LIST_ORGANIZATION, READ_TAGS, READ_UNITS
from chalicelib.cross_account import Account, AssumeRoleDenied, CrossAccountError, Hub, HubCredentialsRejected
from chalicelib.cross_account.account_id import ACCOUNT_ID
from chalicelib.cross_account.aws_errors import ErrorKind, classify, code_of, is_aws_error, request_id_of, time_is_up
from chalicelib.errors import AccountsNotListed, to_cross_account_error
from chalicelib.inputs.requests import ListingRequest
from chalicelib.sweeps import units
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import LeftOut, Reason, Target
from chalicelib.sweeps.units import Units, Way

_NOTHING_BUT_IDENTITY = ("sts:GetCallerIdentity",)
_WHO_MAY = (
    "Only the management account or a delegated administrator may list them: set ORGANIZATION_ACCOUNT_ID to one, with "
    "role-template.yaml deployed there and ListOrganization=true. Or name the accounts in the event."
)
_DEPLOY_AGAIN = (
    "It needs {actions}: deploy the app again, or role-template.yaml in the account ORGANIZATION_ACCOUNT_ID."
)


@dataclass(frozen=True)
class Listing:
    """Accounts of the organization, by id.

    Attributes:
        targets: those to ask.
        complete: these are all; False: there was no time for the rest.
        left_out: those that are suspended, or that the settings do not allow.
        members: the ids of all accounts of the organization; None: not all of them were listed.
        organization_id: such as o-a1b2c3d4e5; None: not known.
    """

    targets: list[Target]
    complete: bool = True
    left_out: list[LeftOut] = field(default_factory=list)
    members: frozenset[str] | None = None
    organization_id: str | None = None

    def as_dict(self, batch_size: int | None) -> dict[str, Any]:
        """The response of `list_accounts`: the accounts, or batches of ids that a state machine can carry.

        10,000 ids stay under the 256 KiB of a Step Functions state; with names they would not. So `left_out` is a
        number beside batches.
        """
        count = len(self.targets)
        if batch_size is None:
            left_out = [_described(one.target) | {"reason": one.reason} for one in self.left_out]
            return {"accounts": [_described(target) for target in self.targets], "count": count, "left_out": left_out}
        ids = [target.id for target in self.targets]
        batches = [ids[start : start + batch_size] for start in range(0, count, batch_size)]
        return {"batches": batches, "count": count, "left_out": len(self.left_out)}


def list_accounts(
    hub: Hub, request: ListingRequest, organization_account_id: str, request_id: str, deadline: Deadline
) -> Listing:
    """All accounts that `list_targets` lists, but for the hub unless it lets itself in.

    A sweep of these names its accounts, so it cannot leave out the hub by itself.

    Raises:
        as `list_targets` does.
        AccountsNotListed: there was no time for all of them.
    """
    listing = list_targets(hub, request, organization_account_id, request_id, deadline)
    if not listing.complete:
        raise _too_slow(len(listing.targets), request)
    return deadline.run(partial(_without_hub, hub, listing, request_id), late=lambda: listing)


def _without_hub(hub: Hub, listing: Listing, request_id: str) -> Listing:
    """Whatever else becomes of the hub, the sweep will tell."""
    own_id = hub.own_account_id()
    own = next((target for target in listing.targets if target.id == own_id), None)
    if own is None:
        return listing
    try:
        hub.account(own.id, _NOTHING_BUT_IDENTITY, request_id=request_id)
    except AssumeRoleDenied:
        others = [target for target in listing.targets if target is not own]
        return replace(listing, targets=others, left_out=[*listing.left_out, LeftOut(own, "hub")])
    except CrossAccountError:
        pass
    return listing


def list_targets(
    hub: Hub,
    request: ListingRequest,
    organization_account_id: str,
    request_id: str,
    deadline: Deadline,
    units_part: float = 1.0,
) -> Listing:
    """The organization's accounts that a request selects; if there is no time for all of them, the first ones.

    Only the organization's management account or a delegated administrator may list them. If it may not read the
    units, they are unknown, which a line of the log says.

    Args:
        request: the unit to list, the ids to leave out, and the tags to have or to tell.
        organization_account_id: the account to list them from, through the role in it; empty: the hub itself.
        request_id: names the session in the organization account, for CloudTrail.
        deadline: of the listing alone.
        units_part: how much of the time that is then left the units may take; 0: they are not read.

    Raises:
        AccountsNotListed: Organizations did not return the list, or none of it in time.
        AwsError: of stage "assume", if the role in the organization account cannot be assumed.
    """
    reading = _Reading(hub, request, organization_account_id, request_id)
    try:
        listing = deadline.run(reading.accounts, late=reading.so_far)
        if listing.complete and units_part:
            listing = deadline.part(units_part).run(reading.units, late=reading.so_far)
    except HubCredentialsRejected as error:
        if not organization_account_id:
            error.stage = "list"
        raise
    except Exception as error:
        if not is_aws_error(error):
            raise to_cross_account_error(error, "list") from None
        if organization_account_id and classify(error) is ErrorKind.CREDENTIALS:
            hub.forget(organization_account_id, LIST_ORGANIZATION)
        raise _not_listed(error, request.organizational_unit, organization_account_id) from None
    if not listing.complete and not listing.targets:
        raise _too_slow(0, request)
    if units_part:
        reading.warn_of_unknown_units(listing)
    return listing


@dataclass
class _Found:
    """An account of the organization.

    Attributes:
        way: to the unit it is in.
        reason: why it is not asked; None: it is.
        unit: the names on the way; None: not known, or not yet.
        tags: None: not read yet, or not to be read.
    """

    id: str
    name: str
    way: Way
    reason: Reason | None
    unit: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass
class _Reading:
    """A listing, while it is being read by another thread.

    Attributes:
        tree: None: the account to list them from has not been entered yet.
        found: by id: an account that moves from unit to unit meanwhile is listed twice.
        seen: the ids of all that AWS listed, also of those that the request does not select.
        organization_id: as the accounts' ARNs have it.
        all_found: there are no further ones.
        unit_error: why the units are not known.
    """

    hub: Hub
    request: ListingRequest
    organization_account_id: str
    request_id: str
    tree: Units | None = None
    found: dict[str, _Found] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    organization_id: str | None = None
    all_found: bool = False
    unit_error: Exception | None = None

    def accounts(self) -> Listing:
        """All of them, and their tags."""
        organizations = self._client()
        self.tree = Units(organizations)
        for account, way in self._accounts(organizations, self.tree):
            self._add(account, way)
        self.all_found = True
        self._read_tags(organizations)
        return self.so_far()

    def units(self) -> Listing:
        """The same, with their units. Nothing depends on those: whatever AWS returns instead leaves them unknown."""
        assert self.tree is not None  # the accounts come first
        self.tree.organizations = self._client()  # its calls end with this piece of work
        try:
            self._name_units(list(self._selected(self.found.values())), self.tree)
        except Exception as error:
            if not is_aws_error(error) and not isinstance(error, AccountsNotListed):
                raise
            self.unit_error = error
        return self.so_far()

    def so_far(self) -> Listing:
        if self.organization_account_id and self.tree is None:
            raise time_is_up(self.organization_account_id)
        # First: what is read from here on may be among them, but must not be missing from what is complete.
        complete = self.all_found and not any(map(self._lacks_tags, self.found.values()))
        found = sorted(self.found.copy().values(), key=lambda one: one.id)
        targets, left_out = [], []
        for one in self._selected(found):
            target = Target(one.id, one.name, one.unit, one.tags if self.request.tags else None)
            if one.reason is None:
                targets.append(target)
            else:
                left_out.append(LeftOut(target, one.reason))
        whole = complete and not self.request.organizational_unit
        return Listing(targets, complete, left_out, frozenset(self.seen) if whole else None, self.organization_id)

    def warn_of_unknown_units(self, listing: Listing) -> None:
        """One line, however many they are."""
        unknown = sum(target.unit is None for target in listing.targets)
        if unknown:
            error = self.unit_error
            needed = _DEPLOY_AGAIN.format(actions=" and ".join(READ_UNITS))
            logger.warning(
                "units not known",
                stage="list",
                accounts=unknown,
                error=error and type(error).__name__,
                code=error and code_of(error),
                operation=getattr(error, "operation_name", None),
                hint=needed if error and _is_refusal(error) else None,
                request_id=self.request_id,
            )

    def _client(self) -> Any:
        owner: Hub | Account = self.hub
        if self.organization_account_id:
            owner = self.hub.account(self.organization_account_id, LIST_ORGANIZATION, request_id=self.request_id)
        return owner.client("organizations")

    def _accounts(self, organizations: Any, tree: Units) -> Iterator[tuple[dict[str, Any], Way]]:
        """All accounts, or those below the unit, each with the way to it as far as it is known."""
        if self.request.organizational_unit:
            yield from tree.accounts((self.request.organizational_unit,))
        else:
            for account in units.pages(organizations, "list_accounts", "Accounts"):
                yield account, ()

    def _add(self, account: dict[str, Any], way: Way) -> None:
        account_id = units.field(account, "Id", str)
        if not ACCOUNT_ID.fullmatch(account_id):
            raise units.malformed("an Id that is not an account id")
        self.seen.add(account_id)
        self.organization_id = self.organization_id or _organization_of(str(account.get("Arn", "")))
        if account_id in self.request.exclude:
            return
        reason: Reason | None = None
        if not _is_active(account):
            reason = "suspended"
        elif not self.hub.allows(account_id):
            reason = "not allowed"
        name = str(account.get("Name", ""))
        self.found[account_id] = _Found(account_id, name, units.way_of(account) or way, reason)

    def _read_tags(self, organizations: Any) -> None:
        """One call for each account, one after the other.

        At 0.1 s each that is as fast as a service allows that throttles at 10 calls a second. Measured against a stub
        that does: four threads were a seventh faster, and lost 9 of 150 accounts after botocore's retries.
        """
        lacking = list(filter(self._lacks_tags, self.found.values()))
        if lacking:
            logger.info("reading tags", accounts=len(lacking), request_id=self.request_id)
        for one in lacking:
            one.tags = _tags(organizations, one.id)

    def _lacks_tags(self, one: _Found) -> bool:
        wanted = bool(self.request.account_tags) or (self.request.tags and one.reason is None)
        return wanted and one.tags is None and one.reason != "not allowed"

    def _selected(self, found: Iterable[_Found]) -> Iterator[_Found]:
        """Those with the tags that they must have, as far as the tags have been read."""
        must = self.request.account_tags
        return (one for one in found if not self._lacks_tags(one) and (one.tags is None or must <= one.tags.items()))

    def _name_units(self, found: Iterable[_Found], tree: Units) -> None:
        lacking = {one.id: one for one in found if not units.is_whole(one.way)}
        for one in found:
            if one.id not in lacking:
                one.unit = tree.path(one.way)
        if lacking:
            self._find_units(lacking, tree)

    def _find_units(self, lacking: Mapping[str, _Found], tree: Units) -> None:
        """Where AWS gives no path, one walk of the tree finds it."""
        if unit := self.request.organizational_unit:
            above = tree.way_to(unit)
            for one in lacking.values():
                one.unit = tree.path(above + one.way)
            return
        root = tree.way_to(next(iter(lacking)))[:1]
        for account, way in tree.accounts(root):
            if found := lacking.get(units.field(account, "Id", str)):
                found.unit = tree.path(way)


def _organization_of(arn: str) -> str | None:
    """Of an account's ARN, arn:aws:organizations::<management account>:account/<organization>/<account>."""
    found = re.fullmatch(r"arn:[^/]+:account/(o-[a-z0-9]{10,32})/[0-9]{12}", arn)
    return found[1] if found else None


def _is_active(account: dict[str, Any]) -> bool:
    """AWS announced to retire `Status` in favour of `State` (botocore's Organizations model says when)."""
    return (account.get("State") or account.get("Status")) == "ACTIVE"


def _is_refusal(error: Exception) -> bool:
    """AWSOrganizationsNotInUseException is one too: this account is in no organization."""
    return is_aws_error(error) and classify(error) in (ErrorKind.DENIED, ErrorKind.REFUSED)


def _tags(organizations: Any, account_id: str) -> dict[str, str]:
    try:
        tags = list(units.pages(organizations, "list_tags_for_resource", "Tags", ResourceId=account_id))
    except organizations.exceptions.TargetNotFoundException:  # it has left the organization meanwhile
        return {}
    return {units.field(tag, "Key", str): units.field(tag, "Value", str) for tag in tags}


def _described(target: Target) -> dict[str, Any]:
    tags = {} if target.tags is None else {"tags": dict(target.tags)}
    return {"id": target.id, "name": target.name, "unit": target.unit, **tags}


def _too_slow(listed: int, request: ListingRequest) -> AccountsNotListed:
    why = "Tags take a call for each account. " if request.tags or request.account_tags else ""
    return AccountsNotListed(
        f"AWS Organizations did not list the accounts in time; it had listed {listed}.",
        hint=f"{why}Retry with a unit of the organization, or name the accounts in the event.",
        operation="ListAccounts",
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
    what, who_may = "list the accounts", _WHO_MAY
    if operation == "ListTagsForResource":  # who may list the accounts may read their tags, but for an older role
        what, who_may = "tell the tags of the accounts", _DEPLOY_AGAIN.format(actions=READ_TAGS)
    return AccountsNotListed(
        f"AWS Organizations did not {what}: {code or type(error).__name__}, called from {asked}.",
        hint=who_may if _is_refusal(error) else "Retry, or name the accounts in the event.",
        code=code,
        request_id=request_id,
        operation=operation,
    )
