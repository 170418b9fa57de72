from __future__ import annotations

import heapq
import random
import threading
from collections import Counter, deque

import pytest

from chalicelib.sweeps.sweep import MAX_TRIES
from chalicelib.sweeps.throttle import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, Throttle


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def a_throttle() -> tuple[Throttle, Clock]:
    clock = Clock()
    return Throttle(lambda: clock.now, clock.sleep), clock


def pause_of(throttle: Throttle, clock: Clock) -> float:
    """How far apart two turns are; each takes one."""
    throttle.wait()
    before = clock.now
    throttle.wait()
    return clock.now - before


def test_until_sts_throttles_no_thread_waits():
    throttle, clock = a_throttle()
    assert [throttle.wait() for _ in range(100)] == [0.0] * 100
    assert clock.now == 0.0


def test_one_account_that_throttles_for_ever_does_not_slow_the_others_down():
    throttle, clock = a_throttle()
    for _ in range(100):
        throttle.throttled("111111111111", throttle.wait())
    assert clock.now == 0.0


def test_a_second_account_that_throttles_spaces_the_calls_out():
    throttle, clock = a_throttle()
    throttle.throttled("111111111111", throttle.wait())
    throttle.throttled("222222222222", throttle.wait())
    assert pause_of(throttle, clock) == FIRST_PAUSE_SECONDS


def test_calls_that_went_out_together_slow_it_down_once():
    throttle, clock = a_throttle()
    for account in range(64):
        throttle.throttled(str(account), 0.0)
    assert pause_of(throttle, clock) == FIRST_PAUSE_SECONDS


def test_a_call_that_kept_the_pause_and_was_throttled_doubles_it():
    throttle, clock = a_throttle()
    pauses = []
    for account in range(10):
        throttle.throttled(str(account), throttle.wait())
        pauses.append(pause_of(throttle, clock))
    assert pauses[:4] == pytest.approx([0.0, 0.02, 0.04, 0.08])
    assert pauses[-1] == pytest.approx(MAX_PAUSE_SECONDS)


def test_a_call_that_kept_a_shorter_pause_says_nothing_about_the_present_one():
    throttle, clock = a_throttle()
    for account in range(5):
        throttle.throttled(str(account), throttle.wait())
    now = pause_of(throttle, clock)
    throttle.throttled("late", 0.02)
    assert pause_of(throttle, clock) == pytest.approx(now)


def test_every_account_that_got_in_quickens_it_until_no_thread_waits():
    throttle, clock = a_throttle()
    for account in range(12):
        throttle.throttled(str(account), throttle.wait())
    pauses = []
    for _ in range(200):
        throttle.success()
        pauses.append(pause_of(throttle, clock))
    assert pauses == pytest.approx(sorted(pauses, reverse=True))
    assert pauses[-1] == 0.0


def test_turns_of_many_threads_are_apart():
    slept: list[float] = []
    throttle = Throttle(lambda: 0.0, slept.append)
    throttle.throttled("1", 0.0)
    throttle.throttled("2", 0.0)
    threads = [threading.Thread(target=throttle.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == pytest.approx([turn * FIRST_PAUSE_SECONDS for turn in range(20)])


# ---- a sweep against an STS that allows so many calls a second, in virtual time


class Sts:
    """A token bucket, as AWS throttles; until `closed_until` others take all of it."""

    def __init__(self, per_second: float, closed_until: float = 0.0) -> None:
        self._rate = self._tokens = per_second
        self._closed_until = closed_until
        self._last = 0.0

    def lets_in(self, now: float) -> bool:
        self._tokens = min(self._rate, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if now < self._closed_until or self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def simulate(sts: Sts, accounts: int, concurrency: int = 32) -> tuple[int, float]:
    """How many accounts failed as throttled, and in how many virtual seconds: 50 ms a call, botocore's attempts."""
    clock, backoff = Clock(), random.Random(1)
    delay: list[float] = []
    throttle = Throttle(lambda: clock.now, delay.append)
    todo = deque(range(accounts))
    tries: Counter[int] = Counter()
    failed, free = 0, concurrency
    events: list[tuple[float, int, int, float, int]] = []  # when, account, attempt, the pause it kept, tie-breaker
    while todo or events:
        while todo and free:
            free -= 1
            delay[:] = [0.0]
            pause = throttle.wait()
            heapq.heappush(events, (clock.now + delay[-1], todo.popleft(), 1, pause, len(events)))
        clock.now, account, attempt, pause, _ = heapq.heappop(events)
        if attempt == 0:
            free += 1  # the check is done
        elif sts.lets_in(clock.now):
            throttle.success()
            heapq.heappush(events, (clock.now + 0.1, account, 0, pause, len(events)))
        elif attempt < 3:
            later = clock.now + 0.05 + backoff.random() * 2 ** (attempt - 1)
            heapq.heappush(events, (later, account, attempt + 1, pause, len(events)))
        else:
            free += 1
            throttle.throttled(str(account), pause)
            tries[account] += 1
            if tries[account] < MAX_TRIES:
                todo.append(account)
            else:
                failed += 1
    return failed, clock.now


@pytest.mark.parametrize(("accounts", "per_second"), [(100, 5), (300, 5), (1000, 20), (1000, 100), (2000, 20)])
def test_a_low_limit_slows_a_sweep_down_and_fails_none_of_it(accounts, per_second):
    failed, virtual_seconds = simulate(Sts(per_second), accounts)
    assert failed == 0
    assert virtual_seconds < 1.5 * accounts / per_second


@pytest.mark.parametrize("hiccup", [1.0, 3.0, 6.0])
def test_a_hiccup_of_sts_is_soon_got_over(hiccup):
    failed, virtual_seconds = simulate(Sts(600, closed_until=hiccup), 1000)
    assert failed == 0
    assert virtual_seconds < 4 + 4 * hiccup


def test_within_the_limit_nothing_is_slowed_down():
    failed, virtual_seconds = simulate(Sts(600), 1000)
    assert (failed, round(virtual_seconds, 1)) == (0, 3.2)  # 1000 / 32 rounds of 0.1 s
