"""What exists in the sandbox, for what AWS looks up too: an id, a path or a suffix that a request does not tell."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.backends import backend_of

_OBJECTS_INSIDE_OBJECTS = 3


def of_iam(account: str, kind: str) -> Sequence[Any]:
    """The roles, users, groups or instance profiles of an account."""
    names = {"role": "roles", "user": "users", "group": "groups", "instance-profile": "instance_profiles"}
    backend = backend_of("iam", account, "aws")
    return list(getattr(backend, names[kind]).values()) if backend and kind in names else []


def arn_of_iam(account: str, kind: str, name: str) -> str:
    """The ARN, with its path if it exists."""
    found = (thing.arn for thing in of_iam(account, kind) if getattr(thing, "name", None) == name)
    return next(found, f"arn:aws:iam::{account}:{kind}/{name}")


def existing(service: str, arn: str) -> str | None:
    """The ARN of something that exists and has this form, in which "*" and "?" stand for what is unknown.

    It searches moto's whole backend, so this is for the few requests that need it.
    """
    form = re.compile(re.escape(arn).replace(r"\*", ".*").replace(r"\?", ".") + "$")
    region, account = arn.split(":")[3:5]
    backend = backend_of(service, account, region)
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
