"""`chalice local` with the sandbox, opened in a browser: a person sees the organization."""

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


def test_the_organization_is_there_with_names_and_buckets(tab: Tab) -> None:
    assert sorted(rows(tab)) == ["acquired", "analytics", "legacy", "production", "staging"]
    assert "production-invoices" in tab.evaluate("document.body.innerText")
    assert tab.complaints() == []


def test_the_accounts_that_do_not_let_us_in_say_what_to_do(tab: Tab) -> None:
    choose(tab, "failed")
    assert sorted(rows(tab)) == ["acquired", "legacy"]
    hints = tab.evaluate("[...document.querySelectorAll('tr[data-outcome=failed] .why')].map(one => one.textContent)")
    assert [account in hint for account, hint in zip((LEGACY, ACQUIRED), hints, strict=True)] == [True, True]


def test_its_policy_comes_with_it_and_nothing_else_is_asked_for(tab: Tab) -> None:
    assert [address.split("?")[0].rsplit("/", 2)[1:] for address in tab.requests()] == [["report", "s3_buckets"]]


def test_a_check_that_is_not_there_is_a_page_that_says_so(chromium: Chromium, url: str) -> None:  # noqa: F811
    opened = chromium.open(f"{url}/report/nothing")
    assert opened.evaluate("document.querySelector('h1').textContent").startswith("There is no check 'nothing'.")
    opened.close()
