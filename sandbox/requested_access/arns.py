"""Finds the ARNs that a request is about, by the patterns of its action's resource types.

`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}` asks for a member of the operation's input that is called like
`QueueName`, or like the resource type. A member that is an ARN of one of the types is the resource. What AWS
chooses itself, such as the id of what an operation creates, is "*", as in AWS.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.model import OperationModel
from moto.utilities.utils import get_partition

from sandbox.requested_access.request import Request

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_CHOSEN_BY_AWS = {"", "uu", "creationtime", "creationtimestamp"}
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


@dataclass(frozen=True)
class Pattern:
    """A resource type's ARN pattern, prepared for one operation."""

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
        """The index of the part that names the resource; what follows it is chosen by AWS, such as an id."""
        last = len(self.parts) - 1
        while last > 0 and not self.parts[last].members and stem(self.parts[last].name) in _CHOSEN_BY_AWS:
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
            Pattern(arn.strip(), found["required"], tuple(_parts(arn, found["name"], noun, len(types), self._strings)))
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

    def find(self, request: Request, values: Mapping[str, Any], defaults: Mapping[str, str]) -> Sequence[str | None]:
        """The resources' ARNs. "*" if the action knows none; None stands for what the request does not tell us."""
        if not self.has_types:
            return ["*"]
        account = next((str(values[name]) for name in self._accounts if name in values), request.account)
        own = {"Partition": get_partition(request.region), "Region": request.region, "Account": account}
        found = [(pattern, self._arns(pattern, values, {**defaults, **own})) for pattern in self.patterns]
        named = [(pattern, arns) for pattern, arns in found if arns]
        if not named and not self._creates and any(name in values for name in self._identifying):
            return [None]
        used = {member for pattern, _ in named for member in pattern.members if member in values}
        for pattern, arns in found:
            optional = not pattern.required or (named and (pattern.members or not pattern.parts))
            if not arns and not optional and not used.intersection(pattern.members):
                named.append((pattern, [_filled(pattern.arn, {**self._parents(pattern, values), **own})]))
        return list(dict.fromkeys(arn for _, arns in named for arn in arns)) or ["*"]

    def _arns(self, pattern: Pattern, values: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
        if not pattern.parts:
            return [_filled(pattern.arn, known)]
        last = pattern.parts[pattern.key]
        candidates = [value for member in last.members for value in _strings(values.get(member))]
        if not candidates and last.name in known:
            candidates = [known[last.name]]
        arns = [value for value in candidates if value.startswith("arn:")]
        if arns:
            return [value for value in arns if pattern.of_an_arn.match(value)]
        filled = {**self._parents(pattern, values), **known}
        return [_filled(pattern.arn, {**filled, last.name: value}) for value in candidates]

    @staticmethod
    def _parents(pattern: Pattern, values: Mapping[str, Any]) -> dict[str, str]:
        parents = {}
        for part in pattern.parts[: pattern.key]:
            for value in (value for member in part.members for value in _strings(values.get(member))):
                parents.setdefault(part.name, re.split("[:/]", value)[-1] if value.startswith("arn:") else value)
        return parents


def _may_name(shape: Any) -> bool:
    if shape.type_name == "list":
        return bool(shape.member.type_name == "string")
    return shape.type_name in ("string", "integer", "long") and not getattr(shape, "enum", None)


def _strings(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, (str, int))]
    return [str(value)] if isinstance(value, (str, int)) else []


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], "*"), pattern)


def _parts(arn: str, kind: str, noun: str, types: int, members: Sequence[str]) -> Iterable[Part]:
    names = [name for name in _PLACEHOLDER.findall(arn) if name not in _OF_CALLER]
    for name in names:
        last = name == names[-1]
        wanted = {stem(name), stem(kind)} if last else {stem(name)}
        like = _members_like(wanted - {"", "resource"}, members)
        yield Part(name, tuple(like or (_generic(kind, noun, types, members) if last else ())))


def _members_like(wanted: set[str], members: Sequence[str]) -> Sequence[str]:
    stems = {name: stem(name) for name in members}
    return (
        [name for name, found in stems.items() if found in wanted]
        or [name for name, found in stems.items() if any(len(one) > 2 and found.endswith(one) for one in wanted)]
        or [name for name, found in stems.items() if len(found) > 2 and any(one.endswith(found) for one in wanted)]
    )


def _generic(kind: str, noun: str, types: int, members: Sequence[str]) -> Sequence[str]:
    """Members that are called only name, id, arn or resource: the operation says of what. Any ARN tells its own type."""
    plain = types == 1 or stem(kind) in noun or noun in stem(kind)
    found = [name for name in members if stem(name) in ("", "resource", "target")] if plain else []
    return found or [name for name in members if "arn" in name.lower() or stem(name) == "resource"]
