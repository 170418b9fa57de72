"""How AWS can hang: each sets up a fake AWS, or an endpoint beside it, for one scenario in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.checks import CHECKS
from chalicelib.checks.check import check
from tests.fake_aws import Answer, FakeAws, Reply, Request, buckets, healthy, silent
from tests.fake_aws.sockets import dripping_server, full_queue
from tests.fake_hub import ids

Way = Callable[[FakeAws], None]

ORGANIZATIONS = "POST /"
"""Its every call is a POST that names the operation in a header."""

dripping = Reply(" " * 10_000, pieces=10_000, pause=1)


def after(seconds: float, answer: Answer = healthy) -> Answer:
    """An answer, by default a good one, that takes its time."""

    def respond(request: Request) -> Reply:
        time.sleep(seconds)
        return answer if isinstance(answer, Reply) else answer(request)

    return respond


def third_after(seconds: float, answer: Answer = healthy) -> tuple[Answer, ...]:
    """Two attempts hang, and the third is answered just within the timeout."""
    return silent, silent, after(seconds, answer)


endless_pages = after(9, lambda request: buckets([f"bucket-{request.nth}"], token=f"{request.nth}"))


def pages(size: int, page: int = 20, pause: float = 0.1) -> Answer:
    """A good ListAccounts of so many accounts."""
    accounts = [{"Id": id, "Name": "x", "State": "ACTIVE"} for id in ids(size)]

    def respond(request: Request) -> Reply:
        start = int(json.loads(request.body).get("NextToken", 0))
        more = {"NextToken": str(start + page)} if start + page < size else {}
        return Reply(json.dumps({"Accounts": accounts[start : start + page], **more}))

    return after(pause, respond)


def answers(operation: str, *replies: Answer, accounts: Iterable[str | None] = (None,)) -> Way:
    """Answer an operation so, of all accounts or of some, and with the last reply for ever."""

    def way(aws: FakeAws) -> None:
        for account in accounts:
            aws.tell(operation, *replies, account=account, always=True)

    return way


def together(*ways: Way) -> Way:
    def all_of_them(aws: FakeAws) -> None:
        for way in ways:
            way(aws)

    return all_of_them


def drips(service: str, first: bytes = b"", then: bytes = b"", scheme: str = "http") -> Way:
    """A service is a bare socket; without any bytes it takes a connection and never answers."""

    def way(_aws: FakeAws) -> None:
        os.environ[f"AWS_ENDPOINT_URL_{service}"] = f"{scheme}://{dripping_server(first, then)}"

    return way


@check(actions=["s3:ListAllMyBuckets"])
def never_ends(_account: Any) -> None:
    """Loop."""
    while True:
        time.sleep(0.1)


def check_never_ends(_aws: FakeAws) -> None:
    CHECKS.entries[never_ends.name] = never_ends


def queue_is_full(_aws: FakeAws) -> None:
    global _queue  # held for as long as the process lasts
    _queue = full_queue(socket.socket())
    os.environ["AWS_ENDPOINT_URL_STS"] = _queue.__enter__()


def organization_is_listed_from_elsewhere(_aws: FakeAws) -> None:
    os.environ["ORGANIZATION_ACCOUNT_ID"] = "999999999999"


def resolver_is_silent(_aws: FakeAws) -> None:
    """Two attempts at each of three name servers take glibc 30 s, in which its caller cannot be interrupted."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "sts.test":
            return resolve(host, *args, **kwargs)
        time.sleep(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    socket.getaddrinfo = getaddrinfo
    os.environ["AWS_ENDPOINT_URL_STS"] = "http://sts.test"
