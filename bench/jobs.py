"""The measurements that a worker process can make, each in a separate process. All return plain data."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from bench import own_process, recording
from bench.contenders import CONTENDERS, BucketNames
from bench.stub import HUB_ACCOUNT, LOG_GROUPS, bucket_of, log_group_of

FIRST_ACCOUNT = 100_000_000_000


def account_ids(count: int, first: int = FIRST_ACCOUNT) -> list[str]:
    return [str(first + number) for number in range(count)]


@dataclass
class Stopwatch:
    """Wall time, and CPU time (user and system, all threads) of this process."""

    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu


def list_buckets(contender: str, accounts: int, threads: int, warm_up: int) -> dict[str, Any]:
    """List the buckets of many accounts; the clock starts after the imports.

    Args:
        contender: its name in `CONTENDERS`.
        accounts: the number of accounts.
        threads: the number of threads.
        warm_up: the number of other accounts before the measurement, so that clients and connections exist.
    """
    run = CONTENDERS[contender].make(threads)
    if warm_up:
        run(account_ids(warm_up, first=2 * FIRST_ACCOUNT))
    ids = account_ids(accounts)
    with Stopwatch() as clock:
        names = run(ids)
    proves = CONTENDERS[contender].proves_accounts
    return {
        "wall": clock.wall,
        "cpu": clock.cpu,
        "peak": own_process.peak_resident(),
        "right": _right(ids, names) if proves else len(names),
    }


def _right(ids: Sequence[str], names: BucketNames) -> int:
    return sum(names.get(account_id) == [bucket_of(account_id)] for account_id in ids)


def memory_of_sweep(accounts: int, threads: int) -> dict[str, Any]:
    """The memory that one sweep over many accounts adds to a process that already has its clients and connections."""
    threads_before = threading.active_count()
    sweep = _sweeper(threads)
    sweep(account_ids(2 * threads, first=2 * FIRST_ACCOUNT))
    gc.collect()
    own_process.restart_peak()
    before = own_process.resident()
    with Stopwatch() as clock:
        response = sweep(account_ids(accounts))
    return {
        "wall": clock.wall,
        "cpu": clock.cpu,
        "before": before,
        "peak": own_process.peak_resident(),
        "results": own_process.size_of(response),
        "right": _right_results(response),
        "threads_left": own_process.threads_beyond(threads_before),
    }


def sweeps_one_after_another(accounts: Sequence[int], threads: int) -> dict[str, Any]:
    """What remains in the process after each of several sweeps, each over other accounts."""
    threads_before = threading.active_count()
    sweep = _sweeper(threads)
    sockets_before = own_process.open_sockets()
    left = []
    for number, count in enumerate(accounts, start=1):
        right = _right_results(sweep(account_ids(count, first=number * FIRST_ACCOUNT)))
        gc.collect()
        left.append(
            {
                "right": right,
                "threads": own_process.threads_beyond(threads_before),
                "sockets": own_process.open_sockets() - sockets_before,
                "resident": own_process.resident(),
            }
        )
    return {"left": left}


def _sweeper(threads: int, check: str = "s3_buckets", **more: Any) -> Callable[[list[str]], dict[str, Any]]:
    import app
    from bench.contenders.this import Context

    def sweep(ids: list[str]) -> dict[str, Any]:
        event = {"check": check, "accounts": ids, "concurrency": threads, **more}
        response: dict[str, Any] = app.sweep(event, Context())
        return response

    return sweep


def _right_results(response: dict[str, Any]) -> int:
    return sum(
        entry["ok"] and [bucket["name"] for bucket in entry["result"]["buckets"]] == [bucket_of(entry["account_id"])]
        for entry in response["results"]
    )


def second_invocation(repetitions: int, block: int = 50) -> dict[str, Any]:
    """Repeat one check in one account, and compare it with the AWS call that the check makes.

    Both run in this process, in alternating blocks, so that other load on the machine affects both.
    """
    import app
    from bench.contenders.this import Context

    account_id = account_ids(1)[0]
    sts, s3 = boto3.client("sts"), boto3.client("s3")
    bare_calls: dict[str, Callable[[], Any]] = {"identity": sts.get_caller_identity, "s3_buckets": s3.list_buckets}
    right = 0
    cpu: dict[str, dict[str, float]] = {}
    for check, bare_call in bare_calls.items():
        event = {"account_id": account_id, "check": check}
        bare_call()
        app.switch_account(event, Context())
        ours, bare = Stopwatch(), Stopwatch()
        for _ in range(repetitions // block):
            with ours:
                for _ in range(block):
                    right += app.switch_account(event, Context())["statusCode"] == 200
            with bare:
                for _ in range(block):
                    bare_call()
        cpu[check] = {"ours": ours.cpu / repetitions, "bare": bare.cpu / repetitions}
    return {"cpu": cpu, "right": right}


LOG_GROUPS_QUERY = "logGroups[].{group: logGroupName, bytes: storedBytes, days: retentionInDays}"


def rows_as_they_come(accounts: int, threads: int) -> dict[str, Any]:
    """Sweeps with very many rows, written as JSON lines: over a tenth of the accounts, as a warm-up and to compare the
    memory with, and then over all.

    Beside it, the same calls and the same query on a ready client, whose results are dropped.
    """
    before = own_process.resident()
    added = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        for count in (accounts // 10, accounts // 10, accounts):
            own_process.restart_peak()
            with Stopwatch() as ours:
                _write_log_groups(account_ids(count), threads, file)
            added.append(own_process.peak_resident() - before)
        right = _right_rows(file)
    client, query = boto3.client("logs"), jmespath.compile(LOG_GROUPS_QUERY)
    with ThreadPoolExecutor(threads) as pool, Stopwatch() as floor:
        for done in [pool.submit(lambda: len(query.search(client.describe_log_groups()))) for _ in range(accounts)]:
            done.result()
    return {
        "rows": accounts * LOG_GROUPS,
        "wall": ours.wall,
        "cpu": ours.cpu,
        "floor": floor.cpu,
        "added": added[1:],
        "right": right,
    }


def _write_log_groups(ids: Sequence[str], threads: int, file: Path) -> None:
    from sweep import main

    which = ("--accounts", ",".join(ids), "--concurrency", str(threads))
    main(("logs:DescribeLogGroups", "--query", LOG_GROUPS_QUERY, *which, "--format", "jsonl", "--output", str(file)))


def _right_rows(file: Path) -> int:
    """How many lines are an account's own, of each account all or none."""
    right: Counter[str] = Counter()
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            account = row["account"]
            right[account] += row.get("group") == log_group_of(account, right[account])
    return sum(count for count in right.values() if count == LOG_GROUPS)


def posture(accounts: int, block: int) -> dict[str, Any]:
    """All checks that judge, in accounts with tens of each thing, and the same calls on ready clients.

    Both run in this process, in alternating blocks of accounts, each asked by as many threads.
    """
    from chalicelib.checks import posture
    from sandbox.names import accounts_as_hosts  # noqa: F401

    sweep, checks = _sweeper(block, "posture", regions=[recording.REGION]), posture()
    call_again = _ready_calls(block)
    others = account_ids(block, first=2 * FIRST_ACCOUNT)
    sweep(others)
    call_again([recording.calls(account_id) for account_id in others])
    gc.collect()
    gc.freeze()  # what is ready: a collection takes a quarter of a second, and would hit one side or the other
    ours, floor = Stopwatch(), Stopwatch()
    findings = right = 0
    for first in range(0, accounts, block):
        ids = account_ids(block, FIRST_ACCOUNT + first)
        calls = [recording.calls(account_id) for account_id in ids]
        with ours:
            results = sweep(ids)["results"]
        with floor:
            call_again(calls)
        findings += sum(len(entry["result"]) for entry in results)
        found = {(entry["account_id"], entry["check"]) for entry in results if _is_own(entry)}
        right += sum(all((account_id, check) in found for check in checks) for account_id in ids)
    return {
        "wall": ours.wall + floor.wall,
        "cpu": ours.cpu,
        "floor": floor.cpu,
        "calls": len(calls[0]),
        "checks": len(checks),
        "findings": findings // accounts,
        "right": right,
    }


def _is_own(entry: dict[str, Any]) -> bool:
    """Whether a check could look at everything, and what has an ARN, in most checks, is the account's own."""
    account_id = entry["account_id"]
    owners = {resource.split(":")[4] for finding in entry["result"] if (resource := finding["resource"])[:4] == "arn:"}
    return owners <= {account_id} and all(finding["verdict"] != "unknown" for finding in entry["result"])


def _ready_calls(threads: int) -> Callable[[Sequence[Sequence[recording.Call]]], None]:
    """Makes the calls of accounts, on clients that are there already."""
    config = Config(max_pool_connections=threads)
    services = {service for service, _, _ in recording.calls(HUB_ACCOUNT)}
    clients = {service: boto3.client(service, config=config) for service in services}

    def call_all(calls: Sequence[recording.Call]) -> None:
        for service, operation, parameters in calls:
            try:
                getattr(clients[service], xform_name(operation))(**parameters)
            except ClientError as error:
                if not error.response["Error"]["Code"].startswith("NoSuch"):  # a bucket without a policy
                    raise

    def call_again(accounts: Sequence[Sequence[recording.Call]]) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call_all, accounts))

    return call_again
