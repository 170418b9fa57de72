"""A sweep as one self-contained HTML page: to look at, to filter, to print, to mail.

The page fetches nothing and runs nothing but report.js: its content security policy names the script and the style
sheet by their hashes, so that AWS's data stays text even if it got past `markup`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.checks import POSTURE
from chalicelib.pages.cells import truncate
from chalicelib.pages.contents import LABELS, Contents, contents_of
from chalicelib.pages.markup import Content, Markup, element, join
from chalicelib.pages.table import Leading, anchor, findings_table, judged_table, missing_table, overview_table
from chalicelib.pages.words import controls_of, counted, description_of
from chalicelib.sweeps.outcome import Answer

STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("report.js").read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() + "'"


POLICY = (
    f"default-src 'none'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)}; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",  # which is only heard as a header
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LISTING_CUT = (
    "There was no time to list all accounts of the organization: some are missing here. Name the accounts, or sweep "
    "one unit at a time."
)
_ACCOUNTS = {"ok": "answered", "failed": "failed", "not_started": "not started"}
"""What became of the accounts, by the summary's name for it."""
_NOT_ASKED = {"region_off": "regions off", "left_out": "left out"}
_OVERVIEW = "Overview"
_CHECKS = ("check", "checks")
_ACCOUNTS_ASKED = ("accounts", "organizational_unit", "exclude", "account_tags")
_NOTHING: tuple[Any, ...] = (None, {}, [])
_MIN_WIDTH = 8
"""Of a part of the bar, in thousandths: one of a thousand accounts must be visible."""


def page(answer: Answer, *, asked: Mapping[str, Any] | None = None, now: datetime | None = None) -> str:
    """The page of a sweep: first who did not answer, then what each check found; above both, if several checks judge,
    what they come to.

    Args:
        asked: the event of the sweep, to be shown; default: not shown.
        now: when the sweep ended; default: now.
    """
    contents, summary, asked = contents_of(answer), answer.summary(), asked or {}
    names = contents.checks or [answer.check]
    title = POSTURE if answer.check == POSTURE else ", ".join(names)
    counts = contents.counts()
    has_rows = any(counts.values())
    more = "Long texts and lists are truncated here; the sweep's JSON has all of them."
    return _document(
        title,
        element("h1", title),
        _description(names[0]) if len(names) == 1 else None,
        element("p", _when(now or datetime.now(UTC), asked), class_="quiet"),
        None if answer.listing_complete else element("p", LISTING_CUT, class_="hint"),
        _totals(summary, counts["found"]),
        _bar(_parts(summary, len(contents.judged))),
        _filter(contents) if has_rows else None,
        _sections(contents, Leading.of(answer)) if has_rows else element("p", "There was no account to ask."),
        _resume_event(answer, names, asked),
        _duplicates_note(answer.duplicates),
        element("p", more, class_="quiet") if has_rows else None,
    )


def error_page(status: int, body: Mapping[str, Any]) -> str:
    """The page of a report that failed, made from the body that a request of anything but a browser gets."""
    error = body["error"]
    return _document(
        str(error["type"]),
        element("h1", body["message"]),
        element("p", f"{status} ", element("strong", error["type"]), " ", element("code", error["code"] or "")),
        element("p", error["hint"], class_="hint") if error["hint"] else None,
    )


def _document(title: str, *content: Content) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="robots", content="noindex"),
        element("title", f"{title} - cross-account"),
        element("link", rel="icon", href="data:,"),  # or the browser asks the server for one
        element("style", Markup(STYLE)),
    )
    body = element("body", element("main", *content), element("script", Markup(SCRIPT)))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _description(check: str) -> Markup:
    description, controls = description_of(check), controls_of(check)
    return join(
        element("p", description) if description else None, element("p", controls, class_="quiet") if controls else None
    )


def _when(now: datetime, asked: Mapping[str, Any]) -> Markup:
    moment = now.astimezone(UTC)
    stamp = element("time", f"{moment:%Y-%m-%d %H:%M} UTC", datetime=moment.isoformat(timespec="seconds"))
    more = {key: value for key, value in asked.items() if key not in _CHECKS and value not in _NOTHING}
    if not more:
        return stamp
    return join(stamp, ", asked with ", element("code", truncate(json.dumps(more, ensure_ascii=False), 500)))


def _totals(summary: Mapping[str, Any], rows: int) -> Markup:
    """Of a sweep that judges, the verdicts first: an account that answered is not yet as it should be."""
    verdicts: Mapping[str, int] | None = summary.get("verdicts")
    judged: list[tuple[str, Any, str | None]] = [(name, number, name) for name, number in (verdicts or {}).items()]
    tiles: list[tuple[str, Any, str | None]] = [("accounts", summary["accounts"], None)]
    tiles += [
        (label, summary[key], None if verdicts and key == "ok" else key.replace("_", "-"))
        for key, label in _ACCOUNTS.items()
    ]
    tiles += [(label, summary[key], None) for key, label in _NOT_ASKED.items() if summary[key]]
    tiles += [("rows", rows, None)] if rows or not verdicts else []
    tiles += [("seconds", summary["seconds"], None)]
    return join(_tiles(judged) if judged else None, _tiles(tiles))


def _tiles(tiles: Sequence[tuple[str, Any, str | None]]) -> Markup:
    shown = (
        element("div", element("dt", label), element("dd", value), class_=class_ if value else None)
        for label, value, class_ in tiles
    )
    return element("dl", *shown)


def _parts(summary: Mapping[str, Any], judging: int) -> dict[str, tuple[int, str]]:
    """Of the bar, how large each is and what it is called: the accounts; of a sweep that judges, the findings."""
    verdicts: Mapping[str, int] | None = summary.get("verdicts")
    if verdicts is None:
        return {key.replace("_", "-"): (summary[key], f"{summary[key]} {label}") for key, label in _ACCOUNTS.items()}
    parts = {name: (number, f"{number} {name}") for name, number in verdicts.items() if name != "skip"}
    waiting = summary["not_started"]
    return {**parts, "not-started": (waiting * judging, f"{counted(waiting, 'account')} not started")}


def _bar(parts: Mapping[str, tuple[int, str]]) -> Markup | None:
    """An SVG, because the page's policy forbids a width in a style attribute."""
    total = sum(count for count, _ in parts.values())
    if not total:
        return None
    widths = {name: max(count * 1000 / total, _MIN_WIDTH) for name, (count, _) in parts.items() if count}
    scale = 1000 / sum(widths.values())
    drawn, left = [], 0.0
    for name, width in widths.items():
        drawn.append(element("rect", class_=name, x=f"{left:.1f}", width=f"{width * scale:.1f}", height=10))
        left += width * scale
    label = ", ".join(text for _, text in parts.values())
    return element(
        "svg", *drawn, class_="bar", role="img", aria_label=label, viewBox="0 0 1000 10", preserveAspectRatio="none"
    )


def _filter(contents: Contents) -> Markup:
    """Hidden until report.js enables it. What failed is both failed and unknown if the check judges."""
    counts = contents.counts()
    of_check = ("alarm", "unknown") if contents.judged else ("found", "nothing")
    always = (*of_check, "failed", "not-started")
    choices = {"all": ("all", sum(counts.values()))}
    counts["unknown"] += sum(row.unknown for row in contents.not_answered)
    choices |= {kind: (LABELS[kind], count) for kind, count in counts.items() if count or kind in always}
    radios = (
        element(
            "label",
            element("input", type="radio", name="kind", value=key, checked=key == "all", disabled=not count),
            f" {label} {count}",
            class_=key,
        )
        for key, (label, count) in choices.items()
    )
    return element(
        "form",
        element("label", "Filter ", element("input", type="search", autocomplete="off", spellcheck="false")),
        element("fieldset", element("legend", "Rows"), *radios),
        element("output", role="status"),
        class_="filter",
        hidden=True,
    )


def _sections(contents: Contents, leading: Leading) -> Markup:
    """The overview, a table of who did not answer, of what each check found, and of who was not asked; links to them
    if several."""
    checks = len(contents.checks)
    has_overview = len(contents.judged) > 1
    tables = {}
    if has_overview:
        tables[_OVERVIEW] = overview_table(contents.judged)
    if contents.not_answered:
        tables["Not answered"] = missing_table(contents.not_answered, leading, checks=checks)
    for judged in contents.judged:
        if judged.rows:
            tables[judged.check] = judged_table(judged, leading)
    for findings in contents.findings:
        if findings.found or findings.nothing:
            tables[findings.check] = findings_table(findings, leading)
    if contents.not_asked:
        tables["Not asked"] = missing_table(contents.not_asked, leading, checks=checks)
    if len(tables) == 1:
        return join(*(element("section", _scrolling(name, table)) for name, table in tables.items()))
    in_overview = {judged.check for judged in contents.judged} if has_overview else set()
    links = (element("li", element("a", name, href=f"#{anchor(name)}")) for name in tables if name not in in_overview)
    sections = (
        element(
            "section",
            element("h2", name),
            _description(name) if checks > 1 else None,
            _scrolling(name, table),
            id=anchor(name),
            class_="overview" if name == _OVERVIEW else None,
        )
        for name, table in tables.items()
    )
    return join(element("nav", element("ul", *links), aria_label="Tables"), *sections)


def _scrolling(name: str, table: Markup) -> Markup:
    return element("div", table, class_="scroll", role="region", aria_label=name, tabindex=0)


def _resume_event(answer: Answer, names: Sequence[str], asked: Mapping[str, Any]) -> Markup | None:
    """The event that asks the same of the accounts that there was no time or too little time for."""
    if not answer.unfinished:
        return None
    same = {key: value for key, value in asked.items() if key not in _ACCOUNTS_ASKED and value not in _NOTHING}
    if same.keys().isdisjoint(_CHECKS):
        same |= {"check": names[0]} if len(names) == 1 else {"checks": names}
    event = json.dumps({**same, "accounts": answer.unfinished}, ensure_ascii=False)
    heading = element("h2", f"Not finished: {counted(len(answer.unfinished), 'account')}")
    return element("section", heading, element("p", "To go on, sweep:"), element("pre", event, tabindex=0))


def _duplicates_note(duplicates: Sequence[str]) -> Markup | None:
    if not duplicates:
        return None
    return element("p", "Named more than once, and asked once: ", element("bdi", truncate(", ".join(duplicates), 2000)))
