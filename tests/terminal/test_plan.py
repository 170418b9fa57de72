"""What a sweep is about to ask, in one line."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.checks.check import check
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings
from terminal.plan import plan


@check(actions=["iam:ListUsers"], scope="global")
def worldwide(account: Any) -> None:
    """Ask once."""


@check(actions=["iam:ListUsers"], scope="global")
def worldwide_too(account: Any) -> None:
    """Ask once."""


REGIONS = [f"{area}-{number}" for area in ("us-east", "us-west", "eu-west", "eu-central") for number in (1, 2)]
PLANS = [
    (["identity"], 1, None, "1 check x 1 account in eu-west-1: about 2 calls"),
    (["identity"], 0, None, "1 check x 0 accounts in eu-west-1: about 0 calls"),
    (["identity", "bedrock_models"], 6, REGIONS, "2 checks x 6 accounts x 8 regions: about 100 calls"),
    (["identity"], 10_000, ["eu-west-1"], "1 check x 10,000 accounts x 1 region: about 20,000 calls"),
    (["worldwide", "identity"], 5, REGIONS, "2 checks x 5 accounts x 8 regions: about 50 calls"),
    (["worldwide", "worldwide_too"], 5, REGIONS, "2 checks x 5 accounts: about 15 calls"),
    (["worldwide"], 5, None, "1 check x 5 accounts: about 10 calls"),
    (["worldwide"], 5, "all", "1 check x 5 accounts: about 10 calls"),
]


@pytest.mark.parametrize(("checks", "accounts", "regions", "line"), PLANS)
def test_it_tells_what_is_asked_and_how_many_calls_that_takes(added, checks, accounts, regions, line):
    added(worldwide)
    added(worldwide_too)
    assert plan(request(checks, regions), accounts, "eu-west-1") == line


@pytest.mark.parametrize(("region", "regions"), [("eu-west-1", range(34, 60)), ("cn-north-1", range(2, 4))])
def test_the_regions_that_accounts_have_enabled_are_at_most_those_of_the_partition(region, regions):
    line = plan(request(["identity"], "all"), 2, region)
    lines = [
        f"1 check x 2 accounts x up to {number} regions: up to about {calls} calls"
        for number in regions
        for calls in (4 + 2 * number,)
    ]
    assert line in lines


def request(checks: list[str], regions: Any) -> SweepRequest:
    event = {"checks": checks} | ({} if regions is None else {"regions": regions})
    return SweepRequest.from_event(event, Settings())
