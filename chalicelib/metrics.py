"""What an invocation came to, as CloudWatch metrics: one line of the log in CloudWatch's embedded metric format.

    assumed       sessions that STS gave; a session that was still good is none
    denied        AssumeRole calls that were refused
    throttled     AssumeRole calls that STS throttled, after botocore's own retries; a sweep tries such an account again
    checked       accounts (and regions) that answered the check
    failed        those that did not, for whatever reason
    milliseconds  how long each of both took

Their dimensions are `check` and `stage`, the stage of the deployment. The account is none: CloudWatch bills each
combination of dimensions as a metric of its own, and a thousand accounts would be six thousand. Which account it was
stands in the log (docs/operating-it.md).

Powertools writes the line. It costs nothing at a cold start: `from aws_lambda_powertools import Logger` imports its
metrics anyway. Nothing is written unless METRICS is true, because metrics are billed, nor outside of Lambda, where
stdout is somebody's terminal.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.cross_account import Hub
from chalicelib.errors import EveryAccountFailed
from chalicelib.visit import Item

NAMESPACE = "cross-account"
_FUNCTION = re.compile(
    r"cross-account-(?P<stage>.+?)"
    r"(-(switch_account|sweep|list_accounts)|-(SwitchAccount|Sweep|ListAccounts|APIHandler)-[0-9A-Za-z]+)?"
)
"""Chalice names a function `<app>-<stage>-<function>` and that of the routes `<app>-<stage>`; CloudFormation, from a
stack that is called `<app>-<stage>`, by its logical id and something random."""


def deployment_stage() -> str | None:
    """The stage that this function was deployed in, by its name; None: this is no Lambda function.

    Chalice tells a function its stage in no other way. One that is called otherwise gives its whole name.
    """
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not name:
        return None
    found = _FUNCTION.fullmatch(name)
    return found["stage"] if found else name


class Meter:
    """Measures one invocation, as a context manager; what was seen is written at its end, also if it raises."""

    def __init__(self, hub: Hub, check: str) -> None:
        self._tally = hub.tally
        self._check = check
        self._stage = deployment_stage() if hub.settings.metrics else None
        self._items: list[tuple[bool, float]] = []

    def __enter__(self) -> Meter:
        self._tally.take()  # what was counted before is another invocation's
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, EveryAccountFailed) and error.answer:
            self.saw(error.answer["results"])
        if self._stage:
            self._write(self._stage)

    def saw(self, items: Iterable[Item]) -> None:
        """Count what a sweep answered."""
        self._items += [(item["ok"], item["ms"]) for item in items]

    @contextmanager
    def one_account(self) -> Iterator[None]:
        """Count one check, which fails by raising."""
        began = time.monotonic()
        answered = False
        try:
            yield
            answered = True
        finally:
            self._items.append((answered, round((time.monotonic() - began) * 1000)))

    def _write(self, stage: str) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
        metrics.add_dimension("check", self._check)
        metrics.add_dimension("stage", stage)
        counts = self._tally.take()
        counts["checked"] = sum(answered for answered, _ in self._items)
        counts["failed"] = len(self._items) - counts["checked"]
        for name in ("assumed", "denied", "throttled", "checked", "failed"):
            metrics.add_metric(name, MetricUnit.Count, counts[name])
        for _, milliseconds in self._items:  # of which a line takes a hundred; Powertools begins another
            metrics.add_metric("milliseconds", MetricUnit.Milliseconds, milliseconds)
        metrics.flush_metrics()
