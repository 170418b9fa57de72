"""The report of the sandbox's organization from `chalice local`, in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium, Tab
from tests.browser.test_report_page import choose, rows
from tests.e2e.conftest import ACQUIRED, LEGACY, box, project  # noqa: F401
from tests.e2e.test_local import url  # noqa: F401


@pytest.fixture(scope="module")
def tab(chromium: Chromium, url: str) -> Iterator[Tab]:  # noqa: F811
    opened = chromium.open(f"{url}/report/s3_buckets?exclude=111111111111")
    yield opened
    opened.close()


def test_the_page_shows_the_names_and_buckets_of_the_organization(tab: Tab) -> None:
    assert sorted(set(rows(tab))) == ["acquired", "analytics", "legacy", "production", "staging"]
    assert "production-invoices" in tab.evaluate("document.body.innerText")
    assert tab.complaints() == []


def test_denied_accounts_have_hints(tab: Tab) -> None:
    choose(tab, "failed")
    assert sorted(rows(tab)) == ["acquired", "legacy"]
    hints = tab.evaluate("[...document.querySelectorAll('tr[data-kind=failed] .why')].map(one => one.textContent)")
    assert [account in hint for account, hint in zip((LEGACY, ACQUIRED), hints, strict=True)] == [True, True]


def test_the_page_sends_no_other_requests(tab: Tab) -> None:
    assert [address.split("?")[0].rsplit("/", 2)[1:] for address in tab.requests()] == [["report", "s3_buckets"]]


def test_an_unknown_check_is_an_error_page(chromium: Chromium, url: str) -> None:  # noqa: F811
    opened = chromium.open(f"{url}/report/nothing")
    assert opened.evaluate("document.querySelector('h1').textContent").startswith("There is no check 'nothing'.")
    opened.close()
