"""The role was assumed, and then the service in the target account goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_aws import (
    TALKATIVE,
    Answer,
    FakeAws,
    as_json,
    buckets,
    caller_identity,
    closed,
    dripping,
    error,
    fake_aws,
    html,
    plain,
    reset,
    reset_midway,
    session_key,
    truncated,
)
from tests.faults import drive
from tests.faults.cases import TARGET, Fault, assert_told, put_to, through_the_doors

BROKEN = "response could not be used. Is there a proxy in between?"
NO_FIELD = "AWS's response has no"
TROUBLE = "The service is unavailable in that region. Retry."
BROKE_OFF = "There was no connection to the service, or it broke"
DENIED = "The role was assumed, but may not do this"
DROPPED = "a retry assumes the role again"
SEE_CODE = "See the code"

CHECKS: dict[str, tuple[str, dict[str, Any]]] = {
    "s3": ("s3_buckets", {}),
    "iam": ("account_summary", {}),
    "bedrock": ("bedrock_models", {}),
    "converse": ("bedrock_converse", {"model_id": "a.b", "prompt": "Hello"}),
    "sts": ("identity", {}),
}
OPERATIONS = {
    "s3": "ListBuckets",
    "iam": "GetAccountSummary",
    "bedrock": "ListFoundationModels",
    "converse": "Converse",
    "sts": "GetCallerIdentity",
}


def fault(
    service: str,
    name: str,
    reply: Answer,
    hint: str,
    code: str | None = None,
    *,
    type: str = "CheckCallFailed",
    attempts: int = 1,
    before: tuple[Answer, ...] = (),
) -> Fault:
    check, params = CHECKS[service]
    return Fault(
        f"{service}-{name}",
        (*before, reply),
        type,
        hint,
        code=code,
        attempts=attempts,
        operation=OPERATIONS[service],
        check=check,
        params=params,
    )


def denied(service: str, code: str = "AccessDenied", name: str = "denied") -> Fault:
    return fault(service, name, error(code, 403), DENIED, code, type="CheckDenied")


def throttled(service: str, code: str, status: int, attempts: int = 3) -> Fault:
    reply = error(code, status)
    hint = "Retry later, or with fewer accounts at a time."
    return fault(service, "throttled-for-ever", reply, hint, code, type="CheckThrottled", attempts=attempts)


PAGE_ONE = buckets(["one"], token="t1")

FAULTS = [
    denied("s3"),
    fault("s3", "denied-without-a-word", plain(403, b""), DENIED, "403", type="CheckDenied"),
    throttled("s3", "SlowDown", 503),
    fault(
        "s3",
        "throttled-on-page-two",
        error("SlowDown", 503),
        "Retry later",
        "SlowDown",
        type="CheckThrottled",
        attempts=4,
        before=(PAGE_ONE,),
    ),
    fault(
        "s3",
        "denied-on-page-two",
        error("AccessDenied", 403),
        DENIED,
        "AccessDenied",
        type="CheckDenied",
        attempts=2,
        before=(PAGE_ONE,),
    ),
    fault("s3", "repeats-its-continuation-token", PAGE_ONE, BROKEN, attempts=2),
    fault("s3", "internal-error-500", error("InternalError", 500), TROUBLE, "InternalError", attempts=3),
    fault("s3", "service-unavailable-503", error("ServiceUnavailable", 503), TROUBLE, "ServiceUnavailable", attempts=3),
    fault("s3", "service-unavailable-503-plain-text", plain(503, "Service Unavailable"), TROUBLE, "503", attempts=3),
    fault("s3", "proxys-page-200", html(200), NO_FIELD),
    fault("s3", "proxys-page-403", html(403), BROKEN),
    fault("s3", "proxys-page-on-page-two", html(200), NO_FIELD, attempts=2, before=(PAGE_ONE,)),
    fault("s3", "empty-200", plain(200, b""), NO_FIELD),
    fault("s3", "body-truncated", truncated(0.5), TROUBLE, "500", attempts=3),
    fault("s3", "body-truncated-with-a-length-that-says-so", truncated(0.5, honest=True), TROUBLE, "500", attempts=3),
    fault("s3", "error-in-a-200", error("InternalError", 200), TROUBLE, "InternalError", attempts=3),
    fault("s3", "connection-reset", reset, BROKE_OFF, attempts=3),
    fault("s3", "connection-reset-in-the-middle", reset_midway, BROKE_OFF, attempts=3),
    fault("s3", "connection-closed-without-an-answer", closed, BROKE_OFF, attempts=3),
    fault("s3", "connection-closed-on-page-two", closed, BROKE_OFF, attempts=4, before=(PAGE_ONE,)),
    fault("s3", "redirect-301", error("PermanentRedirect", 301), BROKEN),
    fault("s3", "redirect-307", error("TemporaryRedirect", 307), BROKEN),
    fault(
        "s3",
        "bucket-made-some-day",
        plain(
            200,
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name><CreationDate>some day</CreationDate></Bucket>"
            "</Buckets></ListAllMyBucketsResult>",
            "application/xml",
        ),
        BROKEN,
    ),
    fault(
        "s3",
        "bucket-without-a-name",
        plain(200, "<L><Buckets><Bucket><BucketRegion>x</BucketRegion></Bucket></Buckets></L>", "application/xml"),
        NO_FIELD,
    ),
    fault("s3", "session-expired", error("ExpiredToken"), DROPPED, "ExpiredToken"),
    fault(
        "s3",
        "session-expired-on-page-two",
        error("ExpiredToken"),
        DROPPED,
        "ExpiredToken",
        attempts=2,
        before=(PAGE_ONE,),
    ),
    fault("s3", "session-unknown-in-the-region", error("InvalidAccessKeyId", 403), DROPPED, "InvalidAccessKeyId"),
    fault("s3", "token-malformed", error("InvalidToken"), DROPPED, "InvalidToken"),
    fault("s3", "clock-skewed", error("RequestTimeTooSkewed", 403), DROPPED, "RequestTimeTooSkewed"),
    fault(
        "s3",
        "request-timeout-400",
        error("RequestTimeout"),
        "Retry",
        "RequestTimeout",
        type="CheckTimedOut",
        attempts=3,
    ),
    fault("s3", "unknown-code", error("Teapot"), SEE_CODE, "Teapot"),
    denied("iam"),
    throttled("iam", "Throttling", 400),
    fault("iam", "service-failure-500", error("ServiceFailure", 500), SEE_CODE, "ServiceFailure", attempts=3),
    fault("iam", "service-unavailable-503-plain-text", plain(503, "Service Unavailable"), BROKEN),
    fault("iam", "proxys-page-200", html(200), BROKEN),
    fault("iam", "empty-200", plain(200, b""), BROKEN),
    fault("iam", "empty-result", plain(200, "<A><GetAccountSummaryResult/></A>", "text/xml"), NO_FIELD),
    fault("iam", "session-expired", error("ExpiredToken", 403), DROPPED, "ExpiredToken"),
    denied("bedrock", "AccessDeniedException"),
    throttled("bedrock", "ThrottlingException", 429),
    fault(
        "bedrock", "internal-500", error("InternalServerException", 500), TROUBLE, "InternalServerException", attempts=3
    ),
    fault("bedrock", "proxys-page-200", html(200), NO_FIELD),
    fault("bedrock", "body-truncated", truncated(0.5), NO_FIELD),
    fault("bedrock", "list-instead-of-an-object", as_json("[]"), BROKEN),
    fault("bedrock", "model-without-an-id", as_json('{"modelSummaries": [{"modelName": "B"}]}'), NO_FIELD),
    fault("bedrock", "empty-object", as_json("{}"), NO_FIELD),
    fault(
        "bedrock", "session-unknown", error("UnrecognizedClientException", 403), DROPPED, "UnrecognizedClientException"
    ),
    denied("converse", "AccessDeniedException"),
    denied("converse", "AccessDeniedException", "model-not-granted"),
    throttled("converse", "ThrottlingException", 429, attempts=1),
    fault("converse", "validation", error("ValidationException"), SEE_CODE, "ValidationException"),
    fault("converse", "model-absent", error("ResourceNotFoundException", 404), SEE_CODE, "ResourceNotFoundException"),
    fault("converse", "model-not-ready", error("ModelNotReadyException", 429), TROUBLE, "ModelNotReadyException"),
    fault(
        "converse",
        "model-too-slow",
        error("ModelTimeoutException", 408),
        "Retry",
        "ModelTimeoutException",
        type="CheckTimedOut",
    ),
    fault("converse", "body-truncated", truncated(0.5, honest=True), NO_FIELD),
    fault("converse", "answer-without-usage", as_json('{"output": {"message": {}}, "stopReason": "x"}'), NO_FIELD),
    fault(
        "converse",
        "usage-without-tokens",
        as_json('{"output": {"message": {}}, "stopReason": "x", "usage": {}}'),
        NO_FIELD,
    ),
    fault("converse", "number-instead-of-an-object", as_json("7"), BROKEN),
    denied("sts"),
    fault("sts", "empty-200", plain(200, b""), BROKEN),
    fault("sts", "session-expired", error("ExpiredToken", 403), DROPPED, "ExpiredToken"),
    Fault(
        "sts-session-turns-out-to-be-another-accounts",
        (caller_identity("222222222222"),),
        "WrongAccount",
        "belongs to another account",
        operation="GetCallerIdentity",
        stage="check",
    ),
]


@pytest.mark.parametrize(("fault", "door"), through_the_doors(FAULTS))
def test_the_target_fails(
    fault: Fault, door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float]
) -> None:
    put_to(aws, fault, door, log, backoff)

    assert aws.counts["AssumeRole"] == 1


# Not for Converse: it has one long attempt instead of three short ones, since a model may think for most of a minute.
@pytest.mark.parametrize("service", sorted(CHECKS.keys() - {"converse"}))
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(error("InternalError", 500, "once"), id="internal-error-once"),
        pytest.param(reset, id="connection-reset-once"),
        pytest.param(closed, id="connection-closed-once"),
    ],
)
def test_the_target_recovers(reply: Answer, service: str, aws: FakeAws, backoff: list[float]) -> None:
    check, params = CHECKS[service]
    aws.tell(OPERATIONS[service], reply)

    outcome = drive.direct({"account_id": TARGET, "check": check, "params": params})

    assert outcome.status == 200
    assert aws.counts[OPERATIONS[service]] == 2


@pytest.mark.parametrize("service", CHECKS)
def test_the_target_answers_in_slow_pieces(service: str, aws: FakeAws) -> None:
    check, params = CHECKS[service]
    aws.tell(OPERATIONS[service], dripping(0.02))

    outcome = drive.direct({"account_id": TARGET, "check": check, "params": params})

    assert outcome.status == 200
    assert aws.counts[OPERATIONS[service]] == 1


@pytest.mark.parametrize("door", drive.DOORS)
def test_the_port_of_s3_is_closed(
    door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_aws() as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", gone.url)

    outcome = drive.ask(door, {"account_id": TARGET, "check": "s3_buckets"})

    assert_told(outcome, "CheckCallFailed")
    assert BROKE_OFF in outcome.fault["hint"]
    assert aws.counts == {"AssumeRole": 1}
    drive.assert_nothing_leaked(outcome.text, log.text)


def test_every_page_is_read_and_signed_by_the_account(aws: FakeAws) -> None:
    aws.tell("ListBuckets", buckets(["a"], token="t1"), buckets(["b"], token="t2"), buckets(["c"]))

    outcome = drive.direct({"account_id": TARGET, "check": "s3_buckets"})

    assert [bucket["name"] for bucket in outcome.body["result"]["buckets"]] == ["a", "b", "c"]
    signed = {call.access_key for call in aws.operations("ListBuckets")}
    assert signed == {session_key(TARGET, 1)}


def test_an_empty_list_is_an_answer_and_no_fault(aws: FakeAws) -> None:
    aws.tell("ListBuckets", buckets([]))

    outcome = drive.direct({"account_id": TARGET, "check": "s3_buckets"})

    assert outcome.body["result"] == {"count": 0, "buckets": []}


def test_a_denied_check_keeps_the_session_for_the_next_question(aws: FakeAws) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403, TALKATIVE))

    assert drive.direct({"account_id": TARGET, "check": "s3_buckets"}).status == 500
    assert drive.direct({"account_id": TARGET, "check": "s3_buckets"}).status == 200
    assert aws.counts["AssumeRole"] == 1
