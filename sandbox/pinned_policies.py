"""Policies as AWS keeps them: a role or user that one names is its unique id, not its name.

So a principal must exist when the policy is saved, and one that is deleted and made again is not named any more: the
policy then shows the old one's id.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.callers import find_principal

_KEPT_AS_ID = re.compile(r"arn:aws:iam::[0-9]{12}:(role|user)/.+")
_OTHER = re.compile(
    r"\*|[0-9]{12}|arn:aws:iam::[0-9]{12}:root|(AIDA|AROA)[A-Z0-9]+"
    r"|arn:aws:sts::[0-9]{12}:(assumed-role/[\w+=,.@-]+|federated-user)/[\w+=,.@-]+"
)


class InvalidPrincipal(Exception):
    """The policy names a principal that does not exist. The message is AWS's."""


@dataclass(frozen=True)
class PinnedPolicy:
    """A document, and the unique ids of the roles and users that it named when it was saved."""

    document: str
    ids: Mapping[str, str]

    @classmethod
    def of(cls, document: str) -> "PinnedPolicy":
        """Raises InvalidPrincipal, or ValueError if it is not the JSON of a policy."""
        ids = {}
        for name in (name for _, names in _named(json.loads(document)) for name in names):
            if principal := find_principal(name) if _KEPT_AS_ID.fullmatch(name) else None:
                ids[name] = principal.id
            elif not _OTHER.fullmatch(name):
                raise InvalidPrincipal(f'Invalid principal in policy: "AWS":"{name}"')
        return cls(document, ids)

    def current(self) -> str:
        """The document as it is now shown and evaluated."""
        gone = {arn: unique for arn, unique in self.ids.items() if getattr(find_principal(arn), "id", "") != unique}
        return _renamed(self.document, lambda arn: gone.get(arn, arn)) if gone else self.document


def statements_of(policy: Any) -> list[Any]:
    """The statements of a parsed policy. Raises ValueError if it is not a policy."""
    found = policy.get("Statement") if isinstance(policy, dict) else None
    statements = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in statements):
        raise ValueError("a policy is an object whose Statement is an object or a list of objects")
    return statements


def _named(policy: Any) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Each element that names principals of AWS, and the names."""
    for statement in statements_of(policy):
        for element in (statement.get("Principal"), statement.get("NotPrincipal")):
            if isinstance(element, dict) and "AWS" in element:
                names = element["AWS"]
                yield element, [str(name) for name in (names if isinstance(names, list) else [names])]


def _renamed(document: str, new: Callable[[str], str]) -> str:
    policy = json.loads(document)
    for element, names in _named(policy):
        element["AWS"] = new(names[0]) if len(names) == 1 else [new(name) for name in names]
    return json.dumps(policy)
