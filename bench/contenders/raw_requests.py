"""The same two requests without botocore: signed by hand (Signature Version 4) and sent with urllib3."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import urllib3

from bench.contenders import AskAccounts, BucketNames, role_arn

_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_FORM = "application/x-www-form-urlencoded"


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None


def signed_by_hand(threads: int) -> AskAccounts:
    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    hub = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    http = urllib3.PoolManager(maxsize=threads, block=True, retries=False)

    def call(method: str, service: str, body: str, credentials: Credentials) -> ElementTree.Element:
        headers = signed_headers(method, url, service, body, credentials)
        answer = http.request(method, url, body=body or None, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"{service} answered {answer.status}")
        return ElementTree.fromstring(answer.data)

    def ask_one(account_id: str) -> list[str]:
        asked = {"RoleArn": role_arn(account_id), "RoleSessionName": "bench"}
        form = urlencode({"Action": "AssumeRole", "Version": "2011-06-15", **asked})
        session = call("POST", "sts", form, hub).find(f".//{_STS}Credentials")
        assert session is not None
        texts = (session.findtext(_STS + name, "") for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        buckets = call("GET", "s3", "", Credentials(*texts))
        return [name.text or "" for name in buckets.iter(f"{_S3}Name")]

    def ask(accounts: Sequence[str]) -> BucketNames:
        with ThreadPoolExecutor(threads) as pool:
            return dict(zip(accounts, pool.map(ask_one, accounts), strict=True))

    return ask


def signed_headers(method: str, url: str, service: str, body: str, credentials: Credentials) -> dict[str, str]:
    """Sign a request for `/` without a query, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html."""
    region = os.environ["AWS_DEFAULT_REGION"]
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(body.encode()).hexdigest()
    headers = {"host": urlsplit(url).netloc, "x-amz-content-sha256": digest, "x-amz-date": time}
    if body:
        headers["content-type"] = _FORM
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    canonical = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = hashlib.sha256(f"{method}\n/\n\n{canonical}\n{names}\n{digest}".encode()).hexdigest()
    key = ("AWS4" + credentials.secret_key).encode()
    for part in (time[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}".encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
