"""Finds the ARNs that a request is about, by the patterns of its action's resource types.

A member that is an ARN of one of the types is the resource. What AWS chooses itself, such as the id of what is created,
is "*", as in AWS.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.core.model import OperationModel
from moto.utilities.utils import get_partition

from sandbox.requested_access.by_service import DEFAULTS, WHOLE_TYPE
from sandbox.requested_access.keys import READS
from sandbox.requested_access.known_arns import existing
from sandbox.requested_access.patterns import PLACEHOLDER, Part, Pattern, may_name, patterns_of, stem
from sandbox.requested_access.request import Request

_OTHER_ACCOUNT = {
    "registryid",
    "catalogid",
    "awsaccountid",
    "accountid",
    "queueownerawsaccountid",
}  # members that name the owner's account
_CREATES = re.compile("Create|Register|Request|Run|Allocate|Import|Purchase|Provision|Start[A-Za-z]*Job$")
_VERB = re.compile("^(Batch)?[A-Z][a-z0-9]+")
# What lists share, and what no resource is called.
_NOT_A_NAME = re.compile(
    "additional.*|attributes?(toget|names)?|(client)?(request)?token|.*date|description|dryrun|exclude.*|"
    "expectedbucketowner|.*filters?|include.*|languagecode|limit|locale|marker|max.*|next.*|.*order|pagesize|pagetoken|"
    "sortby|starting.*|state|status|tags?|.*time|.*type"
)


class Finder:
    """Finds the resources of one operation's requests."""

    def __init__(self, operation: OperationModel, action: Mapping[str, Any], arns: Mapping[str, str]) -> None:
        shape = operation.input_shape
        members = shape.members if shape else {}
        noun, types = stem(_VERB.sub("", operation.name)), action["resourceTypes"]
        self.patterns = [
            pattern
            for kind in types
            for pattern in patterns_of(kind["name"], arns[kind["name"]], kind["required"], noun, len(types) == 1, shape)
        ]
        parts = [part for pattern in self.patterns for part in pattern.parts]
        claimed = {name for part in parts for name in part.members}
        bare = {name: re.sub("[^a-z]", "", name.lower()) for name in members if name not in claimed}
        self._accounts = [name for name in bare if bare[name] in _OTHER_ACCOUNT]
        others = [name for name in bare if name not in self._accounts and not _NOT_A_NAME.fullmatch(bare[name])]
        self._names = [name for name in others if may_name(members[name])]
        self._others = [
            name for name in others if members[name].type_name in ("structure", "map", "list")
        ] + self._names
        self._sure = {name for part in parts if part.is_sure for name in part.members}
        required = [stem(kind["name"]) for kind in types if kind["required"]]
        # What is not read may name another thing, but not what is created.
        self._creates = bool(_CREATES.match(operation.name))
        self._reads = bool(READS.match(operation.name))
        self._creates_all = self._creates and all(kind in noun or noun in kind for kind in required)

    def find(self, request: Request, values: Mapping[str, Any], is_all: bool) -> Sequence[str | None]:
        """The resources' ARNs.

        Parameters: the input's values, and whether they are all that the request has. Returns "*" if the action knows
        no resources; None stands for what the request does not tell us.
        """
        named = (str(values[name]) for name in self._accounts if name in values)
        account = next((one for one in named if one != "-"), request.account)  # Glacier's word for the caller's own
        own = {"Partition": get_partition(request.region), "Region": request.region, "Account": account}
        patterns = self._of_type(str(values.get("ResourceType", "")))
        things = _named(patterns, values, DEFAULTS.get(request.service, {}), own)
        found: list[str | None] = []
        for (member, _), options in things.items():
            found += _likely(request.service, [arn for _, arn in options]) or ([None] if member in self._sure else [])
        if not found and patterns and self._is_named_otherwise(patterns, values, is_all):
            return [None]
        types = [pattern for options in things.values() for pattern, _ in options]
        leaves = [] if self._reads else list(_leaves(request, values))
        for pattern in patterns if leaves else ():
            if pattern not in types and (inside := list(_inside(pattern, leaves, own))):
                found += inside
                types.append(pattern)
        arns = {member for (member, value), options in things.items() if options and value.startswith("arn:")}
        for pattern in patterns:
            required = pattern.required or not pattern.parts or (request.service in WHOLE_TYPE and len(patterns) == 1)
            if pattern not in types and any(name in values for part in pattern.parts for name in part.others):
                found.append(None)
            is_other = arns.intersection(member for part in pattern.parts for member in part.members)
            if (
                required
                and pattern not in types
                and not is_other
                and not (found and (pattern.members or not pattern.required))
            ):
                parents = _parents(pattern.parts, values, DEFAULTS.get(request.service, {}))
                found.append(_filled(pattern.arn, {**parents, **own}))
        return list(dict.fromkeys(found)) or ["*"]

    def _is_named_otherwise(self, patterns: Sequence[Pattern], values: Mapping[str, Any], is_all: bool) -> bool:
        """Whether the request may name a resource in a way that the patterns do not tell."""
        if all(not pattern.parts for pattern in patterns) or (self._creates and (is_all or self._creates_all)):
            return False
        if not is_all:
            return True
        if any(pattern.required for pattern in patterns):
            return any(name in values for name in self._others)
        if not self._reads:
            return any(name in values for name in self._names)
        return any(not pattern.members for pattern in patterns) and any(name in values for name in self._names)

    def _of_type(self, kind: str) -> Sequence[Pattern]:
        """The patterns of the resource type that the request names, if it names one; else all."""
        return [pattern for pattern in self.patterns if kind and stem(pattern.kind) == stem(kind)] or self.patterns


_Named = dict[tuple[str, str], list[tuple[Pattern, str]]]
"""For each member and each of its values the patterns that it fits, and the ARNs."""


def _inside(pattern: Pattern, leaves: Sequence[tuple[str, str]], own: Mapping[str, str]) -> Iterator[str | None]:
    """What objects in the request name, such as the subnet of one of RunInstances' network interfaces."""
    for key in pattern.parts[pattern.key :][:1]:
        for value in (value for name, value in leaves if stem(name) in key.stems):
            if value.startswith("arn:"):
                yield value if pattern.of_an_arn.match(value) else None
            else:
                yield _filled(pattern.arn, {**own, key.name: value}) if len(pattern.parts) == 1 else None


def _leaves(request: Request, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values inside the objects of a request, of a form or of JSON."""
    for field, value in request.fields.items() if "Action" in request.form else ():
        path = [name for name in field.split(".") if not name.isdigit() and name != "member"]
        if len(path) > 1:
            yield path[-1], value
    for value in values.values():
        yield from _leaves_of(value, "")


def _leaves_of(found: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(found, Mapping):
        named = {found["Key"]: found["Values"]} if {"Key", "Values"} <= found.keys() else {}  # one of SSM's targets
        for inner, value in {**found, **named}.items():
            yield from _leaves_of(value, str(inner))
    elif isinstance(found, list):
        for value in found:
            yield from _leaves_of(value, name)
    elif name and isinstance(found, str):
        yield name, found


def _named(
    patterns: Sequence[Pattern], values: Mapping[str, Any], defaults: Mapping[str, str], own: Mapping[str, str]
) -> _Named:
    named: _Named = {}
    for pattern in (pattern for pattern in patterns if pattern.parts):
        key = pattern.parts[pattern.key]
        given = [(member, value) for member in key.members for value in _strings(values.get(member))]
        if not given and key.members and key.name in defaults:
            given = [("", defaults[key.name])]
        parents = _parents(pattern.parts[: pattern.key], values, defaults) if given else {}
        for member, value in given:
            options = named.setdefault((member, value), [])
            if not value.startswith("arn:"):
                options.append((pattern, _filled(pattern.arn, {**parents, **own, key.name: value})))
            elif pattern.of_an_arn.match(value):
                options.append((pattern, value))
    return named


def _likely(service: str, arns: Sequence[str]) -> Sequence[str]:
    """If one name could be that of several types: those that exist, or else all of them."""
    if len(set(arns)) == 1 and "*" not in arns[0]:
        return arns
    return [found for arn in arns if (found := existing(service, arn))] or arns


def _parents(parts: Sequence[Part], values: Mapping[str, Any], defaults: Mapping[str, str]) -> dict[str, str]:
    parents = {}
    for part in parts:
        given = [value for member in part.members for value in _strings(values.get(member))]
        if part.members and part.name in defaults:
            given.append(defaults[part.name])
        if given:
            parents[part.name] = re.split("[:/]", given[0])[-1] if given[0].startswith("arn:") else given[0]
    return parents


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, (str, int))]
    return [str(value)] if isinstance(value, (str, int)) else []


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values.get(found[1], "*"), pattern)
