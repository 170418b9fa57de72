from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.app_log import logger
from chalicelib.checks.check import Asked, Check, check
from chalicelib.cross_account import AccountNotAllowed, AssumeRoleDenied, AssumeRoleTimedOut, InvalidInput
from chalicelib.inputs.requests import Regions
from chalicelib.sweeps.ask import Question, Visit
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer, Target
from tests.fake_hub import FakeHub, denied, ids, throttled, until, whoami

(ACCOUNT,) = ids(1)
REGIONS = ("eu-west-1", "us-east-1")


def question(
    hub: FakeHub,
    check: Check = whoami,
    regions: tuple[str | None, ...] = REGIONS,
    params: Mapping[str, Any] | None = None,
) -> Question:
    return asking(hub, check.asked(params or {}), regions=regions)


def asking(hub: FakeHub, *checks: Asked, regions: Regions) -> Question:
    return Question(hub, "several", checks, regions, "request-1")  # type: ignore[arg-type]


def ask(hub: FakeHub, *more: Any) -> Answer:
    return question(hub, *more).ask(ACCOUNT, Deadline(until(60)))


def not_checked(log: Any) -> list[dict[str, Any]]:
    return [line for line in log() if line["message"] == "not checked"]


def test_the_role_is_assumed_with_the_checks_actions_and_the_request_id():
    hub = FakeHub()
    ask(hub)
    assert hub.requests == [(whoami.actions, "request-1")]


@pytest.mark.parametrize("wrong", ["", "123", f"{ACCOUNT}\n", "a number: 123456789012"])
def test_an_invalid_account_id_is_an_error_and_sts_is_not_called(wrong):
    hub = FakeHub()
    (outcome,) = question(hub, regions=(None,)).ask(wrong, Deadline(until(60))).outcomes
    with pytest.raises(InvalidInput, match="account_id"):
        outcome.unwrap()
    assert hub.asked == []


def test_an_account_that_is_not_allowed_is_an_error_and_sts_is_not_called():
    hub = FakeHub(allowed=frozenset())
    with pytest.raises(AccountNotAllowed):
        ask(hub).outcomes[0].unwrap()
    assert hub.asked == []


def test_the_session_is_the_same_for_every_region():
    hub = FakeHub()
    outcomes = ask(hub).outcomes
    assert [(outcome.account, outcome.region, outcome.ok) for outcome in outcomes] == [
        (ACCOUNT, "eu-west-1", True),
        (ACCOUNT, "us-east-1", True),
    ]
    assert hub.asked == [ACCOUNT]


def test_a_new_session_is_counted_once_for_all_regions():
    hub = FakeHub()
    assert [outcome.cached for outcome in ask(hub).outcomes] == [False, True]
    assert [outcome.cached for outcome in ask(hub).outcomes] == [True, True]


def test_the_next_region_is_not_asked_once_it_is_stopped():
    asked: list[str] = []

    @check(actions=["a:B"])
    def where(account: Any) -> str:
        """Say where."""
        asked.append(account.region)
        return account.region

    visit = Visit(Target(ACCOUNT), 0.0)
    stopping = question(FakeHub(), where)
    stopping.enter(visit)
    stopping.run(visit, stopped=lambda: bool(asked))
    assert asked == ["eu-west-1"]
    assert [outcome.result for outcome in visit.outcomes] == ["eu-west-1"]


def test_the_parameters_reach_the_check():
    @check(actions=["a:B"])
    def echo(account: Any, *, word: str) -> str:
        """Say it again."""
        return word

    assert ask(FakeHub(), echo, (None,), {"word": "hello"}).outcomes[0].unwrap() == "hello"


def test_one_region_that_fails_leaves_the_others():
    @check(actions=["a:B"])
    def fragile(account: Any) -> str:
        """Fail in one region."""
        return {"us-east-1": "there"}[account.region]

    first, second = ask(FakeHub(), fragile).outcomes
    assert (type(first.error).__name__, second.result) == ("CheckFailed", "there")


def test_milliseconds_of_the_first_region_include_assume_role_and_the_others_do_not(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("chalicelib.sweeps.ask.time.monotonic", lambda: clock[0])
    hub = FakeHub()

    def takes_seven_seconds() -> None:
        clock[0] += 7.0

    @check(actions=["a:B"])
    def quick(account: Any) -> None:
        """Take a quarter of a second."""
        clock[0] += 0.25

    hub.fates[ACCOUNT] = takes_seven_seconds
    assert [outcome.ms for outcome in ask(hub, quick).outcomes] == [7250, 250]


def test_a_failure_is_the_outcome_of_each_region_that_is_not_done():
    visit = Visit(Target(ACCOUNT), 0.0)
    half = question(FakeHub())
    half.enter(visit)
    half.run(visit, stopped=lambda: bool(visit.outcomes))
    half.fail(visit, AssumeRoleDenied("No.", code="AccessDenied"))
    assert [(outcome.region, outcome.ok) for outcome in visit.outcomes] == [("eu-west-1", True), ("us-east-1", False)]


@pytest.mark.parametrize(("entered", "name"), [(False, "AssumeRoleTimedOut"), (True, "CheckTimedOut")])
def test_an_account_that_is_cut_times_out_in_what_it_was_doing(entered, name):
    visit = Visit(Target(ACCOUNT), 0.0)
    hanging = question(FakeHub())
    if entered:
        hanging.enter(visit)
    assert [type(outcome.error).__name__ for outcome in hanging.cut(visit).outcomes] == [name, name]


def test_without_any_time_nothing_is_asked_and_that_is_said():
    hub = FakeHub()
    (outcome,) = question(hub, regions=(None,)).ask(ACCOUNT, Deadline(lambda: 0.0)).outcomes
    assert (hub.asked, outcome.ms) == ([], 0)
    with pytest.raises(AssumeRoleTimedOut, match=f"There was no time to ask account {ACCOUNT}"):
        outcome.unwrap()


def test_an_unexpected_error_of_assume_role_keeps_its_text_to_itself(log):
    hub = FakeHub()

    def breaks() -> None:
        raise KeyError("-".join(["a", "canary"]))  # the traceback in the log shows this line

    hub.fates[ACCOUNT] = breaks
    outcomes = [outcome.as_dict() for outcome in ask(hub).outcomes]
    assert {(item["error"]["type"], item["error"]["stage"]) for item in outcomes} == {("InternalError", "assume")}
    assert "a-canary" not in json.dumps(outcomes) + json.dumps(log())
    assert [line["message"] for line in log()].count("unexpected error") == 1


def test_a_denied_account_is_one_line_of_the_log_however_many_regions(log):
    hub = FakeHub()
    hub.fates[ACCOUNT] = denied
    ask(hub)
    (line,) = not_checked(log)
    expected = {
        "account_id": ACCOUNT,
        "region": "eu-west-1, us-east-1",
        "check": "whoami",
        "stage": "assume",
        "error": "AssumeRoleDenied",
        "code": "AccessDenied",
        "cached": None,
        "request_id": "request-1",
    }
    assert {name: line.get(name) for name in expected} == expected


def test_different_errors_of_an_account_are_different_lines(log):
    @check(actions=["a:B"])
    def fragile(account: Any) -> Any:
        """Fail in each region in another way."""
        if account.region == "eu-west-1":
            raise AssumeRoleDenied("The session could not be renewed.")
        return {1}

    ask(FakeHub(), fragile)
    assert [(line["region"], line["error"]) for line in not_checked(log)] == [
        ("eu-west-1", "AssumeRoleDenied"),
        ("us-east-1", "ResultNotJson"),
    ]


def test_a_success_of_one_account_is_a_line_of_the_log(log):
    hub = FakeHub()
    ask(hub, whoami, (None,))
    (line,) = log()
    assert (line["message"], line["level"], line["account_id"], line["cached"]) == ("checked", "INFO", ACCOUNT, False)
    assert (line["stage"], line.get("region"), line["request_id"]) == ("done", None, "request-1")
    assert isinstance(line["ms"], int)


def test_a_long_malformed_id_is_truncated_in_the_result_and_not_logged(log):
    (outcome,) = question(FakeHub(), regions=(None,)).ask("x" * 1000, Deadline(until(60))).outcomes
    assert outcome.as_dict()["account_id"] == "x" * 64
    assert "xxxx" not in json.dumps(log())


@pytest.mark.parametrize(("fate", "count"), [(denied, 0), (throttled(), 1)])
def test_a_throttled_account_is_counted(fate, count):
    hub = FakeHub()
    hub.fates[ACCOUNT] = fate
    assert ask(hub).throttled == count


def test_a_failed_account_keeps_no_frames_and_no_context():
    """They hold requests and responses, and a sweep keeps each outcome until it ends."""
    hub = FakeHub()

    def breaks() -> None:
        try:
            raise KeyError("what AWS wrote")
        except KeyError:
            denied()

    @check(actions=["a:B"])
    def fragile(account: Any) -> Any:
        """Fail."""
        return {}["missing"]

    hub.fates[ACCOUNT] = breaks
    for answer in (ask(hub), ask(FakeHub(), fragile)):
        for outcome in answer.outcomes:
            assert outcome.error is not None
            assert outcome.error.__traceback__ is outcome.error.__context__ is None


def rejecting(times: int, code: str = "ExpiredToken") -> Check:
    """A check whose session AWS rejects so many times."""
    left = iter(range(times))

    @check(actions=["a:B"])
    def where(account: Any) -> str:
        """Say where."""
        if next(left, None) is not None:
            raise ClientError({"Error": {"Code": code}}, "ListBuckets")
        return account.region

    return where


def test_a_region_after_a_rejected_session_has_a_new_one():
    hub = FakeHub()
    first, second = ask(hub, rejecting(1)).outcomes
    assert (type(first.error).__name__, second.result) == ("CheckCallFailed", "us-east-1")
    assert (first.cached, hub.asked) == (False, [ACCOUNT, ACCOUNT])


def test_if_the_account_cannot_be_entered_again_the_other_regions_fail_at_assume():
    hub = FakeHub()
    fates = iter([bool, denied])
    hub.fates[ACCOUNT] = lambda: next(fates)()
    outcomes = ask(hub, rejecting(9)).outcomes
    assert [type(outcome.error).__name__ for outcome in outcomes] == ["CheckCallFailed", "AssumeRoleDenied"]


# ---- several checks, and the regions of an account


@check(actions=["a:B", "sts:GetCallerIdentity"], scope="global")
def owner(account: Any) -> str:
    """Say who."""
    return account.id


@check(actions=["a:B"])
def where(account: Any) -> str | None:
    """Say where."""
    return account.region


def places(answer: Answer) -> list[tuple[str, str | None, str]]:
    return [(found.check, found.region, type(found.error).__name__) for found in answer.outcomes]


def test_several_checks_share_one_session_with_the_actions_of_all():
    hub = FakeHub()
    asking(hub, whoami.asked({}), owner.asked({}), regions=REGIONS).ask(ACCOUNT, Deadline(until(60)))
    assert hub.requests == [(("sts:GetCallerIdentity", "a:B"), "request-1")]


def test_a_global_question_is_asked_once_and_a_regional_one_in_each_region():
    answer = asking(FakeHub(), whoami.asked({}), owner.asked({}), regions=REGIONS).ask(ACCOUNT, Deadline(until(60)))
    assert places(answer) == [
        ("whoami", "eu-west-1", "NoneType"),
        ("whoami", "us-east-1", "NoneType"),
        ("owner", None, "NoneType"),
    ]


def test_a_global_question_is_asked_in_the_region_that_is_named_alone():
    answer = asking(FakeHub(), owner.asked({}), regions=("us-east-1",)).ask(ACCOUNT, Deadline(until(60)))
    assert places(answer) == [("owner", "us-east-1", "NoneType")]


def test_all_regions_are_those_that_the_account_has_enabled_asked_once_for_all_checks():
    hub = FakeHub(enabled=["us-east-1", "ap-east-2", "us-east-1"])
    checks = (whoami.asked({}), where.asked({}), owner.asked({}))
    answer = asking(hub, *checks, regions="all").ask(ACCOUNT, Deadline(until(60)))
    assert [(found.check, found.region) for found in answer.outcomes] == [
        *((name, region) for name in ("whoami", "where") for region in ("ap-east-2", "us-east-1")),
        ("owner", None),
    ]
    assert hub.calls == ["DescribeRegions"]
    assert hub.requests[0][0] == ("sts:GetCallerIdentity", "a:B", "ec2:DescribeRegions")


def test_a_global_question_alone_asks_for_no_regions():
    hub = FakeHub()
    asking(hub, owner.asked({}), regions="all").ask(ACCOUNT, Deadline(until(60)))
    assert (hub.calls, hub.requests[0][0]) == ([], owner.actions)


def test_an_account_whose_regions_are_not_known_fails_once_a_check_and_answers_what_is_global():
    checks = (whoami.asked({}), where.asked({}), owner.asked({}))
    hub = FakeHub()
    answer = asking(hub, *checks, regions="all").ask(ACCOUNT, Deadline(until(60)))
    assert places(answer) == [
        ("whoami", None, "CheckDenied"),
        ("where", None, "CheckDenied"),
        ("owner", None, "NoneType"),
    ]
    assert hub.calls == ["DescribeRegions"]


@pytest.mark.parametrize("names", [[], ["<html>", "eu-west-1.example.com"]])
def test_an_account_of_which_aws_names_no_region_is_a_failure_and_not_lost(names):
    answer = asking(FakeHub(enabled=names), where.asked({}), regions="all").ask(ACCOUNT, Deadline(until(60)))
    assert places(answer) == [("where", None, "CheckCallFailed")]


def test_a_region_that_rejects_a_session_which_is_valid_is_off_and_no_failure():
    hub = FakeHub(accepts=True)
    answer = ask(hub, rejecting(1))
    assert [(found.region, type(found.error).__name__) for found in answer.outcomes] == [
        ("eu-west-1", "RegionOff"),
        ("us-east-1", "NoneType"),
    ]
    assert hub.asked == [ACCOUNT]  # the session is kept
    summary = answer.summary()
    assert (summary["ok"], summary["failed"], summary["region_off"]) == (1, 0, 1)


def test_a_region_of_which_sts_says_that_it_is_off_is_off():
    hub = FakeHub()
    answer = ask(hub, rejecting(1, "RegionDisabledException"))
    assert (answer.summary()["region_off"], hub.asked) == (1, [ACCOUNT])


def test_a_rejected_session_in_the_functions_own_region_is_not_for_the_region():
    (found,) = ask(FakeHub(accepts=True), rejecting(1), (None,)).outcomes
    assert type(found.error).__name__ == "CheckCallFailed"


def test_regions_that_are_off_are_no_warning(log):
    logger.setLevel("DEBUG")
    ask(FakeHub(accepts=True), rejecting(2))
    assert [(line["level"], line["region"]) for line in not_checked(log)] == [("INFO", "eu-west-1, us-east-1")]


def test_checks_that_fail_in_the_same_way_are_one_line_of_the_log(log):
    @check(actions=["a:B"])
    def one(account: Any) -> None:
        """Be denied."""
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListThings")

    @check(actions=["a:B"])
    def two(account: Any) -> None:
        """Be denied, in other words."""
        raise ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeThings")

    asking(FakeHub(), one.asked({}), two.asked({}), regions=REGIONS).ask(ACCOUNT, Deadline(until(60)))
    (line,) = not_checked(log)
    assert (line["check"], line["region"]) == ("one, two", "eu-west-1, us-east-1")
    assert (line["error"], line["code"]) == ("CheckDenied", "AccessDenied, UnauthorizedOperation")


def test_the_log_names_an_account_of_the_organization(log):
    asking_one = question(FakeHub(), regions=(None,))
    visit = Visit(Target(ACCOUNT, "shop", "Workloads/Prod"), 0.0)
    asking_one.enter(visit)
    asking_one.run(visit)
    asking_one.log(visit, alone=True)
    (line,) = log()
    assert (line["account_id"], line["account_name"], line["unit"]) == (ACCOUNT, "shop", "Workloads/Prod")
