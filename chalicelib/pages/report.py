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

from chalicelib.checks import CHECKS
from chalicelib.pages.contents import LABELS, Contents, Kind, contents_of
from chalicelib.pages.markup import Content, Markup, element, join
from chalicelib.pages.table import Leading, counted, findings_table, missing_table, truncate
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
_CHECKS = ("check", "checks")
_ACCOUNTS_ASKED = ("accounts", "organizational_unit", "exclude", "account_tags")
_NOTHING: tuple[Any, ...] = (None, {}, [])
_MIN_WIDTH = 8
"""Of a part of the bar, in thousandths: one of a thousand accounts must be visible."""


def page(answer: Answer, *, asked: Mapping[str, Any] | None = None, now: datetime | None = None) -> str:
    """The page of a sweep: first who did not answer, then what each check found.

    Args:
        asked: the event of the sweep, to be shown; default: not shown.
        now: when the sweep ended; default: now.
    """
    contents, summary, asked = contents_of(answer), answer.summary(), asked or {}
    names = [findings.check for findings in contents.findings] or [answer.check]
    counts = contents.counts()
    has_rows = any(counts.values())
    more = "Long texts and lists are truncated here; the sweep's JSON has all of them."
    return _document(
        ", ".join(names),
        element("h1", ", ".join(names)),
        _description(names[0]) if len(names) == 1 else None,
        element("p", _when(now or datetime.now(UTC), asked), class_="quiet"),
        None if answer.listing_complete else element("p", LISTING_CUT, class_="hint"),
        _totals(summary, counts["found"]),
        _bar(summary),
        _filter(counts) if has_rows else None,
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


def _description(check: str) -> Markup | None:
    known = CHECKS.get(check)
    return element("p", known.description) if known else None


def _when(now: datetime, asked: Mapping[str, Any]) -> Markup:
    moment = now.astimezone(UTC)
    stamp = element("time", f"{moment:%Y-%m-%d %H:%M} UTC", datetime=moment.isoformat(timespec="seconds"))
    more = {key: value for key, value in asked.items() if key not in _CHECKS and value not in _NOTHING}
    if not more:
        return stamp
    return join(stamp, ", asked with ", element("code", truncate(json.dumps(more, ensure_ascii=False), 500)))


def _totals(summary: Mapping[str, Any], rows: int) -> Markup:
    tiles: list[tuple[str, Any, str | None]] = [("accounts", summary["accounts"], None)]
    tiles += [(label, summary[key], key.replace("_", "-")) for key, label in _ACCOUNTS.items()]
    tiles += [(label, summary[key], None) for key, label in _NOT_ASKED.items() if summary[key]]
    tiles += [("rows", rows, None), ("seconds", summary["seconds"], None)]
    shown = (
        element("div", element("dt", label), element("dd", value), class_=class_ if value else None)
        for label, value, class_ in tiles
    )
    return element("dl", *shown)


def _bar(summary: Mapping[str, Any]) -> Markup | None:
    """An SVG, because the page's policy forbids a width in a style attribute."""
    counts = {key: int(summary[key]) for key in _ACCOUNTS}
    total = sum(counts.values())
    if not total:
        return None
    widths = {key: max(count * 1000 / total, _MIN_WIDTH) for key, count in counts.items() if count}
    scale = 1000 / sum(widths.values())
    parts, left = [], 0.0
    for key, width in widths.items():
        name = key.replace("_", "-")
        parts.append(element("rect", class_=name, x=f"{left:.1f}", width=f"{width * scale:.1f}", height=10))
        left += width * scale
    label = ", ".join(f"{counts[key]} {_ACCOUNTS[key]}" for key in _ACCOUNTS)
    return element(
        "svg", *parts, class_="bar", role="img", aria_label=label, viewBox="0 0 1000 10", preserveAspectRatio="none"
    )


def _filter(counts: Mapping[Kind, int]) -> Markup:
    """Hidden until report.js enables it."""
    always = ("found", "nothing", "failed", "not-started")
    choices = {"all": ("all", sum(counts.values()))}
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
    """A table of who did not answer, of what each check found, and of who was not asked; links to them if several."""
    several = len(contents.findings) > 1
    tables = {}
    if contents.not_answered:
        tables["Not answered"] = missing_table(contents.not_answered, leading, with_check=several)
    for findings in contents.findings:
        if findings.found or findings.nothing:
            tables[findings.check] = findings_table(findings, leading)
    if contents.not_asked:
        tables["Not asked"] = missing_table(contents.not_asked, leading, with_check=several)
    if len(tables) == 1:
        return join(*(element("section", _scrolling(name, table)) for name, table in tables.items()))
    links = (element("li", element("a", name, href=f"#{_anchor(name)}")) for name in tables)
    sections = (
        element(
            "section",
            element("h2", name),
            _description(name) if several else None,
            _scrolling(name, table),
            id=_anchor(name),
        )
        for name, table in tables.items()
    )
    return join(element("nav", element("ul", *links), aria_label="Tables"), *sections)


def _anchor(table: str) -> str:
    return "table-" + table.replace(" ", "-")


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
