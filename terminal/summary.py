"""What a person is told below the rows: who failed and why, what is unknown, who was left out, and the numbers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from chalicelib.cross_account import CrossAccountError
from chalicelib.cross_account.account_id import ACCOUNT_ID
from chalicelib.errors import RegionOff, ServiceNotOffered
from chalicelib.outputs.rows import items_of, rows_of
from chalicelib.pages.words import counted, in_words, named
from chalicelib.sweeps.outcome import Answer, LeftOut, Outcome
from terminal.streams import printable

Lines = Iterator[Text]

_FEW = 5
"""Reasons why something is unknown."""


class Tally:
    """Counts rows, and the accounts that have none.

    Attributes:
        rows: of all accounts that are done.
        without_rows: how many accounts answered with nothing, by check.
        unknown: of checks that could look at the rest, how many findings are unknown, by check and reason.
        with_unknown: the accounts that have such.
        alarm: a row's verdict is "alarm", also of a query; only if it is looked for.

    Args:
        look_for_alarm: whether to look for one.
    """

    def __init__(self, *, look_for_alarm: bool) -> None:
        self.rows = 0
        self.without_rows: Counter[str] = Counter()
        self.unknown: Counter[tuple[str, str]] = Counter()
        self.with_unknown: set[str] = set()
        self.alarm = False
        self._look_for_alarm = look_for_alarm

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        """The outcomes of one account."""
        found: Counter[str] = Counter()
        for outcome in outcomes:
            if outcome.ok:
                found[outcome.check] += len(items_of(outcome.result))
                if outcome.failed:
                    self._learn_unknown(outcome)
        self.rows += found.total()
        incomplete = {outcome.check for outcome in outcomes if outcome.failed}
        self.without_rows.update(check for check in found if not found[check] and check not in incomplete)
        if self._look_for_alarm and not self.alarm:
            self.alarm = any(map(_has_alarm, outcomes))

    def _learn_unknown(self, outcome: Outcome) -> None:
        self.with_unknown.add(outcome.account)
        reasons = (finding["reason"] for finding in outcome.result if finding["verdict"] == "unknown")
        self.unknown.update((outcome.check, reason) for reason in reasons)


def summary(answer: Answer, tally: Tally) -> Lines:
    """The lines, the last with the numbers."""
    cut = set(answer.cut)  # these are to go on with
    failures = [
        outcome for outcome in answer.outcomes if outcome.failed and outcome.error and outcome.account not in cut
    ]
    for outcomes in _by_cause(failures):
        yield from _failure(outcomes, len({outcome.check for outcome in answer.outcomes}))
    yield from _unknown(tally)
    yield from _regions_off(outcome for outcome in answer.outcomes if isinstance(outcome.error, RegionOff))
    yield from _left_out(answer.left_out)
    if answer.duplicates:
        yield _plain(f"Named more than once: {', '.join(answer.duplicates)}")
    for check, accounts in tally.without_rows.items():
        yield _plain(f"{check}: {counted(accounts, 'account')} answered with nothing.")
    if not (answer.accounts or answer.left_out):
        yield _plain("No account was asked: the organization has none that the command selects.")
    yield _plain(_numbers(answer, tally))


def _by_cause(failures: Iterable[Outcome]) -> list[list[Outcome]]:
    """Those together whose hints are the same but for the account, the region, and the check with its call."""
    causes: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in failures:
        assert outcome.error is not None  # it failed
        hint = _hint(outcome.error)
        if ACCOUNT_ID.fullmatch(outcome.account):
            hint = hint.replace(outcome.account, "")
        if outcome.region and outcome.error.stage == "check":
            hint = hint.replace(outcome.region, "")
        hint = re.sub(
            rf"^The check {re.escape(outcome.check)} (\(\w+\) )?| The action \S+ is (missing|denied explicitly)\.",
            "",
            hint,
        )
        causes[_name(outcome.error), hint].append(outcome)
    return list(causes.values())


def _failure(outcomes: Sequence[Outcome], asked: int) -> Lines:
    """One cause: its accounts, and what to do about the first of them.

    Args:
        asked: how many checks were asked.
    """
    error = outcomes[0].error
    assert error is not None  # it failed
    accounts: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        accounts[outcome.account].append(outcome)
    yield Text(f"{_name(error)}: {counted(len(accounts), 'account')}", style="bold red")
    for of_account in accounts.values():
        checks = dict.fromkeys(outcome.check for outcome in of_account)
        where = _where(of_account) + (f": {', '.join(checks)}" if len(checks) < asked else "")
        yield _plain(f"  {_account(of_account[0].account, of_account[0].name)}{where}")
    first, *steps = _hint(error).splitlines()
    yield _plain(f"  {first}")
    for step in steps:
        yield _plain(f"  - {step}")
    yield Text()


def _unknown(tally: Tally) -> Lines:
    """What checks could not look at that looked at the rest."""
    if not tally.unknown:
        return
    where = counted(len(tally.with_unknown), "account")
    yield Text(f"unknown: {counted(tally.unknown.total(), 'finding')} in {where}", style="bold yellow")
    for (check, reason), times in tally.unknown.most_common(_FEW):
        yield _plain(f"  {check}: {reason}" + (f" ({times:,} x)" if times > 1 else ""))
    if len(tally.unknown) > _FEW:
        yield _plain(f"  and {counted(len(tally.unknown) - _FEW, 'reason')} more")
    yield Text()


def _where(outcomes: Sequence[Outcome]) -> str:
    regions = list(dict.fromkeys(outcome.region for outcome in outcomes if outcome.region))
    return f" in {named(regions)}" if regions else ""


def _regions_off(outcomes: Iterable[Outcome]) -> Lines:
    accounts: defaultdict[str, dict[str, str]] = defaultdict(dict)
    not_offered: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        if isinstance(outcome.error, ServiceNotOffered):
            not_offered[outcome.error.message].add(outcome.account)
        else:
            accounts[outcome.region or ""][outcome.account] = _account(outcome.account, outcome.name)
    for region, off in accounts.items():
        yield _plain(f"{region} is off in {counted(len(off), 'account')}: {', '.join(off.values())}")
    for message, those in not_offered.items():
        yield _plain(f"{message} ({counted(len(those), 'account')})")


def _left_out(left_out: Iterable[LeftOut]) -> Lines:
    for account in left_out:
        yield _plain(f"Left out: {_account(account.target.id, account.target.name)}: {account.why}")


def _numbers(answer: Answer, tally: Tally) -> str:
    summary = answer.summary()
    reasons = {"denied": "denied", "cut": "cut off"}
    of_failed = [f"{summary[name]} {text}" for name, text in reasons.items() if summary[name]]
    parts = [
        f"{counted(summary['accounts'], 'account')}: {summary['ok']} ok",
        f"{summary['failed']} failed" + (f" ({', '.join(of_failed)})" if of_failed else ""),
        f"{summary['not_started']} not started",
        *([f"{summary['left_out']} left out"] if summary["left_out"] else []),
        *([in_words(summary["verdicts"])] if "verdicts" in summary else []),
        counted(tally.rows, "row"),
        f"{summary['seconds']} s",
    ]
    return ", ".join(parts)


def _has_alarm(outcome: Outcome) -> bool:
    if outcome.verdicts is not None:
        return bool(outcome.verdicts.get("alarm"))
    return any(row.get("verdict") == "alarm" for row in rows_of(outcome))


def _name(error: CrossAccountError) -> str:
    name = type(error).__name__
    return f"{name} {error.code}" if error.code else name


def _hint(error: CrossAccountError) -> str:
    return str(error.as_dict()["hint"])


def _account(id: str, name: str | None) -> str:
    return f"{id[:64]} {name}" if name else id[:64]


def _plain(text: str) -> Text:
    """Data from elsewhere, as neither markup nor a terminal's control sequence."""
    return Text(printable(text))
