"""Finds the ARNs that a request is about, by the patterns of its action's resource types.

`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}` asks for a member of the operation's input that is called like
`QueueName`, or like the resource type. A member that is an ARN of one of the types is the resource. What AWS
chooses itself, such as the id of what an operation creates, is "*", as in AWS.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.model import OperationModel, Shape
from moto.utilities.utils import get_partition

from sandbox.requested_access.by_service import DEFAULTS, WHOLE_TYPE
from sandbox.requested_access.known_arns import existing
from sandbox.requested_access.request import Request

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_CHOSEN_BY_AWS = {"", "uu", "creationtime", "creationtimestamp"}
_GENERIC = {"", "resource", "target"}
_OF_CALLER = {"Partition", "Region", "Account"}
_OTHER_ACCOUNT = {"registryid", "catalogid", "awsaccountid"}  # members that name the owner's account
_CREATES = re.compile("(Create|Register|Request|Run|Allocate|Import|Purchase|Provision|Start|Copy|Restore|Put)")
_VERB = re.compile("^(Batch)?[A-Z][a-z0-9]+")
# What lists share, and what no resource is called.
_NOT_A_NAME = re.compile(
    "(maxresults|maxitems|maxrecords|limit|pagesize|nexttoken|nextmarker|marker|pagetoken|token|clienttoken|sortby|"
    "sortorder|order|filters?|dryrun|include.*|exclude.*|locale|languagecode|expectedbucketowner|description|.*time|"
    ".*date|tags?|startingtoken|max.*|starting.*|clientrequesttoken|nextpagetoken|.*filter|.*type|status|state)"
)


def stem(name: str) -> str:
    """What a name says without Name, Id and the like: DBInstanceIdentifier and DbInstanceName are dbinstance."""
    bare = re.sub("[^a-z0-9]", "", name.lower())
    bare = re.sub("(names?|identifiers?|ids?|arns?)?(list)?$", "", bare).removesuffix("s")
    return "application" if bare == "app" else bare


@dataclass(frozen=True)
class Part:
    """A placeholder, and the members that may fill it, best first."""

    name: str
    members: tuple[str, ...]
    is_chosen_by_aws: bool = False


@dataclass(frozen=True)
class Pattern:
    """A resource type's ARN pattern, prepared for one operation."""

    kind: str
    arn: str
    required: bool
    parts: tuple[Part, ...]

    @cached_property
    def of_an_arn(self) -> re.Pattern[str]:
        """Matches the ARNs of this type, in any account."""
        pieces = re.split(r"\$\{\w+\}", self.arn)
        return re.compile(".*".join(re.escape(piece) for piece in pieces) + "$")

    @cached_property
    def key(self) -> int:
        """The index of the part that names the resource. What follows it is chosen by AWS, such as an id."""
        last = len(self.parts) - 1
        while last > 0 and not self.parts[last].members and self.parts[last].is_chosen_by_aws:
            last -= 1
        return last

    @property
    def members(self) -> tuple[str, ...]:
        return self.parts[self.key].members if self.parts else ()


class Finder:
    """Finds the resources of one operation's requests."""

    def __init__(self, operation: OperationModel, action: Mapping[str, Any], patterns: Mapping[str, str]) -> None:
        shape = operation.input_shape
        members = shape.members if shape else {}
        self._strings = [name for name, member in members.items() if _may_name(member)]
        self._creates = bool(_CREATES.match(operation.name))
        noun = stem(_VERB.sub("", operation.name))
        types = [found for found in action["resourceTypes"] if found["name"] in patterns]
        self.patterns = [
            Pattern(found["name"], arn.strip(), found["required"], tuple(_parts(arn, found["name"], noun, len(types), members)))
            for found in types
            for arn in patterns[found["name"]].split(", ")
        ]
        self.has_types = bool(action["resourceTypes"])
        accounts = [name for name in self._strings if re.sub("[^a-z]", "", name.lower()) in _OTHER_ACCOUNT]
        parents = {name for pattern in self.patterns for part in pattern.parts[:-1] for name in part.members}
        named = {name for pattern in self.patterns for name in pattern.members}
        self._accounts = [name for name in accounts if name not in named]
        self._identifying = [
            name for name in self._strings
            if name not in parents - named and name not in accounts
            and not _NOT_A_NAME.fullmatch(re.sub("[^a-z]", "", name.lower()))
        ]  # fmt: skip

    def find(self, request: Request, values: Mapping[str, Any]) -> Sequence[str | None]:
        """The resources' ARNs. "*" if the action knows none; None stands for what the request does not tell us."""
        if not self.has_types:
            return ["*"]
        account = next((str(values[name]) for name in self._accounts if name in values), request.account)
        own = {"Partition": get_partition(request.region), "Region": request.region, "Account": account}
        patterns = self._of_type(str(values.get("ResourceType", "")))
        defaults = DEFAULTS.get(request.service, {})
        found = [(pattern, self._arns(request.service, pattern, values, defaults, own)) for pattern in patterns]
        named = _one_of_each([(pattern, arns) for pattern, arns in found if arns], request.service)
        if not named and self._is_named_otherwise(values):
            return [None]
        used = {member for pattern, _ in named for member in pattern.members if member in values}
        for pattern, arns in found:
            required = pattern.required or request.service in WHOLE_TYPE and len(patterns) == 1
            optional = not required or (named and pattern.members)
            if not arns and not optional and not used.intersection(pattern.members):
                parents = self._parents(pattern.parts, values, defaults)
                named.append((pattern, [_filled(pattern.arn, {**parents, **own})]))
        return list(dict.fromkeys(arn for _, arns in named for arn in arns)) or ["*"]

    def _of_type(self, kind: str) -> Sequence[Pattern]:
        """The patterns of the resource type that the request names, if it names one; else all."""
        return [pattern for pattern in self.patterns if kind and stem(pattern.kind) == stem(kind)] or self.patterns

    def _is_named_otherwise(self, values: Mapping[str, Any]) -> bool:
        unnamed = any(pattern.parts and not pattern.members for pattern in self.patterns)
        return unnamed and not self._creates and any(name in values for name in self._identifying)

    def _arns(
        self,
        service: str,
        pattern: Pattern,
        values: Mapping[str, Any],
        defaults: Mapping[str, str],
        own: Mapping[str, str],
    ) -> list[str]:
        if not pattern.parts:
            return [_filled(pattern.arn, own)]
        named = pattern.parts[pattern.key]
        candidates = [value for member in named.members for value in _strings(values.get(member))]
        if not candidates and named.members and named.name in defaults:
            candidates = [defaults[named.name]]
        arns = [value for value in candidates if value.startswith("arn:")]
        if arns:
            return [value for value in arns if pattern.of_an_arn.match(value)]
        filled = {**self._parents(pattern.parts[: pattern.key], values, defaults), **own}
        arns = [_filled(pattern.arn, {**filled, named.name: value}) for value in candidates]
        return [existing(service, arn) or arn if "*" in arn else arn for arn in arns]

    @staticmethod
    def _parents(parts: Sequence[Part], values: Mapping[str, Any], defaults: Mapping[str, str]) -> dict[str, str]:
        parents = {}
        for part in parts:
            given = [value for member in part.members for value in _strings(values.get(member))]
            if part.members and part.name in defaults:
                given.append(defaults[part.name])
            if given:
                parents[part.name] = re.split("[:/]", given[0])[-1] if given[0].startswith("arn:") else given[0]
        return parents


def _one_of_each(named: list[tuple[Pattern, list[str]]], service: str) -> list[tuple[Pattern, list[str]]]:
    """If one name could be that of several types: those that exist, or else all of them."""
    members = [pattern.members for pattern, _ in named if pattern.members]
    if len(set(members)) == len(members):
        return named
    return [
        (pattern, [arn for arn in arns if existing(service, arn)] if members.count(pattern.members) > 1 else arns)
        for pattern, arns in named
    ] if any(existing(service, arn) for _, arns in named for arn in arns) else named


def _may_name(shape: Shape) -> bool:
    if shape.type_name == "list":
        return bool(shape.member.type_name == "string")
    return shape.type_name in ("string", "integer", "long") and not getattr(shape, "enum", None)


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, (str, int))]
    return [str(value)] if isinstance(value, (str, int)) else []


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], "*"), pattern)


def _parts(arn: str, kind: str, noun: str, types: int, members: Mapping[str, Shape]) -> Iterator[Part]:
    names = [name for name in _PLACEHOLDER.findall(arn) if name not in _OF_CALLER]
    exact = {name.lower(): name for name in members}
    free = [name for name, shape in members.items() if _may_name(shape) and name.lower() not in map(str.lower, names)]
    before = ""
    for name in names:
        last = name == names[-1]
        if name.lower() in exact:
            found = [exact[name.lower()]]
        else:
            found = list(_members_for(name, kind if last else "", noun, types, free))
        yield Part(name, tuple(found), stem(name) in {*_CHOSEN_BY_AWS, before, f"{before}resource"})
        free = [member for member in free if member not in found]
        before = stem(name)


def _members_for(name: str, kind: str, noun: str, types: int, members: Sequence[str]) -> Sequence[str]:
    """The members that fill a placeholder; `kind` is the resource type if the placeholder names it."""
    stems = {member: stem(member) for member in members}
    wanted = {stem(name), stem(kind)} - _GENERIC
    same = [member for member, found in stems.items() if found in wanted]
    if same:
        return same
    generic = [member for member, found in stems.items() if found in _GENERIC] if kind else []
    if generic and (types == 1 or stem(kind) in noun or noun in stem(kind)):
        return generic
    return (
        [member for member, found in stems.items() if any(len(one) > 2 and found.endswith(one) for one in wanted)]
        or [member for member, found in stems.items() if len(found) > 2 and any(one.endswith(found) for one in wanted)]
        or [member for member in members if kind and ("arn" in member.lower() or stem(member) == "resource")]
    )
