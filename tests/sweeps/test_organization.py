from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.checks.role_actions import LIST_ORGANIZATION
from chalicelib.cross_account import (
    AssumeRoleDenied,
    AssumeRoleTimedOut,
    CrossAccountError,
    Hub,
    HubCredentialsRejected,
    InvalidInput,
)
from chalicelib.errors import AccountsNotListed
from chalicelib.inputs import requests
from chalicelib.inputs.requests import ListingRequest, SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.organization import Listing, list_accounts, list_targets
from chalicelib.sweeps.outcome import Target
from chalicelib.sweeps.sweep import sweep
from tests.fake_aws import HUB, FakeAws, Reply, Request, silent
from tests.fake_aws import denied as sts_denies
from tests.fake_aws import error as sts_error
from tests.fake_hub import ids, outcome, until

ROOT, OUTER, INNER, OTHER = "r-ab12", "ou-ab12-outer111", "ou-ab12-inner111", "ou-ab12-other111"
OWNER = "555555555555"
OPERATION = "POST /"  # of Organizations, whose every call is a POST that names it in a header


def account(account_id: str, **more: Any) -> dict[str, Any]:
    return {"Id": account_id, "Name": f"name of {account_id}", "Status": "ACTIVE", "State": "ACTIVE"} | more


class Organization:
    """Two of everything a page.

    Attributes:
        accounts: by the unit or root that they are in.
        units: the units in each; a unit's name is the third part of its id.
        tags: by account.
        refused: the operations that are denied.
        paths: whether an account names its path.
    """

    def __init__(
        self,
        accounts: dict[str, list[dict[str, Any]]],
        units: dict[str, list[str]] | None = None,
        tags: dict[str, dict[str, str]] | None = None,
        refused: Iterable[str] = (),
        paths: bool = False,
    ) -> None:
        self.accounts = accounts
        self.units = units or {}
        self.tags = tags or {}
        self.refused = refused
        self.paths = paths
        self.asked: Counter[str] = Counter()

    def __call__(self, request: Request) -> Reply:
        operation = request.headers["x-amz-target"].split(".")[1]
        asked = json.loads(request.body)
        self.asked[operation] += 1
        if operation in self.refused:
            return refusal("AccessDeniedException")
        name, found = {
            "ListAccounts": lambda: ("Accounts", [item for unit in self.accounts for item in self._accounts(unit)]),
            "ListAccountsForParent": lambda: ("Accounts", self._accounts(asked["ParentId"])),
            "ListOrganizationalUnitsForParent": lambda: (
                "OrganizationalUnits",
                [{"Id": unit, "Name": unit.split("-")[2]} for unit in self.units.get(asked["ParentId"], [])],
            ),
            "ListParents": lambda: ("Parents", [{"Id": self._parent(asked["ChildId"])}]),
            "ListTagsForResource": lambda: (
                "Tags",
                [{"Key": key, "Value": value} for key, value in self.tags.get(asked["ResourceId"], {}).items()],
            ),
        }[operation]()
        start = int(asked.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(found) else {}
        return Reply(json.dumps({name: found[start : start + 2], **more}))

    def _accounts(self, unit: str) -> list[dict[str, Any]]:
        found = self.accounts.get(unit, [])
        if not self.paths:
            return found
        way = [unit]
        while not way[0].startswith("r-"):
            way.insert(0, self._parent(way[0]))
        return [{"Paths": ["/".join(["o-a1b2c3d4e5", *way, item["Id"], ""])], **item} for item in found]

    def _parent(self, child: str) -> str:
        inside = {unit: parent for parent, units in self.units.items() for unit in units}
        inside |= {item["Id"]: unit for unit, items in self.accounts.items() for item in items}
        return inside.get(child, ROOT)


def refusal(code: str, status: int = 400) -> Reply:
    return Reply(json.dumps({"__type": code, "Message": "canary"}), status, {"x-amzn-requestid": "aws-request-id"})


@pytest.fixture
def organization(aws: FakeAws) -> Callable[..., Organization]:
    def make(*accounts: dict[str, Any], **more: Any) -> Organization:
        made = Organization({ROOT: list(accounts)} | more.pop("accounts", {}), **more)
        aws.tell(OPERATION, made, always=True)
        return made

    return make


def targets(hub: Hub, owner: str = "", **event: Any) -> list[Target]:
    return list_targets(hub, ListingRequest.from_event(event), owner, "request-1", Deadline(until(60))).targets


def listed(hub: Hub, owner: str = "", **event: Any) -> list[str]:
    return [target.id for target in targets(hub, owner, **event)]


def left_out(hub: Hub, **event: Any) -> dict[str, str]:
    listing = list_targets(hub, ListingRequest.from_event(event), "", "request-1", Deadline(until(60)))
    return {one.target.id: one.reason for one in listing.left_out}


def response(hub: Hub, **event: Any) -> dict[str, Any]:
    request = ListingRequest.from_event(event)
    return list_accounts(hub, request, "", "request-1", Deadline(until(60))).as_dict(request.batch_size)


# ---- the hub itself, in a list of which a sweep names the accounts


@pytest.mark.parametrize(
    ("reply", "count", "left_out"),
    [(None, 2, []), (sts_denies(), 1, [(HUB, "hub")]), (sts_error("InternalFailure", 500), 2, [])],
    ids=["has the role", "denies", "fails"],
)
def test_the_hub_is_left_out_of_a_list_if_it_denies_itself(hub, aws, organization, reply, count, left_out):
    organization(account(HUB), *map(account, ids(1)), paths=True)
    if reply:
        aws.tell("AssumeRole", reply, account=HUB, always=True)
    found = response(hub)
    assert found["count"] == count
    assert [(one["id"], one["reason"]) for one in found["left_out"]] == left_out


# ---- which accounts


def test_every_page_is_read(hub, organization):
    made = organization(*map(account, ids(7)), paths=True)
    assert listed(hub) == ids(7)
    assert made.asked == {"ListAccounts": 4}


def test_accounts_come_by_id_with_their_names(hub, organization):
    organization(*map(account, reversed(ids(3))))
    assert targets(hub) == [Target(account_id, f"name of {account_id}", "") for account_id in ids(3)]


@pytest.mark.parametrize(
    ("more", "is_listed"),
    [
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, True),
        ({"State": "CLOSED", "Status": "ACTIVE"}, False),
        ({"State": "PENDING_ACTIVATION", "Status": "ACTIVE"}, False),
        ({"State": "SUSPENDED"}, False),
        ({"State": "PENDING_CLOSURE"}, False),
        ({"State": None, "Status": "ACTIVE"}, True),
        ({"State": None, "Status": "SUSPENDED"}, False),
        ({"State": None, "Status": None}, False),
    ],
)
def test_only_active_accounts_are_listed_by_state_and_else_by_status(hub, organization, more, is_listed):
    one = {name: value for name, value in account(ids(1)[0], **more).items() if value is not None}
    organization(one)
    assert listed(hub) == (ids(1) if is_listed else [])


def test_an_account_without_a_name_is_listed_without_one(hub, organization):
    nameless = account(ids(1)[0])
    del nameless["Name"]
    organization(nameless)
    assert response(hub)["accounts"] == [{"id": ids(1)[0], "name": "", "unit": ""}]


def test_a_unit_means_everything_below_it_at_any_depth(hub, organization):
    first, second, third, fourth, fifth = map(account, ids(5))
    made = organization(
        first,
        accounts={OUTER: [second, third], INNER: [fourth], OTHER: [fifth]},
        units={ROOT: [OUTER, OTHER], OUTER: [INNER]},
    )
    assert listed(hub, organizational_unit=OUTER) == ids(5)[1:4]
    assert listed(hub, organizational_unit=INNER) == ids(5)[3:4]
    assert listed(hub, organizational_unit=ROOT) == ids(5)
    assert made.asked["ListAccounts"] == 0


def test_an_account_that_moved_meanwhile_is_listed_once(hub, organization):
    moving, staying = map(account, ids(2))
    organization(accounts={OUTER: [moving], INNER: [moving, staying]}, units={OUTER: [INNER]})
    assert listed(hub, organizational_unit=OUTER) == ids(2)


def test_every_page_of_units_is_read(hub, organization):
    units = [f"ou-ab12-unit{number:04}" for number in range(5)]
    organization(
        accounts={unit: [account(name)] for unit, name in zip(units, ids(5), strict=True)}, units={ROOT: units}
    )
    assert listed(hub, organizational_unit=ROOT) == ids(5)


def test_excluded_accounts_are_left_out(hub, organization):
    organization(*map(account, ids(3)))
    assert listed(hub, exclude=[ids(3)[1], "999999999990"]) == [ids(3)[0], ids(3)[2]]


def test_only_accounts_that_this_stage_may_look_into_are_listed(aws, organization):
    organization(*map(account, ids(3)))
    hub = Hub(allowed_accounts={ids(3)[2], HUB})
    assert listed(hub) == [ids(3)[2]]


# ---- where they are, and what is left out

TREE = {ROOT: [OUTER, OTHER], OUTER: [INNER]}
WHERE = {OUTER: 1, INNER: 2, OTHER: 3}
UNITS = ["", "outer111", "outer111/inner111", "other111"]


def tree(organization: Callable[..., Organization], **more: Any) -> Organization:
    """An account in the root and one in each unit."""
    first, *others = map(account, ids(4))
    accounts = dict(zip(WHERE, ([one] for one in others), strict=True))
    return organization(first, accounts=accounts, units=TREE, **more)


@pytest.mark.parametrize("paths", [True, False], ids=["AWS names the path", "it does not"])
@pytest.mark.parametrize(
    ("unit", "expected"), [(None, UNITS), (ROOT, UNITS), (OUTER, UNITS[1:3]), (INNER, UNITS[2:3]), (OTHER, UNITS[3:])]
)
def test_a_unit_is_told_as_the_names_on_the_way_from_the_root(hub, organization, unit, expected, paths):
    tree(organization, paths=paths)
    assert [target.unit for target in targets(hub, organizational_unit=unit)] == expected


def test_with_paths_only_a_unit_with_units_in_it_costs_a_call(hub, organization):
    made = tree(organization, paths=True)
    listed(hub)
    assert made.asked == {"ListAccounts": 2, "ListOrganizationalUnitsForParent": 2}


def test_without_paths_one_walk_costs_two_calls_a_unit(hub, organization):
    made = tree(organization)
    listed(hub)
    everywhere = len([ROOT, *WHERE])
    walk = {"ListAccountsForParent": everywhere, "ListOrganizationalUnitsForParent": everywhere}
    assert made.asked == {"ListAccounts": 2, "ListParents": 1, **walk}


@pytest.mark.parametrize(
    ("refused", "event"),
    [
        (["ListOrganizationalUnitsForParent"], {}),
        (["ListParents"], {}),
        (["ListAccountsForParent"], {}),
        (["ListParents"], {"organizational_unit": OUTER}),
    ],
)
def test_who_may_not_read_the_units_still_gets_the_names(hub, organization, caplog, refused, event):
    tree(organization, refused=refused)
    found = targets(hub, **event)
    assert len(found) > 1
    assert all(target.name for target in found)
    assert not any(target.unit for target in found)  # those of the root may be known, for they have none
    (line,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (line.msg, line.code, line.operation) == ("units not known", "AccessDeniedException", refused[0])
    assert "organizations:ListParents" in line.hint


def test_a_unit_that_was_deleted_meanwhile_is_not_known(hub, organization):
    organization(account(ids(1)[0], Paths=[f"o-a1b2c3d4e5/{ROOT}/ou-ab12-deleted1/{ids(1)[0]}/"]))
    assert [target.unit for target in targets(hub)] == [None]


def test_units_that_contain_each_other_are_malformed(hub, organization):
    organization(accounts={OUTER: [account(ids(1)[0])]}, units={OUTER: [INNER], INNER: [OUTER]})
    with pytest.raises(AccountsNotListed, match="units that are nested more than 20 deep"):
        listed(hub, organizational_unit=OUTER)


def test_what_is_left_out_is_told_with_the_reason(organization):
    one, two, three, four = ids(4)
    organization(account(one), account(two, State="SUSPENDED"), account(three), account(four, State="CLOSED"))
    hub = Hub(allowed_accounts={one, two})
    assert left_out(hub) == {two: "suspended", three: "not allowed", four: "suspended"}
    assert left_out(hub, exclude=[two, three]) == {four: "suspended"}
    assert response(hub)["left_out"][0] == {"id": two, "name": f"name of {two}", "unit": "", "reason": "suspended"}
    assert response(hub, batch_size=5)["left_out"] == 3


# ---- tags

TAGS = {account_id: {"env": env} for account_id, env in zip(ids(4), ("prod", "test", "prod", "prod"), strict=True)}
TAGS[ids(1)[0]] |= {"team": "payments", "owner": "x"}


def test_accounts_are_selected_by_all_of_the_tags(hub, organization):
    tree(organization, tags=TAGS)
    assert listed(hub, account_tags={"env": "prod"}) == [ids(4)[0], ids(4)[2], ids(4)[3]]
    assert listed(hub, account_tags={"env": "prod", "team": "payments"}) == ids(1)
    assert listed(hub, account_tags={"env": "prod"}, organizational_unit=OUTER) == [ids(4)[2]]
    for tags in ({"env": "PROD"}, {"Env": "prod"}, {"env": ""}):
        assert listed(hub, account_tags=tags) == []


def test_tags_are_told_only_if_they_are_asked_for(hub, organization):
    tree(organization, tags=TAGS)
    assert [target.tags for target in targets(hub, tags=True)] == list(TAGS.values())
    assert {target.tags for target in targets(hub, account_tags={"env": "prod"})} == {None}
    assert response(hub, tags=True, organizational_unit=OTHER)["accounts"][0]["tags"] == {"env": "prod"}


@pytest.mark.parametrize(
    ("event", "calls"),
    [
        ({}, 0),
        ({"tags": True}, 2),
        ({"account_tags": {"env": "prod"}}, 3),  # a suspended account is told only if it has the tags
        ({"account_tags": {"env": "prod"}, "tags": True}, 3),
        ({"tags": True, "exclude": ids(1)}, 1),
    ],
)
def test_tags_are_read_once_and_only_of_accounts_they_matter_for(organization, event, calls):
    one, two, three, four = ids(4)
    accounts = [account(one), account(two), account(three, State="SUSPENDED"), account(four)]
    made = organization(*accounts, tags={two: {"env": "prod"}, three: {"env": "test"}}, paths=True)
    listed(Hub(allowed_accounts=set(ids(3))), **event)
    assert made.asked["ListTagsForResource"] == calls


def test_what_is_left_out_has_the_tags_as_well_unless_it_is_not_allowed(organization):
    one, two, three = ids(3)
    organization(account(one, State="SUSPENDED"), account(two, State="SUSPENDED"), account(three), tags=TAGS)
    hub = Hub(allowed_accounts={one, two})
    assert left_out(hub, account_tags={"env": "prod"}) == {one: "suspended", three: "not allowed"}


def test_an_account_that_left_the_organization_meanwhile_has_no_tags(aws, hub, organization):
    made = organization(account(ids(1)[0]), paths=True)

    def gone(request: Request) -> Reply:
        is_tags = request.headers["x-amz-target"].endswith(".ListTagsForResource")
        return refusal("TargetNotFoundException") if is_tags else made(request)

    aws.tell(OPERATION, gone, always=True)
    assert [target.tags for target in targets(hub, tags=True)] == [{}]
    assert listed(hub, account_tags={"env": "prod"}) == []


def test_tags_that_may_not_be_read_are_an_error_that_names_the_permission(hub, organization):
    tree(organization, refused=["ListTagsForResource"])
    with pytest.raises(
        AccountsNotListed, match=r"^AWS Organizations did not tell the tags of the accounts: "
    ) as raised:
        listed(hub, account_tags={"env": "prod"})
    assert "organizations:ListTagsForResource" in raised.value.hint


# ---- who is asked


def test_the_hub_asks_by_itself(aws, hub, organization):
    organization(account(ids(1)[0]), paths=True)
    listed(hub)
    assert [request.signer for request in aws.operations(OPERATION)] == [HUB]
    assert aws.operations("AssumeRole") == []


def test_an_organization_account_is_asked_through_its_own_role(aws, hub, organization):
    organization(*map(account, ids(5)))
    assert listed(hub, OWNER) == ids(5)
    assert {request.signer for request in aws.operations(OPERATION)} == {OWNER}
    (assumed,) = aws.operations("AssumeRole")
    assert assumed.form["RoleArn"] == f"arn:aws:iam::{OWNER}:role/external-role"
    assert json.loads(assumed.form["Policy"])["Statement"][0]["Action"] == sorted(LIST_ORGANIZATION)
    assert assumed.form["RoleSessionName"] == "cross-account-request-1"


def test_an_organization_account_that_does_not_let_us_in_is_a_failure_to_assume(aws, hub, organization):
    organization()
    aws.tell("AssumeRole", sts_denies(), account=OWNER, always=True)
    with pytest.raises(AssumeRoleDenied):
        listed(hub, OWNER)


def test_a_session_that_organizations_rejects_is_dropped(aws, hub, organization):
    aws.tell(OPERATION, refusal("UnrecognizedClientException", 403))
    organization(*map(account, ids(2)))
    with pytest.raises(AccountsNotListed):
        listed(hub, OWNER)
    assert listed(hub, OWNER) == ids(2)
    assert len(aws.operations("AssumeRole")) == 2


# ---- not listed


@pytest.mark.parametrize("code", ["AccessDeniedException", "AWSOrganizationsNotInUseException"])
def test_a_refusal_says_which_account_may_list(aws, hub, code):
    aws.tell(OPERATION, refusal(code), always=True)
    with pytest.raises(AccountsNotListed, match=rf"^AWS Organizations did not list the accounts: {code}, ") as raised:
        listed(hub)
    assert (raised.value.code, raised.value.request_id) == (code, "aws-request-id")
    assert "called from the hub" in raised.value.message
    assert "ORGANIZATION_ACCOUNT_ID" in raised.value.hint
    assert "management account" in raised.value.hint
    assert "canary" not in str(raised.value)


def test_the_message_names_the_organization_account(aws, hub):
    aws.tell(OPERATION, refusal("AccessDeniedException"), always=True)
    with pytest.raises(AccountsNotListed, match=f"called from account {OWNER}"):
        listed(hub, OWNER)


@pytest.mark.parametrize(
    "reply",
    [
        refusal("TooManyRequestsException"),
        refusal("ServiceException", 500),
        Reply("<html>a proxy</html>", 503),
        Reply(json.dumps({"Accounts": [], "NextToken": "the same again"})),
    ],
    ids=["throttled", "5xx", "a page", "the same page for ever"],
)
def test_other_failures_do_not_blame_the_account(aws, hub, no_backoff, reply):
    aws.tell(OPERATION, reply, always=True)
    with pytest.raises(AccountsNotListed) as raised:
        listed(hub)
    assert raised.value.hint == "Retry, or name the accounts in the event."


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{}", "has no Accounts"),
        ('{"Accounts": [{"State": "ACTIVE"}]}', "has no Id"),
        ('{"Accounts": [null]}', "has no Id"),
        ('{"Accounts": null}', "has no Accounts"),
        ('{"Accounts": [{"Id": 123456789012, "State": "ACTIVE"}]}', "has a malformed Id"),
        ('{"Accounts": [{"Id": "12", "State": "ACTIVE"}]}', "has an Id that is not an account id"),
        ("<html>a proxy</html>", "did not list the accounts|has no Accounts"),
    ],
)
def test_a_response_without_accounts_or_ids_is_not_an_empty_organization(aws, hub, body, says):
    aws.tell(OPERATION, Reply(body), always=True)
    with pytest.raises(AccountsNotListed, match=says) as raised:
        listed(hub)
    assert raised.value.stage == "list"


def test_a_unit_that_does_not_exist_is_named(aws, hub):
    aws.tell(OPERATION, refusal("ParentNotFoundException"), always=True)
    with pytest.raises(AccountsNotListed, match=rf"^The organization has no unit or root {OUTER}: ") as raised:
        listed(hub, organizational_unit=OUTER)
    assert raised.value.code == "ParentNotFoundException"
    assert "ORGANIZATION_ACCOUNT_ID" not in raised.value.hint


def test_a_hub_without_credentials_fails_at_the_stage_of_listing(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(HubCredentialsRejected) as raised:
        listed(Hub())
    assert raised.value.stage == "list"


# ---- the answers


def test_a_listing_names_the_accounts(hub, organization):
    organization(*map(account, ids(2)))
    one, two = ids(2)
    assert response(hub) == {
        "accounts": [{"id": id, "name": f"name of {id}", "unit": ""} for id in (one, two)],
        "count": 2,
        "left_out": [],
    }


def test_ten_thousand_ids_in_batches_fit_a_state_of_step_functions(aws, hub):
    everybody = [account(account_id, Paths=[f"o-a1b2c3d4e5/{ROOT}/{account_id}/"]) for account_id in ids(10_000)]
    aws.tell(OPERATION, Reply(json.dumps({"Accounts": everybody})), always=True)
    answer = response(hub, batch_size=100)
    assert (len(answer["batches"]), answer["count"]) == (100, 10_000)
    assert len(json.dumps(answer)) < 256 * 1024 - 32 * 1024  # and room for the rest of the state


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(0, 5, []), (1, 5, [1]), (5, 5, [5]), (7, 3, [3, 3, 1]), (3, 1, [1] * 3)]
)
def test_batches_hold_every_id_once_and_in_order(hub, organization, count, size, sizes):
    organization(*map(account, ids(count)))
    answer = response(hub, batch_size=size)
    assert [len(batch) for batch in answer["batches"]] == sizes
    assert [account_id for batch in answer["batches"] for account_id in batch] == ids(count)
    assert answer["count"] == count


def test_the_function_lists(client, organization):
    organization(*map(account, ids(3)))
    payload = client.lambda_.invoke("list_accounts", {"batch_size": 2, "exclude": ids(1)}).payload
    assert payload == {"batches": [ids(3)[1:]], "count": 2, "left_out": 0}
    assert client.lambda_.invoke("list_accounts", {}).payload["count"] == 3


def test_the_function_raises_what_lambda_shall_count(aws, client):
    aws.tell(OPERATION, refusal("AWSOrganizationsNotInUseException"), always=True)
    with pytest.raises(AccountsNotListed):
        client.lambda_.invoke("list_accounts", {})
    with pytest.raises(AccountsNotListed):
        client.lambda_.invoke("sweep", {"check": "identity"})
    with pytest.raises(InvalidInput):
        client.lambda_.invoke("list_accounts", {"accounts": []})


def test_a_sweep_without_accounts_asks_the_whole_organization(aws, client, http, organization):
    organization(*map(account, ids(4)), account("888888888888", State="SUSPENDED"))
    event = {"check": "identity", "exclude": ids(1)}
    expected = dict.fromkeys(ids(4)[1:], "ok")
    assert outcome(client.lambda_.invoke("sweep", event).payload) == expected
    status, body = http("POST", "/sweeps", event)
    assert (status, outcome(body)) == (200, expected)


def test_the_route_tells_that_the_accounts_were_not_listed(aws, http):
    aws.tell(OPERATION, refusal("AccessDeniedException"), always=True)
    status, body = http("POST", "/sweeps", {"check": "identity"})
    assert (status, body["error"]["type"], body["error"]["code"]) == (502, "AccountsNotListed", "AccessDeniedException")


def test_an_organization_without_active_accounts_is_no_failure(client, organization):
    organization()
    assert client.lambda_.invoke("sweep", {"check": "identity"}).payload["summary"]["accounts"] == 0


def test_several_checks_list_once(client, organization):
    made = organization(*map(account, ids(3)), paths=True)
    answer = client.lambda_.invoke("sweep", {"checks": ["identity", "s3_buckets"]}).payload
    assert (len(answer["results"]), made.asked) == (6, {"ListAccounts": 2})


def test_a_sweep_tells_who_and_where(client, organization):
    tree(organization, tags=TAGS)
    results = client.lambda_.invoke("sweep", {"check": "identity", "account_tags": {"env": "test"}}).payload["results"]
    two = ids(2)[1]
    assert [(item["account_id"], item["name"], item["unit"]) for item in results] == [(two, f"name of {two}", UNITS[1])]


# ---- in time


def in_time(hub: Hub, seconds: float, owner: str = "", **event: Any) -> Listing:
    return list_targets(hub, ListingRequest.from_event(event), owner, "request-1", Deadline(until(seconds)))


def page_of(account_id: str) -> Reply:
    return Reply(json.dumps({"Accounts": [account(account_id)], "NextToken": account_id}))


def test_what_has_been_listed_in_time_is_there_and_is_not_all(aws, hub):
    aws.tell(OPERATION, page_of(ids(2)[1]), page_of(ids(2)[0]), silent)
    listing = in_time(hub, 0.5)
    assert ([target.id for target in listing.targets], listing.complete) == (ids(2), False)


def test_when_time_is_up_a_unit_is_cut_as_well_and_what_is_excluded_stays_out(aws, hub):
    aws.tell(OPERATION, page_of(ids(2)[0]), page_of(ids(2)[1]), silent)
    listing = in_time(hub, 0.5, organizational_unit=OUTER, exclude=ids(1))
    assert ([target.id for target in listing.targets], listing.complete) == (ids(2)[1:], False)


def test_a_listing_that_has_ended_is_complete(hub, organization):
    organization(account(ids(1)[0]))
    assert in_time(hub, 60).complete is True


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_nothing_listed_in_time_is_an_error(aws, hub, seconds):
    aws.tell(OPERATION, silent)
    with pytest.raises(AccountsNotListed, match="did not list the accounts in time; it had listed 0"):
        in_time(hub, seconds)


def test_the_function_that_lists_raises_if_there_is_no_time_for_all(aws, hub):
    aws.tell(OPERATION, page_of(ids(1)[0]), silent)
    with pytest.raises(AccountsNotListed, match="did not list the accounts in time; it had listed 1"):
        list_accounts(hub, ListingRequest.from_event({}), "", "request-1", Deadline(until(0.5)))


def test_units_that_are_not_read_in_time_are_not_known_and_the_listing_is_complete(aws, hub, caplog):
    aws.tell(OPERATION, Reply(json.dumps({"Accounts": [account(ids(1)[0])]})), silent)
    listing = in_time(hub, 0.3)
    assert (listing.targets, listing.complete) == ([Target(ids(1)[0], f"name of {ids(1)[0]}")], True)
    assert [record.msg for record in caplog.records if record.levelname == "WARNING"] == ["units not known"]


def test_units_take_a_part_of_the_time_and_those_that_are_read_in_it_are_known(hub, aws, organization):
    made = Organization({ROOT: [account(ids(2)[0])], OUTER: [account(ids(2)[1])]}, {ROOT: [OUTER]})
    aws.tell(OPERATION, lambda request: silent if OUTER.encode() in request.body else made(request), always=True)
    listing = list_targets(hub, ListingRequest.from_event({}), "", "request-1", Deadline(until(60)), 0.005)
    assert ([target.unit for target in listing.targets], listing.complete) == (["", None], True)


def test_an_account_whose_tags_were_not_read_in_time_is_not_listed(aws, hub):
    tags = Reply(json.dumps({"Tags": [{"Key": "env", "Value": "prod"}]}))
    aws.tell(OPERATION, Reply(json.dumps({"Accounts": list(map(account, ids(3)))})), tags, tags, silent)
    listing = in_time(hub, 0.5, account_tags={"env": "prod"})
    assert ([target.id for target in listing.targets], listing.complete) == (ids(2), False)


def test_no_tags_in_time_are_an_error_that_tells_what_they_cost(aws, hub):
    aws.tell(OPERATION, Reply(json.dumps({"Accounts": list(map(account, ids(3)))})), silent)
    with pytest.raises(AccountsNotListed, match="it had listed 0") as raised:
        in_time(hub, 0.3, tags=True)
    assert raised.value.hint.startswith("Tags take a call for each account.")


def test_an_organization_account_that_is_not_entered_in_time_is_told_as_that(aws, hub):
    aws.tell("AssumeRole", silent)
    with pytest.raises(AssumeRoleTimedOut, match=f"AssumeRole in account {ids(1)[0]} did not end in time") as raised:
        in_time(hub, 0.2, ids(1)[0])
    assert raised.value.stage == "assume"


def test_nothing_more_is_listed_once_it_has_been_given_up(aws, hub):
    def late(_request: Request) -> Reply:
        aws.let_go.wait(0.3)
        return page_of(f"{aws.counts[OPERATION]:012}")

    aws.tell(OPERATION, late, always=True)
    with suppress(CrossAccountError):  # a busy machine has not even the first page in time
        in_time(hub, 0.5, ids(1)[0])
    asked = aws.counts[OPERATION]
    aws.let_go.wait(0.7)
    assert aws.counts[OPERATION] == asked


def test_an_organization_larger_than_a_sweep_may_be_is_refused(hub, organization, monkeypatch):
    monkeypatch.setattr(requests, "MAX_OUTCOMES", 3)
    organization(*map(account, ids(2)))
    request = SweepRequest.from_event({"check": "identity", "regions": ["eu-west-1", "us-east-1"]}, Settings())
    with pytest.raises(InvalidInput, match="2 accounts, each asked up to 2 times, is over 3"):
        sweep(hub, Settings(), request, deadline=Deadline(until(60)), request_id="request-1")
