"""Requests that a route refuses before AWS is called."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.fake_aws import EXTERNAL_ID, FakeAws
from tests.faults import drive
from tests.faults.cases import TARGET

ROUTE = f"/accounts/{TARGET}/checks/identity"
OBJECT = "must be a JSON object"

BODIES: dict[str, tuple[bytes, str]] = {
    "cut-off": (b'{"region": ', OBJECT),
    "single-quotes": (b"{'region': null}", OBJECT),
    "two-objects": (b"{}{}", OBJECT),
    "trailing-comma": (b'{"params": {},}', OBJECT),
    "html": (b"<html></html>", OBJECT),
    "form": (b"region=eu-west-1&params=", OBJECT),
    "spaces-only": (b"   ", OBJECT),
    "nul": (b"\x00", OBJECT),
    "list": (b"[]", OBJECT),
    "null": (b"null", OBJECT),
    "string": (b'"region"', OBJECT),
    "number": (b"7", OBJECT),
    "nan": (b"NaN", OBJECT),
    "true": (b"true", OBJECT),
    "invalid-utf-8": (b"\xff\xfe\xfd", OBJECT),
    "invalid-utf-8-in-a-string": (b'{"region": "\xff"}', OBJECT),
    "truncated-utf-8": (b'{"region": "\xe2\x82', OBJECT),
    "utf-8-surrogate": (b'{"region": "\xed\xa0\x80"}', "region"),
    "number-of-ten-thousand-digits": (b"1" * 10_000, OBJECT),
    "deeper-than-the-stack": (b"[" * 200_000, OBJECT),
    "deep-object": (b'{"params":' * 50_000 + b"1" + b"}" * 50_000, OBJECT),
    "megabyte": (b"x" * 1_000_000, OBJECT),
    "account-in-the-body": (b'{"account_id": "222222222222"}', "account_id"),
    "check-in-the-body": (b'{"check": "s3_buckets"}', "check"),
    "raise-on-error-in-the-body": (b'{"raise_on_error": true}', "raise_on_error"),
    "role-in-the-body": (b'{"role_arn": "arn:aws:iam::222222222222:role/x"}', "role_arn"),
    "external-id-in-the-body": (json.dumps({"external_id": EXTERNAL_ID}).encode(), "external_id"),
    "endpoint-in-the-body": (b'{"endpoint_url": "https://evil.example"}', "endpoint_url"),
    "region-with-a-host": (b'{"region": "us-east-1.evil.example/"}', "region"),
    "region-twice": (b'{"region": "eu-west-1", "region": "evil.example"}', "region"),
    "region-escaped": (b'{"region": "us-east-1\\u0000"}', "region"),
    "params-list": (b'{"params": []}', "params"),
    "params-unknown": (b'{"params": {"a": 1}}', "'a'"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused(name: str, aws: FakeAws, log: drive.LogOfEverything) -> None:
    body, word = BODIES[name]

    outcome = drive.post(ROUTE, body)

    assert outcome.status == 400
    assert (outcome.fault["type"], outcome.fault["stage"]) == ("InvalidInput", "input")
    assert word in outcome.body["message"]
    assert outcome.body["message"].isprintable()
    assert len(outcome.text) < 5_000
    assert not aws.seen
    drive.assert_nothing_leaked(outcome.text, log.text)


PATHS: dict[str, tuple[str, str, int, str]] = {
    "account-of-11-digits": ("1" * 11, "identity", 400, "InvalidAccountId"),
    "account-of-13-digits": ("1" * 13, "identity", 400, "InvalidAccountId"),
    "account-with-an-escaped-newline": (TARGET + "\n", "identity", 400, "InvalidAccountId"),
    "account-with-an-escaped-slash": (TARGET + "/..", "identity", 400, "InvalidAccountId"),
    "account-with-an-escaped-nul": (TARGET + "\0", "identity", 400, "InvalidAccountId"),
    "account-with-a-space": (" " + TARGET, "identity", 400, "InvalidAccountId"),
    "account-in-full-width-digits": ("１" * 12, "identity", 400, "InvalidAccountId"),
    "account-in-arabic-indic-digits": ("١" * 12, "identity", 400, "InvalidAccountId"),
    "account-arn": (f"arn:aws:iam::{TARGET}:root", "identity", 400, "InvalidAccountId"),
    "account-of-ten-thousand-digits": ("1" * 10_000, "identity", 400, "InvalidAccountId"),
    "check-unknown": (TARGET, "nope", 404, "UnknownCheck"),
    "check-in-capitals": (TARGET, "Identity", 404, "UnknownCheck"),
    "check-with-an-escaped-newline": (TARGET, "identity\n", 404, "UnknownCheck"),
    "check-dunder": (TARGET, "__class__", 404, "UnknownCheck"),
    "check-module": (TARGET, "os.system", 404, "UnknownCheck"),
    "check-of-ten-thousand-letters": (TARGET, "c" * 10_000, 404, "UnknownCheck"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_bad_path_is_refused(name: str, aws: FakeAws, log: drive.LogOfEverything) -> None:
    account_id, check, status, type_ = PATHS[name]

    outcome = drive.post(f"/accounts/{quote(account_id, safe='')}/checks/{quote(check, safe='')}")

    assert outcome.status == status
    assert (outcome.fault["type"], outcome.fault["stage"]) == (type_, "input")
    assert outcome.body["message"].isprintable()
    assert len(outcome.text) < 5_000
    assert not aws.seen
    drive.assert_nothing_leaked(outcome.text, log.text)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "x" * 9,
    ],
)
def test_a_body_that_does_not_say_it_is_json_is_refused(content_type: str, aws: FakeAws) -> None:
    outcome = drive.post(ROUTE, b"{}", content_type)

    assert outcome.status == 415
    assert (outcome.fault["type"], outcome.fault["stage"]) == ("UnsupportedMediaType", "input")
    assert not aws.seen


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_a_body_that_says_it_is_json_is_taken(content_type: str, aws: FakeAws) -> None:
    assert drive.post(ROUTE, b"{}", content_type).status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"region": null, "params": null}', b"\xef\xbb\xbf{}"])
def test_a_body_may_be_absent_or_empty(body: bytes, aws: FakeAws) -> None:
    assert drive.post(ROUTE, body).status == 200
