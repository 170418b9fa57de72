"""What is measured, in which order: rounds in which everybody takes a turn, so that a busy moment hits everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.contenders import CONTENDERS
from bench.measuring import Measurement, measure, measure_cold_starts

Round = dict[str, Measurement]
"""What was measured, by name: `few/<contender>`, `many/<contender>`, `memory`, `second`, `cold`,
`cold/no-bytecode`."""

FEW_THREADS = 20
"""What botocove takes by default."""
MANY_THREADS = 64
MANY = ("this", "ready-clients", "raw-requests")


@dataclass(frozen=True)
class Scale:
    """How much of it.

    Attributes:
        rounds: runs of everything.
        few: accounts that everybody is asked for.
        many: accounts for this project and the floors.
        most: accounts for this project's memory.
        repetitions: of the second invocation.
        cold_starts: of either side.
        latency: seconds before each answer; the second invocation and the cold start are measured without.
    """

    rounds: int = 5
    few: int = 200
    many: int = 1000
    most: int = 10_000
    repetitions: int = 2000
    cold_starts: int = 7
    latency: float = 0.05


QUICK = Scale(rounds=1, few=20, many=200, most=500, repetitions=200, cold_starts=2)


def one_round(scale: Scale, peers_python: Path) -> Iterator[tuple[str, Callable[[], Measurement]]]:
    """Name each measurement and give the function that takes it."""
    ask = partial(measure, "ask_accounts", latency=scale.latency)
    for name, contender in CONTENDERS.items():
        python = {"python": peers_python} if contender.is_peer else {}
        yield (
            f"few/{name}",
            partial(ask, contender=name, accounts=scale.few, threads=FEW_THREADS, warm_up=0, **python),
        )
    for name in MANY:
        yield (
            f"many/{name}",
            partial(ask, contender=name, accounts=scale.many, threads=MANY_THREADS, warm_up=MANY_THREADS),
        )
    yield (
        "memory",
        partial(measure, "memory_of_sweep", latency=scale.latency, accounts=scale.most, threads=MANY_THREADS),
    )
    yield "second", partial(measure, "second_invocation", latency=0, repetitions=scale.repetitions)
    yield "cold", partial(measure_cold_starts, scale.cold_starts, bytecode=True)
    yield "cold/no-bytecode", partial(measure_cold_starts, 2, bytecode=False)
