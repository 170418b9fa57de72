"""Per-invocation CloudWatch metrics: one line of the log in CloudWatch's embedded metric format (EMF).

    assumed       accounts whose role was assumed; one whose session was still valid does not count
    denied        accounts whose AssumeRole was denied, the organization account included
    throttled     AssumeRole calls that STS throttled, after botocore's own retries; a sweep tries such an account again
    checked       accounts (and regions) with a result
    failed        those without, for whatever reason but that the account has the region off
    milliseconds  duration of each of both

    alarm, unknown, info, muted, ok, skip    findings of checks that judge, by their verdict

Their dimensions are `check` and `stage`, the stage of the deployment. The account is not a dimension: CloudWatch bills
each combination of dimensions as a metric of its own, and a thousand accounts would be six thousand. The log has the
account (docs/operating-it.md).

Powertools writes the line. It costs nothing at a cold start: `from aws_lambda_powertools import Logger` imports its
metrics anyway. Nothing is written unless METRICS is true, because metrics are billed, nor outside of Lambda, where
stdout is a terminal.
"""

from __future__ import annotations

import os
import re

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.cross_account import AssumeRoleDenied, AssumeRoleThrottled, CrossAccountError
from chalicelib.inputs.settings import Settings
from chalicelib.sweeps.outcome import Answer

NAMESPACE = "cross-account"
_FUNCTION = re.compile(
    r"cross-account-(?P<stage>.+?)"
    r"(-(switch_account|sweep|list_accounts)|-(SwitchAccount|Sweep|ListAccounts|APIHandler)-[0-9A-Za-z]+)?"
)
"""Chalice names a function `<app>-<stage>-<function>` and that of the routes `<app>-<stage>`; CloudFormation, from a
stack that is called `<app>-<stage>`, by its logical id and random characters."""


def deployment_stage() -> str | None:
    """The stage that this function was deployed in, by its name; None: this is not a Lambda function.

    Chalice does not tell a function its stage in another way. A function with another name returns all of it.
    """
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not name:
        return None
    found = _FUNCTION.fullmatch(name)
    return found["stage"] if found else name


def write_metrics(settings: Settings, answer: Answer, listing_error: CrossAccountError | None = None) -> None:
    """Write the metrics of one invocation, if METRICS is true and this is a Lambda function.

    Args:
        listing_error: why the organization's accounts could not be listed, so that none was asked.
    """
    stage = deployment_stage() if settings.metrics else None
    if not stage:
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
    outcomes = answer.outcomes
    denied = {outcome.account for outcome in outcomes if isinstance(outcome.error, AssumeRoleDenied)}
    metrics.add_dimension("check", answer.check)
    metrics.add_dimension("stage", stage)
    checked = sum(outcome.ok for outcome in outcomes)
    counts = {
        "assumed": sum(outcome.cached is False for outcome in outcomes),
        "denied": len(denied) + isinstance(listing_error, AssumeRoleDenied),
        "throttled": answer.throttled + isinstance(listing_error, AssumeRoleThrottled),
        "checked": checked,
        "failed": sum(outcome.failed for outcome in outcomes),
        **(answer.verdicts or {}),
    }
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    for outcome in outcomes:  # a line holds a hundred of them; Powertools begins another
        metrics.add_metric("milliseconds", MetricUnit.Milliseconds, outcome.ms)
    metrics.flush_metrics()
