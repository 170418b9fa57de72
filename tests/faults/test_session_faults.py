"""A session ends before the work does, and a hub that has none to begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.utils import ContainerMetadataFetcher

from chalicelib.inputs.settings import hub_of
from tests.contract import CONTRACTS
from tests.fake_aws import HUB_SECRET, Answer, FakeAws, Reply, Request, buckets, error, html, session, session_key
from tests.faults import drive
from tests.faults.cases import MOST_BACKOFF_SECONDS, TARGET, assert_told, through_the_doors

S3 = {"account_id": TARGET, "check": "s3_buckets"}
# Seconds. A session is due for renewal when it has 300 left; with less than 60 it is not used any more.
GOOD, UNTIL_DUE = 1000, 800
DUE, UNTIL_ENDED = 200, 170


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass for every session that there is, in no time."""
    passed = [0.0]
    truly_remaining = RefreshableCredentials._seconds_remaining

    def pass_(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr(RefreshableCredentials, "_seconds_remaining", lambda each: truly_remaining(each) - passed[0])
    return pass_


Pages = Callable[[float], tuple[Answer, Answer]]


@pytest.fixture
def pages(pass_time: Callable[[float], None]) -> Pages:
    """Two pages of buckets, of which the first takes so many seconds."""

    def pages(seconds: float) -> tuple[Answer, Answer]:
        def first(_request: Request) -> Reply:
            pass_time(seconds)
            return buckets(["a"], token="t1")

        return first, buckets(["b"])

    return pages


def signatures(aws: FakeAws, operation: str = "ListBuckets") -> list[str]:
    return [request.access_key for request in aws.operations(operation)]


def test_a_session_due_between_two_pages_is_renewed_before_the_second(
    aws: FakeAws, log: drive.LogOfEverything, pages: Pages
) -> None:
    aws.tell("AssumeRole", session(lasting=GOOD))
    aws.tell("ListBuckets", *pages(UNTIL_DUE))

    outcome = drive.direct(S3)

    assert outcome.status == 200
    assert signatures(aws) == [session_key(TARGET, 1), session_key(TARGET, 2)]
    assert outcome.body["result"]["count"] == 2
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(error("AccessDenied", 403), id="denied"),
        pytest.param(error("Throttling"), id="throttled"),
        pytest.param(html(200), id="proxys-page"),
        pytest.param(session(arn="arn:aws:sts::222222222222:assumed-role/external-role/x"), id="another-account"),
    ],
)
def test_a_session_that_cannot_be_renewed_is_used_as_long_as_it_lasts(
    reply: Answer, aws: FakeAws, log: drive.LogOfEverything, backoff: list[float], pages: Pages
) -> None:
    aws.tell("AssumeRole", session(lasting=GOOD), reply, always=True)
    aws.tell("ListBuckets", *pages(UNTIL_DUE))

    outcome = drive.direct(S3)

    assert outcome.status == 200
    assert set(signatures(aws)) == {session_key(TARGET, 1)}
    assert "advisory" in log.text
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    ("door", "reply", "type"),
    [
        pytest.param("direct", error("AccessDenied", 403), "AssumeRoleDenied", id="denied-direct"),
        pytest.param("raised", error("AccessDenied", 403), "AssumeRoleDenied", id="denied-raised"),
        pytest.param("http", error("AccessDenied", 403), "AssumeRoleDenied", id="denied-http"),
        pytest.param("http", error("Throttling"), "AssumeRoleThrottled", id="throttled-http"),
        pytest.param("raised", error("ExpiredToken", 403), "HubCredentialsRejected", id="hub-expired-too-raised"),
        pytest.param("direct", html(200), "AssumeRoleFailed", id="proxys-page-direct"),
        pytest.param("http", session(lasting=-1), "AssumeRoleFailed", id="already-expired-http"),
    ],
)
def test_a_session_that_ends_and_cannot_be_renewed_is_an_error_of_assuming(
    reply: Answer,
    type: str,
    door: str,
    aws: FakeAws,
    log: drive.LogOfEverything,
    backoff: list[float],
    pages: Pages,
) -> None:
    # The one renewal in the last five minutes fails, and then page one takes until the last minute has begun.
    aws.tell("AssumeRole", session(lasting=DUE), reply, always=True)
    aws.tell("ListBuckets", *pages(UNTIL_ENDED))

    outcome = drive.ask(door, S3)

    told, contract = outcome.fault, CONTRACTS[type]
    assert (told["type"], told["stage"]) == (type, contract.stage)
    assert outcome.status == contract.status_through(door)
    assert signatures(aws) == [session_key(TARGET, 1)]
    drive.assert_nothing_leaked(outcome.text, log.text)


REJECTIONS = ["ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"]


@pytest.mark.parametrize(("code", "door"), through_the_doors(REJECTIONS, lambda _: "CheckCallFailed"))
def test_a_session_rejected_on_page_two_is_forgotten_so_that_asking_again_assumes_anew(
    code: str, door: str, aws: FakeAws, log: drive.LogOfEverything
) -> None:
    aws.tell("ListBuckets", buckets(["a"], token="t1"), error(code))

    first, second = drive.ask(door, S3), drive.ask(door, S3)

    assert_told(first, "CheckCallFailed", code)
    assert second.status == 200
    assert aws.counts["AssumeRole"] == 2
    assert signatures(aws)[-1] == session_key(TARGET, 2)
    drive.assert_nothing_leaked(first.text, second.text, log.text)


def test_a_good_session_is_kept_for_the_next_invocation(aws: FakeAws) -> None:
    assert drive.direct(S3).status == drive.http(S3).status == 200
    assert aws.counts["AssumeRole"] == 1


def test_no_session_is_kept_where_the_settings_say_so(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_CREDENTIALS", "false")

    assert drive.direct(S3).status == drive.direct(S3).status == 200
    assert aws.counts["AssumeRole"] == 2


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
            set_to("AWS_PROFILE", "missing")
        case "config-file-broken":
            set_to("AWS_CONFIG_FILE", config(tmp_path, "nonsense"))
        case "role-name-wrong":
            set_to("ROLE_NAME", "a role")
        case "external-id-wrong":
            set_to("EXTERNAL_ID", f"{HUB_SECRET} {'x' * 2000}")
        case "session-seconds-wrong":
            set_to("SESSION_SECONDS", "43200")
        case "allowed-accounts-wrong":
            set_to("ALLOWED_ACCOUNTS", "111111111111,123")
        case "log-level-wrong":
            set_to("LOG_LEVEL", "LOUD")


@pytest.mark.parametrize(("name", "door"), through_the_doors(HUB_FAULTS, HUB_FAULTS.__getitem__))
def test_the_hub_cannot_even_ask(
    name: str,
    door: str,
    aws: FakeAws,
    log: drive.LogOfEverything,
    backoff: list[float],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    break_the_hub(name, monkeypatch, tmp_path)
    hub_of.cache_clear()

    outcome = drive.ask(door, {"account_id": TARGET})

    assert_told(outcome, HUB_FAULTS[name])
    assert aws.counts["AssumeRole"] == 0
    assert sum(backoff) <= MOST_BACKOFF_SECONDS
    drive.assert_nothing_leaked(outcome.text, log.text)
