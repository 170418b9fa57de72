"""Reads the statements of IAM policy documents, and tells which of them apply to a request.

Three-valued: a statement that is malformed, or that depends on what the sandbox does not know, applies if it is a Deny
and not if it is an Allow.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

from sandbox.policy_conditions import Condition, parse_conditions, texts
from sandbox.policy_patterns import (
    Context,
    ShortArn,
    action_like,
    all_of,
    any_of,
    is_exact,
    literal,
    opposite,
    resource_like,
)

Document = str | Mapping[str, Any]

_ELEMENTS = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Principal",
    "NotPrincipal",
}
_DENY = re.compile(r"""["']effect["']\s*:\s*["']deny["']""", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::(?=.*:root$))?([0-9]{12})(?::root)?")


class Named(IntEnum):
    """How a policy names the caller. Each gives the caller more than the one before."""

    NOT = 0
    BY_ACCOUNT = 1  # the account's own policies decide
    BY_ROLE = 2
    DIRECTLY = 3  # the user, the session, the service, or everybody


@dataclass(frozen=True)
class Principal:
    """The caller: a user, a session of a role, or an AWS service."""

    arn: str  # or the service's name, such as lambda.amazonaws.com
    role: str = ""  # the ARN of the session's role with its path, if known
    unique_id: str = ""  # AROA… of the session's role or AIDA… of the user, if known
    has_boundary: bool = False

    @classmethod
    def of(cls, arn: str, context: Context, has_boundary: bool) -> "Principal":
        """The caller with this ARN; aws:PrincipalArn tells the path of its role, and aws:userid its unique id."""
        role, user_id = context.get("aws:PrincipalArn"), context.get("aws:userid")
        kind, _, rest = arn.rpartition(":")[2].partition("/")
        parts = role.split(":") if isinstance(role, str) else []
        is_its_role = (
            kind == "assumed-role"
            and len(parts) == 6
            and parts[4] == arn.split(":")[4]
            and parts[5].startswith("role/")
            and parts[5].split("/")[-1] == rest.split("/")[0]
        )
        unique_id = user_id.partition(":")[0] if isinstance(user_id, str) else ""
        return cls(arn, str(role) if is_its_role else "", unique_id, has_boundary)

    @property
    def is_service(self) -> bool:
        return not self.arn.startswith("arn:")

    @property
    def account(self) -> str:
        return "" if self.is_service else self.arn.split(":")[4]

    def named_by(self, kind: str, name: object) -> Named | None:
        """How one name in a Principal element, such as "AWS": name, names this caller; None if that is not known."""
        if not isinstance(name, str) or kind not in ("AWS", "Service", "Federated"):
            return None
        if kind == "Service":
            return Named.DIRECTLY if name == self.arn else None if name == "*" and self.is_service else Named.NOT
        if name == "*" and kind == "AWS":
            return Named.DIRECTLY
        if kind == "Federated" or self.is_service:
            return None if name == self.arn else Named.NOT
        if account := _ACCOUNT.fullmatch(name):
            return Named.BY_ACCOUNT if account[1] == self.account else Named.NOT
        if name == self.arn:
            return Named.BY_ROLE if ":role/" in name else Named.DIRECTLY
        if (by_role := self._named_by_role(name)) is not Named.NOT:
            return by_role
        if name == self.arn.replace(":sts:", ":iam:").replace(":federated-user/", ":user/"):
            return None  # a federated user can have any name
        if name == self.unique_id and name.startswith(("AROA", "AIDA")):
            return Named.BY_ROLE if name.startswith("AROA") else Named.DIRECTLY
        return Named.NOT

    def _named_by_role(self, name: str) -> Named | None:
        """How the ARN of a role names its session. None if only path or case differ: an account has one such role."""
        kind, _, rest = self.arn.rpartition(":")[2].partition("/")
        role, wanted = rest.split("/")[0], name.split("/")[-1]
        prefix = self.arn.replace(":sts:", ":iam:").partition(":assumed-role/")[0] + ":role/"
        if kind != "assumed-role" or not name.startswith(prefix) or wanted.lower() != role.lower():
            return Named.NOT
        is_it = name == self.role if self.role else wanted == role
        return Named.BY_ROLE if is_it else None


@dataclass(frozen=True)
class Asked:
    """What a caller asks for."""

    principal: Principal
    service: str  # of the action, in lower case, as its name is
    name: str
    resource: str | None  # "*" if the action has none, None if it is not known
    context: Context


@dataclass(frozen=True)
class Element:
    """Action, NotAction, Resource or NotResource."""

    patterns: tuple[str, ...] | None  # None: malformed
    negated: bool = False

    def matches(self, like: Callable[[str], bool | None]) -> bool | None:
        if self.patterns is None:
            return None
        truth = any_of(map(like, self.patterns))
        return opposite(truth) if self.negated else truth


_MALFORMED = Element(None)


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of a policy."""

    allows: bool = False
    denies: bool = False
    malformed: bool = False  # in another element than these
    action: Element = _MALFORMED
    resource: Element | None = None
    principal: Any = None
    not_principal: bool = False
    conditions: tuple[Condition, ...] = ()

    def applies(self, asked: Asked, short: ShortArn) -> bool | None:
        """Whether action, resource and conditions are those of the request; None if that is not known."""
        return all_of(self._truths(asked, short))

    def _truths(self, asked: Asked, short: ShortArn) -> Iterator[bool | None]:
        yield self.action.matches(lambda pattern: action_like(asked.service, asked.name, pattern))
        if self.resource is not None:
            yield self.resource.matches(lambda pattern: resource_like(asked.resource, pattern, asked.context, short))
            # AWS: all others. The engine of tests/sandbox/verdicts: none, with a short ARN or a variable without value.
            if self.resource.negated and not all(is_exact(one, asked.context) for one in self.resource.patterns or ()):
                yield None
        for condition in self.conditions:
            yield condition.met(asked.context)
        if self.malformed:
            yield None

    def names(self, principal: Principal) -> Named | None:
        """How Principal or NotPrincipal names the caller; None if that is not known."""
        if self.principal == "*":
            named: Named | None = Named.DIRECTLY
        elif isinstance(self.principal, Mapping):
            ways = [
                principal.named_by(kind, name)
                for kind, names in self.principal.items()
                for name in (names if isinstance(names, list) else [names])
            ]
            known = max((way for way in ways if way is not None), default=Named.NOT)
            named = known or (None if None in ways else Named.NOT)
        else:
            return None
        if not self.not_principal:
            return named
        if self.denies and principal.has_boundary:
            return Named.DIRECTLY  # AWS: "will always deny any IAM principal that has a permissions boundary"
        return None if named is None else Named.NOT if named else Named.DIRECTLY


def statements(document: Document) -> tuple[Statement, ...]:
    """The statements of a document, which may be JSON text. What is not a policy never allows, and may deny."""
    if isinstance(document, str):
        return _parse(document)
    try:
        return _parse(json.dumps(document))
    except (TypeError, ValueError, RecursionError):
        return (Statement(denies=True),)


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Statement, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    written = document.get("Statement") if isinstance(document, dict) else None
    version = document.get("Version", "2008-10-17") if isinstance(document, dict) else None
    if isinstance(written, dict):
        written = [written]
    if not isinstance(written, list) or version not in ("2008-10-17", "2012-10-17"):
        return (Statement(denies=_DENY.search(text) is not None),)
    return tuple(_statement(one, variables=version == "2012-10-17") for one in written)


def _statement(written: Any, variables: bool) -> Statement:
    if not isinstance(written, dict):
        return Statement(denies=_DENY.search(json.dumps(written)) is not None)
    effect = next((value for name, value in written.items() if name.lower() == "effect"), None)
    conditions = parse_conditions(written.get("Condition", {}), variables)
    principals = [written[name] for name in ("Principal", "NotPrincipal") if name in written]
    return Statement(
        allows=effect == "Allow",
        denies=isinstance(effect, str) and effect.lower() == "deny",
        malformed=conditions is None or not written.keys() <= _ELEMENTS,
        action=_element(written, "Action", variables) or _MALFORMED,
        resource=_element(written, "Resource", variables),
        principal=principals[0] if len(principals) == 1 else principals or None,  # two name nobody
        not_principal="NotPrincipal" in written,
        conditions=conditions or (),
    )


def _element(written: Mapping[str, Any], name: str, variables: bool) -> Element | None:
    """An element or its Not… form; None if it has neither."""
    present = [one for one in (name, f"Not{name}") if one in written]
    if not present:
        return None
    patterns = texts(written[present[0]]) if len(present) == 1 else None
    if patterns and not variables:
        patterns = tuple(map(literal, patterns))
    return Element(patterns, negated=present[0] != name)
