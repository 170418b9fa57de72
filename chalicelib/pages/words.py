"""How the page and the terminal say how many, where, and what a check is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.checks import CHECKS
from chalicelib.checks.finding import VERDICTS, Verdict

MAX_NAMED = 3
"""Of more regions than this, their number is shown."""

_WORDS: Mapping[Verdict, tuple[str, str]] = {"alarm": ("alarm", "alarms"), "skip": ("skipped", "skipped")}
"""Of a verdict whose name does not do, for one finding and for several."""


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def named(regions: Sequence[str]) -> str:
    """The names of a few regions, the number of many."""
    return ", ".join(regions) if len(regions) <= MAX_NAMED else counted(len(regions), "region")


def in_words(verdicts: Mapping[Verdict, int]) -> str:
    """How many findings have each verdict, the worst first. That none is an alarm or unknown is said as well."""
    parts = []
    for verdict in VERDICTS:
        number = verdicts.get(verdict)
        if number or (number == 0 and verdict in ("alarm", "unknown")):
            one, several = _WORDS.get(verdict, (verdict, verdict))
            parts.append(f"{number:,} {one if number == 1 else several}")
    return ", ".join(parts)


def description_of(check: str) -> str | None:
    known = CHECKS.get(check)
    return known.description if known else None


def controls_of(check: str) -> str:
    """Those that a check answers, such as "CIS 5: 5.3, 5.4; FSBP: EC2.13"."""
    known = CHECKS.get(check)
    listed = known.controls if known else {}
    return "; ".join(f"{framework}: {', '.join(controls)}" for framework, controls in listed.items())
