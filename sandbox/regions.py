"""Which regions exist, and which of them an account may use.

The regions since 2019 must be opted into (account:EnableRegion). Until then they do not know the account's credentials.
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.utilities.utils import get_partition

from sandbox.aws_errors import Refused, no_region, unknown_credentials

_OF_ALL_PARTITIONS = [region.name for region in RegionsAndZonesBackend.regions]
ALL = [region for region in _OF_ALL_PARTITIONS if get_partition(region) == "aws"]
# moto counts three among them that must be opted into.
BY_DEFAULT = frozenset(RegionsAndZonesBackend.regions_opt_in_not_required) - {
    "af-south-1",
    "ap-southeast-3",
    "eu-south-1",
}
# In AWS a client reaches these in us-east-1, whatever its region is; here it signs for its region.
_GLOBAL = {
    "account",
    "budgets",
    "ce",
    "cloudfront",
    "iam",
    "networkmanager",
    "organizations",
    "route53",
    "shield",
    "support",
}

_opted_into: dict[str, set[str]] = {}


def enabled(account: str, region: str) -> bool:
    return region in BY_DEFAULT or region in _opted_into.get(account, ())


def enable(account: str, region: str) -> None:
    _opted_into.setdefault(account, set()).add(region)


def disable(account: str, region: str) -> None:
    _opted_into.get(account, set()).discard(region)


def refusal(account: str, region: str, service: str) -> Refused | None:
    """The error of a region for an account that may not use it, or None.

    `region` and `service` are those of the signature. For AssumeRole both accounts must have enabled the region, the
    caller's and the role's: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    if enabled(account, region):
        return None
    if region not in ALL:  # another partition has other accounts
        return unknown_credentials() if region in _OF_ALL_PARTITIONS else no_region()
    if service in _GLOBAL:
        return None
    if service != "sts":
        return unknown_credentials()
    message = (
        f"STS is not activated in this region for account:{account}. "
        "Your account administrator can activate STS in this region using the IAM Console."
    )
    return Refused("RegionDisabledException", "RegionDisabledException", message)
