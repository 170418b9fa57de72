"""Which regions an account has enabled: a region that it has not rejects every session, as if it were a wrong one."""

from __future__ import annotations

from chalicelib.checks.check import require_field
from chalicelib.cross_account import Account
from chalicelib.cross_account.region import learn_regions


def enabled_regions(account: Account) -> tuple[str, ...]:
    """Their names, sorted. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html

    Raises:
        whatever the client raises.
        CheckCallFailed: the response has no regions.
    """
    regions = require_field(account.client("ec2").describe_regions(), "Regions")
    return learn_regions(require_field(region, "RegionName") for region in regions)
