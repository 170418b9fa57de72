"""The page of a sweep in a browser: what a person sees and does, and that hostile text stays text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.pages.report import error_page, page
from tests.browser.chromium import Tab
from tests.pages.reports import HOSTILE, account_id, answer_of, buckets, failed, hostile, ok, organization, posture

Show = Callable[..., Tab]
WIDTHS = (390, 1280)
HOSTILE_RAN = "typeof window.hostile !== 'undefined'"

ACCOUNTS = "[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden).map(row => row.cells[0].innerText)"
LEAST_CONTRAST = """(() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
  };
  let least = [99];
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (!element.checkVisibility() || element.closest("script")) continue;
    const [one, two] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 99)];
  }
  return least;
})()"""


def rows(tab: Tab) -> list[str]:
    """The names of the accounts that are shown, from top to bottom."""
    return [name.split("\n")[0].strip() for name in tab.evaluate(ACCOUNTS)]


def search(tab: Tab, text: str) -> None:
    tab.evaluate("document.querySelector('input[type=search]').select()")
    tab.type(text)


def choose(tab: Tab, outcome: str) -> None:
    tab.evaluate(f"document.querySelector('input[value={outcome}]').click()")


def sort(tab: Tab, column: str) -> None:
    tab.evaluate(
        f"[...document.querySelectorAll('thead button')].find(one => one.textContent === {json.dumps(column)}).click()"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 5, 500])
def test_the_page_sends_no_requests_logs_no_errors_and_fits_the_window(
    show: Show, count: int, width: int, dark: bool
) -> None:
    tab = show(page(organization(count)), width=width, dark=dark)
    assert [address.split(":")[0] for address in tab.requests()] == ["file"]
    assert tab.complaints() == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert len(set(rows(tab))) == count


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_text_has_enough_contrast(show: Show, width: int, dark: bool) -> None:
    tab = show(page(organization(5)), width=width, dark=dark)
    ratio, *where = tab.evaluate(LEAST_CONTRAST)
    assert ratio >= 4.5, where
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)"
    )


def test_500_accounts_are_less_than_a_megabyte_and_can_be_sorted_and_filtered(show: Show) -> None:
    source = page(organization(500))
    assert len(source.encode()) < 1_000_000
    tab = show(source)
    sort(tab, "name")
    search(tab, "team-499")
    assert rows(tab) == ["team-499"] * 3


# ---- filter and sort


def test_a_text_filters_by_everything_in_a_row(show: Show) -> None:
    tab = show(page(organization(20)))
    for text, found in {
        "TEAM-7-bucket": ["team-7"] * 3,
        "bucket-2 TEAM-7": ["team-7"],
        account_id(12): ["team-12"],
        "assumeroledenied": ["team-3", "team-13"],
        "denied team-13": ["team-13"],
        "not started": ["team-4", "team-14"],
        "nothing found": ["team-0", "team-8", "team-12", "team-16"],
    }.items():
        search(tab, text)
        assert rows(tab) == found
        assert tab.evaluate("document.querySelector('output').textContent") == f"{len(found)} of 32 shown"
    search(tab, "nowhere")
    assert (rows(tab), tab.evaluate("document.querySelector('output').textContent")) == ([], "Nothing fits.")
    search(tab, " ")
    assert len(rows(tab)) == 32


def test_an_outcome_filters_together_with_a_text(show: Show) -> None:
    tab = show(page(organization(20)))
    choose(tab, "failed")
    assert rows(tab) == ["team-3", "team-13"]
    search(tab, "13")
    assert rows(tab) == ["team-13"]
    choose(tab, "not-started")
    assert rows(tab) == []
    search(tab, " ")
    assert rows(tab) == ["team-4", "team-14"]
    choose(tab, "all")
    assert len(rows(tab)) == 32


def test_a_column_sorts_ascending_then_descending_and_shows_which(show: Show) -> None:
    tab = show(page(answer_of([ok(account_id(one), buckets("b"), name=f"team-{one}") for one in reversed(range(12))])))
    sort(tab, "Account")
    assert rows(tab) == [f"team-{number}" for number in range(12)]
    sort(tab, "Account")
    assert rows(tab) == [f"team-{number}" for number in reversed(range(12))]
    directions = "[...document.querySelectorAll('thead th')].map(head => head.getAttribute('aria-sort'))"
    assert tab.evaluate(directions) == ["descending", None, None, None]
    sort(tab, "name")
    assert tab.evaluate(directions) == [None, "ascending", None, None]


def test_numbers_sort_as_numbers_and_accounts_without_one_come_last(show: Show) -> None:
    results = [ok(account_id(one), {"users": many}) for one, many in enumerate((2, 19, 0))]
    tab = show(page(answer_of([ok(account_id(9), []), *results])))
    sort(tab, "users")
    assert rows(tab) == [account_id(2), account_id(0), account_id(1), account_id(9)]
    sort(tab, "users")
    assert rows(tab) == [account_id(1), account_id(0), account_id(2), account_id(9)]


def test_each_check_is_a_table_that_sorts_by_itself_and_all_are_filtered_together(show: Show) -> None:
    outcomes = [ok(account_id(number), {"x": -number}, check="identity") for number in (0, 1)]
    outcomes += [ok(account_id(number), {"y": number}, check="preflight") for number in (0, 1)]
    tab = show(page(answer_of(outcomes)))
    sort(tab, "x")
    assert rows(tab) == [account_id(number) for number in (1, 0, 0, 1)]
    shown = "[...document.querySelectorAll('section')].filter(one => !one.hidden).map(one => one.id)"
    search(tab, "-1")
    assert (rows(tab), tab.evaluate(shown)) == ([account_id(1)], ["table-identity"])
    search(tab, account_id(0))
    assert (rows(tab), tab.evaluate(shown)) == ([account_id(0)] * 2, ["table-identity", "table-preflight"])
    tab.evaluate("document.querySelector('nav li:last-child a').click()")
    assert tab.evaluate("document.querySelector(':target h2').textContent") == "preflight"


def test_a_verdict_filters_all_checks_and_leaves_the_overview(show: Show) -> None:
    tab = show(page(posture(6)))
    shown = "[...document.querySelectorAll('section')].filter(one => one.checkVisibility()).map(one => one.id)"
    pills = "[...document.querySelectorAll('tr[data-kind] .pill')].filter(one => one.checkVisibility())"
    for verdict, sections in {
        "alarm": ["table-open_security_groups"],
        "unknown": ["table-Not-answered", "table-imds"],
        "muted": ["table-flow_logs"],
        "ok": ["table-open_security_groups", "table-imds", "table-flow_logs"],
        "failed": ["table-Not-answered"],
    }.items():
        choose(tab, verdict)
        assert tab.evaluate(shown) == ["table-Overview", *sections]
        failed = {"failed"} if verdict == "unknown" else set()  # nor could it look there
        assert set(tab.evaluate(f"{pills}.map(one => one.textContent)")) == {verdict, *failed}
    choose(tab, "all")
    sort(tab, "unknown")
    first = "document.querySelector('.overview tbody a')"
    assert tab.evaluate(f"{first}.textContent") == "open_security_groups"
    tab.evaluate(f"{first}.click()")
    assert tab.evaluate("document.querySelector(':target h2').textContent") == "open_security_groups"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_verdicts_can_be_read_and_fit_the_window(show: Show, width: int, dark: bool) -> None:
    tab = show(page(posture(6)), width=width, dark=dark)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.complaints() == []
    ratio, *where = tab.evaluate(LEAST_CONTRAST)
    assert ratio >= 4.5, where


def test_why_sorts_the_same_errors_together(show: Show) -> None:
    errors = ["CheckDenied", "AssumeRoleDenied", "CheckDenied", "AssumeRoleDenied"]
    tab = show(page(answer_of([failed(account_id(number), type=name) for number, name in enumerate(errors)])))
    sort(tab, "Why")
    assert rows(tab) == [account_id(number) for number in (1, 3, 0, 2)]


def test_everything_works_with_the_keyboard(show: Show) -> None:
    tab = show(page(organization(20)))
    focused = "document.activeElement.matches('input[type=search]') ? 'search' : document.activeElement.value || " + (
        "document.activeElement.textContent"
    )
    tab.press("Tab")
    assert tab.evaluate(focused) == "search"
    tab.press("Tab")
    assert tab.evaluate(focused) == "all"
    for _ in range(3):
        tab.press("ArrowRight")
    assert (tab.evaluate(focused), rows(tab)) == ("failed", ["team-3", "team-13"])
    for link in ("Not answered", "s3_buckets"):
        tab.press("Tab")
        assert tab.evaluate(focused) == link
    tab.press("Tab")  # the part that can be scrolled
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "Not answered"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Tab")
    assert tab.evaluate(focused) == "Account"
    for _ in range(2):
        tab.press("Enter", "\r")
    assert rows(tab) == ["team-13", "team-3"]
    for _ in range(3):
        tab.press("Tab")
    tab.press("Enter", "\r")
    assert tab.evaluate("document.activeElement.closest('details').open")


# ---- without a screen, or without scripts


@pytest.mark.parametrize("width", WIDTHS)
def test_a_screen_reader_gets_a_table_with_headers_and_labelled_fields(show: Show, width: int) -> None:
    by_role: dict[str, list[str]] = {}
    for node in show(page(organization(5)), width=width).accessible():
        by_role.setdefault(node["role"], []).append(node["name"])
    assert by_role["heading"][0] == "s3_buckets"
    assert by_role["table"] == [
        "One row for each account and reason",
        "3 rows from 2 accounts, nothing found in 1 account",
    ]
    assert by_role["columnheader"] == ["Account", "Outcome", "Why", "Account", "name", "created", "region"]
    assert len(by_role["rowheader"]) == 6
    assert [name.strip() for name in by_role["searchbox"]] == ["Filter"]
    assert [name.strip() for name in by_role["radio"]] == [
        *("all 6", "found 3", "nothing found 1", "failed 1", "not started 1")
    ]
    assert by_role["image"] == ["3 answered, 1 failed, 1 not started"]
    assert by_role["group"][:1] == ["Rows"]
    assert by_role["link"] == ["Not answered", "s3_buckets"]
    assert "status" in by_role
    assert by_role["button"] == by_role["columnheader"]


def test_without_scripts_only_what_needs_one_is_missing(show: Show) -> None:
    tab = show(page(organization(5)), scripts=False)
    assert len(rows(tab)) == 6
    assert not tab.evaluate("document.querySelector('form').checkVisibility()")
    assert not tab.evaluate("document.querySelector('thead button')")


def test_in_print_every_hint_is_open_and_controls_are_hidden(show: Show) -> None:
    tab = show(page(organization(20)), dark=True)
    tab.send("Emulation.setEmulatedMedia", media="print")
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("[...document.querySelectorAll('details')].map(one => one.open)") == [True, True]
    assert not tab.evaluate("document.querySelector('form').checkVisibility()")
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate("getComputedStyle(document.querySelector('tbody tr')).display") == "table-row"


# ---- hostile texts


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text_stays_text(show: Show, width: int, dark: bool) -> None:
    tab = show(page(hostile(), asked={"params": {"prefix": HOSTILE[1]}}), width=width, dark=dark)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.evaluate("document.querySelectorAll('*').forEach(one => one.dispatchEvent(new Event('mouseover')))")
    for column in ("Account", "Why", "name"):
        sort(tab, column)
    assert not tab.evaluate(HOSTILE_RAN)
    assert tab.complaints() == []  # the policy blocked nothing, because nothing was requested
    assert tab.evaluate("document.querySelectorAll('script').length") == 1
    assert tab.evaluate("document.querySelectorAll('a:not([href^=\"#table-\"]), img, iframe, object').length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert HOSTILE[0] in rows(tab)


def test_a_right_to_left_mark_in_a_name_does_not_reverse_other_text(show: Show) -> None:
    """Otherwise the mark would also reverse the account's id on the same line."""
    account = account_id(7)
    source = page(answer_of([ok(account, buckets("\u202eslatot"), name="\u202enoitcudorp")]))
    tab = show(source)
    assert tab.evaluate("document.querySelector('tbody th bdi').textContent") == "[U+202E]noitcudorp"
    assert "\u202e" not in tab.evaluate("document.documentElement.outerHTML")


INJECTED = [
    "<script>window.hostile=1</script>",
    "<img src=x onerror='window.hostile=1'>",
    "<svg onload='window.hostile=1'></svg>",
    "<iframe srcdoc='<script>parent.hostile=1</script>'></iframe>",
    "<a id=link href='javascript:window.hostile=1'>x</a>",
    "<script src='https://example.com/hostile.js'></script>",
    "<form action='https://example.com/'><button id=link>x</button></form>",
    "<base href='https://example.com/'>",
    "<style>body { background: url(https://example.com/x.png) }</style>",
]


@pytest.mark.parametrize("injected", INJECTED)
def test_injected_markup_runs_nothing_and_fetches_nothing(show: Show, injected: str) -> None:
    source = page(organization(5)).replace("<h1>", f"{injected}<h1>")
    tab = show(source)
    tab.evaluate("document.querySelector('#link')?.click()")
    assert not tab.evaluate(HOSTILE_RAN)
    assert [address for address in tab.requests() if address.startswith("http")] == []
    assert tab.evaluate("document.documentElement.dataset.ready") == "", "the page's own script must still run"


def test_an_error_page_is_safe_and_fits_the_window(show: Show) -> None:
    body: dict[str, Any] = {
        "message": HOSTILE[1],
        "error": {"type": "InvalidInput", "stage": "input", "code": None, "hint": HOSTILE[2], "request_id": None},
    }
    tab = show(error_page(400, body), width=390)
    assert (tab.complaints(), tab.evaluate(HOSTILE_RAN)) == ([], False)
    assert tab.evaluate("document.querySelector('h1').textContent") == HOSTILE[1]
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
