from __future__ import annotations

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, each, ok
from chalicelib.cross_account import Account


@check(actions=["guardduty:ListDetectors", "guardduty:GetDetector"], group="monitoring")
def guardduty(account: Account) -> Findings:
    """Find regions in which GuardDuty is not enabled, or is suspended.

    Controls: FSBP: GuardDuty.1.
    """
    get = account.client("guardduty").get_detector
    detectors = [*from_pages(account.pages("guardduty", "list_detectors"), "DetectorIds")]
    if not detectors:
        yield alarm(account.id, "GuardDuty is not enabled here.")
    yield from each(detectors, str, lambda detector: [judge(detector, get(DetectorId=detector))], account.id)


def judge(detector_id: str, detector: Response) -> Finding:
    """Judge a detector: a region has one, or none."""
    columns = {"created": detector.get("CreatedAt")}
    if require_field(detector, "Status") == "ENABLED":
        return ok(detector_id, "GuardDuty is enabled.", **columns)
    return alarm(detector_id, "GuardDuty is suspended.", **columns)
