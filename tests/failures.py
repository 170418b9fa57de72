"""Every way a check of an allowed account can fail, each brought about from outside: by AWS, a check or a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.checks.check import Check, check
from tests.contract import CONTRACTS, Contract
from tests.fake_aws import EXTERNAL_ID, SESSION_SECRET, SESSION_TOKEN, Answer, FakeAws, Reply, denied, error, session


def _check(result: Any = None, raised: Exception | None = None) -> Check:
    @check(actions=["s3:GetBucketPolicy"])
    def own(account: Any) -> Any:
        """Answer or raise."""
        if raised:
            raise raised
        return result

    return own


@dataclass(frozen=True)
class Failure:
    """A failure, answered as `CONTRACTS` says of its class.

    Attributes:
        name: the error's class.
        code: AWS's.
        answers: what AWS answers, by operation.
        own: a check of the test's own.
        settings: environment variables; None: not set.
    """

    name: str
    code: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    own: Check | None = None
    settings: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def check_name(self) -> str:
        return self.own.name if self.own else "s3_buckets"

    @property
    def contract(self) -> Contract:
        return CONTRACTS[self.name]

    def prepare(self, aws: FakeAws) -> None:
        for operation, answer in self.answers.items():
            aws.tell(operation, answer, always=True)


NO_CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
LEAKING = RuntimeError(f"{SESSION_SECRET} {SESSION_TOKEN} {EXTERNAL_ID}")

FAILURES = [
    Failure("AssumeRoleDenied", "AccessDenied", answers={"AssumeRole": denied()}),
    Failure("AssumeRoleThrottled", "Throttling", answers={"AssumeRole": error("Throttling")}),
    Failure("AssumeRoleTimedOut", "RequestTimeout", answers={"AssumeRole": error("RequestTimeout")}),
    Failure("AssumeRoleFailed", answers={"AssumeRole": Reply("<html>proxy</html>")}),
    Failure("HubCredentialsRejected", "ExpiredToken", answers={"AssumeRole": error("ExpiredToken")}),
    Failure("HubCredentialsRejected", settings=NO_CREDENTIALS),
    Failure("WrongAccount", answers={"AssumeRole": session(account="666666666666")}),
    Failure("CheckDenied", "AccessDenied", answers={"ListBuckets": error("AccessDenied", 403)}),
    Failure("CheckThrottled", "SlowDown", answers={"ListBuckets": error("SlowDown", 503)}),
    Failure("CheckTimedOut", "RequestTimeout", answers={"ListBuckets": error("RequestTimeout")}),
    Failure("CheckCallFailed", "InternalError", answers={"ListBuckets": error("InternalError", 500)}),
    Failure("CheckCallFailed", "ExpiredToken", answers={"ListBuckets": error("ExpiredToken")}),
    Failure("CheckFailed", own=_check(raised=LEAKING)),
    Failure("ResultNotJson", own=_check({"when": datetime(2025, 1, 28, tzinfo=UTC)})),
    Failure("ResultNotJson", own=_check({"secret": SESSION_SECRET.encode()})),
    Failure("ResultTooLarge", own=_check(["x" * 1000] * 6500)),
    Failure("InvalidSettings", settings={"SESSION_SECONDS": "60"}),
    Failure("InvalidSettings", settings={"EXTERNAL_ID": f"{EXTERNAL_ID} with spaces"}),
    Failure("InvalidSettings", settings={"AWS_DEFAULT_REGION": None}),
]
