"""What is counted of the results while they pass by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chalicelib.outputs.rows import items_of, rows_of
from chalicelib.sweeps.outcome import Outcome


class Tally:
    """Counts rows, and the accounts that have none.

    Attributes:
        rows: of all accounts that are done.
        without_rows: how many accounts answered with nothing, by check.
        alarm: a row's verdict is "alarm"; only if it is looked for.

    Args:
        look_for_alarm: whether to look at each row.
    """

    def __init__(self, *, look_for_alarm: bool) -> None:
        self.rows = 0
        self.without_rows: Counter[str] = Counter()
        self.alarm = False
        self._look_for_alarm = look_for_alarm

    def receive(self, outcomes: Sequence[Outcome]) -> None:
        """The outcomes of one account."""
        found: Counter[str] = Counter()
        for outcome in outcomes:
            if outcome.ok:
                found[outcome.check] += len(items_of(outcome.result))
        self.rows += found.total()
        incomplete = {outcome.check for outcome in outcomes if outcome.failed}
        self.without_rows.update(check for check in found if not found[check] and check not in incomplete)
        if self._look_for_alarm and not self.alarm:
            self.alarm = any(row.get("verdict") == "alarm" for outcome in outcomes for row in rows_of(outcome))
