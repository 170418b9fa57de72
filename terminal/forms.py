"""The forms of an answer that need all of it. (formats.py has those that are written while the sweep runs.)"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TextIO

from chalicelib.sweeps.outcome import Answer, Outcome


class Whole:
    """Keeps every result until the end.

    Args:
        out: where the text is written.
        render: makes it of the answer, whose outcomes have their results.
    """

    def __init__(self, out: TextIO, render: Callable[[Answer], str]) -> None:
        self._out = out
        self._render = render
        self._kept: dict[tuple[str, str, str | None], Outcome] = {}

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        self._kept.update((_key(outcome), outcome) for outcome in outcomes)

    def finish(self, answer: Answer) -> None:
        outcomes = [self._kept[_key(outcome)] for outcome in answer.outcomes]
        self._out.write(self._render(replace(answer, outcomes=outcomes)))


def as_json(response: dict[str, Any]) -> str:
    return json.dumps(response, indent=2) + "\n"


def _key(outcome: Outcome) -> tuple[str, str, str | None]:
    return outcome.account, outcome.check, outcome.region
