"""What is known of AWS's operations: which IAM action each needs, and whether `api_call` may ask it.

The table is made by `make lock` (audit/operations.py) and read at the first question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from chalicelib.checks.check import Access, Scope, shown
from chalicelib.cross_account import InvalidInput

TABLE = Path(__file__).with_name("operations.txt")

REASONS = {
    "acts": "it does something, and is not a plain read",
    "address": "its address is that of a resource, and not the service's",
    "credentials": "it returns, or takes, credentials or a token",
    "data": "it returns what is stored or processed there, and not only how it is configured",
    "logs": "it returns logs",
    "more": "it needs further IAM actions, and its session may use exactly one",
    "secret": "it returns a password, a key or another secret",
    "source": "it returns source code, scripts, queries or templates",
    "unsigned": "it is not signed, so IAM does not decide about it",
    "url": "it returns a URL that opens something for whoever has it",
}
"""Why the table refuses an operation although IAM says that it reads."""

MAX_NAME = 200
"""Characters of an operation with its service; the longest has 74. To look for what a text is like takes long."""

ASKED_ONCE = re.compile(r"s3:(?!ListDirectoryBuckets)|sts:")
"""Of services with an endpoint in each region, the operations whose answer is the same from each."""


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Attributes:
        name: boto3's service and the API's operation, such as `elbv2:DescribeRules`.
        action: the IAM action, such as `elasticloadbalancing:DescribeRules`; empty: it is not known.
        levels: the action's access levels, such as Read.
        refused: why it may not be asked although it reads, a key of REASONS; empty: it may.
    """

    name: str
    action: str
    levels: tuple[str, ...]
    refused: str

    @classmethod
    def from_line(cls, line: str) -> Operation:
        name, *rest = line.split(" ")
        action = rest.pop(0) if rest and ":" in rest[0] else name
        levels, refused = [*rest, "", ""][:2]
        return cls(name, action if levels else "", tuple(levels.split(",")), refused)

    @property
    def access(self) -> Access:
        """What API_CALLS has to permit."""
        return "list" if "List" in self.levels or ":Describe" in self.name else "read"

    @property
    def scope(self) -> Scope:
        everywhere = self.name.partition(":")[0] in _global_services() or ASKED_ONCE.match(self.name)
        return "global" if everywhere else "regional"

    @property
    def why_not(self) -> str:
        """Why it is never asked; empty: it may be."""
        if not self.action:
            return "its IAM action is not known"
        changes = [level for level in self.levels if level not in ("List", "Read")]
        if changes:
            what = " and ".join(changes).replace("Permissions", "Permissions management")
            return f"the access level of {self.action} is {what}"
        return REASONS.get(self.refused, "")


def permitted(name: str) -> Operation:
    """The operation of this name, if it only reads configuration.

    Raises:
        InvalidInput: there is no such operation, or it may not be asked, with the reason.
    """
    operation = known(name)
    if operation.why_not:
        raise InvalidInput(
            f"api_call does not ask {name}: {operation.why_not}.",
            hint="It asks what lists or describes resources. For more, write a check: docs/a-check-of-your-own.md.",
        )
    return operation


@lru_cache(maxsize=256)
def known(name: str) -> Operation:
    """The operation of this name.

    Raises:
        InvalidInput: there is none; the hint has the nearest names.
    """
    found = None
    if len(name) <= MAX_NAME and re.fullmatch("[a-z0-9-]+:[A-Za-z0-9]+", name):
        found = re.search(rf"^{name}( .+)?$", _table(), re.MULTILINE)
    if found is None:
        raise _unknown(name)
    return Operation.from_line(found[0])


@cache
def _table() -> str:
    return TABLE.read_text()


@cache
def _global_services() -> frozenset[str]:
    line = re.search("^global (.+)$", _table(), re.MULTILINE)
    return frozenset(line[1].split()) if line else frozenset()


def _unknown(name: str) -> InvalidInput:
    """Says what is wrong, with the nearest names: of the service, of others, or of those that need that action."""
    service, colon, operation = name.partition(":")
    if not colon or not operation or not service or len(name) > MAX_NAME:
        return InvalidInput(
            f"operation must be a service and its operation, such as ec2:DescribeInstances, not {shown(name)}."
        )
    names = re.findall(r"^(\S+:\S+)", _table(), re.MULTILINE)
    services = dict.fromkeys(one.partition(":")[0] for one in names)
    if service in services:
        message = f"The service {service} has no operation {shown(operation)}."
        own = [one for one in names if one.startswith(f"{service}:")]
    else:
        message = f"boto3 knows no service {shown(service)}."
        like = {*_nearest(service, services)}
        own = [one for one in names if one.partition(":")[0] in like]
    needing = re.findall(rf"^(\S+) {re.escape(name)} ", _table(), re.MULTILINE | re.IGNORECASE)
    same = [one for one in names if _bare(one.partition(":")[2]) == _bare(operation)]
    meant = needing or [one for one in same if one in own] or dict.fromkeys([*_nearest(name, own), *same[:3]])
    hint = f"Nearest: {', '.join(meant)}." if meant else "boto3's documentation lists services and operations."
    return InvalidInput(message, hint=hint)


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three names, whatever case and separators they are written with."""
    from difflib import get_close_matches  # only for a name that is wrong

    by_bare: dict[str, str] = {_bare(one): one for one in names}
    return [by_bare[one] for one in get_close_matches(_bare(name), by_bare, n=3, cutoff=0.7)]


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9:]", "", name.lower())
