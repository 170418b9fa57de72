"""ARNs of what exists in the sandbox, for what AWS looks up too: an id, a path or a suffix that a request does not tell."""

import re
from collections.abc import Iterator
from typing import Any

from moto.backends import get_backend

_OBJECTS_INSIDE_OBJECTS = 3


def existing(service: str, arn: str) -> str | None:
    """The ARN of something that exists and has this form, in which "*" and "?" stand for what is unknown.

    It searches moto's whole backend, so this is for the few requests that need it.
    """
    form = re.compile(re.escape(arn).replace(r"\*", ".*").replace(r"\?", ".") + "$")
    region, account = arn.split(":")[3:5]
    of_account = dict.get(get_backend(service), account) or {}  # type: ignore[call-overload]
    backend = dict.get(of_account, region) or dict.get(of_account, "aws")
    return next((found for found in _arns(backend, _OBJECTS_INSIDE_OBJECTS) if form.match(found)), None)


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
    for value in (getattr(found, "arn", None), *list(attributes.values())):
        if isinstance(value, str) and value.startswith("arn:"):
            yield value
        elif isinstance(value, (dict, list)):
            yield from _arns(value, depth - 1)
