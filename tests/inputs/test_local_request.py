"""Whom the routes serve outside Lambda; `chalice.test` sends them as `chalice local` does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from chalice.test import Client

import app as entry_points
from tests.fake_aws import FakeAws
from tests.templates import ROOT

TARGET = "222222222222"
Send = Callable[..., tuple[int, Any]]

FOREIGN: dict[str, Mapping[str, str]] = {
    "another name": {"Host": "evil.example"},
    "another name with this port": {"Host": "evil.example:8000"},
    "a name that begins like this machine": {"Host": "127.0.0.1.evil.example"},
    "a name that ends like this machine": {"Host": "evil-localhost"},
    "user and host": {"Host": "127.0.0.1:80@evil.example"},
    "another address": {"Host": "192.168.0.7:8000"},
    "an empty name": {"Host": ""},
    "another origin": {"Host": "127.0.0.1:8000", "Origin": "https://evil.example"},
    "another port's origin": {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8001"},
    "localhost's origin at the address": {"Host": "127.0.0.1:8000", "Origin": "http://localhost:8000"},
    "an origin that is hidden": {"Host": "127.0.0.1:8000", "Origin": "null"},
    "a fetch from another site": {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"},
    "a fetch from another port": {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-site"},
    "a prefetch": {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "none", "Sec-Purpose": "prefetch"},
    "a prefetch of old": {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "none", "Purpose": "prefetch"},
}
OWN: dict[str, Mapping[str, str]] = {
    "the address": {"Host": "127.0.0.1:8000"},
    "the name": {"Host": "localhost:8000"},
    "the name in capitals": {"Host": "LOCALHOST"},
    "the address of IPv6": {"Host": "[::1]:8000"},
    "a typed address": {"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "none"},
    "the page itself": {
        "Host": "127.0.0.1:8000",
        "Origin": "http://127.0.0.1:8000",
        "Sec-Fetch-Site": "same-origin",
    },
}


@pytest.fixture
def send(client: Client, aws: FakeAws) -> Send:
    def call(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, Any]:
        with warnings.catch_warnings():  # chalice says of every IAMAuthorizer that it lets everybody in locally
            warnings.simplefilter("ignore", UserWarning)
            response = client.http.request(method, path, {**headers}, body)
        return response.status_code, response.body

    return call


def routes() -> list[tuple[str, str]]:
    """Every route there is, with what is in braces filled in."""
    return [
        (method, re.sub(r"\{\w+\}", TARGET, path))
        for path, methods in entry_points.app.routes.items()
        for method in methods
    ]


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_refuses_the_request_of_another_site(
    send: Send, aws: FakeAws, method: str, path: str, headers: Mapping[str, str]
) -> None:
    status, body = send(method, path, {"Content-Type": "application/json", **headers})
    answer = json.loads(body)
    assert (status, answer["error"]["type"]) == (403, "ForeignRequest")
    assert answer["message"].isprintable()
    assert not aws.seen


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
@pytest.mark.parametrize(("method", "path"), [("GET", "/checks"), ("POST", f"/accounts/{TARGET}/checks/identity")])
def test_the_developers_own_requests_are_served(send: Send, method: str, path: str, headers: Mapping[str, str]) -> None:
    assert send(method, path, headers)[0] == 200


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "text/plain; application/json", "application/jsonx"])
@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_refuses_a_body_that_does_not_say_that_it_is_json(
    send: Send, aws: FakeAws, method: str, path: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    status, body = send(method, path, {"Host": "127.0.0.1:8000", **headers}, b"{}")
    assert (status, json.loads(body)["error"]["type"]) == (415, "UnsupportedMediaType")
    assert not aws.seen


def test_a_type_of_body_may_have_parameters(send: Send) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert send("POST", f"/accounts/{TARGET}/checks/identity", headers, b"{}")[0] == 200


def test_in_lambda_nothing_stands_before_the_routes() -> None:
    code = "import sys, app; print(app.app.middleware_handlers, 'chalicelib.inputs.local_request' in sys.modules)"
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "cross-account-prod"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1:] == ["[] False"], run.stderr  # before it, that this has no bytecode of a package
