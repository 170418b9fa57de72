"""Who takes part. A contender is a function `make(threads)` that gets ready and gives the function to be measured:
account ids in, the names of each account's buckets out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

BucketNames = dict[str, list[str]]
AskAccounts = Callable[[Sequence[str]], BucketNames]

ROLE_NAME = "external-role"


def role_arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:role/{ROLE_NAME}"


@dataclass(frozen=True)
class Contender:
    """One way to ask many accounts.

    Attributes:
        title: as the tables call it.
        place: `module:function` in this package.
        is_peer: it runs in the environment where the other libraries are installed.
        session_per_account: it makes a `boto3.Session` for every account.
        is_floor: it does less than the work, to show what is the least.
        proves_accounts: its answers are each account's own, and not the hub's.
    """

    title: str
    place: str
    is_peer: bool = False
    session_per_account: bool = False
    is_floor: bool = False
    proves_accounts: bool = True

    def make(self, threads: int) -> AskAccounts:
        """Import it and get it ready, in this process."""
        module, _, function = self.place.partition(":")
        ask: AskAccounts = getattr(import_module(f"{__name__}.{module}"), function)(threads)
        return ask


CONTENDERS = {
    "this": Contender("cross-account (this)", "this:sweep"),
    "article": Contender("the article's code", "article:in_threads", is_peer=True),
    "botocove": Contender("botocove", "libraries:botocove", is_peer=True, session_per_account=True),
    "assume-role-lib": Contender(
        "aws-assume-role-lib", "libraries:assume_role_lib", is_peer=True, session_per_account=True
    ),
    "boto3-assume": Contender("boto3-assume", "libraries:boto3_assume", is_peer=True, session_per_account=True),
    "session-manager": Contender(
        "boto-session-manager", "libraries:session_manager", is_peer=True, session_per_account=True
    ),
    "ready-clients": Contender(
        "floor: two calls on ready botocore clients", "floors:ready_clients", is_floor=True, proves_accounts=False
    ),
    "raw-requests": Contender("floor: two raw SigV4 requests, urllib3", "raw_requests:signed_by_hand", is_floor=True),
}
