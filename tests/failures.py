"""Every way a check of an allowed account can fail, each brought about from outside: by AWS, a check or a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.check import Check, check
from tests.fake_aws import EXTERNAL_ID, SECRET, TOKEN, Answer, FakeAws, Reply, denied, error, s3_error

AWS, OURS = "AWS API error occurred", "Internal server error"


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
    """A failure and what it must be answered with.

    Attributes:
        name: the error's class.
        answers: what AWS answers, by operation.
        own: a check of the test's own.
        settings: environment variables; None: not set.
    """

    name: str
    stage: str
    http_status: int
    code: str | None = None
    message: str = AWS
    answers: Mapping[str, Answer] = field(default_factory=dict)
    own: Check | None = None
    settings: Mapping[str, str | None] = field(default_factory=dict)
    answering_account: str | None = None

    @property
    def check_name(self) -> str:
        return self.own.name if self.own else "s3_buckets"

    def prepare(self, aws: FakeAws) -> None:
        for operation, answer in self.answers.items():
            aws.tell(operation, answer, always=True)
        aws.answering_account = self.answering_account


NO_CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
LEAKING = RuntimeError(f"{SECRET} {TOKEN} {EXTERNAL_ID}")

FAILURES = [
    Failure("AssumeRoleDenied", "assume", 403, "AccessDenied", answers={"AssumeRole": denied()}),
    Failure("AssumeRoleThrottled", "assume", 429, "Throttling", answers={"AssumeRole": error("Throttling")}),
    Failure("AssumeRoleTimedOut", "assume", 504, "RequestTimeout", answers={"AssumeRole": error("RequestTimeout")}),
    Failure("AssumeRoleFailed", "assume", 502, answers={"AssumeRole": Reply("<html>proxy</html>")}),
    Failure("HubCredentialsRejected", "assume", 502, "ExpiredToken", answers={"AssumeRole": error("ExpiredToken")}),
    Failure("HubCredentialsRejected", "assume", 502, settings=NO_CREDENTIALS),
    Failure("WrongAccount", "assume", 502, answering_account="666666666666"),
    Failure("CheckDenied", "check", 403, "AccessDenied", answers={"ListBuckets": s3_error("AccessDenied", 403)}),
    Failure("CheckThrottled", "check", 429, "SlowDown", answers={"ListBuckets": s3_error("SlowDown", 503)}),
    Failure("CheckTimedOut", "check", 504, "RequestTimeout", answers={"ListBuckets": s3_error("RequestTimeout")}),
    Failure("CheckCallFailed", "check", 502, "InternalError", answers={"ListBuckets": s3_error("InternalError", 500)}),
    Failure("CheckCallFailed", "check", 502, "ExpiredToken", answers={"ListBuckets": s3_error("ExpiredToken")}),
    Failure("CheckFailed", "check", 500, message=OURS, own=_check(raised=LEAKING)),
    Failure("ResultNotJson", "check", 500, message=OURS, own=_check({"when": datetime(2025, 1, 28, tzinfo=UTC)})),
    Failure("ResultNotJson", "check", 500, message=OURS, own=_check({"secret": SECRET.encode()})),
    Failure("ResultTooLarge", "check", 500, message=OURS, own=_check(["x" * 1000] * 6500)),
    Failure("InvalidSettings", "input", 500, message=OURS, settings={"SESSION_SECONDS": "60"}),
    Failure("InvalidSettings", "input", 500, message=OURS, settings={"EXTERNAL_ID": f"{EXTERNAL_ID} with spaces"}),
    Failure("InvalidSettings", "input", 500, message=OURS, settings={"AWS_DEFAULT_REGION": None}),
]
