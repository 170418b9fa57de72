"""Makes tables of the measurements, for the terminal and for bench/results.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contenders import CONTENDERS
from bench.deployed import FUNCTIONS
from bench.goals import GOALS, against_two_clients
from bench.measuring import Measurement
from bench.plan import FEW_THREADS, MANY, MANY_THREADS, Round, Scale
from bench.stub import LOG_GROUPS

OF_A_CPU = 0.29
"""512 MB of the 1,769 MB at which Lambda gives a whole one."""


@dataclass(frozen=True)
class Table:
    """A table; the first column is text, the others are numbers."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]


def goals(rounds: Sequence[Round], scale: Scale) -> Table:
    rows = []
    for goal in GOALS:
        values = goal.values(rounds, scale)
        met = "yes" if goal.is_met(rounds, scale) else "NO"
        best_and_worst = f"{goal.shown(min(values))} to {goal.shown(max(values))}"
        rows.append((goal.figure, goal.shown(median(values)), best_and_worst, goal.shown(goal.bound), met))
    return Table(
        "Goals",
        "A ratio is taken within a round; the median of the rounds counts.",
        ("figure: what it is compared with", "median", "best to worst", "at most", "met"),
        rows,
    )


def all_contenders(rounds: Sequence[Round], scale: Scale) -> Table:
    return Table(
        f"{scale.few} accounts, {FEW_THREADS} at a time, {scale.latency * 1000:.0f} ms latency, from a fresh process",
        "The clock starts after the imports and includes making clients. Sessions are not kept afterwards.",
        *_contenders(rounds, scale.few, "few", CONTENDERS),
    )


def ready(rounds: Sequence[Round], scale: Scale) -> Table:
    return Table(
        f"{scale.many} accounts, {MANY_THREADS} at a time, {scale.latency * 1000:.0f} ms latency, everything ready",
        f"After {MANY_THREADS} other accounts, so that clients and connections exist, as in a warm function.",
        *_contenders(rounds, scale.many, "many", MANY),
    )


def _contenders(
    rounds: Sequence[Round], accounts: int, kind: str, names: Iterable[str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    heads = ("", "wall s", "CPU ms per account", "peak MiB", "AssumeRole", "right")
    rows = []
    for name in names:
        taken = [measured[f"{kind}/{name}"] for measured in rounds]
        right = str(min(measurement["right"] for measurement in taken))
        rows.append(
            (
                CONTENDERS[name].title,
                _spread(taken, lambda measurement: measurement["wall"], ".2f"),
                _spread(taken, lambda measurement: measurement["cpu"] * 1000 / accounts, ".2f"),
                _spread(taken, lambda measurement: measurement["peak"], ".0f"),
                _spread(taken, lambda measurement: measurement["stub"]["counts"]["AssumeRole"], ".0f"),
                right if CONTENDERS[name].proves_accounts else "as the hub",
            )
        )
    return heads, rows


def cold(rounds: Sequence[Round], scale: Scale) -> Table:
    heads = (
        "",
        "CPU ms",
        "without bytecode",
        "beyond an empty function, x two clients",
        f"s at {OF_A_CPU} of a CPU",
        f"s at a CPU until the event, then {OF_A_CPU}",
    )
    return Table(
        "Cold start until the first response, as Lambda runs it",
        f"The deployed zip and layer, and other functions with the same layer. Seconds: CPU / {OF_A_CPU}, what Lambda "
        "gives 512 MB; in the last column only after the event. What calls to AWS wait comes on top.",
        heads,
        [_cold_start(rounds, name) for name in FUNCTIONS],
    )


def _cold_start(rounds: Sequence[Round], name: str) -> tuple[str, ...]:
    taken, without = ([measured[kind] for measured in rounds] for kind in ("cold", "cold/no-bytecode"))

    def cpu(cold: Measurement) -> float:
        return float(cold["cpu"][name])

    def seconds(cold: Measurement) -> float:
        init = float(cold["init"][name])
        return init + (cpu(cold) - init) / OF_A_CPU

    return (
        FUNCTIONS[name].title,
        _spread(taken, lambda cold: cpu(cold) * 1000, ".0f"),
        _spread(without, lambda cold: cpu(cold) * 1000, ".0f"),
        _spread(taken, lambda cold: against_two_clients(cold, name), ".2f"),
        _spread(taken, lambda cold: cpu(cold) / OF_A_CPU, ".2f"),
        _spread(taken, seconds, ".2f"),
    )


def rest(rounds: Sequence[Round], scale: Scale) -> Table:
    def row(title: str, name: str, value: Callable[[Measurement], float], form: str) -> tuple[str, str]:
        return title, _spread([measured[name] for measured in rounds], value, form)

    rows = [
        row(f"{scale.most} accounts in one sweep: wall s", "memory", lambda taken: taken["wall"], ".1f"),
        row("  resident before, MiB", "memory", lambda taken: taken["before"], ".1f"),
        row("  peak, MiB", "memory", lambda taken: taken["peak"], ".1f"),
        row("  the results themselves, MiB", "memory", lambda taken: taken["results"], ".1f"),
        row("  threads left over", "memory", lambda taken: taken["threads_left"], "d"),
    ]
    rows += [
        row(f"{scale.wide * LOG_GROUPS:,} rows as JSON lines: rows a second", "rows", _rows_a_second, ",.0f"),
        row("  CPU µs a row", "rows", lambda taken: taken["cpu"] / taken["rows"] * 1_000_000, ".1f"),
        row(
            "  the same calls and query on a ready client",
            "rows",
            lambda taken: taken["floor"] / taken["rows"] * 1_000_000,
            ".1f",
        ),
        row("  memory added, MiB", "rows", lambda taken: taken["added"][1], ".1f"),
        row("  by a tenth of the rows, MiB", "rows", lambda taken: taken["added"][0], ".1f"),
    ]
    checks, calls, findings = (rounds[0]["posture"][each] for each in ("checks", "calls", "findings"))
    rows += [
        row(
            f"{checks} checks that judge, {calls} calls, {findings} findings an account: CPU ms per account",
            "posture",
            lambda taken: taken["cpu"] / scale.posture * 1000,
            ".0f",
        ),
        row(
            "  the same calls on ready botocore clients",
            "posture",
            lambda taken: taken["floor"] / scale.posture * 1000,
            ".0f",
        ),
        row(
            "  CPU ms per account and check",
            "posture",
            lambda taken: taken["cpu"] / scale.posture / taken["checks"] * 1000,
            ".2f",
        ),
    ]
    for check in ("identity", "s3_buckets"):
        for side, title in (("ours", f"second invocation of {check}"), ("bare", "  the bare call")):
            rows.append(
                row(
                    f"{title}: CPU ms",
                    "second",
                    lambda taken, check=check, side=side: taken["cpu"][check][side] * 1000,  # type: ignore[misc]
                    ".2f",
                )
            )
    busiest = max(
        measurement["stub"]["cpu"] / measurement["wall"]
        for measured in rounds
        for measurement in measured.values()
        if "wall" in measurement
    )
    rows.append(("the stub's CPU in its busiest measurement, of one core", f"{busiest:.0%}"))
    return Table(
        "The rest",
        "",
        ("", "median (min to max)"),
        rows,
    )


def _rows_a_second(taken: Measurement) -> float:
    return float(taken["rows"] / taken["wall"])


def _spread(taken: Iterable[Measurement], value: Callable[[Measurement], float], form: str) -> str:
    values = sorted(value(measurement) for measurement in taken)
    middle = median(values) if form != "d" else values[len(values) // 2]
    if format(values[0], form) == format(values[-1], form):
        return format(middle, form)
    return f"{middle:{form}} ({values[0]:{form}} to {values[-1]:{form}})"
