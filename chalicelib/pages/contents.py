"""What a report shows of an answer: what each check found, where it found nothing, and who did not answer and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.checks.finding import VERDICTS, Finding, Verdict
from chalicelib.errors import RegionOff, ServiceNotOffered
from chalicelib.outputs.rows import NO_TIME, items_of
from chalicelib.sweeps.outcome import Answer, Outcome, Target

Kind = Verdict | Literal["found", "nothing", "failed", "not-started", "region-off", "not-offered", "left-out"]
"""Of a row. "Could not look" is never "nothing found"."""

LABELS: Mapping[Kind, str] = {
    **{verdict: verdict for verdict in VERDICTS},
    "found": "found",
    "nothing": "nothing found",
    "failed": "failed",
    "not-started": "not started",
    "region-off": "region off",
    "not-offered": "not offered",
    "left-out": "left out",
}
GROUPED: frozenset[Verdict] = frozenset({"ok", "skip"})
"""Findings that nothing is to be done about: an account's have one row."""

MAX_GROUPS = 100
"""Of more accounts than this, such findings of a check have one row for all."""

_OFF: Mapping[Kind, str] = {
    "region-off": "The account has not enabled it.",
    "not-offered": "AWS does not offer the service there.",
}


@dataclass(frozen=True)
class Findings:
    """What one check found.

    Attributes:
        found: the outcomes that have rows.
        nothing: the outcomes of each account that has no row.
    """

    check: str
    found: Sequence[Outcome]
    nothing: Sequence[Sequence[Outcome]]

    def count(self) -> int:
        return sum(len(items_of(outcome.result)) for outcome in self.found)


@dataclass(frozen=True)
class JudgedRow:
    """A finding, or several that are grouped.

    Attributes:
        targets: whose they are.
        regions: where; empty: not in a region.
        findings: those with this verdict.
    """

    verdict: Verdict
    targets: Sequence[Target]
    regions: Sequence[str]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Judged:
    """What a check that judges found.

    Attributes:
        rows: the worst first.
        asked: how many accounts it was asked.
        alarmed: how many of them have an alarm.
        verdicts: how many findings have each verdict, with those that say that it could not look.
    """

    check: str
    rows: Sequence[JudgedRow]
    asked: int
    alarmed: int
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True)
class Missing:
    """An account without an answer, or without some, for one reason.

    Attributes:
        why: a sentence, or an error's object.
        checks, regions: those without an answer; empty: all.
        unknown: a check that judges could not look.
    """

    kind: Kind
    target: Target
    why: str | Mapping[str, Any]
    checks: Sequence[str] = ()
    regions: Sequence[str] = ()
    unknown: bool = False


@dataclass(frozen=True)
class Contents:
    """The rows of a page.

    Attributes:
        not_answered: what failed, and what was not started.
        judged: of each check that judges, the worst first.
        findings: of each other check.
        not_asked: what is off, and what was left out.
    """

    not_answered: Sequence[Missing]
    judged: Sequence[Judged]
    findings: Sequence[Findings]
    not_asked: Sequence[Missing]

    @property
    def checks(self) -> list[str]:
        return [*(judged.check for judged in self.judged), *(findings.check for findings in self.findings)]

    def counts(self) -> dict[Kind, int]:
        """How many rows there are of each kind."""
        kinds = Counter[Kind](row.kind for row in (*self.not_answered, *self.not_asked))
        kinds.update(row.verdict for judged in self.judged for row in judged.rows)
        kinds["found"] = sum(findings.count() for findings in self.findings)
        kinds["nothing"] = sum(len(findings.nothing) for findings in self.findings)
        return {kind: kinds[kind] for kind in LABELS}


def contents_of(answer: Answer) -> Contents:
    """Sort an answer into what was found and what was not."""
    by_check: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in answer.outcomes:
        by_check[outcome.check].append(outcome)
    failed = (outcome for outcome in answer.outcomes if outcome.failed)
    off = (outcome for outcome in answer.outcomes if isinstance(outcome.error, RegionOff))
    not_started = (Missing("not-started", target, NO_TIME) for target in answer.not_started)
    left_out = (Missing("left-out", one.target, _sentence(one.why)) for one in answer.left_out)
    return Contents(
        not_answered=[*_failed(failed), *not_started],
        judged=sorted(
            (_judged(check, outcomes) for check, outcomes in by_check.items() if outcomes[0].verdicts is not None),
            key=lambda one: [-one.alarmed, *(-one.verdicts[verdict] for verdict in VERDICTS)],
        ),
        findings=[_findings(check, outcomes) for check, outcomes in by_check.items() if outcomes[0].verdicts is None],
        not_asked=[*_off(off), *left_out],
    )


def target_of(outcome: Outcome) -> Target:
    return Target(outcome.account, outcome.name, outcome.unit, outcome.tags)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _findings(check: str, outcomes: Iterable[Outcome]) -> Findings:
    by_account: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.ok:
            by_account[outcome.account].append(outcome)
    found, nothing = [], []
    for answered in by_account.values():
        with_rows = [outcome for outcome in answered if items_of(outcome.result)]
        found += with_rows
        if not with_rows:
            nothing.append(answered)
    return Findings(check, found, nothing)


def _judged(check: str, outcomes: Sequence[Outcome]) -> Judged:
    verdicts, alarmed = Counter[str](), set()
    found: dict[Verdict, list[tuple[Outcome, Finding]]] = {verdict: [] for verdict in VERDICTS}
    for outcome in outcomes:
        verdicts.update(outcome.verdicts)
        for finding in outcome.found if outcome.ok or outcome.accepted else ():
            found[finding["verdict"]].append((outcome, finding))
            if finding["verdict"] == "alarm":
                alarmed.add(outcome.account)
    rows = [row for verdict, those in found.items() for row in _judged_rows(verdict, those)]
    asked = len({outcome.account for outcome in outcomes})
    return Judged(check, rows, asked, len(alarmed), {verdict: verdicts[verdict] for verdict in VERDICTS})


def _judged_rows(verdict: Verdict, found: Sequence[tuple[Outcome, Finding]]) -> Iterator[JudgedRow]:
    groups: defaultdict[Any, list[tuple[Outcome, Finding]]] = defaultdict(list)
    for number, (outcome, finding) in enumerate(found):
        groups[outcome.account if verdict in GROUPED else number].append((outcome, finding))
    together = [list(found)] if verdict in GROUPED and len(groups) > MAX_GROUPS else groups.values()
    for those in together:
        accounts = {outcome.account: outcome for outcome, _ in those}
        regions = dict.fromkeys(outcome.region for outcome, _ in those if outcome.region)
        yield JudgedRow(verdict, [*map(target_of, accounts.values())], [*regions], [finding for _, finding in those])


def _failed(outcomes: Iterable[Outcome]) -> Iterator[Missing]:
    """One for each different error of an account, however many checks and regions have it."""
    same: defaultdict[tuple[Any, ...], list[tuple[Outcome, dict[str, Any]]]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.error is not None:
            error = outcome.error.as_dict()
            same[outcome.account, error["type"], error["code"], error["hint"]].append((outcome, error))
    for failures in same.values():
        yield _missing("failed", [outcome for outcome, _ in failures], failures[0][1])


def _off(outcomes: Iterable[Outcome]) -> Iterator[Missing]:
    same: defaultdict[tuple[str, Kind], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kind: Kind = "not-offered" if isinstance(outcome.error, ServiceNotOffered) else "region-off"
        same[outcome.account, kind].append(outcome)
    return (_missing(kind, off, _OFF[kind]) for (_, kind), off in same.items())


def _missing(kind: Kind, outcomes: Sequence[Outcome], why: str | Mapping[str, Any]) -> Missing:
    checks = dict.fromkeys(outcome.check for outcome in outcomes)
    regions = dict.fromkeys(outcome.region for outcome in outcomes if outcome.region)
    unknown = kind == "failed" and any(outcome.verdicts is not None for outcome in outcomes)
    return Missing(kind, target_of(outcomes[0]), why, list(checks), list(regions), unknown)
