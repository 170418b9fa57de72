"""How the command exits: the first status that holds, which the documentation tells as well."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.checks.check import check
from terminal.exit_status import MEANINGS, Status, first_of
from terminal.options import FORMATS
from tests.fake_hub import ids
from tests.templates import ROOT


def test_the_first_status_that_holds_counts():
    order = [Status.WRONG, Status.INTERRUPTED, Status.CLOSED, Status.FAILED, Status.ALARM, Status.CHANGED]
    for number, status in enumerate(order):
        assert first_of(set(order[number:])) is status
    assert first_of({Status.DONE}) is first_of(set()) is Status.DONE


def test_the_documentation_has_the_same_statuses_in_the_same_order():
    section = (ROOT / "docs" / "asking-anything.md").read_text().partition("## Exit status")[2].partition("\n## ")[0]
    assert re.findall(r"^\| ([0-9]+) \|", section, re.MULTILINE) == [str(int(status)) for status in MEANINGS]


# ---- an alarm


@check(actions=["a:B"])
def judging(account: Any, *, verdict: str) -> list[dict[str, str]]:
    """Judge one thing."""
    return [{"resource": "one", "verdict": "ok"}, {"resource": "two", "verdict": verdict}]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("verdict", "options", "status"),
    [("alarm", ("--fail-on", "alarm"), 4), ("alarm", (), 0), ("info", ("--fail-on", "alarm"), 0)],
)
def test_an_alarm_is_told_by_the_status_if_it_is_asked_for(run, added, form, verdict, options, status):
    added(judging)
    asked = ("judging", "--accounts", ids(1)[0], "--param", f"verdict={verdict}", "--format", form)
    assert run(*asked, *options)[0] == status


def test_an_account_that_failed_counts_more_than_an_alarm(run, added):
    added(judging)
    asked = ("judging", "--accounts", f"{ids(1)[0]},12", "--param", "verdict=alarm", "--fail-on", "alarm")
    assert run(*asked)[0] == 1


@check(actions=["a:B"], group="network")
def posture_like(account: Any, *, verdict: str) -> Any:
    """Judge two things."""
    yield from ({"resource": word, "verdict": word, "reason": "Seen."} for word in ("ok", verdict))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("verdict", "status"), [("alarm", 4), ("muted", 0), ("info", 0), ("unknown", 1)])
def test_of_a_check_that_judges_what_is_unknown_has_failed_and_what_is_muted_is_no_alarm(
    run, added, form, verdict, status
):
    added(posture_like)
    asked = ("posture_like", "--accounts", ids(1)[0], "--param", f"verdict={verdict}", "--format", form)
    assert run(*asked, "--fail-on", "alarm")[0] == status
