"""The checks of the group monitoring, and Access Analyzer's: what each judges, and how."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.checks import access_analyzer, cloudtrail, config_recorder, guardduty, security_hub
from chalicelib.checks.organization import NOT_READ, UNKNOWN, Organization
from chalicelib.errors import CheckCallFailed
from tests.checks.fake_account import ACCOUNT, REGION, FakeAccount, refusal, verdicts

# ---- cloudtrail


def trail(
    name: str, *, logging: bool = True, multi: bool = True, organization: bool = False, error: str | None = None
) -> dict[str, Any]:
    return {
        "TrailARN": f"arn:trail/{name}",
        "HomeRegion": "us-east-1",
        "IsMultiRegionTrail": multi,
        "IsOrganizationTrail": organization,
        "IsLogging": logging,
        "LatestDeliveryError": error,
    }


@pytest.mark.parametrize(
    ("trails", "verdict", "reason", "named"),
    [
        ([], "alarm", "There is no trail here.", None),
        ([trail("a", logging=False)], "alarm", "None of the trails here is logging.", None),
        ([trail("a", multi=False)], "alarm", "Only a trail of this one region is logging.", "arn:trail/a"),
        (
            [trail("a", multi=False), trail("b", logging=False)],
            "alarm",
            "Only a trail of this one region is logging.",
            "arn:trail/a",
        ),
        ([trail("a", multi=False), trail("b")], "ok", "A multi-region trail is logging.", "arn:trail/b"),
        ([trail("a", organization=True)], "ok", "The organization's multi-region trail is logging.", "arn:trail/a"),
        ([trail("a", error="NoSuchBucket"), trail("b")], "ok", "A multi-region trail is logging.", "arn:trail/b"),
        (
            [trail("a", error="NoSuchBucket"), trail("b", multi=False)],
            "alarm",
            "A multi-region trail is on, but S3 takes none of its logs: NoSuchBucket.",
            "arn:trail/a",
        ),
    ],
)
def test_a_region_needs_a_multi_region_trail_that_is_logging(trails, verdict, reason, named):
    found = cloudtrail.judge(ACCOUNT, trails)
    assert (found["resource"], found["verdict"], found["reason"]) == (ACCOUNT, verdict, reason)
    assert (found["trail"], found["home_region"]) == (named, named and "us-east-1")


def trails_of(statuses: dict[str, Any]) -> FakeAccount:
    def status(Name: str) -> Any:
        answer = statuses[Name]
        if isinstance(answer, Exception):
            raise answer
        return {"IsLogging": answer}

    listed = [{"TrailARN": arn, "IsMultiRegionTrail": True} for arn in statuses]
    return FakeAccount(describe_trails={"trailList": listed}, get_trail_status=status)


GONE = refusal("TrailNotFoundException", operation="GetTrailStatus")


def test_a_trail_that_is_logging_is_enough_whatever_another_one_is():
    assert verdicts(cloudtrail.cloudtrail.run(trails_of({"arn:a": GONE, "arn:b": True}), {})) == [(ACCOUNT, "ok")]


def test_a_trail_whose_status_is_refused_may_be_logging_so_there_is_no_alarm():
    with pytest.raises(ClientError):
        cloudtrail.cloudtrail.run(trails_of({"arn:a": GONE, "arn:b": False}), {})


# ---- config_recorder


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({"recording": False}, "alarm"),
        ({"recording": False, "lastStatus": "Success"}, "alarm"),
        ({"recording": True, "lastStatus": "Failure", "lastErrorCode": "AccessDenied"}, "alarm"),
        ({"recording": True, "lastStatus": "FAILURE"}, "alarm"),
        ({"recording": True, "lastStatus": "PENDING"}, "info"),
        ({"recording": True}, "info"),
        ({"recording": True, "lastStatus": "SUCCESS"}, "ok"),
        ({"recording": True, "lastStatus": "Success"}, "ok"),
    ],
)
def test_a_recorder_must_record(status, verdict):
    found = config_recorder.judge({"name": "default"}, status)
    assert (found["resource"], found["verdict"]) == ("default", verdict)
    assert found["last_error"] == status.get("lastErrorCode")


def recorders(*listed: dict[str, Any]) -> FakeAccount:
    statuses = [{"name": one["name"], "recording": True, "lastStatus": "SUCCESS"} for one in listed]
    return FakeAccount(
        describe_configuration_recorders={"ConfigurationRecorders": list(listed)},
        describe_configuration_recorder_status={"ConfigurationRecordersStatus": statuses},
    )


def test_a_recorder_of_a_service_does_not_count():
    of_services = (
        {"name": "a", "servicePrincipal": "observabilityadmin.amazonaws.com", "recordingScope": "PAID"},
        {"name": "b", "recordingScope": "INTERNAL"},
    )
    assert verdicts(config_recorder.config_recorder.run(recorders(*of_services), {})) == [(ACCOUNT, "alarm")]
    own = {"name": "default", "arn": "arn:default", "recordingScope": "PAID"}
    assert verdicts(config_recorder.config_recorder.run(recorders(*of_services, own), {})) == [("arn:default", "ok")]


def test_a_recorder_without_a_status_could_not_be_looked_at():
    account = FakeAccount(
        describe_configuration_recorders={"ConfigurationRecorders": [{"name": "default"}]},
        describe_configuration_recorder_status={"ConfigurationRecordersStatus": []},
    )
    with pytest.raises(CheckCallFailed, match="no recording"):
        config_recorder.config_recorder.run(account, {})


# ---- guardduty


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, [(ACCOUNT, "alarm")]),
        ({"d": "DISABLED"}, [("d", "alarm")]),
        ({"d": "ENABLED"}, [("d", "ok")]),
    ],
)
def test_guardduty_must_be_enabled_and_not_suspended(statuses, expected):
    account = FakeAccount(
        list_detectors=[{"DetectorIds": []}, {"DetectorIds": list(statuses)}],
        get_detector=lambda DetectorId: {"Status": statuses[DetectorId]},
    )
    assert verdicts(guardduty.guardduty.run(account, {})) == expected


# ---- security_hub


def test_security_hub_that_is_enabled_is_ok():
    account = FakeAccount(describe_hub={"HubArn": "arn:hub", "SubscribedAt": "2026-01-01T00:00:00Z"})
    (found,) = security_hub.security_hub.run(account, {})
    assert (found["resource"], found["verdict"], found["since"]) == ("arn:hub", "ok", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("code", "message", "is_alarm"),
    [
        ("InvalidAccessException", f"Account {ACCOUNT} is not subscribed to AWS Security Hub", True),
        ("ResourceNotFoundException", "There is no such hub.", True),
        ("InvalidAccessException", "The account has no permission to perform this action.", False),
        ("AccessDeniedException", "User is not authorized to perform: securityhub:DescribeHub", False),
    ],
)
def test_not_enabled_is_an_alarm_and_not_allowed_is_none(code, message, is_alarm):
    account = FakeAccount(describe_hub=refusal(code, message, "DescribeHub"))
    if is_alarm:
        assert verdicts(security_hub.security_hub.run(account, {})) == [(ACCOUNT, "alarm")]
    else:
        with pytest.raises(ClientError):
            security_hub.security_hub.run(account, {})


# ---- access_analyzer


def analyzer(status: str = "ACTIVE", kind: str = "ACCOUNT") -> dict[str, Any]:
    return {"arn": "arn:own", "type": kind, "status": status}


def organization(*members: str, shared: list[str] | None = None) -> Organization:
    return Organization(frozenset(members), hub="999999999999", analyzers=lambda region: shared)


NONE_READ = "The organization's analyzers could not be read."
NONE_SHARED = "The organization has none either."


@pytest.mark.parametrize(
    ("analyzers", "known", "verdict", "named", "ending"),
    [
        ([analyzer()], UNKNOWN, "ok", "arn:own", "active here."),
        ([], organization(ACCOUNT, shared=["arn:shared"]), "ok", "arn:shared", "active here."),
        ([], organization(ACCOUNT, shared=[]), "alarm", None, NONE_SHARED),
        ([], organization(ACCOUNT), "alarm", None, NONE_READ),
        ([], organization(shared=["arn:shared"]), "alarm", None, "active here."),
        ([], UNKNOWN, "alarm", None, NOT_READ),
        ([analyzer("FAILED")], organization(ACCOUNT, shared=[]), "alarm", None, f"here, only FAILED. {NONE_SHARED}"),
    ],
)
def test_a_region_needs_an_active_analyzer_of_the_account_or_of_its_organization(
    analyzers, known, verdict, named, ending
):
    found = access_analyzer.judge(ACCOUNT, REGION, analyzers, known)
    assert (found["resource"], found["verdict"], found["analyzer"]) == (ACCOUNT, verdict, named)
    assert found["reason"].endswith(ending)


def test_the_organization_is_asked_for_the_region_of_the_account():
    known = Organization(frozenset({ACCOUNT}), analyzers={REGION: ["arn:here"]}.get)
    assert access_analyzer.judge(ACCOUNT, REGION, [], known)["verdict"] == "ok"
    assert access_analyzer.judge(ACCOUNT, "us-east-1", [], known)["verdict"] == "alarm"


def ask_analyzer(listed: dict[str, Any], findings: Any) -> Any:
    account = FakeAccount(list_analyzers={"analyzers": [listed]}, list_findings_v2=findings)
    return access_analyzer.access_analyzer.run(account, {}, organization(ACCOUNT, shared=[]))


@pytest.mark.parametrize("kind", ["ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_INTERNAL_ACCESS"])
def test_an_analyzer_of_another_kind_does_not_count(kind):
    assert verdicts(ask_analyzer(analyzer(kind=kind), None)) == [(ACCOUNT, "alarm")]


@pytest.mark.parametrize(
    ("pages", "verdict", "reason", "number"),
    [
        ([0], "ok", "It has no active findings.", 0),
        ([0, 2, 1], "info", "It has active findings of access from outside: 3.", 3),
        ([600, 600], "info", "It has active findings of access from outside: at least 1,000.", 1000),
    ],
)
def test_the_active_findings_of_its_own_analyzer_are_counted(pages, verdict, reason, number):
    asked: list[Any] = []

    def findings(**arguments: Any) -> Any:
        asked.append(arguments)
        return [{"findings": [{}] * size} for size in pages]

    _, found = ask_analyzer(analyzer(), findings)
    assert (found["resource"], found["verdict"], found["reason"]) == ("arn:own", verdict, reason)
    assert found["findings"] == number
    assert asked == [{"analyzerArn": "arn:own", "filter": {"status": {"eq": ["ACTIVE"]}}}]


def test_findings_that_may_not_be_listed_leave_the_analyzer_judged():
    denied = refusal(
        "AccessDeniedException", "User is not authorized to perform: access-analyzer:ListFindings", "ListFindingsV2"
    )
    found = ask_analyzer(analyzer(), denied)
    assert verdicts(found) == [(ACCOUNT, "ok"), ("arn:own", "unknown")]
    assert "access-analyzer:ListFindings" in found[1]["reason"]
