"""A fake AWS on loopback: it records every request and returns the responses that a test sets.

It reads the caller only from the access key in the signature, so a response proves whose credentials were used.

By default every response is a success: after `aws.tell("AssumeRole", denied())` the first AssumeRole is denied and
later ones succeed. A `Reply` sets everything that can be wrong with a response, including its connection.
"""

from tests.fake_aws.canaries import (
    EXTERNAL_ID,
    HUB,
    HUB_ARN,
    HUB_KEY,
    HUB_SECRET,
    HUB_TOKEN,
    SECRETS,
    SESSION_SECRET,
    SESSION_TOKEN,
    account_of,
    leaks,
    session_key,
    session_token,
)
from tests.fake_aws.faults import (
    TALKATIVE,
    closed,
    denied,
    dripping,
    error,
    html,
    plain,
    refusal,
    reset,
    reset_midway,
    silent,
    silent_midway,
    truncated,
)
from tests.fake_aws.healthy import KNOWN_CHECKS, as_json, buckets, caller_identity, healthy, result, session
from tests.fake_aws.messages import REQUEST_ID, Answer, Ending, Reply, Request
from tests.fake_aws.server import FakeAws, fake_aws

__all__ = [
    "EXTERNAL_ID",
    "HUB",
    "HUB_ARN",
    "HUB_KEY",
    "HUB_SECRET",
    "HUB_TOKEN",
    "KNOWN_CHECKS",
    "REQUEST_ID",
    "SECRETS",
    "SESSION_SECRET",
    "SESSION_TOKEN",
    "TALKATIVE",
    "Answer",
    "Ending",
    "FakeAws",
    "Reply",
    "Request",
    "account_of",
    "as_json",
    "buckets",
    "caller_identity",
    "closed",
    "denied",
    "dripping",
    "error",
    "fake_aws",
    "healthy",
    "html",
    "leaks",
    "plain",
    "refusal",
    "reset",
    "reset_midway",
    "result",
    "session",
    "session_key",
    "session_token",
    "silent",
    "silent_midway",
    "truncated",
]
