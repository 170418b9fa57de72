"""What has changed since an earlier run of the same question: --since.

A row is an earlier one of its account, region and check if a column says so: `resource`, `arn`, `id` or `name`, also as
the end of a name (`InstanceId`, `bucket_name`), or else the first column that tells the rows of each account and region
apart. Without such a column only a row that is the same in all columns is the earlier one. The account's own name, unit
and tags do not count, nor does the order in a list. Where one of the runs could not look, nothing is new or gone.

Of a check that judges, a row is the earlier one of its resource, so that ok and then alarm is a change. A resource that
was or is unknown is not compared; nor is what only one of the runs has, if the other did not see everything there: then
it has a finding of the account itself that is unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.outputs.rows import items_of, rows_of
from chalicelib.pages.words import counted
from chalicelib.sweeps.outcome import Answer, Outcome
from terminal.earlier_run import EarlierRun, Place, Row, own, tells_apart
from terminal.row_changes import Change, Kind, as_a_whole, by_column, by_resource, if_changed, resource_of

_FEW = 10
_ANSWERED, _NO_ROWS, _FILE_ENDS = "answered", "no rows", "the file ends there"
_NOTHING_THERE = ("RegionOff", "ServiceNotOffered")
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Comparison:
    """What two runs come to, side by side.

    Attributes:
        counts: of the rows that are new, gone, changed or the same.
        not_compared: accounts and regions by what they were (then, now), such as ("answered", "CheckDenied").
        first_seen: accounts that have rows now and had none in the earlier run.
        notes: sentences on whether it is the same question at all.
    """

    counts: Mapping[str, int]
    not_compared: Mapping[tuple[str, str], Mapping[str, Sequence[str | None]]]
    first_seen: Sequence[str]
    notes: Sequence[str]

    @property
    def changed(self) -> bool:
        """Whether any row is new, gone or changed."""
        return any(self.counts[kind] for kind in ("new", "gone", "changed"))

    def sentences(self) -> Iterator[str]:
        """For a person, the first with the counts."""
        yield "{new} new, {gone} gone, {changed} changed, {same} the same.".format(**self.counts)
        if self.first_seen:
            yield f"The earlier run has no rows of {_accounts(dict.fromkeys(self.first_seen, ()))}."
        for (then, now), places in self.not_compared.items():
            yield f"Not compared ({then} then, {now} now): {_accounts(places)}."
        yield from self.notes


class Changes:
    """Compares the accounts one by one as they are done, so that few rows are in memory at a time.

    Args:
        path: what `--format jsonl` has written, also while it is being replaced by another file of that name.
        checks: the names of those that are asked now.

    Raises:
        InvalidInput: one sentence: the file cannot be read, holds something else, or only rows of other checks.
    """

    def __init__(self, path: Path, checks: Collection[str]) -> None:
        self._earlier = EarlierRun(path, checks)
        self._compared: set[str] = set()
        self._counts = Counter(new=0, gone=0, changed=0, same=0)
        self._not_compared: dict[tuple[str, str], dict[str, list[str | None]]] = defaultdict(lambda: defaultdict(list))
        self._first_seen: list[str] = []
        self._rows = Counter[str]()
        self._columns: dict[str, Counter[str]] = defaultdict(Counter)
        self._judging: set[str] = set()

    def receive(self, outcomes: Sequence[Outcome]) -> list[Row]:
        """Compare one account.

        Args:
            outcomes: all of it, with their results.

        Returns:
            The rows that are new, gone or changed: first the column `change`, last `before`, which has the earlier
            values of the columns that have changed, else None.
        """
        if not outcomes:
            return []
        account = outcomes[0].account[:64]
        self._compared.add(account)
        earlier = self._earlier.of(account)
        changes: list[Row] = []
        for outcome in outcomes:
            changes.extend(self._compare_place(account, outcome, earlier))
        self._leave_other_places(account, outcomes, earlier)
        if account not in self._earlier.accounts and any(row["change"] == "new" for row in changes):
            self._first_seen.append(account)
        return changes

    def finish(self, answer: Answer) -> Comparison:
        """Say what the changes come to, and what could not be compared. There is nothing more to receive."""
        now: dict[str, str] = {left.target.id: left.reason for left in answer.left_out}
        now |= {target.id[:64]: "NotStarted" for target in answer.not_started}
        for account in self._earlier.accounts:
            if account not in self._compared:
                self._leave(account, None, "in the file", now.get(account, "not asked"))
        self._earlier.close()
        return Comparison(self._counts, self._not_compared, self._first_seen, [*self._notes()])

    def _leave_other_places(
        self, account: str, outcomes: Sequence[Outcome], earlier: Mapping[Place, list[Row]]
    ) -> None:
        """The regions and checks of the earlier run that were not asked now, or failed before they were known."""
        failed = {outcome.check: _now(outcome) for outcome in outcomes if outcome.region is None and not outcome.ok}
        asked = {(outcome.region, outcome.check) for outcome in outcomes}
        for place, rows in earlier.items():
            region, check = place
            if place not in asked and _then(rows) == _ANSWERED:
                self._leave(account, region, _ANSWERED, failed.get(check, "not asked"))

    def _compare_place(self, account: str, outcome: Outcome, earlier: Mapping[Place, list[Row]]) -> Iterator[Row]:
        place = (outcome.region, outcome.check)
        then = _then(earlier.get(place) or _failure(earlier, outcome.check))
        if self._earlier.may_lack(account):
            then = _FILE_ENDS
        now = _now(outcome)
        if then not in (_ANSWERED, _NO_ROWS) or now != _ANSWERED:
            had_regions = outcome.region is None and outcome.check in [check for _, check in earlier]
            if not (had_regions and then == _NO_ROWS):  # or _leave_other_places tells them
                self._leave(account, outcome.region, then, now)
            return
        before, rows = earlier.get(place, []), [*rows_of(outcome)]
        self._learn(outcome.check, rows)
        if outcome.verdicts is not None:
            self._judging.add(outcome.check)
            before, rows = self._comparable(outcome, before, rows)
        different = 0
        for kind, row, old in self._compare(outcome, before, rows):
            self._counts[kind] += 1
            different += kind != "gone"
            yield _change(kind, row, old)
        self._counts["same"] += len(rows) - different

    def _comparable(self, outcome: Outcome, before: list[Row], rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """The findings of both runs about what both could look at."""
        account = outcome.account[:64]
        unseen_then, unseen_now = _unseen(before), _unseen(rows)
        if unseen_then or unseen_now:
            self._leave(
                account, outcome.region, _UNKNOWN if unseen_then else _ANSWERED, _UNKNOWN if unseen_now else _ANSWERED
            )
        then, now = ({*map(resource_of, run)} - unseen_then - unseen_now for run in (before, rows))
        seen_then = then & now if account in unseen_now else then
        seen_now = then & now if account in unseen_then else now
        return (
            [row for row in before if resource_of(row) in seen_then],
            [row for row in rows if resource_of(row) in seen_now],
        )

    def _compare(self, outcome: Outcome, before: list[Row], rows: list[Row]) -> Iterator[Change]:
        if outcome.verdicts is not None:
            yield from by_resource(before, rows)
            return
        if len(before) == len(rows) == 1 and _stands_alone(outcome.result):
            yield from if_changed(before[0], rows[0])
            return
        if column := self._column(outcome.check, before, rows):
            yield from by_column(column, before, rows)
        else:
            yield from as_a_whole(before, rows)

    def _column(self, check: str, before: list[Row], rows: list[Row]) -> str | None:
        """The column that says which row is which."""
        for column in self._earlier.telling_columns(check):
            if tells_apart(column, before) and tells_apart(column, rows):
                return column
        return None

    def _leave(self, account: str, region: str | None, then: str, now: str) -> None:
        if then == now and now in _NOTHING_THERE:
            return
        regions = self._not_compared[then, now][account]
        if region not in regions:  # it may be, of another check
            regions.append(region)

    def _learn(self, check: str, rows: list[Row]) -> None:
        self._rows[check] += len(rows)
        for row in rows:
            self._columns[check].update(own(row).keys())

    def _notes(self) -> Iterator[str]:
        if self._earlier.ends_early:
            yield "The earlier run's file ends in the middle of a row: that run was stopped."
        for check, rows in self._rows.items():
            then, now = self._earlier.columns.get(check), self._columns[check]
            if rows and then is None:
                yield f"The earlier run has no rows of {check}."
            elif then and check not in self._judging:  # their columns depend on the verdict
                gone = [name for name, times in then.items() if times == self._earlier.rows[check] and name not in now]
                new = [name for name, times in now.items() if times == rows and name not in then]
                if rows and (gone or new):
                    yield _other_columns(check, gone, new)


def _then(before: Sequence[Row]) -> str:
    if not before:
        return _NO_ROWS
    error = before[-1].get("error")
    return _ANSWERED if error is None else str(error.get("type"))


def _failure(earlier: Mapping[Place, list[Row]], check: str) -> list[Row]:
    """Of a check that failed before its regions were known, or of an account that was not started."""
    rows = earlier.get((None, check), [])
    return rows if rows and rows[-1].get("error") else []


def _now(outcome: Outcome) -> str:
    return _ANSWERED if outcome.error is None else type(outcome.error).__name__


def _stands_alone(result: Any) -> bool:
    """Whether it is its only row, and not a list that happens to have one."""
    found = items_of(result)
    return len(found) == 1 and found[0] is result


def _unseen(findings: list[Row]) -> set[str]:
    """The resources that could not be looked at; among them the account itself, if not all of them are known."""
    return {resource_of(finding) for finding in findings if finding.get("verdict") == _UNKNOWN}


def _change(kind: Kind, row: Row, before: Row) -> Row:
    found = {f"result_{name}" if name in ("change", "before") else name: value for name, value in row.items()}
    return {"change": kind, **found, "before": before or None}


def _other_columns(check: str, gone: list[str], new: list[str]) -> str:
    only = [f"{', '.join(names)} only {when}" for names, when in ((gone, "then"), (new, "now")) if names]
    return f"The rows of {check} have other columns ({'; '.join(only)}): was it the same question?"


def _accounts(places: Mapping[str, Sequence[str | None]]) -> str:
    listed = [
        account
        if None in regions or not regions
        else f"{account} in {regions[0] if len(regions) == 1 else counted(len(regions), 'region')}"
        for account, regions in [*places.items()][:_FEW]
    ]
    more = [f"{len(places) - _FEW:,} more"] if len(places) > _FEW else []
    return f"{counted(len(places), 'account')}: {', '.join([*listed, *more])}"
