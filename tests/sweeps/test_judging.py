"""What becomes of checks that judge in a sweep: their verdicts, what is accepted, and how many sessions they need."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.checks import exceptions
from chalicelib.checks.check import Check, check
from chalicelib.checks.finding import VERDICTS, Finding, Findings, alarm, ok
from chalicelib.sweeps.deadline import Deadline
from tests.fake_hub import FakeHub, denied, until, whoami
from tests.sweeps.test_ask import ACCOUNT, REGIONS, ask, asking, owner, places


@check(actions=["ec2:DescribeVolumes"], group="data")
def volumes(account: Any) -> Findings:
    """Find volumes."""
    yield ok("vol-1", "Fine.")
    yield alarm("vol-2", "Not fine.")


def judging(error: Exception | None, *before: Finding) -> Check:
    @check(actions=["ec2:DescribeVolumes"], group="data")
    def half(account: Any) -> Findings:
        """Find volumes."""
        yield from before
        if error:
            raise error

    return half


NONE = dict.fromkeys(VERDICTS, 0)


def aws_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "DescribeVolumes")


def test_the_verdicts_of_all_findings_are_counted():
    summary = ask(FakeHub(), volumes).summary()
    assert summary["verdicts"] == {"alarm": 2, "unknown": 0, "info": 0, "muted": 0, "ok": 2, "skip": 0}
    assert (summary["ok"], summary["failed"]) == (1, 0)


def test_checks_that_do_not_judge_have_no_verdicts():
    assert "verdicts" not in ask(FakeHub()).summary()


def test_a_check_that_could_not_look_is_unknown_and_its_account_failed():
    answer = ask(FakeHub(), judging(aws_error("AccessDenied")), (None,))
    summary = answer.summary()
    assert (summary["verdicts"]["unknown"], summary["ok"], summary["failed"], summary["denied"]) == (1, 0, 1, 1)
    (told,) = [outcome.as_dict() for outcome in answer.outcomes]
    assert (told["ok"], told["error"]["type"]) == (False, "CheckDenied")
    assert [(one["resource"], one["verdict"]) for one in told["result"]] == [(ACCOUNT, "unknown")]


def test_a_check_that_could_look_at_a_part_has_its_findings_and_its_account_failed():
    answer = ask(FakeHub(), judging(aws_error("AccessDenied"), ok("vol-1", "Fine.")), (None,))
    summary = answer.summary()
    assert (summary["verdicts"]["unknown"], summary["verdicts"]["ok"], summary["failed"]) == (1, 1, 1)
    assert answer.outcomes[0].ok
    answer.raise_if_all_failed()


def test_an_account_that_cannot_be_entered_is_unknown_in_every_check():
    hub = FakeHub()
    hub.fates[ACCOUNT] = denied
    answer = asking(hub, volumes.asked({}), whoami.asked({}), regions=(None,)).ask(ACCOUNT, Deadline(until(60)))
    assert [outcome.verdicts for outcome in answer.outcomes] == [{"unknown": 1}, None]


def test_what_a_check_could_not_look_at_can_be_accepted_for_an_account_and_that_it_cannot_be_entered_not(
    tmp_path, monkeypatch
):
    file = tmp_path / "exceptions.toml"
    file.write_text(f"[[exception]]\ncheck = 'half'\naccount = '{ACCOUNT}'\nuntil = 2999-01-01\nreason = 'Off.'")
    monkeypatch.setattr(exceptions, "FILE", file)
    answer = ask(FakeHub(), judging(aws_error("AccessDenied")), (None,))
    (outcome,) = answer.outcomes
    assert (answer.verdicts, answer.failed, outcome.accepted) == ({**NONE, "muted": 1}, [], True)
    assert outcome.as_dict()["result"][0]["verdict"] == "muted"
    hub = FakeHub()
    hub.fates[ACCOUNT] = denied
    assert ask(hub, judging(None), (None,)).verdicts == {**NONE, "unknown": 1}


def test_a_region_that_is_off_is_skipped_by_a_check_that_judges():
    answer = ask(FakeHub(accepts=True), judging(aws_error("AuthFailure")))
    assert answer.summary()["verdicts"]["skip"] == 2
    assert not answer.failed


def unreachable(host: str) -> Check:
    return judging(EndpointConnectionError(endpoint_url=f"https://{host}/"))


@pytest.mark.parametrize(
    ("host", "region", "error"),
    [
        ("ce.us-east-1.amazonaws.com", "us-east-1", "ServiceNotOffered"),
        ("guardduty.us-east-1.amazonaws.com", "us-east-1", "CheckCallFailed"),
        ("not-known-yet.us-east-1.amazonaws.com", "us-east-1", "CheckCallFailed"),
        ("ce.us-east-1.amazonaws.com", "eu-west-1", "CheckCallFailed"),
        ("iam.amazonaws.com", "us-east-1", "CheckCallFailed"),
    ],
)
def test_a_service_that_a_region_does_not_have_is_no_failure(host, region, error):
    answer = ask(FakeHub(), unreachable(host), (region,))
    assert [type(outcome.error).__name__ for outcome in answer.outcomes] == [error]
    assert bool(answer.failed) is (error == "CheckCallFailed")


def test_checks_that_one_session_policy_can_hold_have_one_session():
    hub = FakeHub()
    asking(hub, volumes.asked({}), whoami.asked({}), regions=REGIONS).ask(ACCOUNT, Deadline(until(60)))
    assert [actions for actions, _ in hub.requests] == [("ec2:DescribeVolumes", "sts:GetCallerIdentity")]


def test_checks_that_need_more_than_a_session_policy_holds_have_a_session_each():
    @check(actions=[f"ec2:Describe{number}{'x' * 30}" for number in range(60)])
    def long(account: Any) -> str:
        """Need much."""
        return account.region

    hub = FakeHub(enabled=["eu-west-1"])
    checks = (volumes.asked({}), long.asked({}), owner.asked({}))
    answer = asking(hub, *checks, regions="all").ask(ACCOUNT, Deadline(until(60)))
    assert [actions for actions, _ in hub.requests] == [
        ("ec2:DescribeVolumes", "ec2:DescribeRegions"),
        (*long.actions, "ec2:DescribeRegions"),
        owner.actions,
    ]
    assert places(answer) == [
        ("volumes", "eu-west-1", "NoneType"),
        ("long", "eu-west-1", "NoneType"),
        ("owner", None, "NoneType"),
    ]
    assert hub.calls == ["DescribeRegions"]
