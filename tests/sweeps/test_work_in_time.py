"""What a deadline does with the work that it is given."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from unittest.mock import Mock

import pytest

from chalicelib.cross_account.calls import Calls, here
from chalicelib.errors import InternalError
from chalicelib.sweeps import deadline
from chalicelib.sweeps.deadline import ANSWER_SECONDS, Deadline
from tests.fake_hub import until

AN_HOUR = Deadline(lambda: 3600.0)


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    """What hangs, hangs on this; in the end it is let go."""
    event = threading.Event()
    yield event
    event.set()


def never() -> None:
    raise AssertionError("it was in time")


def test_work_that_is_done_in_time_gives_its_result() -> None:
    assert AN_HOUR.run(lambda: 7, late=lambda: 0) == 7


def test_what_it_raises_is_raised_with_its_place() -> None:
    def broken() -> None:
        raise LookupError("there")

    with pytest.raises(LookupError, match="there") as raised:
        AN_HOUR.run(broken, late=never)
    assert "broken" in [entry.name for entry in raised.traceback]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_would_end_a_thread_is_an_error_without_its_text(kind: type[BaseException]) -> None:
    def interrupted() -> None:
        raise kind("-".join(["a", "canary"]))

    with pytest.raises(InternalError, match=f"Unexpected {kind.__name__}") as raised:
        AN_HOUR.run(interrupted, late=never)
    assert "a-canary" not in str(raised.value)


def test_late_work_gives_what_there_is_instead(hold: threading.Event) -> None:
    assert Deadline(until(0.05)).run(hold.wait, late=lambda: False) is False


def test_its_calls_end_only_when_it_has_been_told_what_became_of_it(hold: threading.Event) -> None:
    """What is told must not be that its connections were closed."""
    calls: list[Calls | None] = []
    seen: list[bool] = []

    def work() -> None:
        calls.append(here.get())
        hold.wait()

    def late() -> None:
        assert calls[0]
        seen.append(calls[0].ended)

    Deadline(until(0.2)).run(work, late=late)
    assert calls[0]
    assert [*seen, calls[0].ended] == [False, True]


def test_the_calls_of_work_that_was_in_time_do_not_end() -> None:
    calls = AN_HOUR.run(here.get, late=lambda: None)
    assert calls
    assert not calls.ended


def test_without_any_time_it_is_not_begun() -> None:
    begun: list[int] = []
    Deadline(lambda: 0.0).run(lambda: begun.append(1), late=lambda: None)
    assert begun == []


def test_without_a_limit_it_has_all_the_time_there_is() -> None:
    assert Deadline(lambda: math.inf).run(lambda: 7, late=lambda: 0) == 7


def test_a_limit_beyond_what_a_lock_can_wait_for_is_one_all_the_same() -> None:
    assert Deadline(lambda: 1e15).run(lambda: 7, late=lambda: 0) == 7


def test_if_the_system_allows_no_more_threads_it_is_done_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_idle", deque())
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
    assert AN_HOUR.run(threading.get_ident, late=lambda: 0) == threading.get_ident()


def test_it_sees_the_context_of_who_waits_for_it() -> None:
    variable: ContextVar[int] = ContextVar("variable")
    variable.set(7)
    assert AN_HOUR.run(variable.get, late=lambda: 0) == 7


def test_one_thread_does_one_job_after_another() -> None:
    assert len({AN_HOUR.run(threading.get_ident, late=lambda: 0) for _ in range(20)}) == 1


def test_a_thread_that_hangs_is_left_alone_until_it_has_ended(hold: threading.Event) -> None:
    ids = [AN_HOUR.run(threading.get_ident, late=lambda: 0)]

    def hang() -> None:
        ids.append(threading.get_ident())
        hold.wait()

    Deadline(until(0.2)).run(hang, late=lambda: None)
    ids.append(AN_HOUR.run(threading.get_ident, late=lambda: 0))
    assert ids[0] == ids[1] != ids[2]


def test_time_to_answer_is_kept_back_of_an_invocation() -> None:
    context = type("Context", (), {"get_remaining_time_in_millis": lambda _self: 60_000})()
    assert Deadline.of(context).seconds_left() == 60 - ANSWER_SECONDS


def test_time_for_what_comes_after_is_kept_back() -> None:
    assert Deadline(lambda: 60.0).before(15).seconds_left() == 45


def test_a_part_of_the_time_is_one_of_what_is_left_now() -> None:
    assert AN_HOUR.part(0.25).seconds_left() == pytest.approx(900, abs=5)
    assert Deadline(lambda: math.inf).part(0.25).seconds_left() == math.inf
