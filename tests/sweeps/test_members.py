"""What a sweep knows of its organization, for the checks that judge by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.checks.check import Asked, check
from chalicelib.checks.finding import Findings, ok
from chalicelib.checks.organization import NOT_READ, UNKNOWN, Organization
from chalicelib.sweeps.ask import Question
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.members import organization_for
from chalicelib.sweeps.organization import Listing
from chalicelib.sweeps.outcome import Target
from tests.fake_hub import HUB, FakeHub, ids, until, whoami

MEMBER, OTHER = ids(2)
ARN = f"arn:aws:organizations::{MEMBER}:account/o-a1b2c3d4e5/"


@check(actions=["iam:ListRoles"], group="identity")
def strangers(account: Any, organization: Organization) -> Findings:
    """Find strangers."""
    known = sorted(one for one in (HUB, MEMBER, OTHER) if organization.has(one))
    yield ok(account.id, organization.limits or "All are known.", known=known)


class Organizations:
    """A hub whose organization lists accounts and analyzers, which are counted. What is an error is raised."""

    def __init__(self, accounts: Any = (MEMBER, OTHER), analyzers: Any = (), delegated: Any = ()) -> None:
        self.found = {
            "list_accounts": accounts,
            "list_analyzers": analyzers,
            "list_delegated_administrators": delegated,
        }
        self.calls: list[str] = []
        self.places: list[str | None] = []
        self.within: dict[str, Organizations] = {}

    def account(self, account_id: str, actions: Any, *, request_id: str) -> Organizations:
        assert actions == ("access-analyzer:ListAnalyzers",)
        return self.within[account_id]

    def own_account_id(self) -> str:
        return HUB

    def client(self, service: str, region: str | None = None) -> Organizations:
        self.places.append(region)
        return self

    def get_paginator(self, operation: str) -> Any:
        self.calls.append(operation)
        self.operation = operation
        return self

    def paginate(self, **request: str) -> Iterator[dict[str, Any]]:
        found = self.found[self.operation]
        if isinstance(found, Exception):
            raise found
        if self.operation == "list_accounts":
            yield {"Accounts": [{"Id": one, "Arn": f"{ARN}{one}", "State": "ACTIVE"} for one in found]}
        elif self.operation == "list_delegated_administrators":
            assert request == {"ServicePrincipal": "access-analyzer.amazonaws.com"}
            yield {"DelegatedAdministrators": [{"Id": one} for one in found]}
        else:
            assert request == {"type": "ORGANIZATION"}
            yield {"analyzers": [{"arn": one, "status": status} for one, status in found]}

    def allows(self, account_id: str) -> bool:
        return True


DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListAccounts")


def known(hub: Any, listing: Listing | None = None, asked: Asked | None = None) -> Organization:
    checks = [asked or strangers.asked({})]
    return organization_for(checks, hub, listing or Listing([Target(MEMBER)]), "", "request-1", Deadline(until(60)))


def test_no_check_that_wants_it_no_call() -> None:
    hub = Organizations()
    assert known(hub, asked=whoami.asked({})) is UNKNOWN
    assert hub.calls == []


def test_no_account_to_ask_no_call() -> None:
    hub = Organizations()
    assert (known(hub, Listing([])).accounts, hub.calls) == (None, [])


def test_an_organization_that_is_listed_anyway_is_not_read_again() -> None:
    hub = Organizations()
    listing = Listing([], members=frozenset({OTHER}), organization_id="o-1234567890")
    found = known(hub, listing)
    assert (found.accounts, found.id, hub.calls) == ({OTHER}, "o-1234567890", [])


def test_for_accounts_that_are_named_it_is_listed_once() -> None:
    hub = Organizations()
    found = known(hub)
    assert (found.accounts, found.id, found.limits) == ({MEMBER, OTHER}, "o-a1b2c3d4e5", "")
    assert hub.calls == ["list_accounts"]


def test_an_organization_that_cannot_be_read_ends_no_sweep_and_is_told(log: Callable[[], Any]) -> None:
    found = known(Organizations(DENIED))
    assert (found.accounts, found.id, found.limits) == (None, None, NOT_READ)
    (line,) = log()
    assert (line["message"], line["code"]) == ("organization not known", "AccessDeniedException")


def test_the_organizations_analyzers_are_read_once_for_each_region_by_whoever_asks() -> None:
    hub = Organizations(analyzers=[("arn:active", "ACTIVE"), ("arn:off", "DISABLED")])
    found = known(hub)
    threads = [threading.Thread(target=found.analyzers, args=(region,)) for region in ("eu-west-1", "us-east-1") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.analyzers("eu-west-1") == ["arn:active"]
    assert sorted(place for place in hub.places if place) == ["eu-west-1", "us-east-1"]


def test_if_the_lister_has_none_they_are_read_from_whom_access_analyzer_is_delegated_to() -> None:
    hub = Organizations(delegated=[HUB, MEMBER])
    hub.within[MEMBER] = Organizations(analyzers=[("arn:delegated", "ACTIVE")])
    found = known(hub)
    assert [found.analyzers(region) for region in ("eu-west-1", "us-east-1")] == [["arn:delegated"]] * 2
    assert hub.calls.count("list_delegated_administrators") == 1
    assert hub.within[MEMBER].places == ["eu-west-1", "us-east-1"]


def test_analyzers_that_cannot_be_read_are_not_known_and_told_once(log: Callable[[], Any]) -> None:
    found = known(Organizations(analyzers=DENIED))
    assert [found.analyzers("eu-west-1"), found.analyzers("eu-west-1")] == [None, None]
    assert [line["message"] for line in log()] == ["analyzers not known"]


@pytest.mark.parametrize(
    ("organization", "reason", "others"),
    [(Organization(frozenset({MEMBER})), "All are known.", [MEMBER]), (UNKNOWN, NOT_READ, [])],
)
def test_a_check_that_takes_the_organization_is_given_it_with_the_hub(
    organization: Organization, reason: str, others: list[str]
) -> None:
    asking = Question(FakeHub(), "x", (strangers.asked({}),), (None,), "request-1", organization)  # type: ignore[arg-type]
    (found,) = asking.ask(OTHER, Deadline(until(60))).outcomes
    assert found.result == [ok(OTHER, reason, known=sorted([HUB, *others]))]
