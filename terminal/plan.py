"""What a sweep is about to ask, in one line."""

from __future__ import annotations

import re

from botocore.loaders import create_loader

from chalicelib.cross_account.region import REGION
from chalicelib.inputs.requests import SweepRequest
from chalicelib.pages.words import counted


def plan(request: SweepRequest, accounts: int, region: str) -> str:
    """How many calls there are going to be; a check counts as one, and so does getting into an account.

    Args:
        accounts: how many are going to be asked.
        region: the hub's, which is asked if none is named. Which ones an account has enabled is not known yet; it is
            those of the hub's partition at most.
    """
    everywhere = request.regions == "all"
    regions = _in_partition_of(region) if everywhere else len(request.regions)
    regional = sum(asked.needs.scope == "regional" for asked in request.checks)
    calls = accounts * (1 + everywhere * bool(regional) + len(request.checks) - regional + regional * regions)
    at_most = "up to " if everywhere and regional else ""
    where = f" in {region}" if request.regions == (None,) else f" x {at_most}{counted(regions, 'region')}"
    asked = f"{counted(len(request.checks), 'check')} x {counted(accounts, 'account')}{where if regional else ''}"
    return f"{asked}: {at_most}about {counted(_rounded(calls), 'call')}"


def _in_partition_of(region: str) -> int:
    partitions = create_loader().load_data("partitions")["partitions"]
    own = next((each for each in partitions if re.match(each["regionRegex"], region)), partitions[0])
    return sum(bool(REGION.fullmatch(name)) for name in own["regions"])


def _rounded(number: int) -> int:
    """To two digits."""
    return round(number, 2 - len(str(number))) if number >= 100 else number
