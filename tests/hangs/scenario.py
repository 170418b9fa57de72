"""One way in which AWS hangs, put to one entry point, with the real timeouts and the entry point's own limit.

    python -m tests.hangs.scenario "STS never answers, direct"

prints what came of it as a line of JSON; the log goes to stderr. Several names, or none for all, run side by side, each
in a process of its own. One that has not answered some seconds after its limit is ended, and prints nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bench.own_process import open_sockets
from chalicelib.cross_account import Hub
from tests.environment import set_environment
from tests.fake_aws import Ending, FakeAws, Reply, denied, fake_aws, silent
from tests.fake_hub import ids, outcome
from tests.hangs import ways
from tests.hangs.ways import ORGANIZATIONS, Way, after, answers, dripping, third_after, together
from tests.limits import ask, contract
from tests.templates import ROOT

GRACE_SECONDS = 3
"""Tell an answer that comes late from one that never comes."""

LIMITS = {"direct": 60, "route": 29, "sweep": 60, "POST /sweeps": 29, "GET /report": 29, "list_accounts": 60}
"""Those of .chalice/config.json, and a minute where it allows more."""

Found = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """Something to do in `seconds`, and what must come of it: some of what `run` returns, beside `seconds_left`."""

    run: Callable[[FakeAws], Found]
    seconds: int
    expected: Found


def entry(door: str, event: dict[str, Any], way: Way, seconds: int) -> Callable[[FakeAws], Found]:
    """Ask at one entry point while AWS hangs in one way."""

    def run(aws: FakeAws) -> Found:
        way(aws)
        answered = ask(door, event, seconds)
        found: Found = {"seconds_left": answered.seconds_left, "told": list(answered.told)}
        if "summary" in answered.body:
            found |= {"outcomes": Counter(answered.outcomes.values()), "adds_up": answered.adds_up}
            found |= answered.body["summary"]
        return found

    return run


def terminal(aws: FakeAws) -> Found:
    """`python sweep.py`, while one of five accounts drips."""
    aws.tell("ListBuckets", dripping, account=MANY[0], always=True)
    command = ["sweep.py", "s3_buckets", "--accounts", ",".join(MANY[:5]), "--timeout", "20", "--json"]
    end = time.monotonic() + TERMINAL_SECONDS
    with suppress(subprocess.TimeoutExpired):
        ended = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=TERMINAL_SECONDS
        )
        outcomes = Counter(outcome(json.loads(ended.stdout)).values()) if ended.stdout else {}
        return {"seconds_left": end - time.monotonic(), "status": ended.returncode, "outcomes": outcomes}
    return {"seconds_left": 0}


def ten_sweeps(aws: FakeAws) -> Found:
    """Ten that give all of their accounts up: some drip, for others STS is too slow, or hangs and would be asked again.

    Then one that gives none up, and needs a session for each, because CACHE_CREDENTIALS is false.
    """
    os.environ["CACHE_CREDENTIALS"] = "false"
    event = {"check": "s3_buckets", "accounts": MANY}
    drip = Reply(" " * 10_000, pieces=10_000, pause=0.2)
    answers("ListBuckets", drip, accounts=MANY[:2])(aws)
    answers("ListBuckets", replace(drip, ending=Ending.CLOSED), accounts=MANY[2:3])(aws)
    answers("AssumeRole", after(3.5), accounts=MANY[3:6])(aws)
    answers("AssumeRole", silent, accounts=MANY[6:])(aws)
    seconds_left, told, opened = [], [], []
    for number in range(10):
        answered = ask("sweep", event, 4)
        seconds_left.append(answered.seconds_left)
        told.append(answered.told[1])
        asked = len(aws.seen)
        if number in (0, 9):
            time.sleep(5)  # the slow sessions come, botocore tries again, and what was given up ends
            opened.append((threading.active_count(), open_sockets()))
    found = {
        "seconds_left": min(seconds_left),
        "told": told,
        "threads_grow": opened[1][0] > opened[0][0],  # those of the server are among both, and end with their sockets
        "sockets_grow": opened[1][1] > opened[0][1] + len(MANY),  # urllib3 keeps a dead one until it is needed again
        "asked_afterwards": len(aws.seen) - asked,
    }
    aws.reset()
    outcomes = Counter(ask("sweep", event, 20).outcomes.values())
    return {**found, "outcomes": outcomes, "sessions": len(aws.operations("AssumeRole"))}


TERMINAL_SECONDS = 25
"""The 20 of --timeout, and the start of a Python beside fifty others."""

MANY, HUNDREDS = ids(8), ids(200)
ONE = {"account_id": MANY[0], "check": "s3_buckets"}
CONVERSE = {"account_id": MANY[0], "check": "bedrock_converse", "params": {"model_id": "a.b", "prompt": "Hello"}}
SUMMARY = {"account_id": MANY[0], "check": "account_summary"}
NAMED = {"check": "s3_buckets", "accounts": MANY}
STORED = {"check": "identity", "accounts": MANY, "store": True}
EVERYONE = {"check": "identity"}

DIRECT, BOTH, SWEEP = ("direct",), ("direct", "route"), ("sweep",)
LISTING = ("POST /sweeps", "GET /report", "sweep", "list_accounts")

SLOW_STS = answers("AssumeRole", *third_after(4.5))
SLOW_DENIAL = answers("AssumeRole", *third_after(4.5, denied()))
SLOW_IAM = together(*(answers(call, *third_after(9)) for call in ("ListAccountAliases", "GetAccountSummary")))
HINT_HANGS, HINT_DRIPS = answers("GetCallerIdentity", silent), answers("GetCallerIdentity", dripping)
S3_HANGS, BEDROCK_HANGS = answers("ListBuckets", silent), answers("Converse", silent)
ORGANIZATIONS_DRIP, ELSEWHERE = answers(ORGANIZATIONS, dripping), ways.organization_is_listed_from_elsewhere
OK = b"HTTP/1.1 200 OK\r\n"
TLS = b"\x16\x03\x03\x40\x00"
"""The head of a record of 16 KiB."""

# What hangs; what is asked, and where; what must come of it
STS_TIMED_OUT, CHECK_TIMED_OUT = "AssumeRoleTimedOut", "CheckTimedOut"
ROWS: list[tuple[str, Way, dict[str, Any], Iterable[str], str | Found]] = [
    ("STS never answers", answers("AssumeRole", silent), ONE, BOTH, STS_TIMED_OUT),
    ("STS drips a body", answers("AssumeRole", dripping), ONE, BOTH, STS_TIMED_OUT),
    ("STS drips a header", ways.drips("STS", OK + b"X-Long: ", b"a"), ONE, DIRECT, STS_TIMED_OUT),
    (
        "STS says Continue for ever",
        ways.drips("STS", then=b"HTTP/1.1 100 Continue\r\n\r\n"),
        ONE,
        DIRECT,
        STS_TIMED_OUT,
    ),
    ("TLS never answers", ways.drips("STS", scheme="https"), ONE, DIRECT, STS_TIMED_OUT),
    ("TLS drips", ways.drips("STS", TLS, b"\2", "https"), ONE, DIRECT, STS_TIMED_OUT),
    ("the accept queue is full", ways.queue_is_full, ONE, DIRECT, STS_TIMED_OUT),
    ("the resolver is silent", ways.resolver_is_silent, ONE, BOTH, STS_TIMED_OUT),
    ("denied slowly, the hint hangs", together(SLOW_DENIAL, HINT_HANGS), ONE, BOTH, "AssumeRoleDenied"),
    ("S3 never answers", S3_HANGS, ONE, BOTH, CHECK_TIMED_OUT),
    ("S3 drips", answers("ListBuckets", dripping), ONE, BOTH, CHECK_TIMED_OUT),
    ("S3 has pages without end", answers("ListBuckets", ways.endless_pages), ONE, BOTH, CHECK_TIMED_OUT),
    ("a check never ends", ways.check_never_ends, {**ONE, "check": "never_ends"}, BOTH, CHECK_TIMED_OUT),
    ("slow STS, S3 hangs", together(SLOW_STS, S3_HANGS), ONE, BOTH, CHECK_TIMED_OUT),
    ("slow STS, Bedrock hangs", together(SLOW_STS, BEDROCK_HANGS), CONVERSE, BOTH, CHECK_TIMED_OUT),
    ("slow STS, slow IAM", together(SLOW_STS, SLOW_IAM), SUMMARY, BOTH, CHECK_TIMED_OUT),
    ("Organizations never answers", answers(ORGANIZATIONS, silent), EVERYONE, LISTING, "AccountsNotListed"),
    ("Organizations drips", ORGANIZATIONS_DRIP, EVERYONE, LISTING, "AccountsNotListed"),
    ("Organizations drips elsewhere", together(ELSEWHERE, ORGANIZATIONS_DRIP), EVERYONE, LISTING, "AccountsNotListed"),
    ("STS drips elsewhere", together(ELSEWHERE, answers("AssumeRole", dripping)), EVERYONE, LISTING, STS_TIMED_OUT),
    ("storing hangs", ways.drips("S3"), STORED, SWEEP, "ResultsNotStored"),
    ("storing drips", ways.drips("S3", OK + b"Content-Length: 9999\r\n\r\n", b" "), STORED, SWEEP, "ResultsNotStored"),
    *(
        (
            f"of 8 accounts 7 {how}",
            answers(call, reply, accounts=MANY[1:]),
            NAMED,
            SWEEP,
            {"outcomes": {"ok": 1, type: 7}},
        )
        for call, type in (("AssumeRole", STS_TIMED_OUT), ("ListBuckets", CHECK_TIMED_OUT))
        for how, reply in ((f"hang at {call}", silent), (f"drip at {call}", dripping))
    ),
    (
        "10,000 accounts are listed slowly",
        answers(ORGANIZATIONS, ways.pages(10_000)),
        EVERYONE,
        ("POST /sweeps",),
        {"told": [200, None, None], "listing_complete": False, "adds_up": True},
    ),
]
SCENARIOS = {
    f"{name}, {door}": Scenario(
        entry(door, event, way, LIMITS[door]),
        LIMITS[door],
        {"told": list(contract(door, expected))} if isinstance(expected, str) else expected,
    )
    for name, way, event, doors, expected in ROWS
    for door in doors
} | {
    "of 200 accounts 50 are denied, the hint drips, sweep": Scenario(
        entry(
            "sweep",
            {"check": "s3_buckets", "accounts": HUNDREDS},
            together(answers("AssumeRole", denied(), accounts=HUNDREDS[:50]), HINT_DRIPS),
            20,
        ),
        20,
        {"outcomes": {"ok": 150, "AssumeRoleDenied": 50}},
    ),
    "one of 5 accounts drips, terminal": Scenario(
        terminal, TERMINAL_SECONDS, {"status": 1, "outcomes": {"ok": 4, CHECK_TIMED_OUT: 1}}
    ),
    "ten sweeps leave nothing behind": Scenario(
        ten_sweeps,
        60,
        {
            "told": ["EveryAccountFailed"] * 10,
            "threads_grow": False,
            "sockets_grow": False,
            "asked_afterwards": 0,
            "sessions": len(MANY),
            "outcomes": {"ok": len(MANY)},
        },
    ),
}


def run_all(names: Iterable[str]) -> None:
    """Fork for each, before there is a thread, so that what they import and read is there once."""
    set_environment(pytest.MonkeyPatch())
    os.environ["RESULTS_BUCKET"] = "results"
    hub = Hub()
    for service in ("sts", "s3", "iam", "bedrock-runtime", "organizations"):
        hub.client(service)  # botocore's models are read
    stdout = os.dup(1)
    os.dup2(2, 1)  # the log
    for name in names:
        if not os.fork():
            run_one(name, stdout)
    with suppress(ChildProcessError):
        while os.wait():
            pass


def run_one(name: str, stdout: int) -> None:
    """Run it and end this process, whatever threads it may have by then."""
    try:
        with fake_aws() as aws:
            os.environ["AWS_ENDPOINT_URL"] = aws.url
            signal.alarm(SCENARIOS[name].seconds + GRACE_SECONDS)  # ends the process, whatever it does
            found = SCENARIOS[name].run(aws)
            signal.alarm(0)
            os.write(stdout, json.dumps({"name": name, **found}).encode() + b"\n")
    finally:
        os._exit(0)


if __name__ == "__main__":
    run_all(sys.argv[1:] or SCENARIOS)
