"""The tables of a report: of the checks that judge, the worst first; of a check, a row for each thing that it found;
and one of the accounts without an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from chalicelib.checks.finding import VERDICTS, Verdict
from chalicelib.outputs.rows import RESULT, items_of
from chalicelib.pages.cells import NUMBER, cell, is_number, truncate
from chalicelib.pages.contents import LABELS, Findings, Judged, JudgedRow, Kind, Missing, target_of
from chalicelib.pages.markup import Content, Markup, element, join
from chalicelib.pages.words import MAX_NAMED, controls_of, counted, description_of, in_words, named
from chalicelib.sweeps.outcome import Answer, Outcome, Target

MAX_COLUMNS = 12
MAX_HINT = 1500
"""Characters. A page is for reading: with these, one of 500 accounts stays under 1 MB; the sweep's JSON has it all."""


@dataclass(frozen=True)
class Leading:
    """The columns that all tables of a page begin with: the account's, and those that say something in this answer."""

    unit: bool
    tags: bool
    region: bool

    @classmethod
    def of(cls, answer: Answer) -> Leading:
        others = (one.target for one in answer.left_out)
        who: list[Outcome | Target] = [*answer.outcomes, *answer.not_started, *others]
        return cls(
            unit=any(one.unit is not None for one in who),
            tags=any(one.tags is not None for one in who),
            region=any(outcome.region is not None for outcome in answer.outcomes),
        )

    def heads(self) -> Markup:
        more = {"Unit": self.unit, "Tags": self.tags, "Region": self.region}
        return join(_head("Account"), *(_head(label) for label, there in more.items() if there))

    def cells(self, target: Target, regions: str | None) -> Markup:
        return join(
            _account(target.id, target.name),
            cell(target.unit, "Unit") if self.unit else None,
            cell(target.tags, "Tags") if self.tags else None,
            element("td", regions, data_label="Region") if self.region else None,
        )

    def several(self, row: JudgedRow) -> Markup:
        """The cells of a row of many accounts."""
        return join(
            element("th", counted(len(row.targets), "account"), scope="row"),
            cell(None, "Unit") if self.unit else None,
            cell(None, "Tags") if self.tags else None,
            element("td", named(row.regions), data_label="Region") if self.region else None,
        )


@dataclass(frozen=True)
class _Own:
    """The columns of what a check found.

    Attributes:
        labels: of each key that is a column.
        numbers: those of them that hold numbers and nothing else.
        others: there are more keys, and one more column for them.
    """

    labels: Mapping[Hashable, str]
    numbers: frozenset[Hashable]
    others: bool

    @classmethod
    def of(cls, items: Sequence[Mapping[Any, Any]]) -> _Own:
        """If there are too many keys, those that most items lack are data, such as names of buckets."""
        counts = Counter(name for item in items for name in item)
        names, others = list(counts) or [RESULT], len(counts) > MAX_COLUMNS
        if others:
            names = [name for name in names if counts[name] * 2 > len(items)][:MAX_COLUMNS]
        given = {name: [item[name] for item in items if item.get(name) is not None] for name in names}
        numbers = frozenset(name for name, values in given.items() if values and all(map(is_number, values)))
        return cls({name: _label(name) for name in names}, numbers, others)

    def heads(self) -> list[Markup]:
        classes = dict.fromkeys(self.numbers, NUMBER)
        heads = [_head(label, class_=classes.get(name)) for name, label in self.labels.items()]
        return [*heads, _head("more")] if self.others else heads

    def cells(self, item: Mapping[Any, Any]) -> Iterator[Markup]:
        for name, label in self.labels.items():
            yield cell(item.get(name), label)
        if self.others:
            yield cell({name: value for name, value in item.items() if name not in self.labels}, "more")


def findings_table(findings: Findings, leading: Leading) -> Markup:
    """What a check found, and below it the accounts where it found nothing."""
    found = [(outcome, _objects(outcome)) for outcome in findings.found]
    own = _Own.of([item for _, items in found for item in items])
    outcomes = (*findings.found, *chain.from_iterable(findings.nothing))
    leading = replace(leading, region=any(outcome.region is not None for outcome in outcomes))
    heads = own.heads()
    rows = []
    for outcome, items in found:
        first = leading.cells(target_of(outcome), outcome.region)
        rows += [_row("found", first, *own.cells(item)) for item in items]
    for empty in findings.nothing:
        first = leading.cells(target_of(empty[0]), named([outcome.region for outcome in empty if outcome.region]))
        last = element("td", LABELS["nothing"], class_="why quiet", colspan=len(heads))
        rows.append(_row("nothing", first, last))
    return _table(_summary(findings), join(leading.heads(), *heads), join(*rows))


def overview_table(checks: Sequence[Judged]) -> Markup:
    """Of each check, how many accounts have an alarm, and how many findings have each verdict."""
    heads = join(
        _head("Check"),
        _head("With an alarm"),
        *(_head(verdict, class_=NUMBER) for verdict in VERDICTS),
    )
    rows = (
        element(
            "tr",
            _check(judged),
            element("td", alarmed(judged), data_label="With an alarm"),
            *(_count(judged.verdicts[verdict], verdict) for verdict in VERDICTS),
        )
        for judged in checks
    )
    return _table("How many findings of each check have each verdict, the worst first", heads, join(*rows))


def judged_table(judged: Judged, leading: Leading) -> Markup:
    """What a check that judges found, the worst first."""
    leading = replace(leading, region=any(row.regions for row in judged.rows))
    single = [_without_verdict(row) for row in judged.rows if len(row.findings) == 1]
    own = _Own.of(single or [{"reason": None}])
    heads = own.heads()
    rows = (
        _row(
            row.verdict,
            leading.cells(row.targets[0], named(row.regions)) if len(row.targets) == 1 else leading.several(row),
            element("td", _pill(row.verdict), data_label="verdict"),
            *(own.cells(_without_verdict(row)) if len(row.findings) == 1 else [_grouped(row, len(heads))]),
        )
        for row in judged.rows
    )
    caption = f"With an alarm: {alarmed(judged)}. {in_words(judged.verdicts)}."
    return _table(caption, join(leading.heads(), _head("verdict"), *heads), join(*rows))


def missing_table(missing: Sequence[Missing], leading: Leading, *, checks: int) -> Markup:
    """Who gave no answer, and why.

    Args:
        checks: how many the page has; of one, it is not said which.
    """
    with_check = checks > 1
    rows = (
        _row(
            f"{row.kind} unknown" if row.unknown else row.kind,
            leading.cells(row.target, truncate(", ".join(row.regions))),
            element("td", _checks(row.checks, checks), data_label="Check") if with_check else None,
            element("td", _pill(row.kind), data_label="Outcome"),
            element("td", row.why, class_="why") if isinstance(row.why, str) else _error(row.why),
        )
        for row in missing
    )
    heads = join(leading.heads(), _head("Check") if with_check else None, _head("Outcome"), _head("Why"))
    return _table("One row for each account and reason", heads, join(*rows))


def anchor(table: str) -> str:
    """The id of a table's section."""
    return "table-" + table.replace(" ", "-")


def alarmed(judged: Judged) -> str:
    return f"{judged.alarmed:,} of {counted(judged.asked, 'account')}"


def _objects(outcome: Outcome) -> list[Mapping[Any, Any]]:
    return [item if isinstance(item, dict) else {RESULT: item} for item in items_of(outcome.result)]


def _summary(findings: Findings) -> str:
    accounts = len({outcome.account for outcome in findings.found})
    found = f"{counted(findings.count(), 'row')} from {counted(accounts, 'account')}"
    nothing = counted(len(findings.nothing), "account")
    return f"{found}, nothing found in {nothing}" if findings.nothing else found


def _table(caption: str, heads: Markup, rows: Markup) -> Markup:
    head = element("thead", element("tr", heads))
    return element("table", element("caption", caption), head, element("tbody", rows))


def _row(kinds: str, *cells: Content) -> Markup:
    return element("tr", *cells, data_kind=kinds)


def _head(label: str, **attributes: str | None) -> Markup:
    return element("th", label, scope="col", **attributes)


def _label(column: Hashable) -> str:
    return truncate(str(column).replace("_", " "), 40)


def _pill(kind: Kind) -> Markup:
    return element("span", LABELS[kind], class_=f"pill {kind}")


def _checks(names: Sequence[str], all_: int) -> str:
    return f"all {all_} checks" if len(names) == all_ > MAX_NAMED else ", ".join(names)


def _check(judged: Judged) -> Markup:
    """Its name, which leads to its table if there is one."""
    name = element("a", judged.check, href=f"#{anchor(judged.check)}") if judged.rows else judged.check
    lines = (
        element("p", line, class_="quiet") for line in (description_of(judged.check), controls_of(judged.check)) if line
    )
    return element("th", name, *lines, scope="row")


def _count(number: int, verdict: Verdict) -> Markup:
    shown = element("span", f"{number}", class_=f"pill {verdict}") if number else 0
    return element("td", shown, class_=NUMBER, data_label=verdict)


def _without_verdict(row: JudgedRow) -> Mapping[str, Any]:
    return {name: value for name, value in row.findings[0].items() if name != "verdict"}


def _grouped(row: JudgedRow, columns: int) -> Markup:
    """How many findings they are, and the reason if it is that of all."""
    reasons = {str(finding.get("reason")) for finding in row.findings}
    only = f": {reasons.pop()}" if len(reasons) == 1 else ""
    return element(
        "td", truncate(f"{counted(len(row.findings), 'finding')}{only}"), class_="why quiet", colspan=columns
    )


def _account(account_id: str, name: str | None) -> Markup:
    shown = element("code", truncate(account_id, 64))
    return element("th", element("bdi", truncate(name)) if name else None, " " if name else None, shown, scope="row")


def _error(error: Mapping[str, Any]) -> Markup:
    """The first line of a hint says why, the others what to do."""
    first, _, more = truncate(str(error["hint"]), MAX_HINT).partition("\n")
    if error.get("request_id"):
        more = f"{more}\nAWS request id: {truncate(str(error['request_id']), 80)}".lstrip()
    return element(
        "td",
        element("strong", truncate(str(error["type"]), 80)),
        " " if error["code"] else None,
        element("code", truncate(str(error["code"]), 80)) if error["code"] else None,
        element("p", first, dir="auto"),
        element("details", element("summary", "What to do"), element("p", more, dir="auto")) if more else None,
        class_="why",
    )
