from __future__ import annotations

import _thread
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalicelib.sweeps.sweep
import chalicelib.sweeps.throttle
from chalicelib.checks.check import check
from chalicelib.errors import EveryAccountFailed, ResultTooLarge
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings
from chalicelib.outputs.responses import check_response_size
from chalicelib.sweeps.organization import Listing
from chalicelib.sweeps.outcome import LeftOut, Outcome, Target
from chalicelib.sweeps.sweep import label
from tests.fake_aws import denied as sts_denies
from tests.fake_aws import error as sts_error
from tests.fake_hub import (
    HUB,
    FakeHub,
    denied,
    ids,
    outcome,
    sweep,
    sweep_answer,
    sweeping_threads,
    throttled,
    until,
)

BAD = ["", "12345678901", "1234567890123", "123456789012\n", "１２３４５６７８９０１２", "abc", "x" * 500]
NOT_STRINGS = [123456789012, 1.5, True, None, [], {}, ["123456789012"], {"id": "123456789012"}]


@pytest.fixture
def brisk(monkeypatch) -> None:
    """The pauses of a throttled sweep, a thousandth as long."""
    monkeypatch.setattr(chalicelib.sweeps.throttle, "FIRST_PAUSE_SECONDS", 0.00002)
    monkeypatch.setattr(chalicelib.sweeps.throttle, "MAX_PAUSE_SECONDS", 0.001)


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    """What hangs, hangs on this; in the end it is let go."""
    event = threading.Event()
    yield event
    event.set()


def threads_are_gone(seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while sweeping_threads() and time.monotonic() < end:
        time.sleep(0.005)
    return not sweeping_threads()


# ---- the answer


def test_results_come_in_the_order_asked_not_in_the_order_done():
    hub, accounts = FakeHub(), ids(9)[::-1]
    first_may_end = threading.Event()
    hub.fates[accounts[0]] = lambda: first_may_end.wait(5)
    hub.fates[accounts[-1]] = first_may_end.set
    answer = sweep(hub, accounts, concurrency=3)
    assert [item["account_id"] for item in answer["results"]] == accounts


WHERE = {"name": None, "unit": None, "region": None, "check": "whoami"}


def test_the_answer_has_the_form_of_the_contract():
    hub = FakeHub()
    one, two = ids(2)
    hub.fates[two] = denied
    answer = sweep(hub, [one, two])
    seconds = answer["summary"].pop("seconds")
    times = [item.pop("ms") for item in answer["results"]]
    assert answer == {
        "check": "whoami",
        "summary": {
            "accounts": 2,
            "ok": 1,
            "failed": 1,
            "not_started": 0,
            "left_out": 0,
            "denied": 1,
            "region_off": 0,
            "cut": 0,
            "listing_complete": True,
        },
        "results": [
            {"account_id": one, **WHERE, "ok": True, "result": {"account": one, "region": None}},
            {
                "account_id": two,
                **WHERE,
                "ok": False,
                "error": {
                    "type": "AssumeRoleDenied",
                    "stage": "assume",
                    "code": "AccessDenied",
                    "hint": "AssumeRole: denied. Trust us.",
                    "request_id": "aws-request-id",
                },
            },
        ],
        "not_started": [],
        "left_out": [],
        "duplicates": [],
    }
    assert isinstance(seconds, float)
    assert [type(ms) for ms in times] == [int, int]


def test_no_accounts_are_no_failure():
    answer = sweep(FakeHub(), [])
    assert not any(answer["summary"][count] for count in ("accounts", "ok", "failed", "not_started"))
    assert answer["results"] == answer["not_started"] == []


@pytest.mark.parametrize("count", [1, 1000])
def test_every_account_is_asked_once(count):
    hub = FakeHub()
    answer = sweep(hub, ids(count), concurrency=32)
    assert answer["summary"]["ok"] == count
    assert sorted(hub.asked) == ids(count)
    assert [item["result"]["account"] for item in answer["results"]] == ids(count)


def test_no_more_accounts_are_under_way_than_allowed():
    hub, accounts = FakeHub(), ids(40)
    inside, most, lock = set[str](), [0], threading.Lock()

    @check(actions=["a:B"])
    def crowd(account: Any) -> int:
        """Count who is in."""
        with lock:
            inside.add(account.id)
            most[0] = max(most[0], len(inside))
        time.sleep(0.001)
        with lock:
            inside.discard(account.id)
        return 0

    sweep(hub, accounts, check=crowd, concurrency=5)
    assert 1 <= most[0] <= 5


def test_duplicates_are_asked_once_and_named():
    hub = FakeHub()
    one, two, three = ids(3)
    answer = sweep(hub, [two, one, two, three, one, two])
    assert answer["duplicates"] == [two, one]
    assert [item["account_id"] for item in answer["results"]] == [two, one, three]
    assert sorted(hub.asked) == [one, two, three]
    assert answer["summary"]["accounts"] == 3


@pytest.mark.parametrize("wrong", BAD + NOT_STRINGS, ids=lambda value: ascii(value)[:20])
def test_what_is_no_account_id_is_its_own_failure_and_the_others_go_on(wrong):
    hub, good = FakeHub(), ids(3)
    answer = sweep(hub, [good[0], wrong, *good[1:]])
    bad = answer["results"][1]
    assert (bad["ok"], bad["error"]["stage"]) == (False, "input")
    assert bad["error"]["type"] == ("InvalidAccountId" if wrong != "" else "MissingAccountId")
    assert sorted(hub.asked) == good
    assert (answer["summary"]["ok"], answer["summary"]["failed"]) == (3, 1)
    json.dumps(answer).encode()


def test_a_number_that_looks_like_an_id_does_not_hide_that_id():
    answer = sweep(FakeHub(), [123456789012, "123456789012"])
    assert outcome(answer) == {"a number: 123456789012": "InvalidAccountId", "123456789012": "ok"}
    assert answer["duplicates"] == []


def test_what_is_nested_too_deep_to_be_shown_is_shown_in_part():
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    assert outcome(sweep(FakeHub(), [deep, *ids(1)]))["a list: [[[[[[[...]]]]]]]"] == "InvalidAccountId"
    while deep:  # or Python takes them apart recursively
        deep = deep.pop()


def test_an_account_that_is_not_allowed_is_not_asked():
    allowed, other = ids(2)
    hub = FakeHub(frozenset({allowed}))
    assert outcome(sweep(hub, [allowed, other])) == {allowed: "ok", other: "AccountNotAllowed"}
    assert hub.asked == [allowed]


# ---- failures stay with their account


def test_one_bad_account_never_stops_the_rest():
    hub, accounts = FakeHub(), ids(30)

    def breaks() -> None:
        raise KeyError("unexpected")

    for account in accounts[::3]:
        hub.fates[account] = denied
    hub.fates[accounts[1]] = breaks
    found = outcome(sweep(hub, accounts))
    assert [found[account] for account in accounts[::3]] == ["AssumeRoleDenied"] * 10
    assert found[accounts[1]] == "InternalError"
    assert Counter(found.values())["ok"] == 19


def test_a_check_that_raises_is_that_accounts_failure():
    accounts = ids(4)

    @check(actions=["a:B"])
    def fragile(account: Any) -> Any:
        """Fail in some."""
        return {accounts[0]: 1 / 3, accounts[1]: float("nan")}[account.id]

    found = outcome(sweep(FakeHub(), accounts, check=fragile))
    assert list(found.values()) == ["ok", "ResultNotJson", "CheckFailed", "CheckFailed"]


def test_a_check_that_exits_is_that_accounts_failure():
    @check(actions=["a:B"])
    def leaving(account: Any) -> Any:
        """Leave in the second."""
        return sys.exit(1) if account.id == accounts[1] else "stayed"

    accounts = ids(3)
    assert list(outcome(sweep(FakeHub(), accounts, check=leaving)).values()) == ["ok", "CheckFailed", "ok"]


def test_if_every_account_failed_it_raises_and_says_why():
    hub, accounts = FakeHub(), ids(5)
    hub.fates = dict.fromkeys(accounts, denied)
    answer = sweep_answer(hub, [*accounts, "nonsense"])
    with pytest.raises(
        EveryAccountFailed, match=r"^All 6 results failed: 5 x AssumeRoleDenied, 1 x InvalidAccountId\."
    ):
        answer.raise_if_all_failed()


def test_every_account_failed_passes_on_code_and_next_step_of_the_most_frequent_failure():
    hub = FakeHub()
    hub.fates = dict.fromkeys(ids(2), denied)
    with pytest.raises(EveryAccountFailed) as raised:
        sweep_answer(hub, ["nonsense", *ids(2)]).raise_if_all_failed()
    error = raised.value
    assert (error.code, error.request_id, error.stage) == ("AccessDenied", "aws-request-id", "assume")
    assert "Trust us." in raised.value.hint


# ---- regions


def test_regions_multiply_results_but_not_assume_role():
    hub, accounts = FakeHub(), ids(5)
    answer = sweep(hub, accounts, regions=("eu-west-1", "us-east-1", "ap-northeast-1"))
    assert sorted(hub.asked) == accounts
    asked = [(item["account_id"], item["region"]) for item in answer["results"]]
    assert asked == [(a, region) for a in accounts for region in ("eu-west-1", "us-east-1", "ap-northeast-1")]
    assert all(
        item["result"] == {"account": item["account_id"], "region": item["region"]} for item in answer["results"]
    )
    assert answer["summary"]["accounts"] == answer["summary"]["ok"] == 5


def test_a_denied_account_is_asked_once_for_all_regions():
    hub = FakeHub()
    good, bad = ids(2)
    hub.fates[bad] = denied
    answer = sweep(hub, [good, bad], regions=("eu-west-1", "us-east-1"))
    assert hub.asked_times == {good: 1, bad: 1}
    assert [item["ok"] for item in answer["results"]] == [True, True, False, False]
    assert answer["summary"]["failed"] == 1


def test_an_account_that_failed_in_one_region_counts_as_failed():
    @check(actions=["a:B"])
    def somewhere(account: Any) -> str:
        """Fail in one region."""
        return {"eu-west-1": "there"}[account.region]

    answer = sweep(FakeHub(), ids(2), check=somewhere, regions=("eu-west-1", "us-east-1"))
    assert [item["ok"] for item in answer["results"]] == [True, False, True, False]
    assert (answer["summary"]["ok"], answer["summary"]["failed"]) == (0, 2)


# ---- the deadline


def test_one_that_hangs_is_given_up_at_the_deadline_and_nothing_is_lost(hold):
    hub, accounts = FakeHub(), ids(50)
    hub.fates[accounts[7]] = lambda: hold.wait(60)
    answer = sweep(hub, accounts, time_left=until(0.2))
    found = outcome(answer)
    assert list(found) == accounts
    assert found.pop(accounts[7]) == "AssumeRoleTimedOut"
    assert set(found.values()) == {"ok"}
    assert answer["not_started"] == []


def test_an_answer_that_comes_after_the_deadline_changes_nothing(hold):
    hub, accounts = FakeHub(), ids(3)
    hub.fates[accounts[0]] = lambda: hold.wait(60)
    told: list[int] = []
    answer = sweep_answer(hub, accounts, time_left=until(0.5), progress=lambda done, _total: told.append(done))
    before = json.dumps(answer.as_dict())
    hold.set()
    assert threads_are_gone()
    assert json.dumps(answer.as_dict()) == before
    assert told == [0, 1, 2]


def test_not_started_fed_back_completes_the_set():
    """100 accounts, of which each takes a second of the 12 that a run has; the clock is the hub's."""
    hub, accounts = FakeHub(), ids(100)
    lock, left = threading.Lock(), [0.0]

    def takes_a_second() -> None:
        with lock:
            left[0] -= 1

    hub.fates = dict.fromkeys(accounts, takes_a_second)
    todo, done, runs = accounts, list[str](), 0
    while todo:
        left[0] = 12.0
        answer = sweep(hub, todo, concurrency=4, time_left=lambda: left[0])
        results = [item["account_id"] for item in answer["results"]]
        assert sorted(results + answer["not_started"]) == todo
        assert answer["not_started"] == [account for account in todo if account not in results]
        done, todo, runs = done + results, answer["not_started"], runs + 1
    assert sorted(done) == accounts
    assert 7 <= runs <= 9  # 12 a run, and up to three more that the other threads had just begun


def test_it_ends_when_no_time_is_left(hold):
    hub = FakeHub()
    hub.fates = dict.fromkeys(ids(1), lambda: hold.wait(60))
    looks = iter([*[100.0] * 2, *[0.0] * 4])
    seen: list[float] = []

    def time_left() -> float:
        seen.append(next(looks, -1000.0))
        return seen[-1]

    sweep(hub, ids(1), concurrency=1, time_left=time_left)
    assert seen[-1] == 0.0


def test_without_any_time_nothing_is_started_and_nothing_raised():
    hub = FakeHub()
    answer = sweep(hub, ids(3), time_left=lambda: 0.0)
    assert answer["not_started"] == ids(3)
    assert hub.asked == answer["results"] == []


def test_failures_of_an_organization_that_was_not_listed_to_its_end_do_not_raise():
    hub = FakeHub()
    hub.fates = dict.fromkeys(ids(1), denied)
    answer = replace(sweep_answer(hub, ids(1)), listing_complete=False)
    answer.raise_if_all_failed()
    assert answer.summary()["failed"] == 1


def test_failures_beside_accounts_that_were_not_started_do_not_raise():
    """There is something to go on with, so the answer must say what."""
    hub, accounts = FakeHub(), ids(3)
    left = [1.0]

    def last() -> None:
        left[0] = 0.0
        denied()

    hub.fates[accounts[0]] = last
    answer = sweep(hub, accounts, concurrency=1, time_left=lambda: left[0])
    assert outcome(answer)[accounts[0]] in ("AssumeRoleDenied", "AssumeRoleTimedOut")
    assert answer["not_started"] == accounts[1:]


def test_regions_that_answered_before_the_deadline_are_kept_and_no_more_are_asked(hold):
    asked = []

    @check(actions=["a:B"])
    def stuck(account: Any) -> str:
        """Hang in one region."""
        asked.append(account.region)
        if account.region == "us-east-1":
            hold.wait(60)
        return account.region

    regions = ("eu-west-1", "us-east-1", "us-west-2")
    answer = sweep(FakeHub(), ids(1), check=stuck, regions=regions, time_left=until(0.1))
    assert [item.get("result") or item["error"]["type"] for item in answer["results"]] == [
        "eu-west-1",
        "CheckTimedOut",
        "CheckTimedOut",
    ]
    hold.set()
    assert threads_are_gone()
    assert asked == ["eu-west-1", "us-east-1"]


def test_an_account_that_was_waiting_for_its_turn_at_the_deadline_is_not_started(monkeypatch):
    """STS has not been asked about it, so it has not timed out: it can be fed back."""
    monkeypatch.setattr(chalicelib.sweeps.throttle, "FIRST_PAUSE_SECONDS", 30.0)
    monkeypatch.setattr(chalicelib.sweeps.throttle, "MAX_PAUSE_SECONDS", 60.0)
    hub, accounts = FakeHub(), ids(20)
    hub.fates = dict.fromkeys(accounts, throttled())
    answer = sweep(hub, accounts, concurrency=4, time_left=until(0.2))
    assert answer["results"] == []
    assert answer["not_started"] == accounts
    assert threads_are_gone()


# ---- throttled


def test_one_account_that_throttles_for_ever_costs_the_99_others_nothing():
    """One at a time, so that the order shows it: it is put back behind all others."""
    hub, accounts = FakeHub(), ids(100)
    hub.fates[accounts[0]] = throttled()
    found = outcome(sweep(hub, accounts, concurrency=1))
    assert hub.asked == [accounts[0], *accounts[1:], *[accounts[0]] * 3]
    assert found.pop(accounts[0]) == "AssumeRoleThrottled"
    assert set(found.values()) == {"ok"}


def test_sts_throttling_many_accounts_fails_none_of_them(brisk):
    hub, accounts = FakeHub(), ids(100)
    hub.fates = {account: throttled(number % 4) for number, account in enumerate(accounts)}
    answer = sweep(hub, accounts, concurrency=16)
    assert answer["summary"]["ok"] == 100
    assert [hub.asked_times[account] for account in accounts] == [number % 4 + 1 for number in range(100)]


def test_an_account_is_tried_four_times_and_then_told_as_throttled(brisk):
    hub, accounts = FakeHub(), ids(6)
    hub.fates = {account: throttled() for account in accounts[:5]}
    found = outcome(sweep(hub, accounts))
    assert list(found.values()) == ["AssumeRoleThrottled"] * 5 + ["ok"]
    assert set(hub.asked_times.values()) == {4, 1}


def test_an_account_that_was_throttled_until_time_was_up_is_told_as_that(brisk, hold):
    hub, accounts = FakeHub(), ids(1)
    once = throttled(1)

    def throttled_and_then_hanging() -> None:
        once()
        hold.wait(60)

    hub.fates[accounts[0]] = throttled_and_then_hanging
    answer = sweep(hub, accounts, time_left=until(0.3))
    assert outcome(answer) == {accounts[0]: "AssumeRoleThrottled"}


# ---- what else it leaves behind


def test_it_says_every_few_seconds_how_far_it_is(monkeypatch, log):
    monkeypatch.setattr(chalicelib.sweeps.sweep, "PROGRESS_SECONDS", 0.01)
    hub, accounts = FakeHub(), ids(3)
    hub.fates[accounts[0]] = denied

    def lines() -> list[dict[str, Any]]:
        return [line for line in log() if line["message"] == "sweeping"]

    def waits_for_two_lines() -> None:
        end = time.monotonic() + 5
        while len(lines()) < 2 and time.monotonic() < end:
            time.sleep(0.005)

    hub.fates[accounts[2]] = waits_for_two_lines
    sweep(hub, accounts, concurrency=1)
    line = lines()[-1]
    assert (line["check"], line["accounts"], line["done"], line["failed"]) == ("whoami", 3, 2, 1)
    assert line["request_id"] == "request-1"
    assert {"accounts_per_second", "seconds_left"} <= set(line)


def test_a_failure_is_logged_without_what_was_never_validated(log):
    sweep(FakeHub(), [*ids(1), "x\nERROR forged"])
    (line,) = [line for line in log() if line["message"] == "not checked"]
    assert (line["error"], line["request_id"]) == ("InvalidAccountId", "request-1")
    assert "forged" not in json.dumps(log())


def test_progress_is_told_at_the_start_and_after_each_account():
    told: list[tuple[int, int]] = []
    hub = FakeHub()
    hub.fates[ids(5)[2]] = denied
    regions = ("eu-west-1", "us-east-1")
    sweep(hub, ids(5), regions=regions, concurrency=1, progress=lambda *numbers: told.append(numbers))
    assert told == [(done, 5) for done in range(6)]


def test_progress_that_raises_stops_no_thread():
    def progress(done: int, total: int) -> None:
        if done:
            raise ZeroDivisionError

    assert sweep(FakeHub(), ids(20), concurrency=3, progress=progress)["summary"]["ok"] == 20


def test_if_the_system_allows_no_more_threads_the_others_do_the_work(monkeypatch):
    start, started = threading.Thread.start, []

    def one_only(thread: threading.Thread) -> None:
        if started and thread.name.startswith("sweep-"):
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", one_only)
    assert sweep(FakeHub(), ids(20), concurrency=8)["summary"]["ok"] == 20


def test_it_leaves_no_threads():
    sweep(FakeHub(), ids(100), concurrency=32)
    assert threads_are_gone()


@pytest.fixture
def interruptible():
    """Also where the suite runs in the background of a shell, which lets it ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_sweep_that_is_interrupted_stops_taking_accounts(hold):
    """As after Ctrl-C: the main thread, which waits, gets the exception."""
    hub, accounts = FakeHub(), ids(50)

    def interrupt() -> None:
        _thread.interrupt_main()
        hold.wait(60)

    hub.fates[accounts[0]] = interrupt
    with pytest.raises(KeyboardInterrupt):
        sweep(hub, accounts, concurrency=1)
    hold.set()
    assert threads_are_gone()
    assert hub.asked == accounts[:1]


def test_a_sweep_whose_time_ends_early_keeps_what_is_done_and_knows_the_rest(hold):
    """As after Ctrl-C at a terminal: there is no time left from one moment to the next."""
    hub, accounts, time_left = FakeHub(), ids(4), [60.0]

    def hang() -> None:
        time_left[0] = 0.0
        hold.wait(60)

    hub.fates[accounts[1]] = hang
    answer = sweep_answer(hub, accounts, concurrency=1, time_left=lambda: time_left[0])
    assert outcome(answer.as_dict()) == {accounts[0]: "ok", accounts[1]: "AssumeRoleTimedOut"}
    assert (answer.cut, answer.unfinished) == (accounts[1:2], accounts[1:])


def test_results_over_six_megabytes_are_too_large():
    @check(actions=["a:B"])
    def big(account: Any) -> str:
        """Answer a lot."""
        return "x" * 1024 * 1024

    check_response_size(sweep(FakeHub(), ids(5), check=big))
    with pytest.raises(ResultTooLarge, match=r"has 6\.0 MB"):
        check_response_size(sweep(FakeHub(), ids(6), check=big))


# ---- nothing is lost, whatever happens


def _raises(error: Exception) -> Any:
    def fate() -> None:
        raise error

    return fate


FATES = {
    "ok": lambda: bool,
    "denied": lambda: denied,
    "throttled once": lambda: throttled(1),
    "throttled three times": lambda: throttled(3),
    "throttled for ever": throttled,
    "unforeseen": lambda: _raises(KeyError("x")),
}


@given(
    asked=st.lists(st.sampled_from(ids(12)) | st.sampled_from(BAD) | st.sampled_from(NOT_STRINGS), max_size=30),
    fates=st.fixed_dictionaries({account: st.sampled_from(sorted(FATES)) for account in ids(12)}),
    regions=st.sampled_from([(None,), ("eu-west-1",), ("eu-west-1", "us-east-1", "us-west-2")]),
    concurrency=st.integers(1, 8),
    moments=st.integers(0, 400),
)
def test_every_account_asked_is_in_exactly_one_of_results_and_not_started(asked, fates, regions, concurrency, moments):
    """Time is a number of looks at the clock, so that the deadline falls everywhere."""
    hub = FakeHub()
    hub.fates = {account: FATES[fate]() for account, fate in fates.items()}
    clock = iter(range(moments, 0, -1))
    with (
        patch.object(chalicelib.sweeps.throttle, "FIRST_PAUSE_SECONDS", 0.0),
        patch.object(chalicelib.sweeps.throttle, "MAX_PAUSE_SECONDS", 0.0),
    ):
        answer = sweep(hub, asked, regions=regions, concurrency=concurrency, time_left=lambda: next(clock, 0))
        assert threads_are_gone()
    found = outcome(answer)
    expected = list(dict.fromkeys(map(_named, asked)))
    told = [item["account_id"] for item in answer["results"][:: len(regions)]]
    assert Counter(told + [a[:64] for a in answer["not_started"]]) == Counter(a[:64] for a in expected)
    assert [(item["account_id"], item["region"]) for item in answer["results"]] == [
        (a, r) for a in told for r in regions
    ]
    assert told == [a[:64] for a in expected if a not in answer["not_started"]]
    assert set(answer["duplicates"]) == {a for a, times in Counter(map(_named, asked)).items() if times > 1}
    summary = answer["summary"]
    assert summary["ok"] + summary["failed"] + summary["not_started"] == summary["accounts"] == len(expected)
    assert all(found[a] in ("AssumeRoleDenied", "AssumeRoleTimedOut") for a in told if fates.get(a) == "denied")
    assert max(hub.asked_times.values(), default=0) <= 4


def _named(account: Any) -> str:
    return account if isinstance(account, str) else label(account)


# ---- with botocore, against STS


def test_every_result_is_signed_by_its_own_account(aws, client):
    accounts = ids(20)
    payload = client.lambda_.invoke("sweep", {"check": "s3_buckets", "accounts": accounts}).payload
    assert payload["summary"]["ok"] == 20
    for item in payload["results"]:
        (bucket,) = item["result"]["buckets"]
        assert bucket["name"] == f"bucket-of-{item['account_id']}"


def test_regions_and_a_denied_account_cost_one_assume_role_each(aws, client):
    accounts = ids(4)
    aws.tell("AssumeRole", sts_denies(), account=accounts[2], always=True)
    event = {"check": "identity", "accounts": accounts, "regions": ["eu-west-1", "us-east-1", "eu-central-1"]}
    payload = client.lambda_.invoke("sweep", event).payload
    assert Counter(request.account for request in aws.operations("AssumeRole")) == dict.fromkeys(accounts, 1)
    assert [item["ok"] for item in payload["results"]] == [True] * 6 + [False] * 3 + [True] * 3
    asked = [(request.signer, request.region) for request in aws.operations("GetCallerIdentity")]
    assert {region for signer, region in asked if signer == accounts[0]} == set(event["regions"])


def test_accounts_that_throttle_for_ever_leave_the_others_their_retries(aws, hub, no_backoff, brisk, monkeypatch):
    """A client's own quota of 500 would be used up after 50 of them; and here one try is all that an account has."""
    monkeypatch.setattr(chalicelib.sweeps.sweep, "MAX_TRIES", 1)
    accounts = ids(60)
    for account in accounts[:55]:
        aws.tell("AssumeRole", sts_error("Throttling"), account=account, always=True)
    for account in accounts[55:]:
        aws.tell("AssumeRole", sts_error("Throttling"), sts_error("Throttling"), account=account)
    answer = sweep(hub, accounts, concurrency=4)
    assert list(outcome(answer).values()) == ["AssumeRoleThrottled"] * 55 + ["ok"] * 5
    assert set(Counter(request.account for request in aws.operations("AssumeRole")).values()) == {3}


def test_the_route_answers_like_the_function(aws, http, client):
    accounts = [*ids(2), "nonsense"]
    status, body = http("POST", "/sweeps", {"check": "preflight", "accounts": accounts})
    assert status == 200
    payload = client.lambda_.invoke("sweep", {"check": "preflight", "accounts": accounts}).payload
    assert outcome(body) == outcome(payload) == {ids(2)[0]: "ok", ids(2)[1]: "ok", "nonsense": "InvalidAccountId"}


def test_the_route_tells_bad_input_and_a_sweep_that_failed_by_its_status(aws, http):
    aws.tell("AssumeRole", sts_denies(), always=True)
    assert http("POST", "/sweeps", {"accounts": ids(1)})[0] == 400
    assert http("POST", "/sweeps", {"check": "nonsense", "accounts": ids(1)})[0] == 404
    status, body = http("POST", "/sweeps", {"check": "identity", "accounts": ids(2)})
    assert (status, body["error"]["type"], body["error"]["code"]) == (502, "EveryAccountFailed", "AccessDenied")


def test_the_function_raises_if_every_account_failed_so_that_lambda_counts_it(aws, client):
    aws.tell("AssumeRole", sts_denies(), always=True)
    with pytest.raises(EveryAccountFailed):
        client.lambda_.invoke("sweep", {"check": "identity", "accounts": ids(2)})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=8,
    )
)
def test_whatever_stands_in_accounts_is_named_on_one_line(value):
    assert not SweepRequest.from_event({"check": "identity", "accounts": [value]}, Settings()).accounts[1:]
    named = label(value)
    assert named.isascii()
    assert len(named.splitlines()) == 1
    assert len(named) <= 64


# ---- the organization's own hub


@pytest.fixture
def listing(monkeypatch) -> list[Target]:
    """The accounts of the organization, without listing them."""
    targets = [Target(HUB, "hub", ""), *map(Target, ids(2))]
    monkeypatch.setattr(chalicelib.sweeps.sweep, "list_targets", lambda *_: Listing(targets))
    return targets


def test_the_hub_is_left_out_if_it_does_not_have_the_role(listing):
    hub = FakeHub()
    hub.fates[HUB] = denied
    answer = sweep_answer(hub, None)
    assert answer.left_out == [LeftOut(listing[0], "hub")]
    assert [found.account for found in answer.outcomes] == ids(2)
    summary = answer.summary()
    assert (summary["accounts"], summary["ok"], summary["left_out"], summary["denied"]) == (2, 2, 1, 0)


def test_the_hub_that_is_known_as_the_hub_too_late_is_cut_and_not_left_out_as_well(listing, hold):
    hub = FakeHub()
    hub.fates[HUB] = denied
    hub.own_account_id = lambda: hold.wait() and HUB

    def receive(outcomes: Any) -> None:
        if outcomes[0].account == HUB:
            hold.set()
            assert threads_are_gone()

    answer = sweep_answer(hub, None, time_left=until(0.2), receive=receive)
    assert (answer.cut, answer.left_out) == ([HUB], [])


def test_the_hub_is_asked_as_every_account_if_it_has_the_role(listing):
    answer = sweep_answer(FakeHub(), None)
    assert (answer.left_out, answer.summary()["ok"]) == ([], 3)


def test_the_hub_that_is_named_and_has_no_role_is_a_failure():
    hub = FakeHub()
    hub.fates[HUB] = denied
    assert sweep_answer(hub, [HUB]).summary()["failed"] == 1


def test_another_account_that_denies_is_a_failure(listing):
    hub = FakeHub()
    hub.fates[ids(1)[0]] = denied
    answer = sweep_answer(hub, None)
    assert (answer.failed, answer.left_out) == (ids(1), [])


# ---- outcomes as they come


def test_each_account_is_handed_over_and_its_results_are_not_kept():
    received: list[Outcome] = []
    answer = sweep_answer(FakeHub(), ids(50), receive=received.extend)
    assert sorted(found.account for found in received) == ids(50)
    assert all(found.result["account"] == found.account for found in received)
    assert [(found.account, found.ok, found.result) for found in answer.outcomes] == [
        (account, True, None) for account in ids(50)
    ]


def test_an_account_is_handed_over_while_the_others_are_asked():
    hub, (first, second) = FakeHub(), ids(2)
    received = threading.Event()
    hub.fates[second] = lambda: received.wait(5)
    sweep_answer(hub, [first, second], receive=lambda outcomes: received.set())
    assert received.is_set()


def test_no_more_accounts_are_taken_than_can_be_handed_over():
    hub = FakeHub()
    seen: list[int] = []

    def receive(_: Any) -> None:
        if not seen:
            time.sleep(0.1)  # all others could be asked meanwhile
        seen.append(len(hub.asked))

    sweep_answer(hub, ids(100), concurrency=2, receive=receive)
    assert seen[0] <= 1 + 2 + 2  # the one in hand, those that are done, those in flight
    assert seen[-1] == 100


def test_an_account_that_is_cut_is_handed_over_too(hold):
    hub, (quick, slow) = FakeHub(), ids(2)
    hub.fates[slow] = hold.wait
    received: dict[str, str] = {}

    def receive(outcomes: Any) -> None:
        received.update((found.account, type(found.error).__name__) for found in outcomes)

    sweep_answer(hub, [quick, slow], time_left=until(0.2), receive=receive)
    assert received == {quick: "NoneType", slow: "AssumeRoleTimedOut"}


def test_what_the_receiver_raises_ends_the_sweep():
    hub = FakeHub()

    def full(_: Any) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        sweep_answer(hub, ids(1000), concurrency=2, receive=full)
    assert len(hub.asked) < 100
    assert threads_are_gone()
