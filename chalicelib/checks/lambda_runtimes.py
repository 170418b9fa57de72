from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, ok, or_skip, skip, unknown
from chalicelib.cross_account import Account

SOON = 90
"""Days."""


@check(actions=["lambda:ListFunctions"], group="network")
def lambda_runtimes(account: Account) -> Findings:
    """Find functions whose runtime is deprecated, or will be within 90 days.

    The latest version of each function, by the dates in lambda_runtimes.toml.

    Controls: FSBP: Lambda.2.
    """
    today = datetime.now(UTC).date()
    functions = from_pages(account.pages("lambda", "list_functions"), "Functions")
    found = (judge(function, deprecations(), today) for function in functions)
    return or_skip(found, account.id, "There are no functions here.")


@cache
def deprecations() -> Mapping[str, date | None]:
    """When each runtime is deprecated; None: AWS has set no date."""
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {**dict.fromkeys(data["no_date_yet"]), **data["deprecated"]}


def judge(function: Response, dates: Mapping[str, date | None], today: date) -> Finding:
    """Judge a function.

    Args:
        function: as Lambda lists it.
        dates: when each runtime is deprecated.
        today: the day.
    """
    resource, runtime = require_field(function, "FunctionArn"), str(function.get("Runtime"))
    if function.get("PackageType") == "Image":
        return skip(resource, "It is a container image, which brings its own runtime.", runtime=None, deprecated=None)
    if runtime == "custom" or "RuntimeConfig" in function:
        return skip(resource, "Its runtime is not managed by AWS, but by a customer.", runtime=runtime, deprecated=None)
    if runtime not in dates:
        reason = f"It could not be judged: lambda_runtimes.toml does not know {runtime} yet."
        return unknown(resource, reason, runtime=runtime, deprecated=None)
    day = dates[runtime]
    columns = {"runtime": runtime, "deprecated": day and day.isoformat()}
    if day is None:
        return ok(resource, f"AWS has set no date for the deprecation of {runtime}.", **columns)
    if day <= today:
        return alarm(resource, f"AWS deprecated {runtime} on {day}.", **columns)
    if (day - today).days <= SOON:
        return alarm(resource, f"AWS deprecates {runtime} on {day}, which is within {SOON} days.", **columns)
    return ok(resource, f"AWS supports {runtime} until {day}.", **columns)
