"""`chalice local` and curl: the routes on a laptop."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

import sandbox
from tests.e2e.conftest import LEGACY, PRODUCTION, Project

START_SECONDS = 60


@pytest.fixture(scope="module")
def url(project: Project) -> Iterator[str]:
    """Chalice takes no port 0, so one that was free a moment ago has to do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["chalice", "local", "--stage", "sandbox", "--port", str(port), "--no-autoreload"]
    process = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("chalice local did not start")


def curl(url: str, method: str = "GET", body: object = None, **more: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_checks_are_listed_with_their_parameters(url: str) -> None:
    status, body = curl(f"{url}/checks")
    checks = {check["name"]: check for check in body["checks"]}
    assert status == 200
    assert checks["s3_buckets"]["actions"] == ["s3:ListAllMyBuckets"]
    assert checks["bedrock_converse"]["parameters"]["max_tokens"] == {"type": "int", "required": False, "default": 512}


def test_a_check_is_run_without_a_body(url: str) -> None:
    status, body = curl(f"{url}/accounts/{PRODUCTION}/checks/s3_buckets", "POST")
    assert (status, body["result"]["count"]) == (200, 2)


def test_a_check_is_run_with_parameters(url: str) -> None:
    status, body = curl(f"{url}/accounts/{PRODUCTION}/checks/s3_buckets", "POST", {"params": {"prefix": "nothing"}})
    assert (status, body["account_id"]) == (200, PRODUCTION)


def test_a_denied_account_is_a_403(url: str) -> None:
    status, body = curl(f"{url}/accounts/{LEGACY}/checks/identity", "POST", {})
    assert (status, body["error"]["type"]) == (403, "AssumeRoleDenied")


def test_a_malformed_account_id_is_a_400(url: str) -> None:
    status, body = curl(f"{url}/accounts/12345/checks/identity", "POST")
    assert (status, body["message"]) == (400, "Invalid account ID format")


def test_an_unknown_check_is_a_404(url: str) -> None:
    status, body = curl(f"{url}/accounts/{PRODUCTION}/checks/nothing", "POST")
    assert (status, body["error"]["type"]) == (404, "UnknownCheck")


def test_a_sweep_is_one_request(url: str) -> None:
    status, body = curl(f"{url}/sweeps", "POST", {"check": "preflight", "accounts": [PRODUCTION, LEGACY]})
    assert (status, [item["ok"] for item in body["results"]]) == (200, [True, False])


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://localhost"}, {"Sec_Fetch_Site": "cross-site"}],
    ids=["host", "origin", "fetch"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/report/s3_buckets"), ("POST", "/sweeps")])
def test_another_site_is_a_403_and_nothing_is_called(
    url: str, box: sandbox.Box, method: str, path: str, headers: dict[str, str]
) -> None:
    before = len(box.calls())
    status, body = curl(url + path, method, {"check": "preflight"} if method == "POST" else None, **headers)
    assert (status, body["error"]["type"]) == (403, "ForeignRequest")
    assert len(box.calls()) == before


def test_a_body_without_its_type_is_a_415_and_nothing_is_called(url: str, box: sandbox.Box) -> None:
    """As a page may send it; urllib always names a type."""
    before = len(box.calls())
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("POST", "/sweeps", b'{"check": "preflight"}')
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]["type"]) == (415, "UnsupportedMediaType")
    connection.close()
    assert len(box.calls()) == before
