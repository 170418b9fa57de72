"""On a laptop: `chalice local` and curl, and the questions of the README with `sweep.py`."""

from __future__ import annotations

import csv
import http.client
import json
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

import sandbox
from sandbox import regions
from tests.e2e.conftest import ACQUIRED, HUB, LEGACY, PRODUCTION, STAGING, Project
from tests.templates import ROOT
from tests.test_readme import section

START_SECONDS = 60
ANALYTICS = "345678901234"


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


def test_an_operation_is_asked(url: str) -> None:
    params = {"operation": "lambda:ListFunctions", "query": "Functions[].Runtime"}
    status, body = curl(f"{url}/accounts/{PRODUCTION}/checks/api_call", "POST", {"params": params})
    assert (status, body["result"]) == (200, ["python3.13", "nodejs14.x"])


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


QUESTIONS = re.findall(r"^\$ python sweep\.py (\S+:(?:\\\n|.)*)", section("Ask anything"), re.MULTILINE)
"""Those of the README."""


def ask(project: Project, words: str) -> tuple[int, list[dict[str, str]], str]:
    """`sweep.py` with the form csv: its status, its rows, and what it says beside them."""
    given = words.replace("\\\n", "").replace("--output instances.csv", "").replace("--format csv", "")
    command = [sys.executable, str(ROOT / "sweep.py"), *shlex.split(given), "--format", "csv"]
    done = project.run(*command)
    return done.returncode, list(csv.DictReader(done.stdout.splitlines())), done.stderr


def without_order(rows: Iterable[dict[str, str]]) -> list[list[tuple[str, str]]]:
    """Accounts come as they are done."""
    return sorted(sorted(row.items()) for row in rows)


def printed(question: str) -> list[dict[str, str]]:
    """The rows that the README has below a command, or below the grep that follows it."""
    text = section("Ask anything").split(question, 1)[1].split("```")[0]
    lines = [line for line in text.split("\n$ python")[0].splitlines() if line.startswith('"')]
    return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def asked(project: Project) -> list[tuple[int, list[dict[str, str]], str]]:
    return [ask(project, question) for question in QUESTIONS]


@pytest.mark.parametrize(("number", "status"), [(0, 1), (1, 0), (2, 0)])
def test_the_questions_of_the_readme_are_answered_as_it_says(asked: Any, number: int, status: int) -> None:
    found, rows, _ = asked[number]
    assert found == status
    answered = (row for row in rows if "Denied" not in row["error"])
    assert without_order(answered) == without_order(printed(QUESTIONS[number]))


def test_who_did_not_answer_is_seen_in_the_rows_and_beside_them(asked: Any) -> None:
    """Once for each region where the role was assumed and lacks ViewOnlyAccess, else once."""
    _, rows, said = asked[0]
    assert sorted((row["account"], row["region"], row["error"]) for row in rows if row["error"]) == [
        *((ANALYTICS, region, "CheckDenied UnauthorizedOperation") for region in sorted(regions.BY_DEFAULT)),
        (LEGACY, "", "AssumeRoleDenied AccessDenied"),
        (ACQUIRED, "", "AssumeRoleDenied AccessDenied"),
    ]
    assert all(f"{account} {name}" in said for account, name in ((ANALYTICS, "analytics"), (LEGACY, "legacy")))


def test_where_all_accounts_answer_the_status_is_0_and_the_hub_is_left_out(project: Project) -> None:
    status, rows, said = ask(project, f"s3_buckets --stage sandbox --tags --exclude {ANALYTICS},{LEGACY},{ACQUIRED}")
    assert status == 0
    assert f"Left out: {HUB} hub" in said
    assert {(row["name"], row["tags"]) for row in rows} == {
        ("production", '{"env":"prod","owner":"shop"}'),
        ("staging", '{"env":"test","owner":"shop"}'),
    }


def test_a_region_that_an_account_has_off_is_told_and_is_no_failure(project: Project) -> None:
    query = "Volumes[?!Encrypted].{volume: Tags[0].Value, gib: Size}"
    status, rows, said = ask(
        project,
        f"ec2:DescribeVolumes --stage sandbox --regions eu-south-1 --accounts {PRODUCTION},{STAGING} --query '{query}'",
    )
    assert status == 0
    assert f"eu-south-1 is off in 1 account: {PRODUCTION}" in said
    assert sorted((row["account"], row["volume"], row["error"]) for row in rows) == [
        (PRODUCTION, "", "RegionOff AuthFailure"),
        (STAGING, "upload-test", ""),
    ]
