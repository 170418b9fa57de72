"""This project, as whoever invokes the deployed function has it: one event in, one JSON answer out."""

from __future__ import annotations

from collections.abc import Sequence

from bench.contenders import AskAccounts, BucketNames


class Context:
    """What Lambda hands to the function, as far as it reads it: here the time never runs out."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def sweep(threads: int) -> AskAccounts:
    import app

    def ask(accounts: Sequence[str]) -> BucketNames:
        event = {"check": "s3_buckets", "accounts": list(accounts), "concurrency": threads}
        answer = app.sweep(event, Context())
        return {
            entry["account_id"]: [bucket["name"] for bucket in entry["result"]["buckets"]]
            for entry in answer["results"]
            if entry["ok"]
        }

    return ask
