"""The page of a sweep as text: what stands in it, that nothing else can, and what the route answers."""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any
from unittest.mock import ANY

import pytest
from chalice.test import Client, HTTPResponse
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check, check
from chalicelib.checks.finding import VERDICTS, Verdict, alarm, info, skip, unknown
from chalicelib.checks.finding import ok as fine
from chalicelib.errors import ServiceNotOffered
from chalicelib.pages.cells import MAX_LISTED
from chalicelib.pages.contents import MAX_GROUPS, contents_of
from chalicelib.pages.markup import element, text
from chalicelib.pages.report import HEADERS, POLICY, SCRIPT, STYLE, error_page, page
from chalicelib.sweeps.outcome import LeftOut, Outcome, Target
from tests.fake_aws import FakeAws, Reply, error
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids
from tests.pages.reports import (
    HINT,
    HOSTILE,
    account_id,
    answer_of,
    buckets,
    failed,
    hostile,
    judged,
    not_judged,
    off,
    ok,
    organization,
    posture,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ORGANIZATION = "POST /"
NOW = datetime(2025, 1, 28, 9, 26, tzinfo=UTC)


class Read(HTMLParser):
    """The elements of a page with their attributes, its text, and the cells of its tables."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        if tag == "li" and self._in_cell and self.rows[-1][-1]:
            self.rows[-1][-1] += ", "

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data

    def count(self, tag: str) -> int:
        return sum(1 for name, _ in self.elements if name == tag)


# ---- what stands in it


def test_each_thing_found_is_a_row_with_its_account_and_its_own_columns() -> None:
    account = account_id(1)
    answer = answer_of([ok(account, buckets("one", "two"), name="production")])
    assert Read(page(answer)).rows == [
        ["Account", "name", "created", "region"],
        [f"production {account}", "one", "2025-01-28", ""],
        [f"production {account}", "two", "2025-01-28", ""],
    ]


def test_a_check_that_found_nothing_is_told_apart_from_one_that_could_not_look() -> None:
    read = Read(
        page(answer_of([ok(account_id(0), buckets()), ok(account_id(1), buckets("one")), failed(account_id(2))]))
    )
    assert [row[:2] for row in read.rows] == [
        ["Account", "Outcome"],
        [account_id(2), "failed"],
        ["Account", "name"],
        [account_id(1), "one"],
        [account_id(0), "nothing found"],
    ]
    ((_, cell),) = [found for found in read.elements if found[1].get("colspan")]
    assert cell["colspan"] == "3"
    assert "1 row from 1 account, nothing found in 1 account" in read.text


def test_an_account_with_nothing_in_some_regions_is_a_row_only_if_it_has_no_other() -> None:
    regions = ("eu-west-1", "us-east-1", "us-east-2", "us-west-1")
    outcomes = [ok(account_id(0), buckets(*([] if one else ["one"])), region) for one, region in enumerate(regions)]
    outcomes += [ok(account_id(1), buckets(), region) for region in regions]
    outcomes += [ok(account_id(2), buckets(), region) for region in regions[:3]]
    assert [row[:3] for row in Read(page(answer_of(outcomes))).rows[1:]] == [
        [account_id(0), "eu-west-1", "one"],
        [account_id(1), "4 regions", "nothing found"],
        [account_id(2), "eu-west-1, us-east-1, us-east-2", "nothing found"],
    ]


def test_a_failure_has_its_type_its_code_its_hint_and_its_request_id() -> None:
    account = account_id(1)
    row = Read(page(answer_of([ok(account_id(0), buckets()), failed(account)]))).rows[1]
    assert row[:2] == [account, "failed"]
    assert row[2].startswith(f"AssumeRoleDenied AccessDeniedAssumeRole of arn:aws:iam::{account}:role/external-role")
    assert row[2].endswith(
        "What to doIn account "
        + HINT.format(account).split("\nIn account ")[1]
        + "\n"
        + ("AWS request id: aws-request-id")
    )


def test_an_account_is_one_row_for_each_error_however_many_checks_and_regions_have_it() -> None:
    account, where = (
        account_id(0),
        [(check, region) for check in ("one", "two") for region in ("eu-west-1", "us-east-1")],
    )
    outcomes = [failed(account, region=region, check=check, request_id=f"{check}{region}") for check, region in where]
    outcomes += [failed(account, region="us-west-1", check="two", type="CheckDenied")]
    head, *rows = Read(page(answer_of(outcomes))).rows
    assert head == ["Account", "Region", "Check", "Outcome", "Why"]
    assert [row[:4] for row in rows] == [
        [account, "eu-west-1, us-east-1", "one, two", "failed"],
        [account, "us-west-1", "two", "failed"],
    ]


def test_failures_come_first_and_what_was_not_asked_last_and_neither_is_red() -> None:
    outcomes = [
        off(account_id(0), "me-south-1"),
        off(account_id(0), "af-south-1"),
        ok(account_id(0), {"x": 1}, "us-east-1"),
    ]
    left_out = [LeftOut(Target(account_id(3), "hub"), "hub"), LeftOut(Target(account_id(4)), "suspended")]
    answer = answer_of([*outcomes, failed(account_id(1))], [Target(account_id(2))])
    read = Read(page(replace(answer, left_out=left_out)))
    rows = [row for row in read.rows if row[0] != "Account"]
    assert [row[:3] for row in rows] == [
        [account_id(1), "", "failed"],
        [account_id(2), "", "not started"],
        [account_id(0), "us-east-1", "1"],
        [account_id(0), "me-south-1, af-south-1", "region off"],
        [f"hub {account_id(3)}", "", "left out"],
        [account_id(4), "", "left out"],
    ]
    assert [row[3] for row in rows[3:]] == [
        "The account has not enabled it.",
        "The hub, which has no role that lets it in; deploy role-template.yaml there to ask it as well.",
        "Suspended or closed.",
    ]
    totals = dict(re.findall(r"<dt>([a-z ]+)</dt><dd>([0-9.]+)</dd>", page(replace(answer, left_out=left_out))))
    assert {name: totals[name] for name in ("failed", "regions off", "left out")} == {
        "failed": "1",
        "regions off": "2",
        "left out": "2",
    }


def test_each_check_is_a_table_of_its_own_with_a_link_to_it() -> None:
    outcomes = [ok(account_id(0), {"x": 1}, check="identity"), ok(account_id(0), {"y": 2}, check="preflight")]
    source = page(replace(answer_of(outcomes), check="identity-preflight"))
    read = Read(source)
    assert read.rows == [["Account", "x"], [account_id(0), "1"], ["Account", "y"], [account_id(0), "2"]]
    assert re.findall(r"<h1>(.*?)</h1>", source) == ["identity, preflight"]
    assert re.findall(r"<h2>(.*?)</h2><p>(.*?)</p>", source) == [
        (name, escape(CHECKS[name].description)) for name in ("identity", "preflight")
    ]
    links = [attributes["href"] for tag, attributes in read.elements if tag == "a"]
    assert links == [f"#{attributes['id']}" for tag, attributes in read.elements if tag == "section"]


def test_unit_and_tags_are_columns_where_there_are_some() -> None:
    prod = Outcome(
        account_id(0), "production", "Workloads/Prod", None, "x", 1, {"x": 1}, tags={"env": "prod", "a": "b"}
    )
    root = Outcome(account_id(1), None, "", None, "x", 1, {"x": 2}, tags={})
    assert Read(page(answer_of([prod, root]))).rows == [
        ["Account", "Unit", "Tags", "x"],
        [f"production {account_id(0)}", "Workloads/Prod", "env: prod, a: b", "1"],
        [account_id(1), "", "", "2"],
    ]


def test_what_was_not_started_is_listed() -> None:
    rows = Read(page(answer_of([ok(account_id(0), {"x": 1})], [Target(account_id(1))]))).rows
    assert rows[1] == [account_id(1), "not started", "There was no time left for it."]


@pytest.mark.parametrize(
    ("asked", "event"),
    [
        (None, {"check": "s3_buckets"}),
        (
            {"checks": ["identity", "s3_buckets"], "organizational_unit": "ou-1", "exclude": ["1"], "accounts": None},
            {"checks": ["identity", "s3_buckets"]},
        ),
        (
            {"check": "s3_buckets", "regions": "all", "params": {"prefix": "x"}, "account_tags": {"env": "prod"}},
            {"check": "s3_buckets", "regions": "all", "params": {"prefix": "x"}},
        ),
    ],
)
def test_to_go_on_the_same_is_asked_of_the_accounts_that_are_not_finished(
    asked: dict[str, Any] | None, event: dict[str, Any]
) -> None:
    answer = answer_of([failed(account_id(0)), ok(account_id(2), {"x": 1})], [Target(account_id(1))])
    source = page(replace(answer, cut=[account_id(0)]), asked=asked)
    (shown,) = re.findall(r"<pre.*?>(.*?)</pre>", source)
    assert json.loads(unescape(shown)) == {**event, "accounts": [account_id(0), account_id(1)]}


@pytest.mark.parametrize("complete", [True, False])
def test_it_says_whether_accounts_are_missing_for_want_of_time(complete: bool) -> None:
    answer = replace(answer_of([ok(account_id(0), {})]), listing_complete=complete)
    assert ("some are missing here" in Read(page(answer)).text) is not complete


def test_the_totals_and_the_bar_say_the_summary() -> None:
    source = page(organization(20))
    totals = re.findall(r"<dt>([a-z ]+)</dt><dd>([0-9.]+)</dd>", source)
    assert totals == [
        ("accounts", "20"),
        ("answered", "16"),
        ("failed", "2"),
        ("not started", "2"),
        ("rows", "24"),
        ("seconds", "4.2"),
    ]
    assert 'aria-label="16 answered, 2 failed, 2 not started"' in source
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([0-9.]+)"', source)]
    assert widths == [800, 100, 100]


def test_one_failure_in_two_thousand_is_seen_in_the_bar() -> None:
    answer = answer_of([failed(account_id(0)), *(ok(account_id(number), {}) for number in range(1, 2000))])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([0-9.]+)"', page(answer))]
    assert sum(widths) == pytest.approx(1000, abs=0.2)
    assert widths[1] > 7


def test_regions_are_a_column_where_there_are_some() -> None:
    account = account_id(0)
    answer = answer_of([ok(account, {"x": region}, region) for region in ("eu-west-1", "us-east-1")])
    assert [row[1] for row in Read(page(answer)).rows] == ["Region", "eu-west-1", "us-east-1"]
    assert Read(page(answer_of([ok(account, {"x": 1})]))).rows[0] == ["Account", "x"]


def test_it_says_when_and_what_was_asked() -> None:
    asked = {"check": "s3_buckets", "organizational_unit": "ou-ab12-34cd56ef", "accounts": None}
    read = Read(page(answer_of([]), asked=asked, now=NOW))
    assert '2025-01-28 09:26 UTC, asked with {"organizational_unit": "ou-ab12-34cd56ef"}' in read.text
    assert ("time", {"datetime": "2025-01-28T09:26:00+00:00"}) in read.elements


def test_a_sweep_of_no_account_is_a_page_without_a_table() -> None:
    read = Read(page(answer_of([])))
    assert (read.count("table"), read.count("form")) == (0, 0)
    assert "There was no account to ask." in read.text


SETTINGS = {f"setting-{number}": number for number in range(13)}


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        ([{"a": 1}, {"b": 2, "a": 3}], ["a", "b"]),
        ([{"a": 1}, "no object"], ["a", "result"]),
        (["text"], ["result"]),
        ({}, ["result"]),
        (SETTINGS, [*list(SETTINGS)[:12], "more"]),
        ([{"id": 1, **SETTINGS}, {"id": 2}, {"id": 3}], ["id", "more"]),
        ([{f"bucket-{number}": 1} for number in range(13)], ["more"]),
    ],
)
def test_the_keys_of_what_was_found_are_the_columns_unless_they_are_data(result: Any, columns: list[str]) -> None:
    head, *rows = Read(page(answer_of([ok(account_id(0), result)]))).rows
    assert head == ["Account", *columns]
    assert {len(row) for row in rows} == {len(head)}


def test_what_has_no_column_of_its_own_is_in_more() -> None:
    (_, row) = Read(page(answer_of([ok(account_id(0), {f"bucket-{number}": number for number in range(14)})]))).rows
    assert row[-1] == "bucket-12: 12, bucket-13: 13"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1.5, "1.5"),
        ("text", "text"),
        ([], ""),
        ({}, ""),
        (["a", 1, True, None, {"Key": "env", "Value": "prod"}], "a, 1, yes, null, Key: env, Value: prod"),
        ({"Name": "running", "Code": 16, "In": {"a": ["b"]}}, 'Name: running, Code: 16, In: a: ["b"]'),
        (list(range(20)), ", ".join(map(str, range(20)))),
        (list(range(MAX_LISTED + 5)), ", ".join(map(str, range(MAX_LISTED))) + ", and 5 more"),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: Any, shown: str) -> None:
    assert Read(page(answer_of([ok(account_id(0), [{"a": value, "b": ""}])]))).rows[1][1] == shown


@pytest.mark.parametrize("result", [None, "text", 7, [1], {}, {"result": "text"}, {1: "number"}, {"count": 1}])
def test_any_result_has_a_place(result: Any) -> None:
    assert len(Read(page(answer_of([ok(account_id(0), result)]))).rows[1]) == 2


def test_a_page_of_500_accounts_has_less_than_a_megabyte_even_if_all_were_denied_at_length() -> None:
    assert len(page(organization(500)).encode()) < 1_000_000
    long = answer_of([failed(account_id(number), hint="a sentence " * 1000) for number in range(500)])
    assert len(page(long).encode()) < 1_000_000


# ---- verdicts

GROUPS = "open_security_groups"


def tiles(source: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([a-z ]+)</dt><dd>([0-9.]+)</dd>", source))


def test_above_all_stands_what_each_check_that_judges_comes_to_the_worst_first() -> None:
    source = page(posture(6))
    head, *rows = Read(source).rows[:4]
    assert head == ["Check", "With an alarm", *VERDICTS]
    description, controls = CHECKS[GROUPS].description, "CIS 5: 5.3, 5.4; CIS 7: 6.3, 6.4; FSBP: EC2.13"
    assert rows[0] == [f"{GROUPS}{description}{controls}", "3 of 6 accounts", "6", "2", "0", "0", "30", "0"]
    assert [row[1:] for row in rows[1:]] == [
        ["0 of 6 accounts", "0", "8", "6", "0", "30", "0"],
        ["0 of 6 accounts", "0", "2", "0", "6", "30", "6"],
    ]
    sections = re.findall(r'<section id="table-([^"]*)"', source)
    assert [name for name in sections if name != "Not-answered"] == ["Overview", GROUPS, "imds", "flow_logs"]
    assert {f"#table-{name}" for name in sections} == set(re.findall('href="(#[^"]*)"', source))
    assert re.findall("<h1>(.*?)</h1>", source) == ["posture"]


def test_an_account_that_cannot_be_entered_is_one_row_and_could_not_be_looked_at_by_any_check() -> None:
    source = page(posture(1))
    assert [row[:4] for row in Read(source).rows if "failed" in row] == [
        [f"team-0 {account_id(0)}", "eu-west-1, us-east-1", "imds, open_security_groups, flow_logs", "failed"]
    ]
    assert {name: tiles(source)[name] for name in ("alarm", "unknown", "ok", "failed")} == {
        "alarm": "0",
        "unknown": "6",
        "ok": "0",
        "failed": "1",
    }
    assert re.findall('<rect class="([^"]*)"', source) == ["unknown"]


def test_findings_are_rows_the_worst_first_and_those_that_are_fine_are_counted() -> None:
    one = [fine("sg-1", "Closed."), skip("sg-2", "None."), alarm("sg-3", "Open.", vpc="v"), unknown("sg-4", "Denied.")]
    two = [fine("sg-5", "Closed."), info("sg-6", "Unused."), fine("sg-7", "Closed."), fine("sg-8", "Shut.")]
    outcomes = [
        judged(account_id(1), GROUPS, *one, region="eu-west-1"),
        judged(account_id(0), GROUPS, *two[:3], region="eu-west-1"),
        judged(account_id(0), GROUPS, *two[2:], region="us-east-1"),
    ]
    source = page(answer_of(outcomes))
    head, *rows = Read(source).rows
    assert head == ["Account", "Region", "verdict", "resource", "reason", "vpc"]
    assert rows == [
        [account_id(1), "eu-west-1", "alarm", "sg-3", "Open.", "v"],
        [account_id(1), "eu-west-1", "unknown", "sg-4", "Denied.", ""],
        [account_id(0), "eu-west-1", "info", "sg-6", "Unused.", ""],
        [account_id(1), "eu-west-1", "ok", "sg-1", "Closed.", ""],
        [account_id(0), "eu-west-1, us-east-1", "ok", "4 findings"],
        [account_id(1), "eu-west-1", "skip", "sg-2", "None.", ""],
    ]
    assert re.findall('<tr data-kind="([^"]*)"', source) == ["alarm", "unknown", "info", "ok", "ok", "skip"]
    assert "With an alarm: 1 of 2 accounts. 1 alarm, 1 unknown, 1 info, 5 ok, 1 skipped." in source
    assert "CIS 5: 5.3, 5.4" in source
    assert "Overview" not in source


def test_the_reason_of_several_that_are_fine_is_told_if_it_is_the_same() -> None:
    found = [skip(f"vpc-{number}", "It has no instance.") for number in range(3)]
    assert Read(page(answer_of([judged(account_id(0), "imds", *found)]))).rows[1] == [
        account_id(0),
        "skip",
        "3 findings: It has no instance.",
    ]


def test_of_very_many_accounts_those_that_are_fine_are_one_row() -> None:
    outcomes = [
        judged(account_id(one), GROUPS, fine("a", "Shut."), fine("b", "Shut.")) for one in range(MAX_GROUPS + 1)
    ]
    answer = answer_of([*outcomes, judged(account_id(999), GROUPS, alarm("c", "Open."))])
    assert [row[:3] for row in Read(page(answer)).rows[1:]] == [
        [account_id(999), "alarm", "c"],
        [f"{MAX_GROUPS + 1} accounts", "ok", f"{2 * MAX_GROUPS + 2} findings: Shut."],
    ]
    assert sum(contents_of(answer).counts().values()) == 2


@pytest.mark.parametrize(
    ("outcome", "not_started", "parts"),
    [
        (judged(account_id(0), GROUPS, fine("a", "Shut.")), (), ["ok"]),
        (judged(account_id(0), GROUPS, fine("a", "Shut."), unknown("b", "Denied.")), (), ["unknown", "ok"]),
        (judged(account_id(0), GROUPS, fine("a", "Shut.")), [Target(account_id(1))], ["ok", "not-started"]),
        (judged(account_id(0), GROUPS, skip("a", "None.")), (), []),
    ],
)
def test_only_what_is_as_it_should_be_is_green(outcome: Outcome, not_started: list[Target], parts: list[str]) -> None:
    source = page(answer_of([outcome], not_started))
    assert re.findall('<rect class="([^"]*)"', source) == parts
    assert '<div class="ok"><dt>answered' not in source


def test_verdicts_stand_beside_what_other_checks_found() -> None:
    outcomes = [ok(account_id(0), buckets("one")), judged(account_id(0), GROUPS, alarm("a", "Open."))]
    read = Read(page(answer_of(outcomes)))
    assert [row[0] for row in read.rows] == ["Account", account_id(0)] * 2
    choices = [attributes["value"] for tag, attributes in read.elements if attributes.get("type") == "radio"]
    assert choices == ["all", "alarm", "unknown", "found", "failed", "not-started"]
    assert tiles(page(answer_of(outcomes)))["rows"] == "1"


def test_a_region_that_is_off_is_nothing_to_look_at() -> None:
    outcome = replace(off(account_id(0), "me-south-1"), check=GROUPS, verdicts={"skip": 1})
    shown = tiles(page(answer_of([outcome])))
    assert (shown["unknown"], shown["skip"], shown["failed"]) == ("0", "1", "0")


def test_a_service_that_a_region_does_not_have_is_not_a_region_that_is_off() -> None:
    gone = replace(off(account_id(0), "eu-west-1"), error=ServiceNotOffered("x", hint="y"), verdicts={"skip": 1})
    rows = Read(page(answer_of([gone, off(account_id(0), "me-south-1")]))).rows[1:]
    assert [row[1:] for row in rows] == [
        ["eu-west-1", "not offered", "AWS does not offer the service there."],
        ["me-south-1", "region off", "The account has not enabled it."],
    ]


def test_all_checks_of_a_large_sweep_are_not_named_one_by_one() -> None:
    outcomes = [not_judged(account_id(0), f"check_{number}") for number in range(21)]
    (row,) = (row for row in Read(page(answer_of(outcomes))).rows if "failed" in row)
    assert row[1] == "all 21 checks"


# ---- and nothing else can


def test_the_page_fetches_nothing_and_leads_nowhere() -> None:
    read = Read(page(organization(20)))
    addresses = [
        attributes[name] for _, attributes in read.elements for name in ("src", "href", "action") if name in attributes
    ]
    assert addresses == ["data:,", "#table-Not-answered", "#table-s3_buckets"]
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_a_policy_that_lets_one_script_and_one_style_in_is_in_the_page_and_in_the_header() -> None:
    read = Read(page(organization(20)))
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in read.elements
    assert POLICY.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in POLICY
    assert HEADERS["Content-Security-Policy"] == f"{POLICY}; frame-ancestors 'none'"


def test_no_element_carries_a_script_or_a_style_of_its_own() -> None:
    names = {name for _, attributes in Read(page(organization(20))).elements for name in attributes}
    assert not {name for name in names if name.startswith("on") or name == "style"}


def test_hostile_texts_add_no_element_and_no_attribute() -> None:
    read = Read(page(hostile(), asked={"params": {"prefix": HOSTILE[1]}}))
    assert (read.count("script"), read.count("style"), read.count("img"), read.count("title")) == (1, 1, 0, 1)
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert f"{HOSTILE[0]} {account_id(0)}" in [row[0] for row in read.rows]
    assert [tag for tag, attributes in read.elements if attributes.get("href", "#").startswith("#") and tag == "a"] == [
        "a"
    ] * 2


def test_hostile_texts_in_findings_are_texts() -> None:
    verdict: Verdict
    for verdict in VERDICTS:
        found = [{"resource": bad, "verdict": verdict, "reason": bad, "more": bad} for bad in HOSTILE]
        read = Read(page(answer_of([judged(account_id(0), GROUPS, *found), judged(account_id(1), GROUPS, found[1])])))
        assert (read.count("script"), read.count("img"), read.count("title")) == (1, 0, 1)


def test_hostile_texts_do_not_get_out_of_an_error_page_either() -> None:
    for bad in HOSTILE:
        body = {"message": bad, "error": {"type": bad, "code": bad, "hint": bad, "stage": "input", "request_id": bad}}
        read = Read(error_page(400, body))
        assert (read.count("script"), read.count("img"), read.count("svg")) == (1, 0, 0)


@given(st.text(), st.text())
def test_any_text_comes_back_out_of_an_element_and_an_attribute_as_it_went_in(content: str, value: str) -> None:
    read = Read(element("p", content, title=value))
    assert read.elements == [("p", {"title": Read(text(value)).text})]
    seen = re.sub(r"\[U\+([0-9A-F]{4,6})\]", lambda found: chr(int(found[1], 16)), read.text)
    assert seen == re.sub(r"\[U\+([0-9A-F]{4,6})\]", lambda found: chr(int(found[1], 16)), content)


def test_what_turns_the_direction_or_cannot_be_seen_is_shown_by_its_number() -> None:
    assert text("\u202egnp.exe\u200b\x00\ud800") == "[U+202E]gnp.exe[U+200B][U+0000][U+D800]"


IGNORABLE = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2060, 0x206F), (0x3164, 0x3164)]
IGNORABLE += [(0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)]
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, but for those that are format characters."""


def test_every_character_that_cannot_be_seen_is_shown_by_its_number_and_no_other_is() -> None:
    blank = {chr(code) for first, last in IGNORABLE for code in range(first, last + 1)} | {"\u2800"}
    kept = {"\t", "\n", " ", "\u3000"}
    wrong = []
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        unseen = character in blank or (category in {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"} and character not in kept)
        if category != "Cn" and (text(character) == f"[U+{code:04X}]") is not unseen:
            wrong.append(f"{code:04X} {category}")
    assert wrong == []


@pytest.mark.parametrize("character", ["\u180e", "\u3164", "\u2800", "\uffa0", "\u034f", "\ufff8", "\U000e0fff"])
def test_a_name_of_nothing_to_be_seen_is_no_empty_cell(character: str) -> None:
    assert text(f"prod{character}") == f"prod[U+{ord(character):04X}]"


def test_the_page_can_be_written_as_utf_8_whatever_is_in_it() -> None:
    page(hostile()).encode()


def test_ten_thousand_characters_are_cut() -> None:
    account, long = account_id(0), "x" * 10_000
    assert "x" * 201 not in page(answer_of([ok(account, {"a": long, "b": [long], "c": {"d": long}}, name=long)]))
    assert "x" * 1501 not in page(answer_of([failed(account, type=long, code=long, hint=long, request_id=long)]))


# ---- colours


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_everything_can_be_read_and_told_apart(scheme: str) -> None:
    """https://www.w3.org/TR/WCAG22/: 4.5 for text, 3 for what is drawn."""
    light, dark, printed = map(colours, re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL))
    colour = light | {"light": {}, "dark": dark, "print": printed}[scheme]
    for ground in ("page", "raised"):
        for front in ("text", "quiet", "focus", "ok-text", "failed-text", "not-started-text", "info-text"):
            assert contrast(colour[front], colour[ground]) >= 4.5, (front, ground)
    for outcome in ("ok", "failed", "not-started", "info"):
        assert contrast(colour[f"{outcome}-text"], colour[f"{outcome}-tint"]) >= 4.5, outcome
        assert contrast(colour[outcome], colour["page"]) >= 3, outcome


# ---- the route


@pytest.fixture
def get(client: Client, aws: FakeAws) -> Callable[..., HTTPResponse]:
    def call(path: str, accept: str = BROWSER) -> HTTPResponse:
        with warnings.catch_warnings():  # chalice says of every IAMAuthorizer that it lets everybody in locally
            warnings.simplefilter("ignore", UserWarning)
            return client.http.get(path, headers={"Accept": accept})

    return call


Get = Callable[..., HTTPResponse]


def tell_organization(aws: FakeAws, **names: str) -> None:
    accounts = [{"Id": id_.removeprefix("a"), "Name": name, "State": "ACTIVE"} for id_, name in names.items()]
    aws.tell(ORGANIZATION, Reply(json.dumps({"Accounts": accounts})))


def test_the_route_shows_the_organization_with_its_names(aws: FakeAws, get: Get) -> None:
    tell_organization(aws, a123456789012="production", a210987654321="staging")
    response = get("/report/s3_buckets")
    assert response.status_code == 200
    assert [row[:2] for row in Read(response.body.decode()).rows[1:]] == [
        ["production 123456789012", "bucket-of-123456789012"],
        ["staging 210987654321", "bucket-of-210987654321"],
    ]


def test_the_route_sends_the_policy_and_forbids_to_keep_the_page(get: Get) -> None:
    response = get("/report/identity?accounts=123456789012")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_query_names_accounts_and_regions(aws: FakeAws, get: Get) -> None:
    response = get("/report/identity?accounts=123456789012,210987654321&regions=eu-west-1&regions=us-east-1")
    assert [row[0][-12:] for row in Read(response.body.decode()).rows[1:]] == ["123456789012"] * 2 + [
        "210987654321"
    ] * 2
    assert aws.operations(ORGANIZATION) == []


def test_the_query_names_a_unit_and_what_to_leave_out(aws: FakeAws, get: Get) -> None:
    tell_organization(aws, a123456789012="production", a210987654321="staging")
    aws.tell(ORGANIZATION, Reply('{"OrganizationalUnits": []}'))
    response = get("/report/identity?organizational_unit=ou-ab12-34cd56ef&exclude=210987654321")
    assert [row[0][-12:] for row in Read(response.body.decode()).rows[1:]] == ["123456789012"]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/report/nothing", 404, "UnknownCheck"),
        ("/report/%3Cscript%3E", 404, "UnknownCheck"),
        ("/report/bedrock_converse", 400, "InvalidInput"),
        ("/report/identity?params=%7B%7D", 400, "InvalidInput"),
        ("/report/identity?store=true", 400, "InvalidInput"),
        ("/report/identity?accounts=", 400, "InvalidInput"),
        ("/report/identity?exclude=1", 400, "InvalidInput"),
        ("/report/identity?regions=mars", 400, "InvalidInput"),
        ("/report/identity?organizational_unit=all", 400, "InvalidInput"),
        ("/report/identity?accounts=123456789012&exclude=210987654321", 400, "InvalidInput"),
    ],
)
@pytest.mark.parametrize("accept", [BROWSER, "*/*"])
def test_what_cannot_be_asked_is_told_as_a_page_to_browsers_and_else_as_json(
    aws: FakeAws, get: Get, path: str, status: int, error: str, accept: str
) -> None:
    response = get(path, accept)
    assert response.status_code == status
    if accept == BROWSER:
        assert response.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert error in Read(response.body.decode()).text
    else:
        assert response.json_body["error"]["type"] == error
        assert set(response.json_body) == {"message", "error"}
    assert aws.seen == []


def test_if_every_account_failed_it_is_a_502_and_a_browser_still_gets_the_page(aws: FakeAws, get: Get) -> None:
    aws.tell("AssumeRole", sts_denies(), always=True)
    path = f"/report/identity?accounts={','.join(ids(2))}"
    response = get(path)
    assert response.status_code == 502
    assert [row[:2] for row in Read(response.body.decode()).rows[1:]] == [[account, "failed"] for account in ids(2)]
    response = get(path, "application/json")
    assert (response.status_code, response.json_body["error"]["type"]) == (502, "EveryAccountFailed")


def test_if_the_organization_cannot_be_listed_the_page_says_what_to_do(aws: FakeAws, get: Get) -> None:
    aws.tell(ORGANIZATION, Reply('{"__type": "AccessDeniedException"}', 400), always=True)
    response = get("/report/identity")
    assert response.status_code == 502
    assert "set ORGANIZATION_ACCOUNT_ID to one" in Read(response.body.decode()).text


def test_one_failure_of_some_is_a_row_of_a_good_page(aws: FakeAws, get: Get) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403), account=ids(2)[0], always=True)
    response = get(f"/report/s3_buckets?accounts={','.join(ids(2))}")
    assert response.status_code == 200
    assert [row[:2] for row in Read(response.body.decode()).rows] == [
        ["Account", "Outcome"],
        [ids(2)[0], "failed"],
        ["Account", "name"],
        [ids(2)[1], f"bucket-of-{ids(2)[1]}"],
    ]


def test_a_page_that_lambda_cannot_carry_is_a_result_too_large(get: Get, added: Callable[[Check], Check]) -> None:
    @check(actions=["sts:GetCallerIdentity"])
    def enormous(account: Any) -> Any:
        """Answer with very much."""
        return [{f"column {number}": "\x01" * 200 for number in range(12)}] * 20

    added(enormous)
    accounts = ",".join(ids(20))
    response = get(f"/report/enormous?accounts={accounts}")
    assert response.status_code == 500
    assert "ResultTooLarge" in Read(response.body.decode()).text


def test_a_page_of_too_many_rows_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch, get: Get) -> None:
    monkeypatch.setattr("chalicelib.pages.report_route.MAX_ROWS", 2)
    monkeypatch.setattr("chalicelib.pages.report.page", None)
    response = get("/report/identity?accounts=123456789012,210987654321,123456789098", "application/json")
    assert (response.status_code, response.json_body["error"]["type"]) == (500, "ResultTooLarge")


def test_the_route_shows_verdicts(aws: FakeAws, get: Get, added: Callable[[Check], Check]) -> None:
    @check(actions=["a:B"], group="network")
    def judging(account: Any) -> Any:
        """Judge the account."""
        yield alarm(account.id, "It is open.")

    added(judging)
    (first, second) = ids(2)
    aws.tell("AssumeRole", sts_denies(), account=second, always=True)
    response = get(f"/report/judging?accounts={first},{second}")
    assert response.status_code == 200
    assert [row[:3] for row in Read(response.body.decode()).rows[1::2]] == [
        [second, "failed", ANY],
        [first, "alarm", first],
    ]
    assert tiles(response.body.decode())["unknown"] == "1"


def test_the_report_costs_a_cold_start_nothing() -> None:
    import subprocess
    import sys

    code = "import sys, app; print([name for name in sys.modules if 'chalicelib.pages' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_script_stands_in_the_page_as_it_is() -> None:
    assert f"<script>{SCRIPT}</script>" in page(answer_of([]))
