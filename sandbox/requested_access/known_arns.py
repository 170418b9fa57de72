"""ARNs of what exists in the sandbox, for what AWS looks up: a path, an id or a suffix that a request does not tell."""

import re
from collections.abc import Iterator
from typing import Any

from moto.backends import get_backend

_OBJECTS_INSIDE_OBJECTS = 3


def complete(service: str, account: str, region: str, arn: str) -> str:
    """The ARN of something that exists and has this form, with "*" for what is unknown; without such a thing, as it is.

    The backend is moto's; what it knows is searched, so this is for requests whose ARN needs it, not for every one.
    """
    form = re.compile(re.escape(arn).replace(r"\*", ".*") + "$")
    backends = get_backend(service)[account]  # type: ignore[call-overload]
    for place in (region, "aws"):
        if place in backends:
            return next((found for found in _arns(backends[place], _OBJECTS_INSIDE_OBJECTS) if form.match(found)), arn)
    return arn


def _arns(found: Any, depth: int) -> Iterator[str]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        for one in found:
            yield from _arns(one, depth)
        return
    attributes = getattr(found, "__dict__", None)
    if depth == 0 or attributes is None or not type(found).__module__.startswith("moto."):
        return
    for name in ("arn", *(name for name in attributes if name.endswith("_arn"))):
        if isinstance(value := getattr(found, name, None), str):
            yield value
    for value in list(attributes.values()):
        if isinstance(value, (dict, list)):
            yield from _arns(value, depth - 1)
