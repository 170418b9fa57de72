"""What is told below the rows: failures by cause, what was left out, and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.checks.finding import Finding, alarm, info, ok, skip, unknown
from chalicelib.cross_account import AssumeRoleDenied, CrossAccountError
from chalicelib.errors import CheckDenied, RegionOff, ServiceNotOffered
from chalicelib.sweeps.outcome import Answer, LeftOut, Outcome, Target, verdicts_of
from terminal.summary import Tally, summary
from tests.fake_hub import ids

ONE, TWO, THREE = ids(3)
NAMES = {ONE: "production", TWO: "staging", THREE: "legacy"}


def denied(account: str, hint: str = "Deploy the role") -> AssumeRoleDenied:
    return AssumeRoleDenied(f"AssumeRole in {account}: denied.", hint=f"{hint} in {account}.", code="AccessDenied")


def failed(account: str, error: CrossAccountError, region: str | None = None) -> Outcome:
    return Outcome(account, NAMES[account], None, region, "find", 1, error=error)


def told(outcomes: Sequence[Outcome] = (), **more: Any) -> list[str]:
    tally = Tally(look_for_alarm=False)
    for account in dict.fromkeys(outcome.account for outcome in outcomes):
        tally.receive([outcome for outcome in outcomes if outcome.account == account])
    return [line.plain for line in summary(Answer("find", outcomes, **more), tally)]


def test_accounts_that_failed_for_the_same_reason_are_together_with_one_hint_and_each_is_named():
    assert told([failed(ONE, denied(ONE)), failed(TWO, denied(TWO))])[:5] == [
        "AssumeRoleDenied AccessDenied: 2 accounts",
        f"  {ONE} production",
        f"  {TWO} staging",
        f"  AssumeRole in {ONE}: denied. Deploy the role in {ONE}.",
        "",
    ]


def test_the_same_error_with_another_hint_is_another_cause():
    lines = told(
        [failed(ONE, denied(ONE, "Leave the hub out")), failed(TWO, denied(TWO)), failed(THREE, denied(THREE))]
    )
    assert [line for line in lines if line.startswith("AssumeRoleDenied")] == [
        "AssumeRoleDenied AccessDenied: 1 account",
        "AssumeRoleDenied AccessDenied: 2 accounts",
    ]
    assert sum("Deploy the role" in line for line in lines) == sum("Leave the hub out" in line for line in lines) == 1


def test_the_steps_of_a_hint_stand_below_each_other():
    lines = told([failed(ONE, AssumeRoleDenied("Denied.", hint="Either\nthis\nthat", code="AccessDenied"))])
    assert lines[2:5] == ["  Denied. Either", "  - this", "  - that"]


def test_regions_of_an_account_are_named_if_they_are_few_and_else_counted():
    def in_regions(count: int) -> str:
        error = CheckDenied("Denied.", hint="Allow it.", code="AccessDenied")
        return told([failed(ONE, error, f"eu-west-{number}") for number in range(1, count + 1)])[1]

    assert in_regions(2) == f"  {ONE} production in eu-west-1, eu-west-2"
    assert in_regions(4) == f"  {ONE} production in 4 regions"


def test_a_reason_that_names_the_region_is_the_same_in_each_region():
    outcomes = [
        failed(ONE, CheckDenied(f"Denied in {region}.", hint="Ask.", code="AccessDenied"), region)
        for region in ("eu-west-1", "us-east-1")
    ]
    assert told(outcomes)[:2] == ["CheckDenied AccessDenied: 1 account", f"  {ONE} production in eu-west-1, us-east-1"]


def test_checks_that_are_denied_for_the_same_reason_are_together_and_named():
    outcomes = [
        replace(failed(account, error), check=check)
        for account in (ONE, TWO)
        for check, call in {"imds": "DescribeInstances", "flow_logs": "DescribeVpcs"}.items()
        for error in [
            CheckDenied(
                f"The check {check} ({call}) in account {account}: denied, X. The action ec2:{call} is missing.",
                hint="Ask.",
                code="X",
            )
        ]
    ]
    in_all = told([*outcomes, judged(ONE, ok("a", "Fine."), check="imds")])
    assert in_all[:2] == ["CheckDenied X: 2 accounts", f"  {ONE} production"]
    assert told([*outcomes, judged(ONE, ok("a", "Fine."))])[:5] == [
        "CheckDenied X: 2 accounts",
        f"  {ONE} production: imds, flow_logs",
        f"  {TWO} staging: imds, flow_logs",
        f"  The check imds (DescribeInstances) in account {ONE}: denied, X. The action ec2:DescribeInstances is "
        "missing. Ask.",
        "",
    ]


def test_the_hubs_region_in_a_hint_does_not_make_another_cause_of_it():
    outcomes = [failed(ONE, denied("the hub, in eu-west-1,"), region) for region in ("eu-west-1", "us-east-1")]
    assert told(outcomes)[0] == "AssumeRoleDenied AccessDenied: 1 account"
    assert sum(line.startswith("AssumeRoleDenied") for line in told(outcomes)) == 1


def test_an_id_that_is_none_is_a_failure_as_well():
    assert told([Outcome("", None, None, None, "find", 1, error=denied(""))])[0].startswith("AssumeRoleDenied")


def test_accounts_that_time_ran_out_for_are_no_failures_with_a_hint():
    assert told([failed(ONE, denied(ONE))], cut=[ONE])[:-1] == []


def test_a_region_that_is_off_is_told_by_region_and_is_no_failure():
    off = RegionOff("Off.", hint="Leave it out.")
    outcomes = [failed(ONE, off, "me-south-1"), failed(TWO, off, "me-south-1"), failed(TWO, off, "af-south-1")]
    *lines, numbers = told(outcomes)
    assert lines == [
        f"me-south-1 is off in 2 accounts: {ONE} production, {TWO} staging",
        f"af-south-1 is off in 1 account: {TWO} staging",
    ]
    assert numbers.startswith("2 accounts: 0 ok, 0 failed")


def test_a_service_that_a_region_does_not_have_is_told_once_for_all_accounts():
    error = ServiceNotOffered("AWS does not offer x in the region y.", hint="Leave it out.")
    assert told([failed(ONE, error, "y"), failed(TWO, error, "y")])[:-1] == [
        "AWS does not offer x in the region y. (2 accounts)"
    ]


def test_what_was_left_out_is_told_with_the_reason():
    left_out = [
        LeftOut(Target(ONE, "hub"), "hub"),
        LeftOut(Target(TWO), "suspended"),
        LeftOut(Target(THREE), "not allowed"),
    ]
    *lines, numbers = told(left_out=left_out)
    assert lines == [
        f"Left out: {ONE} hub: the hub, which has no role that lets it in; deploy role-template.yaml there to ask it "
        "as well",
        f"Left out: {TWO}: suspended or closed",
        f"Left out: {THREE}: not among ALLOWED_ACCOUNTS",
    ]
    assert numbers == "0 accounts: 0 ok, 0 failed, 0 not started, 3 left out, 0 rows, 0.0 s"


def test_a_command_that_selects_no_account_is_told_so():
    assert told()[0] == "No account was asked: the organization has none that the command selects."


def found(account: str, result: Any, check: str = "find") -> Outcome:
    return Outcome(account, None, None, None, check, 1, result)


def test_accounts_that_answered_with_nothing_are_counted_by_check():
    outcomes = [found(ONE, []), found(TWO, [1, 2]), found(THREE, {"count": 0, "users": []}), found(THREE, 1, "other")]
    assert told(outcomes) == [
        "find: 2 accounts answered with nothing.",
        "3 accounts: 3 ok, 0 failed, 0 not started, 3 rows, 0.0 s",
    ]


def test_an_account_that_failed_in_a_region_has_not_answered_with_nothing():
    lines = told([found(ONE, []), failed(ONE, denied(ONE), "eu-west-1")])
    assert not [line for line in lines if "nothing" in line]


def test_accounts_that_were_named_twice_are_told():
    assert f"Named more than once: {ONE}" in told(duplicates=[ONE])


def test_names_from_elsewhere_are_no_control_sequences():
    outcome = Outcome(ONE, "\x1b[31mred\u202e", None, None, "find", 1, error=denied(ONE))
    assert told([outcome])[1] == f"  {ONE} \ufffd[31mred\ufffd"


# ---- verdicts


def judged(account: str, *findings: Finding, check: str = "find") -> Outcome:
    return Outcome(account, NAMES[account], None, None, check, 1, list(findings), verdicts=verdicts_of(findings))


def test_the_numbers_say_how_many_findings_have_each_verdict():
    found = [alarm("a", "Open."), alarm("b", "Open."), info("c", "Unused."), ok("d", "Shut."), skip("e", "None.")]
    assert told([judged(ONE, *found)]) == [
        "1 account: 1 ok, 0 failed, 0 not started, 2 alarms, 0 unknown, 1 info, 1 ok, 1 skipped, 5 rows, 0.0 s"
    ]


def test_an_account_that_could_not_be_entered_is_told_once_for_all_checks_and_regions():
    outcomes = [
        Outcome(ONE, NAMES[ONE], None, region, check, 1, error=denied(ONE), verdicts={"unknown": 1})
        for check in ("find", "seek")
        for region in ("eu-west-1", "us-east-1")
    ]
    lines = told(outcomes)
    assert lines[:3] == [
        "AssumeRoleDenied AccessDenied: 1 account",
        f"  {ONE} production in eu-west-1, us-east-1",
        f"  AssumeRole in {ONE}: denied. Deploy the role in {ONE}.",
    ]
    assert lines[3:] == [
        "",
        "1 account: 0 ok, 1 failed (1 denied), 0 not started, 0 alarms, 4 unknown, 0 rows, 0.0 s",
    ]


def test_what_a_check_could_not_look_at_is_told_with_the_reason_and_the_account_has_failed():
    outcomes = [
        judged(ONE, unknown("a", "No b:C."), unknown("b", "No b:C."), ok("c", "Shut.")),
        judged(TWO, unknown("d", "No b:C.")),
        judged(TWO, unknown(TWO, "There are more."), check="seek"),
    ]
    assert told(outcomes) == [
        "unknown: 4 findings in 2 accounts",
        "  find: No b:C. (3 x)",
        "  seek: There are more.",
        "",
        "2 accounts: 0 ok, 2 failed, 0 not started, 0 alarms, 4 unknown, 1 ok, 5 rows, 0.0 s",
    ]


def test_of_many_reasons_the_most_frequent_are_told():
    lines = told([judged(ONE, *(unknown("a", f"No {number}.") for number in range(7)), unknown("b", "No 6."))])
    assert lines[1] == "  find: No 6. (2 x)"
    assert lines[6] == "  and 2 reasons more"
