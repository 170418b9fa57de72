"""The order of measurements: each round measures every contender, so that other load on the machine affects all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import recording
from bench.cold_start import measure_cold_starts
from bench.contenders import CONTENDERS
from bench.measuring import Measurement, measure

Round = dict[str, Measurement]
"""Measurements by name: `few/<contender>`, `many/<contender>`, `memory`, `rows`, `posture`,
`second`, `cold`, `cold/no-bytecode`."""

FEW_THREADS = 20
"""botocove's default."""
MANY_THREADS = 64
WIDE_THREADS = 10
"""So few that a tenth of the accounts keeps all of them at work."""
MANY = ("this", "ready-clients", "raw-requests")


@dataclass(frozen=True)
class Scale:
    """The size of the benchmark.

    Attributes:
        rounds: the number of rounds.
        few: accounts for every contender.
        many: accounts for this project and the floors.
        most: accounts for the measurement of this project's memory.
        wide: accounts with very many rows each.
        posture: accounts for all checks that judge, a multiple of FEW_THREADS.
        repetitions: of the second invocation.
        cold_starts: of each function.
        cold_starts_without: of each function, without bytecode.
        latency: seconds before each response, except for the second invocation and the cold start.
    """

    rounds: int = 5
    few: int = 200
    many: int = 1000
    most: int = 10_000
    wide: int = 250
    posture: int = 100
    repetitions: int = 2000
    cold_starts: int = 7
    cold_starts_without: int = 2
    latency: float = 0.05


QUICK = Scale(rounds=1, few=20, many=200, most=500, wide=100, posture=20, repetitions=200, cold_starts=2)


def one_round(scale: Scale, peers_python: Path) -> Iterator[tuple[str, Callable[[], Measurement]]]:
    """The name of each measurement and the function that makes it."""
    take = partial(measure, "list_buckets", latency=scale.latency)
    for name, contender in CONTENDERS.items():
        python = {"python": peers_python} if contender.is_peer else {}
        yield (
            f"few/{name}",
            partial(take, contender=name, accounts=scale.few, threads=FEW_THREADS, warm_up=0, **python),
        )
    for name in MANY:
        yield (
            f"many/{name}",
            partial(take, contender=name, accounts=scale.many, threads=MANY_THREADS, warm_up=MANY_THREADS),
        )
    yield (
        "memory",
        partial(measure, "memory_of_sweep", latency=scale.latency, accounts=scale.most, threads=MANY_THREADS),
    )
    yield (
        "rows",
        partial(measure, "rows_as_they_come", latency=scale.latency, accounts=scale.wide, threads=WIDE_THREADS),
    )
    yield (
        "posture",
        partial(
            measure,
            "posture",
            latency=scale.latency,
            recording=recording.FILE,
            accounts=scale.posture,
            block=FEW_THREADS,
        ),
    )
    yield "second", partial(measure, "second_invocation", latency=0, repetitions=scale.repetitions)
    yield "cold", partial(measure_cold_starts, scale.cold_starts, bytecode=True)
    yield "cold/no-bytecode", partial(measure_cold_starts, scale.cold_starts_without, bytecode=False)
