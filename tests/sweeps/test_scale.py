"""Sweeps over more accounts than there are sessions to keep, in a process of its own against the benchmark's stub."""

from __future__ import annotations

from typing import Any

import pytest

from bench.measuring import measure
from chalicelib.cross_account.session_cache import MAX_SESSIONS

THREADS = 64
ACCOUNTS = [MAX_SESSIONS + 100, 200, 200]
"""The first sweep makes the clients and fills the cache of sessions; what the later ones add stays for good."""


@pytest.fixture(scope="module")
def sweeps() -> dict[str, Any]:
    return measure("sweeps_one_after_another", latency=0.005, accounts=ACCOUNTS, threads=THREADS)


def test_every_account_answers_with_its_own_bucket(sweeps: dict[str, Any]) -> None:
    assert [left["right"] for left in sweeps["left"]] == ACCOUNTS


def test_every_account_is_entered_once(sweeps: dict[str, Any]) -> None:
    assert sweeps["stub"]["counts"] == {"AssumeRole": sum(ACCOUNTS), "ListBuckets": sum(ACCOUNTS)}


def test_calls_are_under_way_together_but_no_more_than_asked_for(sweeps: dict[str, Any]) -> None:
    assert 1 < sweeps["stub"]["most_under_way"] <= THREADS


def test_no_thread_is_left_over(sweeps: dict[str, Any]) -> None:
    assert [left["threads"] for left in sweeps["left"]] == [0, 0, 0]


def test_no_connection_is_kept_beyond_one_a_thread_and_service(sweeps: dict[str, Any]) -> None:
    assert all(left["sockets"] <= 2 * THREADS for left in sweeps["left"])


def test_memory_stays_flat(sweeps: dict[str, Any]) -> None:
    resident = [left["resident"] for left in sweeps["left"]]

    assert resident[-1] - resident[0] < 4  # MiB
