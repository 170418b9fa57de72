"""Which regions an account has enabled: a region that it has not rejects every session, as if it were a wrong one."""

from __future__ import annotations

from chalicelib.checks.check import require_field
from chalicelib.cross_account import Account
from chalicelib.cross_account.region import learn_regions
from chalicelib.errors import CheckCallFailed


def enabled_regions(account: Account) -> tuple[str, ...]:
    """Their names, sorted. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html

    Raises:
        whatever the client raises.
        CheckCallFailed: the response has no regions.
    """
    regions = require_field(account.client("ec2").describe_regions(), "Regions")
    names = learn_regions(require_field(region, "RegionName") for region in regions)
    if not names:  # an account without a place to ask in would be in no list of the answer
        raise CheckCallFailed("AWS's response names no region.", hint="Is there a proxy in between? Retry.")
    return names
