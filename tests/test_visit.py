from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.check import Check, check
from chalicelib.errors import AccountNotAllowed, AssumeRoleDenied, InvalidInput
from chalicelib.settings import Settings
from chalicelib.sweep_request import SweepRequest
from chalicelib.visit import Visit
from tests.fake_hub import FakeHub, denied, ids, whoami

(ACCOUNT,) = ids(1)
REGIONS = ("eu-west-1", "us-east-1")


def visit(
    hub: FakeHub,
    check: Check = whoami,
    regions: tuple[str | None, ...] = REGIONS,
    params: Mapping[str, Any] | None = None,
) -> Visit:
    request = replace(SweepRequest.from_event({"check": "identity"}), check=check, regions=regions, params=params or {})
    return Visit(hub, request, "request-1")  # type: ignore[arg-type]


def test_entering_assumes_the_role_with_the_checks_actions_and_the_request_id():
    seen = {}

    class Watched(FakeHub):
        def account(self, account_id: str, actions: Any, **more: Any) -> Any:
            seen.update(more, actions=actions)
            return super().account(account_id, actions, **more)

    visit(Watched()).enter(ACCOUNT, "us-east-1")
    assert seen == {"actions": whoami.actions, "region": "us-east-1", "request_id": "request-1"}


@pytest.mark.parametrize("wrong", ["", "123", f"{ACCOUNT}\n", "a number: 123456789012"])
def test_what_is_no_account_id_gets_nowhere_near_sts(wrong):
    hub = FakeHub()
    with pytest.raises(InvalidInput, match="account_id"):
        visit(hub).enter(wrong)
    assert hub.asked == []


def test_an_account_that_is_not_allowed_gets_nowhere_near_sts():
    hub = FakeHub(Settings(allowed_accounts=frozenset()))
    with pytest.raises(AccountNotAllowed):
        visit(hub).enter(ACCOUNT)
    assert hub.asked == []


def test_the_session_is_the_same_for_every_region():
    hub = FakeHub()
    items = list(visit(hub).ask_in_each_region(ACCOUNT, 0.0))
    assert [(item["account_id"], item["region"], item["ok"]) for item in items] == [
        (ACCOUNT, "eu-west-1", True),
        (ACCOUNT, "us-east-1", True),
    ]
    assert hub.asked == [ACCOUNT]


def test_the_next_region_is_asked_only_when_somebody_wants_it():
    """A sweep whose time is up stops between two regions."""
    asked = []

    @check(actions=["a:B"])
    def where(account: Any) -> str:
        """Say where."""
        asked.append(account.region)
        return account.region

    items = visit(FakeHub(), where).ask_in_each_region(ACCOUNT, 0.0)
    assert next(items)["result"] == "eu-west-1"
    assert asked == ["eu-west-1"]


def test_the_parameters_reach_the_check():
    @check(actions=["a:B"])
    def echo(account: Any, *, word: str) -> str:
        """Say it again."""
        return word

    (item,) = visit(FakeHub(), echo, (None,), {"word": "hello"}).ask_in_each_region(ACCOUNT, 0.0)
    assert item["result"] == "hello"


def test_one_region_that_fails_leaves_the_others():
    @check(actions=["a:B"])
    def fragile(account: Any) -> str:
        """Fail in one region."""
        return {"us-east-1": "there"}[account.region]

    first, second = visit(FakeHub(), fragile).ask_in_each_region(ACCOUNT, 0.0)
    assert (first["ok"], first["error"]["type"], second["ok"]) == (False, "CheckFailed", True)


def test_milliseconds_of_the_first_region_hold_the_way_in_and_the_others_do_not(monkeypatch):
    ticks = iter([107.0] * 3)  # for the log, for the answer, and where the second begins
    monkeypatch.setattr("chalicelib.visit.time.monotonic", lambda: next(ticks, 107.25))
    first, second = visit(FakeHub()).ask_in_each_region(ACCOUNT, 100.0)
    assert (first["ms"], second["ms"]) == (7000, 250)


def test_a_failure_is_told_for_each_region():
    items = visit(FakeHub()).failure(ACCOUNT, AssumeRoleDenied("No.", code="AccessDenied"), 0.0)
    assert [(item["region"], item["ok"], item["error"]["code"]) for item in items] == [
        ("eu-west-1", False, "AccessDenied"),
        ("us-east-1", False, "AccessDenied"),
    ]


def test_a_failure_is_told_for_those_regions_only_that_were_not_asked():
    items = visit(FakeHub()).failure(ACCOUNT, AssumeRoleDenied("No."), 0.0, asked=1)
    assert [item["region"] for item in items] == ["us-east-1"]


def test_a_failure_that_nobody_foresaw_keeps_its_text_to_itself(log):
    items = visit(FakeHub()).failure(ACCOUNT, KeyError("canary"), 0.0)
    assert {item["error"]["type"] for item in items} == {"InternalError"}
    assert "canary" not in json.dumps(items) + json.dumps(log())
    assert [line["message"] for line in log()].count("unforeseen") == 1


def test_each_failure_is_a_line_of_the_log_with_what_to_look_for(log):
    hub = FakeHub()
    hub.fates[ACCOUNT] = denied
    list(visit(hub).ask_in_each_region(ACCOUNT, 0.0))
    lines = [line for line in log() if line["message"] == "not checked"]
    assert [(line["account_id"], line["region"]) for line in lines] == [(ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1")]
    assert {(line["check"], line["stage"], line["error"], line["code"], line["request_id"]) for line in lines} == {
        ("whoami", "assume", "AssumeRoleDenied", "AccessDenied", "request-1")
    }


def test_a_long_malformed_id_is_cut_and_not_logged(log):
    (item, _) = visit(FakeHub()).failure("x" * 1000, AssumeRoleDenied("No."), 0.0)
    assert item["account_id"] == "x" * 64
    assert "xxxx" not in json.dumps(log())
