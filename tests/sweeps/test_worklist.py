from __future__ import annotations

import pytest

from chalicelib.sweeps.outcome import Target
from chalicelib.sweeps.worklist import Worklist
from tests.fake_hub import ids


def a_worklist(count: int, left: list[float]) -> Worklist:
    return Worklist(map(Target, ids(count)), lambda: left[0])


def done_in(worklist: Worklist, seconds: float) -> None:
    """One account is done, and it took so long."""
    visit = worklist.take()
    assert visit is not None
    assert worklist.begin(visit)
    assert visit.began is not None
    visit.began -= seconds
    worklist.complete(visit)


@pytest.mark.parametrize(("left", "is_taken"), [(14.9, False), (15.2, True)])
def test_an_account_is_taken_if_half_as_much_again_as_the_slowest_took_is_left(left, is_taken):
    time = [1000.0]
    worklist = a_worklist(4, time)
    done_in(worklist, 10.0)
    done_in(worklist, 1.0)  # the slowest counts, not the last
    time[0] = left
    assert (worklist.take() is not None) is is_taken


def test_an_account_whose_turn_comes_too_late_stays_to_do():
    time = [1000.0]
    worklist = a_worklist(1, time)
    visit = worklist.take()
    time[0] = 0.0
    assert not worklist.begin(visit)
    assert worklist.close() == []
    assert worklist.done == {}


def test_a_closed_worklist_accepts_nothing_more():
    worklist = a_worklist(2, [1000.0])
    visit = worklist.take()
    worklist.begin(visit)
    assert worklist.close() == [visit]
    assert not worklist.complete(visit)
    assert worklist.take() is None
