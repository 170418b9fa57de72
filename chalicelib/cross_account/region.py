"""What is the name of an AWS region."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from botocore.loaders import create_loader

from .errors import InvalidInput

REGION = re.compile(r"[a-z]{2,4}(-[a-z]{1,20}){1,3}-[0-9]{1,2}")
"""For `fullmatch`: a region's name becomes part of a host name, so nothing else may pass for one."""


@lru_cache(maxsize=1)
def known_regions() -> frozenset[str]:
    """Those of every partition that the installed botocore knows."""
    partitions = create_loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def most_regions() -> int:
    """How many regions an account may have enabled: those of the largest partition."""
    partitions = create_loader().load_data("partitions")["partitions"]
    return max(sum(bool(REGION.fullmatch(name)) for name in partition["regions"]) for partition in partitions)


def has_service(prefix: str, region: str) -> bool | None:
    """Whether a region has a service, as the installed botocore knows it; None: it does not know the service.

    Args:
        prefix: of its host names, such as `guardduty`.
    """
    for partition in create_loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"] and prefix in partition["services"]:
            return region in partition["services"][prefix]["endpoints"]
    return None


_learned: set[str] = set()


def learn_regions(names: Iterable[str]) -> tuple[str, ...]:
    """Know the regions that AWS has listed, also those that botocore does not know yet. Returns each once, sorted.

    What does not look like the name of a region is left out.
    """
    found = tuple(sorted({name for name in names if REGION.fullmatch(name)}))
    _learned.update(found)
    return found


def valid_region(value: Any) -> str:
    """Return `value` if it is the name of a region.

    Raises:
        InvalidInput
    """
    if not isinstance(value, str) or not REGION.fullmatch(value):
        raise InvalidInput("region must be the name of an AWS region, such as eu-west-1.")
    if value not in known_regions() and value not in _learned:
        raise InvalidInput(
            f"There is no AWS region {value}.", hint="If it is new, this function needs a newer boto3 to know it."
        )
    return value
