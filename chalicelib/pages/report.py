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
from chalicelib.pages.markup import Content, Markup, element, join
from chalicelib.pages.table import OUTCOMES, table, truncate
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
_MIN_WIDTH = 8
"""Of a part of the bar, in thousandths: one of a thousand accounts must be visible."""


def page(answer: Answer, *, asked: Mapping[str, Any] | None = None, now: datetime | None = None) -> str:
    """The page of a sweep.

    Args:
        asked: the event of the sweep, to be shown; default: not shown.
        now: when the sweep ended; default: now.
    """
    known, summary = CHECKS.get(answer.check), answer.summary()
    has_rows = bool(answer.outcomes or answer.not_started)
    more = "Long texts and lists are truncated here; the sweep's JSON has all of them."
    return _document(
        answer.check,
        element("h1", answer.check),
        element("p", known.description) if known else None,
        element("p", _when(now or datetime.now(UTC), asked), class_="quiet"),
        None if answer.listing_complete else element("p", LISTING_CUT, class_="hint"),
        _totals(summary),
        _bar(summary),
        _filter(answer) if has_rows else None,
        _scrolling(table(answer)) if has_rows else element("p", "There was no account to ask."),
        _resume_event(answer),
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


def _when(now: datetime, asked: Mapping[str, Any] | None) -> Markup:
    moment = now.astimezone(UTC)
    stamp = element("time", f"{moment:%Y-%m-%d %H:%M} UTC", datetime=moment.isoformat(timespec="seconds"))
    more = {key: value for key, value in (asked or {}).items() if key != "check" and value not in (None, {}, [])}
    if not more:
        return stamp
    return join(stamp, ", asked with ", element("code", truncate(json.dumps(more, ensure_ascii=False), 500)))


def _totals(summary: Mapping[str, Any]) -> Markup:
    shown = {"accounts": "accounts", **{key.replace("-", "_"): label for key, label in OUTCOMES.items()}}
    shown["seconds"] = "seconds"
    tiles = (
        element(
            "div",
            element("dt", label),
            element("dd", summary[key]),
            class_=key.replace("_", "-") if summary[key] else None,
        )
        for key, label in shown.items()
    )
    return element("dl", *tiles)


def _bar(summary: Mapping[str, Any]) -> Markup | None:
    """An SVG, because the page's policy forbids a width in a style attribute."""
    counts = {key: int(summary[key.replace("-", "_")]) for key in OUTCOMES}
    total = sum(counts.values())
    if not total:
        return None
    widths = {key: max(count * 1000 / total, _MIN_WIDTH) for key, count in counts.items() if count}
    scale = 1000 / sum(widths.values())
    parts, left = [], 0.0
    for key, width in widths.items():
        parts.append(element("rect", class_=key, x=f"{left:.1f}", width=f"{width * scale:.1f}", height=10))
        left += width * scale
    label = ", ".join(f"{counts[key]} {OUTCOMES[key]}" for key in OUTCOMES)
    return element(
        "svg", *parts, class_="bar", role="img", aria_label=label, viewBox="0 0 1000 10", preserveAspectRatio="none"
    )


def _filter(answer: Answer) -> Markup:
    """Hidden until report.js enables it."""
    ok = sum(outcome.ok for outcome in answer.outcomes)
    counts = {"ok": ok, "failed": len(answer.outcomes) - ok, "not-started": len(answer.not_started)}
    choices = {"all": ("all", sum(counts.values())), **{key: (OUTCOMES[key], counts[key]) for key in counts}}
    radios = (
        element(
            "label",
            element("input", type="radio", name="outcome", value=key, checked=key == "all", disabled=not count),
            f" {label} {count}",
            class_=key,
        )
        for key, (label, count) in choices.items()
    )
    return element(
        "form",
        element("label", "Filter ", element("input", type="search", autocomplete="off", spellcheck="false")),
        element("fieldset", element("legend", "Outcome"), *radios),
        element("output", role="status"),
        class_="filter",
        hidden=True,
    )


def _scrolling(content: Markup) -> Markup:
    return element("div", content, class_="scroll", role="region", aria_label="Accounts", tabindex=0)


def _resume_event(answer: Answer) -> Markup | None:
    """The event that sweeps the accounts that were not started."""
    if not answer.not_started:
        return None
    event = json.dumps(
        {"check": answer.check, "accounts": [target.id for target in answer.not_started]}, ensure_ascii=False
    )
    heading = element("h2", f"Not started: {len(answer.not_started)}")
    return element("section", heading, element("p", "To go on, sweep:"), element("pre", event, tabindex=0))


def _duplicates_note(duplicates: Sequence[str]) -> Markup | None:
    if not duplicates:
        return None
    return element("p", "Named more than once, and asked once: ", element("bdi", truncate(", ".join(duplicates), 2000)))
