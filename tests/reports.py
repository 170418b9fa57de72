"""Answers of sweeps to show, and texts that somebody might have put into them."""

from __future__ import annotations

from typing import Any

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


def ok(account: str, result: Any, region: str | None = None) -> dict[str, Any]:
    return {"account_id": account, "region": region, "ok": True, "result": result, "ms": 41}


def failed(account: str, **error: Any) -> dict[str, Any]:
    known = {"type": "AssumeRoleDenied", "stage": "assume", "code": "AccessDenied", "request_id": "aws-request-id"}
    return {
        "account_id": account,
        "region": None,
        "ok": False,
        "error": {**known, "hint": HINT.format(account), **error},
        "ms": 12,
    }


def buckets(*names: str) -> dict[str, Any]:
    return {"count": len(names), "buckets": [{"name": name, "created": "2025-01-28", "region": None} for name in names]}


def answer_of(
    results: list[dict[str, Any]], not_started: list[str] | None = None, check: str = "s3_buckets"
) -> dict[str, Any]:
    """As a sweep over those accounts answers."""
    waiting = not_started or []
    good = sum(item["ok"] for item in results)
    summary = {"accounts": len(results) + len(waiting), "ok": good, "failed": len(results) - good}
    return {
        "check": check,
        "summary": {**summary, "not_started": len(waiting), "seconds": 4.2},
        "results": results,
        "not_started": waiting,
        "duplicates": [],
    }


def organization(count: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer and the names of so many accounts: of ten, one is denied and one was not started."""
    results, waiting = [], []
    for number in range(count):
        account = account_id(number)
        if number % 10 == 4:
            waiting.append(account)
        elif number % 10 == 3:
            results.append(failed(account))
        else:
            results.append(ok(account, buckets(*(f"team-{number}-bucket-{one}" for one in range(number % 4)))))
    return answer_of(results, waiting), {account_id(number): f"team-{number}" for number in range(count)}


def hostile() -> tuple[dict[str, Any], dict[str, str]]:
    """Every hostile text as a name, a bucket, a value, a key, an error, a code, an id and a parameter."""
    results, names = [], {}
    for number, text in enumerate(HOSTILE):
        account = account_id(number)
        names[account] = text
        if number % 2:
            results.append(failed(account, hint=f"{text}\n{text}", code=text, request_id=text, type=text))
        else:
            results.append(ok(account, {**buckets(text), text[:9]: text, "more": {text: [text]}}))
    answer = answer_of([*results, failed(HOSTILE[0][:64])], HOSTILE)
    return {**answer, "duplicates": HOSTILE}, names
