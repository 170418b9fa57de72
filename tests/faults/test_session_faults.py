"""A session ends before the work does, and a hub that has none to begin with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.utils import ContainerMetadataFetcher

import app
from tests.faults import drive
from tests.faults.canaries import HUB_SECRET_KEY, TARGET, session_access_key
from tests.faults.faulty_aws import FaultyAws, buckets, error, healthy, html, session

S3 = {"account_id": TARGET, "check": "s3_buckets"}
ALMOST_RENEWED = 300.8
"""Lifetime of a session that is good when it comes and due for renewal (300 s) after a page of a second."""
ALMOST_ENDED = 60.8
"""The same for the last minute, in which nobody is given the old session any more."""
PAGES = (buckets(["a"], token="t1", after=1), buckets(["b"]))


@pytest.fixture
def aws(aws: FaultyAws) -> FaultyAws:
    """With clients that are warm, so that the first page is under way while the session is still good."""
    assert drive.direct({**S3, "account_id": "333333333333"}).status == 200
    aws.heal()
    return aws


def signatures(aws: FaultyAws, operation: str = "ListBuckets") -> list[str]:
    return [call.access_key for call in aws.calls if call.operation == operation]


def test_a_session_due_between_two_pages_is_renewed_before_the_second(
    aws: FaultyAws, log: drive.LogOfEverything
) -> None:
    aws.on("AssumeRole", session(lasting=ALMOST_RENEWED), session()).on("ListBuckets", *PAGES)

    outcome = drive.direct(S3)

    assert outcome.status == 200
    assert signatures(aws) == [session_access_key(TARGET, 1), session_access_key(TARGET, 2)]
    assert outcome.body["result"]["count"] == 2
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(error(403, "AccessDenied"), id="denied"),
        pytest.param(error(400, "Throttling"), id="throttled"),
        pytest.param(html(200), id="proxys-page"),
        pytest.param(session(arn="arn:aws:sts::222222222222:assumed-role/external-role/x"), id="another-account"),
    ],
)
def test_a_session_that_cannot_be_renewed_is_used_as_long_as_it_lasts(
    reply: object, aws: FaultyAws, log: drive.LogOfEverything, backoff: list[float]
) -> None:
    aws.on("AssumeRole", session(lasting=ALMOST_RENEWED), reply).on("ListBuckets", *PAGES)  # type: ignore[arg-type]

    outcome = drive.direct(S3)

    assert outcome.status == 200
    assert set(signatures(aws)) == {session_access_key(TARGET, 1)}
    assert "advisory" in log.text
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    ("door", "reply", "type", "http"),
    [
        pytest.param("direct", error(403, "AccessDenied"), "AssumeRoleDenied", 403, id="denied-direct"),
        pytest.param("raised", error(403, "AccessDenied"), "AssumeRoleDenied", 403, id="denied-raised"),
        pytest.param("http", error(403, "AccessDenied"), "AssumeRoleDenied", 403, id="denied-http"),
        pytest.param("http", error(400, "Throttling"), "AssumeRoleThrottled", 429, id="throttled-http"),
        pytest.param("raised", error(403, "ExpiredToken"), "HubCredentialsRejected", 502, id="hub-expired-too-raised"),
        pytest.param("direct", html(200), "AssumeRoleFailed", 502, id="proxys-page-direct"),
        pytest.param("http", session(lasting=-1), "AssumeRoleFailed", 502, id="already-expired-http"),
    ],
)
def test_a_session_that_ends_and_cannot_be_renewed_is_an_error_of_assuming(
    reply: object, type: str, http: int, door: str, aws: FaultyAws, log: drive.LogOfEverything, backoff: list[float]
) -> None:
    # The one renewal in the last five minutes fails, and then page one takes until the last minute has begun.
    aws.on("AssumeRole", session(lasting=ALMOST_ENDED), reply).on("ListBuckets", *PAGES)  # type: ignore[arg-type]

    outcome = drive.ask(door, S3)

    assert (outcome.fault["type"], outcome.fault["stage"]) == (type, "assume")
    assert outcome.status == {"direct": 500, "raised": None, "http": http}[door]
    assert signatures(aws) == [session_access_key(TARGET, 1)]
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_a_session_rejected_on_page_two_is_forgotten_so_that_asking_again_assumes_anew(
    code: str, door: str, aws: FaultyAws, log: drive.LogOfEverything
) -> None:
    aws.on("ListBuckets", buckets(["a"], token="t1"), error(400, code), healthy)

    first, second = drive.ask(door, S3), drive.ask(door, S3)

    assert (first.fault["type"], first.fault["code"]) == ("CheckCallFailed", code)
    assert second.status == 200
    assert aws.count("AssumeRole") == 2
    assert signatures(aws)[-1] == session_access_key(TARGET, 2)
    drive.assert_nothing_leaked(first.text, second.text, log.text)


def test_a_good_session_is_kept_for_the_next_invocation(aws: FaultyAws) -> None:
    assert drive.direct(S3).status == drive.http(S3).status == 200
    assert aws.count("AssumeRole") == 1


def test_no_session_is_kept_where_the_settings_say_so(aws: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_CREDENTIALS", "false")

    assert drive.direct(S3).status == drive.direct(S3).status == 200
    assert aws.count("AssumeRole") == 2


# The hub's own


def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config"
    path.write_text(text)
    return str(path)


SSO = """[default]
sso_session = s
sso_account_id = 111111111111
sso_role_name = Reader
[sso-session s]
sso_region = eu-west-1
sso_start_url = https://example.com/start
"""
HUB_FAULTS = {
    "no-credentials": "HubCredentialsRejected",
    "half-a-key": "HubCredentialsRejected",
    "signed-out-of-sso": "HubCredentialsRejected",
    "credential-process-fails": "HubCredentialsRejected",
    "container-gives-none": "HubCredentialsRejected",
    "no-region": "InvalidSettings",
    "region-that-is-none": "InvalidSettings",
    "profile-absent": "InvalidSettings",
    "config-file-broken": "InvalidSettings",
    "role-name-wrong": "InvalidSettings",
    "external-id-wrong": "InvalidSettings",
    "session-seconds-wrong": "InvalidSettings",
    "allowed-accounts-wrong": "InvalidSettings",
    "log-level-wrong": "InvalidSettings",
}


def break_the_hub(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_to = monkeypatch.setenv
    if name in ("no-credentials", "signed-out-of-sso", "credential-process-fails", "container-gives-none"):
        without_keys(monkeypatch)
    match name:
        case "half-a-key":
            monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        case "signed-out-of-sso":
            set_to("HOME", str(tmp_path))
            set_to("AWS_CONFIG_FILE", config(tmp_path, SSO))
        case "credential-process-fails":
            set_to("AWS_CONFIG_FILE", config(tmp_path, "[default]\ncredential_process = false\n"))
        case "container-gives-none":
            monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)  # between its three attempts
            set_to("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{os.environ['AWS_ENDPOINT_URL']}/container")
        case "no-region":
            monkeypatch.delenv("AWS_DEFAULT_REGION")
        case "region-that-is-none":
            set_to("AWS_DEFAULT_REGION", "evil.example/")
        case "profile-absent":
            set_to("AWS_PROFILE", "nobody")
        case "config-file-broken":
            set_to("AWS_CONFIG_FILE", config(tmp_path, "nonsense"))
        case "role-name-wrong":
            set_to("ROLE_NAME", "a role")
        case "external-id-wrong":
            set_to("EXTERNAL_ID", f"{HUB_SECRET_KEY} {'x' * 2000}")
        case "session-seconds-wrong":
            set_to("SESSION_SECONDS", "43200")
        case "allowed-accounts-wrong":
            set_to("ALLOWED_ACCOUNTS", "111111111111,123")
        case "log-level-wrong":
            set_to("LOG_LEVEL", "LOUD")


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", HUB_FAULTS)
def test_the_hub_cannot_even_ask(
    name: str,
    door: str,
    aws: FaultyAws,
    log: drive.LogOfEverything,
    backoff: list[float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    break_the_hub(name, monkeypatch, tmp_path)
    app._hub.cache_clear()

    outcome = drive.ask(door, {"account_id": TARGET})

    expected = HUB_FAULTS[name]
    assert outcome.fault["type"] == expected
    assert outcome.fault["stage"] == ("assume" if expected == "HubCredentialsRejected" else "input")
    of_aws = expected == "HubCredentialsRejected"
    assert outcome.status == {"direct": 500, "raised": None, "http": 502 if of_aws else 500}[door]
    assert outcome.body["message"] == ("AWS API error occurred" if of_aws else "Internal server error")
    assert aws.count("AssumeRole") == 0
    assert outcome.seconds < 10
    drive.assert_nothing_leaked(outcome.text, log.text)
