from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.cross_account.session import TargetSession
from chalicelib.cross_account.session_cache import MAX_SESSIONS, SessionCache


def session(name: str = "x") -> TargetSession:
    expiration = datetime.now(UTC) + timedelta(hours=1)
    values = {"AccessKeyId": name, "SecretAccessKey": "secret", "SessionToken": "token", "Expiration": expiration}
    return TargetSession(lambda retries: values)


def never() -> TargetSession:
    raise AssertionError("assumed again")


def failing() -> TargetSession:
    raise LookupError("refused")


def test_the_first_to_ask_gets_a_new_session() -> None:
    made = session()
    assert SessionCache().get("a", lambda: made) == (made, False)


def test_the_second_to_ask_gets_the_same_and_assumes_nothing() -> None:
    cache = SessionCache()
    made, _ = cache.get("a", session)
    assert cache.get("a", never) == (made, True)


def test_another_key_gets_another_session() -> None:
    cache = SessionCache()
    one, _ = cache.get(("a", ("s3:Get",)), session)
    other, cached = cache.get(("a", ("s3:List",)), session)
    assert other is not one
    assert not cached


def test_a_failure_is_raised_and_not_kept() -> None:
    cache = SessionCache()
    with pytest.raises(LookupError):
        cache.get("a", failing)
    assert cache.get("a", session)[1] is False


def test_a_forgotten_session_is_assumed_again() -> None:
    cache = SessionCache()
    one, _ = cache.get("a", session)
    cache.forget("a")
    assert cache.get("a", session)[0] is not one


def test_to_forget_what_is_not_there_changes_nothing() -> None:
    cache = SessionCache()
    cache.get("a", session)
    cache.forget("b")
    assert len(cache) == 1


def test_cleared_it_is_empty() -> None:
    cache = SessionCache()
    cache.get("a", session)
    cache.clear()
    assert len(cache) == 0


def test_ten_thousand_accounts_do_not_grow_it() -> None:
    cache = SessionCache()
    for number in range(10_000):
        cache.get(number, session)
    assert len(cache) == MAX_SESSIONS


@example(keys=[1, 2, 1, 3], most=2)  # of 1 and 2, the first to come is the last that was used
@given(keys=st.lists(st.integers(0, 7), max_size=60), most=st.integers(1, 5))
def test_it_keeps_the_sessions_that_were_used_last(keys: list[int], most: int) -> None:
    cache = SessionCache(most)
    for key in keys:
        cache.get(key, session)
    last = list(dict.fromkeys(reversed(keys)))
    assert len(cache) == min(len(last), most)
    for key in last[:most]:
        assert cache.get(key, never)[1]


class Slow:
    """An AssumeRole that answers only when it is let go."""

    def __init__(self, answer: Callable[[], TargetSession]) -> None:
        self.calls = 0
        self.go = threading.Event()
        self._answer = answer

    def __call__(self) -> TargetSession:
        self.calls += 1
        assert self.go.wait(10)
        return self._answer()


def test_fifty_threads_that_ask_at_once_assume_once() -> None:
    cache, slow = SessionCache(), Slow(session)
    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(cache.get, "a", slow) for _ in range(50)]
        slow.go.set()
        sessions = {id(future.result()[0]) for future in asked}
    assert (slow.calls, len(sessions)) == (1, 1)


def test_those_who_wait_for_a_failure_are_told_of_it() -> None:
    cache, slow = SessionCache(), Slow(failing)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(cache.get, "a", slow) for _ in range(2)]
        slow.go.set()
        assert [type(future.exception()) for future in asked] == [LookupError, LookupError]


def test_one_that_waits_does_not_hold_up_another_account() -> None:
    cache, slow = SessionCache(), Slow(session)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.get, "slow", slow)
        assert cache.get("quick", session)[1] is False
        assert not waiting.done()
        slow.go.set()


@contextmanager
def given_up(cache: SessionCache, result: Callable[[], TargetSession]) -> Iterator[None]:
    """Within, an AssumeRole that has been given up is under way; at the end it has its result."""
    slow = Slow(result)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(cache.get, "a", slow)
        while not slow.calls:
            pass
        cache.give_up()
        yield
        slow.go.set()


@pytest.mark.parametrize("result", [session, failing])
def test_what_was_given_up_does_not_replace_a_newer_session(result: Callable[[], TargetSession]) -> None:
    cache = SessionCache()
    with given_up(cache, result):
        newer, _ = cache.get("a", session)
    assert cache.get("a", never) == (newer, True)


def test_what_was_given_up_is_not_kept() -> None:
    cache = SessionCache()
    with given_up(cache, session):
        pass
    assert len(cache) == 0
