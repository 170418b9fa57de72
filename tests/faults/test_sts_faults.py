"""AssumeRole goes wrong: what each door answers, how often STS was asked, and that nothing leaks."""

from __future__ import annotations

import pytest

from tests.fake_aws import (
    TALKATIVE,
    Answer,
    FakeAws,
    as_json,
    closed,
    dripping,
    error,
    fake_aws,
    html,
    plain,
    refusal,
    reset,
    reset_midway,
    session,
    truncated,
)
from tests.faults import drive
from tests.faults.cases import TARGET, Fault, assert_told, put_to, through_the_doors

BROKEN = "The response of STS could not be read. Is there a proxy in between?"
NO_SESSION = "contains no credentials"
TROUBLE = "STS is unavailable in this region. Retry."
BROKE_OFF = "There was no connection to STS, or it broke."
HUB_CREDENTIALS = "The hub's own credentials do not work."


def denied(name: str, message: str, hint: str = f"Account {TARGET} does not let") -> Fault:
    """STS says AccessDenied for a dozen reasons; its text, which is not passed on, may name the kind of policy."""
    return Fault(name, (error("AccessDenied", 403, message),), "AssumeRoleDenied", hint, code="AccessDenied")


def rejected(name: str, code: str, status: int = 403) -> Fault:
    return Fault(name, (error(code, status),), "HubCredentialsRejected", HUB_CREDENTIALS, code=code)


def throttled(name: str, code: str, status: int = 400) -> Fault:
    hint = "STS limits the rate of requests per hub account and region"
    return Fault(name, (error(code, status),), "AssumeRoleThrottled", hint, code=code, attempts=3)


def failed(name: str, reply: Answer, hint: str, code: str | None = None, attempts: int = 1) -> Fault:
    return Fault(name, (reply,), "AssumeRoleFailed", hint, code=code, attempts=attempts)


FAULTS = [
    denied("denied-role-absent", TALKATIVE, "no role external-role there"),
    denied(
        "denied-hub-not-trusted",
        refusal(" because no role trust policy allows the sts:AssumeRole action"),
        "asks for another caller or external ID",
    ),
    denied(
        "denied-wrong-external-id",
        refusal(" because no resource-based policy allows the sts:AssumeRole action"),
        "the sts:ExternalId that is EXTERNAL_ID here",
    ),
    denied(
        "denied-by-the-hubs-own-policy",
        refusal(" because no identity-based policy allows the sts:AssumeRole action"),
        "The hub's own policy does not allow it",
    ),
    denied(
        "denied-by-service-control-policy",
        refusal(" with an explicit deny in a service control policy"),
        "A service control policy denies it explicitly",
    ),
    denied("denied-explicitly-by-who-knows-what", refusal(" with an explicit deny"), "explicitly"),
    denied("denied-in-two-lines", "first\nERROR second\r\n" + TALKATIVE),
    denied("denied-in-a-megabyte", TALKATIVE * 4000),
    denied("denied-without-a-word", ""),
    failed("empty-403", plain(403, b""), BROKEN),
    throttled("throttled-for-ever", "Throttling"),
    throttled("throttled-for-ever-429", "TooManyRequestsException", 429),
    throttled("throttled-for-ever-503", "RequestLimitExceeded", 503),
    failed("internal-failure-500", error("InternalFailure", 500), TROUBLE, "InternalFailure", 3),
    failed("service-unavailable-503-xml", error("ServiceUnavailable", 503), TROUBLE, "ServiceUnavailable", 3),
    failed("service-unavailable-503-plain-text", plain(503, "Service Unavailable"), BROKEN),
    failed("empty-500", plain(500, b""), TROUBLE, "500", 3),
    failed("proxys-page-502", html(502), TROUBLE, "502", 3),
    failed("proxys-page-200", html(200), BROKEN),
    failed("proxys-page-403", html(403), BROKEN),
    failed("proxys-page-not-even-xml", plain(200, "<p>Sign in<br>" + TALKATIVE, "text/html"), BROKEN),
    failed("empty-200", plain(200, b""), BROKEN),
    failed("no-content-204", plain(204, b""), BROKEN),
    failed("redirect-302", plain(302, b"", "text/html"), BROKEN),
    failed("json-instead-of-xml", as_json('{"Credentials": {"AccessKeyId": "x"}}'), BROKEN),
    failed("xml-without-a-result", plain(200, "<AssumeRoleResponse/>", "text/xml"), BROKEN),
    failed(
        "xml-with-an-empty-result",
        plain(200, "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>", "text/xml"),
        NO_SESSION,
    ),
    failed(
        "error-without-a-code",
        plain(403, "<ErrorResponse><Error>no</Error></ErrorResponse>", "text/xml"),
        BROKEN,
    ),
    failed(
        "error-with-two-codes",
        plain(400, "<ErrorResponse><Error><Code>A</Code><Code>B</Code></Error></ErrorResponse>", "text/xml"),
        BROKEN,
    ),
    failed(
        "error-with-xml-for-a-code",
        plain(400, "<ErrorResponse><Error><Code><b>x</b></Code></Error></ErrorResponse>", "text/xml"),
        BROKEN,
    ),
    failed("error-with-a-sentence-for-a-code", error("first line&#10;second line " + "x" * 5000), BROKEN),
    failed("body-truncated", truncated(0.5), BROKEN),
    failed("body-truncated-behind-the-credentials", truncated(0.9), BROKEN),
    failed("body-truncated-with-a-length-that-says-so", truncated(0.5, honest=True), BROKEN),
    failed("connection-reset", reset, BROKE_OFF, attempts=3),
    failed("connection-reset-in-the-middle", reset_midway, BROKE_OFF, attempts=3),
    failed("connection-closed-without-an-answer", closed, BROKE_OFF, attempts=3),
    failed(
        "region-disabled",
        error("RegionDisabledException", 403),
        "STS is switched off for this region in the target account",
        "RegionDisabledException",
    ),
    rejected("hub-token-invalid", "InvalidClientTokenId"),
    rejected("hub-token-expired", "ExpiredToken"),
    rejected("hub-token-expired-400", "ExpiredTokenException", 400),
    rejected("hub-token-unknown", "UnrecognizedClientException"),
    rejected("clock-skewed-signature", "SignatureDoesNotMatch"),
    rejected("clock-skewed-too-far", "RequestTimeTooSkewed"),
    rejected("clock-skewed-request-expired", "RequestExpired", 400),
    failed(
        "duration-refused-by-the-role",
        error(
            "ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        ),
        "set it lower",
        "ValidationError",
    ),
    failed(
        "duration-refused-by-role-chaining",
        error("ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit " + TALKATIVE),
        "SESSION_SECONDS is over the hour that role chaining allows",
        "ValidationError",
    ),
    failed("role-name-refused", error("ValidationError"), "STS does not accept one of ROLE_NAME", "ValidationError"),
    failed(
        "session-policy-too-large",
        error("PackedPolicyTooLarge"),
        "more than a session policy can hold",
        "PackedPolicyTooLarge",
    ),
    failed(
        "session-policy-malformed",
        error("MalformedPolicyDocument"),
        "a session policy that STS does not understand",
        "MalformedPolicyDocument",
    ),
    failed("unknown-code", error("Teapot"), "see the code", "Teapot"),
    failed("session-already-expired", session(lasting=-30), "Is the clock of this machine right?"),
    failed("session-about-to-expire", session(lasting=20), "Is the clock of this machine right?"),
    failed("session-expiring-some-day", session(expiration="some day"), BROKEN),
    Fault(
        "session-of-another-account",
        (session(arn="arn:aws:sts::222222222222:assumed-role/external-role/x"),),
        "WrongAccount",
        "The session was not used.",
    ),
    failed("session-with-a-malformed-arn", session(arn="external-role"), NO_SESSION),
    Fault(
        "session-with-an-arn-of-no-account",
        (session(arn="arn:aws:sts:::assumed-role/external-role/x"),),
        "WrongAccount",
        "The session was not used.",
    ),
]


@pytest.mark.parametrize(("fault", "door"), through_the_doors(FAULTS))
def test_sts_fails(fault: Fault, door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float]) -> None:
    put_to(aws, fault, door, log, backoff)

    assert len(backoff) == fault.attempts - 1
    for_a_hint = aws.counts.keys() - {"AssumeRole"}
    assert for_a_hint == ({"GetCallerIdentity"} if fault.type == "AssumeRoleDenied" else set())


RECOVERIES: dict[str, Answer] = {
    "throttled-once": error("Throttling"),
    "internal-failure-once": error("InternalFailure", 500),
    "proxys-page-502-once": html(502),
    "connection-reset-once": reset,
    "connection-closed-once": closed,
    "in-slow-pieces": dripping(0.05),
}


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", RECOVERIES)
def test_sts_recovers(name: str, door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float]) -> None:
    aws.tell("AssumeRole", RECOVERIES[name])

    outcome = drive.ask(door, {"account_id": TARGET})

    assert outcome.status == 200
    assert outcome.body["result"]["account"] == TARGET
    assert aws.counts["AssumeRole"] == (1 if name == "in-slow-pieces" else 2)
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
def test_the_port_of_sts_is_closed(
    door: str, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_aws() as gone:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", gone.url)

    outcome = drive.ask(door, {"account_id": TARGET})

    assert_told(outcome, "AssumeRoleFailed")
    assert BROKE_OFF in outcome.fault["hint"]
    assert len(backoff) == 2
    assert not aws.seen
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(error("Throttling"), id="throttled"),
        pytest.param(error("InternalFailure", 500), id="internal-failure"),
        pytest.param(html(200), id="proxys-page"),
        pytest.param(closed, id="connection-closed"),
        pytest.param(
            plain(
                200,
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a/b&#10;c</Arn></GetCallerIdentityResult>"
                "</GetCallerIdentityResponse>",
            ),
            id="nonsense-for-an-arn",
        ),
    ],
)
def test_denied_and_the_hub_cannot_even_learn_its_own_name(
    reply: Answer, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float]
) -> None:
    aws.tell("AssumeRole", error("AccessDenied", 403))
    aws.tell("GetCallerIdentity", reply, always=True)

    outcome = drive.direct({"account_id": TARGET})

    assert outcome.fault["type"] == "AssumeRoleDenied"
    assert "GetCallerIdentity failed as well" in outcome.fault["hint"]
    drive.assert_nothing_leaked(outcome.text, log.text)


def test_denied_names_the_role_and_the_account_to_look_at(aws: FakeAws) -> None:
    aws.tell("AssumeRole", error("AccessDenied", 403))

    hint = drive.direct({"account_id": TARGET}).fault["hint"]

    assert f"arn:aws:iam::{TARGET}:role/external-role" in hint
    assert "cross-account-dev-switch_account" in hint
    assert "EXTERNAL_ID" in hint


def test_a_failure_is_not_kept_for_the_next_invocation(aws: FakeAws) -> None:
    aws.tell("AssumeRole", error("AccessDenied", 403))

    assert drive.direct({"account_id": TARGET}).status == 500
    assert drive.direct({"account_id": TARGET}).status == 200
