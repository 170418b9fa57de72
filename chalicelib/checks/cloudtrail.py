from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from chalicelib.checks.check import check, require_field
from chalicelib.checks.finding import CouldNotLook, Finding, Findings, Response, alarm, looked, ok
from chalicelib.cross_account import Account


@check(actions=["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"], group="monitoring")
def cloudtrail(account: Account) -> Findings:
    """Find regions in which no multi-region trail, of the account or of its organization, is logging.

    Each region is asked: CloudTrail lists a multi-region trail, and tells its status, in every region that it covers.
    An organization's trail is listed in every member. One that cannot deliver, as its bucket is gone, does not count.
    Which events a trail selects is not looked at.

    Controls: CIS 5: 3.1; CIS 7: 4.1; FSBP: CloudTrail.1.
    """
    trails = require_field(account.client("cloudtrail").describe_trails(), "trailList")
    found = [
        one
        for trail in trails
        for one in looked(require_field(trail, "TrailARN"), partial(_with_status, account, trail))
    ]
    unread = [one for one in found if isinstance(one, CouldNotLook)]
    finding = judge(account.id, [one for one in found if not isinstance(one, CouldNotLook)])
    if unread and finding["verdict"] != "ok":
        yield from unread  # one of them may be logging
    else:
        yield finding


def _with_status(account: Account, trail: Response) -> Iterator[Finding]:
    # by its ARN: the name would do neither in another region nor for another account's trail
    status = account.client("cloudtrail").get_trail_status(Name=trail["TrailARN"])
    yield {
        **trail,
        "IsLogging": require_field(status, "IsLogging"),
        "LatestDeliveryError": status.get("LatestDeliveryError"),
    }


def judge(account_id: str, trails: Sequence[Response]) -> Finding:
    """Judge an account in a region.

    Args:
        account_id: whose.
        trails: as CloudTrail describes them there, each with the IsLogging and LatestDeliveryError of its status.
    """
    logging = [trail for trail in trails if trail["IsLogging"]]
    if not logging:
        seen = "None of the trails here is logging." if trails else "There is no trail here."
        return alarm(account_id, seen, trail=None, home_region=None)
    best = max(logging, key=lambda trail: (bool(trail.get("IsMultiRegionTrail")), not trail.get("LatestDeliveryError")))
    columns = {"trail": best["TrailARN"], "home_region": best.get("HomeRegion")}
    if not best.get("IsMultiRegionTrail"):
        return alarm(account_id, "Only a trail of this one region is logging.", **columns)
    whose = "The organization's" if best.get("IsOrganizationTrail") else "A"
    if error := best.get("LatestDeliveryError"):
        return alarm(
            account_id, f"{whose} multi-region trail is on, but S3 takes none of its logs: {error}.", **columns
        )
    return ok(account_id, f"{whose} multi-region trail is logging.", **columns)
