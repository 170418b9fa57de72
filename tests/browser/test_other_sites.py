"""A page of another site, in a browser on this machine, gets nothing from `chalice local` and the sandbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import sandbox
from sandbox.state_file import PROJECT
from tests.browser.chromium import Chromium, Tab
from tests.e2e.conftest import PRODUCTION, box, project  # noqa: F401
from tests.e2e.test_local import url  # noqa: F401

SWEEP = json.dumps({"check": "preflight", "accounts": [PRODUCTION]})
CHECK = f"/accounts/{PRODUCTION}/checks/s3_buckets"
DOORS_OF_MOTO = ("/moto-api/recorder/upload-recording", "/moto-api/recorder/replay-recording", "/moto-api/reset")

NO_CORS = "fetch({url}, {{method: 'POST', mode: 'no-cors', body: new Blob([{body}])}}).then(() => 'sent')"
READ = "fetch({url}).then(response => response.text(), error => error.name)"
FORM = """new Promise(done => {{
  const [frame, form, field] = ["iframe", "form", "input"].map(name => document.createElement(name));
  Object.assign(frame, {{name: "answer" + Math.random()}});
  Object.assign(form, {{action: {url}, method: "POST", enctype: {type}, target: frame.name}});
  Object.assign(field, {{name: {body}, value: ""}});
  form.append(field);
  document.body.append(frame, form);
  frame.onload = () => done("sent");
  form.submit();
}})"""
EMBED = """new Promise(done => {{
  const element = document.createElement({tag});
  element.onload = element.onerror = () => done("sent");
  element.src = {url};
  document.body.append(element);
}})"""
AHEAD = """(() => {{
  const script = document.createElement("script");
  script.type = "speculationrules";
  script.textContent = JSON.stringify({{[{how}]: [{{source: "list", urls: [{url}], eagerness: "immediate"}}]}});
  document.body.append(script);
}})()"""


class Site(ThreadingHTTPServer):
    """Another site: any GET is an empty page, and what is posted is kept, with its type."""

    def __init__(self) -> None:
        self.posted: list[tuple[str | None, bytes]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._respond(b"<!doctype html><title>Another site</title>")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.posted.append((self.headers.get("Content-Type"), body))
                self._respond(b"")

            def _respond(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(params=["localhost", "127.0.0.1"])
def page(request: pytest.FixtureRequest, chromium: Chromium, site: Site) -> Iterator[Tab]:
    """Of another host, or only of another port, which a browser calls the same site."""
    tab = chromium.open(f"http://{request.param}:{site.server_port}/")
    yield tab
    tab.close()


@pytest.fixture(autouse=True)
def nothing_happens(box: sandbox.Box) -> Iterator[None]:  # noqa: F811
    """In AWS, during any test here; and moto writes the file of its recorder into the working directory."""
    before = box.calls()
    yield
    assert box.calls() == before
    assert not (PROJECT / "moto_recording").exists()


def script(template: str, **values: str) -> str:
    return template.format(**{name: json.dumps(value) for name, value in values.items()})


def shown(tab: Tab) -> Any:
    return tab.evaluate("document.body.innerText")


def test_the_page_can_post_to_this_machine(page: Tab, site: Site) -> None:
    """Otherwise the tests below would show nothing."""
    page.evaluate(script(NO_CORS, url=f"http://127.0.0.1:{site.server_port}/", body=SWEEP))
    assert site.posted[-1] == (None, SWEEP.encode())


@pytest.mark.parametrize("path", ["/sweeps", CHECK])
def test_it_runs_no_check(page: Tab, url: str, path: str) -> None:  # noqa: F811
    page.evaluate(script(NO_CORS, url=url + path, body=SWEEP if path == "/sweeps" else "{}"))
    assert page.status(url + path) == 403


def test_it_runs_no_check_without_a_body(page: Tab, url: str) -> None:  # noqa: F811
    page.evaluate(f"fetch({json.dumps(url + CHECK)}, {{method: 'POST', mode: 'no-cors'}}).then(() => 'sent')")
    assert page.status(url + CHECK) == 403


@pytest.mark.parametrize("path", DOORS_OF_MOTO)
def test_it_opens_no_door_of_moto(page: Tab, box: sandbox.Box, path: str) -> None:  # noqa: F811
    page.evaluate(script(NO_CORS, url=box.endpoint_url + path, body="{}"))
    assert page.status(box.endpoint_url + path) == 403


@pytest.mark.parametrize("path", ["/checks", "/report/s3_buckets"])
def test_it_reads_nothing_of_chalice_local(page: Tab, url: str, path: str) -> None:  # noqa: F811
    assert page.evaluate(script(READ, url=url + path)) == "TypeError"


@pytest.mark.parametrize("path", ["/sandbox/calls", "/moto-api/data.json", "/"])
def test_it_reads_nothing_of_the_sandbox(page: Tab, box: sandbox.Box, path: str) -> None:  # noqa: F811
    assert page.evaluate(script(READ, url=box.endpoint_url + path)) == "TypeError"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_its_forms_run_no_check(page: Tab, url: str, kind: str) -> None:  # noqa: F811
    page.evaluate(script(FORM, url=f"{url}/sweeps", type=kind, body=SWEEP))
    assert page.status(f"{url}/sweeps") == 403


@pytest.mark.parametrize("tag", ["img", "iframe", "script"])
def test_it_embeds_nothing(page: Tab, url: str, tag: str) -> None:  # noqa: F811
    assert page.evaluate(script(EMBED, tag=tag, url=f"{url}/report/s3_buckets")) == "sent"


@pytest.mark.parametrize("how", ["prefetch", "prerender"])
def test_it_has_nothing_fetched_ahead(page: Tab, box: sandbox.Box, url: str, how: str) -> None:  # noqa: F811
    """As a browser does for a speculation rule, and with `Sec-Fetch-Site: none`."""
    for address in (f"{url}/report/s3_buckets", f"{box.endpoint_url}/sandbox/calls"):
        page.evaluate(script(AHEAD, how=how, url=address))
        assert page.status(address) == 403


def test_a_link_on_it_leads_to_a_refusal(page: Tab, url: str) -> None:  # noqa: F811
    page.evaluate(f"location = {json.dumps(url + '/report/s3_buckets')}, 0")
    page.wait_until("document.readyState === 'complete' && document.contentType === 'application/json'")
    assert json.loads(shown(page))["error"]["type"] == "ForeignRequest"


def test_a_name_that_leads_to_this_machine_reads_nothing(chromium: Chromium, url: str) -> None:  # noqa: F811
    """DNS rebinding: below `localhost` is one whose address a browser knows without asking."""
    tab = chromium.open(f"{url.replace('127.0.0.1', 'rebound.localhost')}/checks")
    assert json.loads(shown(tab))["error"]["type"] == "ForeignRequest"
    tab.close()
