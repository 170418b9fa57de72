"""Answers of sweeps to show, and hostile texts in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from chalicelib.checks import POSTURE
from chalicelib.checks.finding import Finding, alarm, info, skip, unknown
from chalicelib.checks.finding import ok as fine
from chalicelib.cross_account import CrossAccountError
from chalicelib.errors import RegionOff
from chalicelib.sweeps.outcome import Answer, Outcome, Target, verdicts_of

RUN = "window.hostile=1"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</style><img src=x onerror='{RUN}'>",
    f'"><svg onload={RUN}>',
    f"' onmouseover='{RUN}' autofocus onfocus='{RUN}",
    f"</title><script>{RUN}</script>",
    f"javascript:{RUN}",
    "\u202egnp.exe\u202c \u2066left\u2069 \u200f",
    "مرحبا بالعالم 123",
    "x" * 10_000,
    "nothing\x00, a \ud800 half, a \x1b[31m sequence",
    "<!-- &lt; {{7*7}} ${7*7} ]]>",
    "日本語のアカウント",
]
"""Account names, bucket names and error texts."""

HINT = """AssumeRole of arn:aws:iam::{0}:role/external-role: denied, AccessDenied. Account {0} does not let us in.
In account {0}: aws iam get-role --role-name external-role --query Role.AssumeRolePolicyDocument
NoSuchEntity: deploy role-template.yaml there."""


def account_id(number: int) -> str:
    return f"{100_000_000_000 + number}"


class Failure(CrossAccountError):
    """An error whose every part is the test's."""

    def __init__(self, parts: dict[str, Any]) -> None:
        super().__init__("failed")
        self._parts = parts

    def as_dict(self) -> dict[str, Any]:
        return self._parts


def ok(
    account: str, result: Any, region: str | None = None, name: str | None = None, check: str = "s3_buckets"
) -> Outcome:
    return Outcome(account, name, None, region, check, 41, result)


def failed(
    account: str, name: str | None = None, region: str | None = None, check: str = "s3_buckets", **error: Any
) -> Outcome:
    known = {"type": "AssumeRoleDenied", "stage": "assume", "code": "AccessDenied", "request_id": "aws-request-id"}
    failure = Failure({**known, "hint": HINT.format(account), **error})
    return Outcome(account, name, None, region, check, 12, error=failure)


def off(account: str, region: str) -> Outcome:
    return Outcome(account, None, None, region, "s3_buckets", 12, error=RegionOff("off", hint="off"))


def judged(account: str, check: str, *found: Finding, region: str | None = None, name: str | None = None) -> Outcome:
    """What a check that judges found."""
    return Outcome(account, name, None, region, check, 41, list(found), verdicts=verdicts_of(found))


def not_judged(account: str, check: str, region: str | None = None, name: str | None = None, **error: Any) -> Outcome:
    """A check that judges could not look."""
    return replace(failed(account, name, region, check, **error), verdicts={"unknown": 1})


def buckets(*names: str) -> dict[str, Any]:
    return {"count": len(names), "buckets": [{"name": name, "created": "2025-01-28", "region": None} for name in names]}


def answer_of(
    outcomes: Sequence[Outcome], not_started: Sequence[Target] = (), duplicates: Sequence[str] = ()
) -> Answer:
    """The answer of a sweep over those accounts."""
    return Answer("s3_buckets", outcomes, not_started, duplicates=duplicates, seconds=4.2)


def organization(count: int) -> Answer:
    """So many accounts with names: of ten, one is denied and one was not started."""
    outcomes, waiting = [], []
    for number in range(count):
        account, name = account_id(number), f"team-{number}"
        if number % 10 == 4:
            waiting.append(Target(account, name))
        elif number % 10 == 3:
            outcomes.append(failed(account, name))
        else:
            found = buckets(*(f"{name}-bucket-{one}" for one in range(number % 4)))
            outcomes.append(ok(account, found, name=name))
    return answer_of(outcomes, waiting)


WRONG: Mapping[str, Sequence[Finding]] = {
    "imds": [
        info("i-1", "It has no metadata service."),
        unknown("i-2", "The action ec2:DescribeInstances is missing."),
    ],
    "open_security_groups": [alarm("sg-1", "It lets the whole internet in to SSH (22).", vpc="vpc-1")],
    "flow_logs": [skip("vpc-1", "There is no VPC here."), {**alarm("vpc-2", "No flow log."), "verdict": "muted"}],
}
"""By check that judges, what it finds besides."""


def posture(accounts: int) -> Answer:
    """Three checks that judge in two regions of so many accounts: the first cannot be entered, and of the others in
    each second one something is wrong."""
    outcomes = []
    for number in range(accounts):
        account, name = account_id(number), f"team-{number}"
        for check, region in product(WRONG, ("eu-west-1", "us-east-1")):
            if number == 0:
                outcomes.append(not_judged(account, check, region, name))
                continue
            found = [fine(f"sg-{number}{one}", "It lets nobody in.", vpc="vpc-1") for one in range(3)]
            if number % 2:
                found += WRONG[check]
            outcomes.append(judged(account, check, *found, region=region, name=name))
    return replace(answer_of(outcomes), check=POSTURE)


def hostile() -> Answer:
    """Every hostile text as a name, a bucket, a value, a key, an error, a code, an id and a parameter."""
    outcomes = []
    for number, text in enumerate(HOSTILE):
        account = account_id(number)
        if number % 2:
            outcomes.append(failed(account, text, hint=f"{text}\n{text}", code=text, request_id=text, type=text))
        else:
            found = {"name": text, text[:9]: text, "more": {text: [text]}, "list": [{text: text}]}
            outcomes.append(ok(account, [found], name=text))
    return answer_of([*outcomes, failed(HOSTILE[0][:64])], [Target(text, text) for text in HOSTILE], HOSTILE)
