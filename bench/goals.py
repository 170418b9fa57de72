"""The figures that this project promises, each from one round, so that both sides ran under the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contenders import CONTENDERS
from bench.deployed import FUNCTIONS
from bench.measuring import Measurement
from bench.plan import MANY_THREADS, Round, Scale
from bench.stub import LOG_GROUPS

PEERS_WITH_SESSIONS = [f"few/{name}" for name, contender in CONTENDERS.items() if contender.session_per_account]


@dataclass(frozen=True)
class Goal:
    """A figure and its bound.

    Attributes:
        figure: its name; after the colon what it is compared with.
        bound: its maximum.
        of_round: computes it from one round.
        unit: printed after the number.
        inverse: print it as 1/n.
    """

    figure: str
    bound: float
    of_round: Callable[[Round, Scale], float]
    unit: str = "x"
    inverse: bool = False

    def values(self, rounds: Sequence[Round], scale: Scale) -> list[float]:
        return [self.of_round(measured, scale) for measured in rounds]

    def shown(self, value: float) -> str:
        return f"1/{1 / value:.0f}" if self.inverse else f"{value:.2f} {self.unit}"

    def is_met(self, rounds: Sequence[Round], scale: Scale) -> bool:
        return median(self.values(rounds, scale)) <= self.bound


def _cpu_against_ready_clients(measured: Round, scale: Scale) -> float:
    return float(measured["many/this"]["cpu"] / measured["many/ready-clients"]["cpu"])


def _cpu_against_best_peer(measured: Round, scale: Scale) -> float:
    return float(measured["few/this"]["cpu"] / min(measured[name]["cpu"] for name in PEERS_WITH_SESSIONS))


def _wall_against_latency(measured: Round, scale: Scale) -> float:
    return float(measured["many/this"]["wall"] / (scale.many * 2 * scale.latency / MANY_THREADS))


def _wall_against_ready_clients(measured: Round, scale: Scale) -> float:
    return float(measured["many/this"]["wall"] / measured["many/ready-clients"]["wall"])


def _added_memory(measured: Round, scale: Scale) -> float:
    memory = measured["memory"]
    return float(memory["peak"] - memory["before"] - memory["results"])


def _cpu_of_rows_against_ready_clients(measured: Round, scale: Scale) -> float:
    return float(measured["rows"]["cpu"] / measured["rows"]["floor"])


def _microseconds_of_a_row(measured: Round, scale: Scale) -> float:
    return float(measured["rows"]["wall"] / measured["rows"]["rows"] * 1_000_000)


def _memory_of_ten_times_the_rows(measured: Round, scale: Scale) -> float:
    tenth, all_rows = measured["rows"]["added"]
    return float(all_rows / tenth)


def _cpu_of_posture_against_ready_clients(measured: Round, scale: Scale) -> float:
    return float(measured["posture"]["cpu"] / measured["posture"]["floor"])


def _sts_calls_of_second_invocations(measured: Round, scale: Scale) -> float:
    counts = measured["second"]["stub"]["counts"]
    return float(counts["AssumeRole"] - len(measured["second"]["cpu"]))  # the first invocation of each check


def _second_invocation(check: str) -> Callable[[Round, Scale], float]:
    def ratio(measured: Round, scale: Scale) -> float:
        cpu = measured["second"]["cpu"][check]
        return float(cpu["ours"] / cpu["bare"])

    return ratio


def against_two_clients(cold: Measurement, name: str) -> float:
    """The CPU of a function's cold start by that of two clients, each without an empty function's.

    Python and the runtime client cost every function the same, which would bring the ratio nearer to 1.
    """
    cpu = cold["cpu"]
    return float((cpu[name] - cpu["empty"]) / (cpu["clients"] - cpu["empty"]))


def _cold_start(measured: Round, scale: Scale) -> float:
    return against_two_clients(measured["cold"], "app")


def _import_of_helper(measured: Round, scale: Scale) -> float:
    return float(measured["cold"]["import"] * 1000)


GOALS = [
    Goal("sweep, CPU per account: two calls on ready botocore clients", 1.25, _cpu_against_ready_clients),
    Goal(
        "sweep, CPU per account: best contender with a session per account",
        1 / 30,
        _cpu_against_best_peer,
        inverse=True,
    ),
    Goal("sweep, wall time: accounts x 2 x latency / threads", 4, _wall_against_latency),
    Goal("sweep, wall time: two calls on ready botocore clients", 1.5, _wall_against_ready_clients),
    Goal("sweep, memory added beside the results", 25, _added_memory, unit="MiB"),
    Goal("rows as JSON lines, CPU: the same calls and query on a ready client", 3, _cpu_of_rows_against_ready_clients),
    Goal("rows as JSON lines, wall time of one: 20,000 a second", 50, _microseconds_of_a_row, unit="µs"),
    Goal("rows as JSON lines, memory added: by a tenth of the rows", 1.25, _memory_of_ten_times_the_rows),
    Goal(
        "sweep of all checks that judge, CPU: the same calls on ready botocore clients",
        1.15,
        _cpu_of_posture_against_ready_clients,
    ),
    Goal("second invocation: calls of AssumeRole", 0, _sts_calls_of_second_invocations, unit="calls"),
    Goal(
        "second `identity`, CPU: a bare GetCallerIdentity, ready client",
        1.5,
        _second_invocation("identity"),
    ),
    Goal(
        "second `s3_buckets`, CPU: a bare ListBuckets, ready client",
        1.5,
        _second_invocation("s3_buckets"),
    ),
    Goal(
        "cold start to first response, CPU beyond an empty function's: `import boto3` and two clients", 1.1, _cold_start
    ),
    Goal("`import cross_account`, CPU: after `import botocore.session`", 10, _import_of_helper, unit="ms"),
]


def wrong_answers(rounds: Sequence[Round], scale: Scale) -> list[str]:
    """Name every measurement with a wrong result for an account or with threads left over."""
    wrong = []
    expected = {
        "few": scale.few,
        "many": scale.many,
        "memory": scale.most,
        "rows": scale.wide * LOG_GROUPS,
        "posture": scale.posture,
        "second": 2 * scale.repetitions,
        "cold": len(FUNCTIONS) * scale.cold_starts,
        "cold/no-bytecode": len(FUNCTIONS) * scale.cold_starts_without,
    }
    for number, measured in enumerate(rounds, start=1):
        for name, measurement in measured.items():
            due = expected.get(name) or expected[name.partition("/")[0]]
            if measurement["right"] != due:
                wrong.append(f"round {number}, {name}: {measurement['right']} of {due} right")
            if measurement.get("threads_left"):
                wrong.append(f"round {number}, {name}: {measurement['threads_left']} threads left over")
    return wrong
