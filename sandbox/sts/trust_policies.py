"""Role trust policies as IAM keeps them: a role or user in them is its unique id, not its name.

So a principal must exist when the policy is saved, and one that is deleted and made again is not trusted any more: the
policy then shows the old one's id.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.callers import find_principal

_KEPT_AS_ID = re.compile(r"arn:aws:iam::[0-9]{12}:(role|user)/.+")
_OTHER = re.compile(
    r"\*|[0-9]{12}|arn:aws:iam::[0-9]{12}:root|(AIDA|AROA)[A-Z0-9]+"
    r"|arn:aws:sts::[0-9]{12}:(assumed-role/.+/.+|federated-user/.+)"
)


@dataclass(frozen=True)
class TrustPolicy:
    """A document, and the unique ids of the roles and users that it named when it was saved."""

    document: str
    ids: Mapping[str, str]

    @classmethod
    def of(cls, document: str) -> "TrustPolicy":
        """Raises MalformedPolicyDocument for NotPrincipal, and for the name of nobody."""
        ids = {}
        for statement in _statements(document):
            if "NotPrincipal" in statement:
                raise AwsError("MalformedPolicyDocument", "AssumeRole policy must not have NotPrincipal.")
            for name in _principals(statement):
                principal = find_principal(name) if _KEPT_AS_ID.fullmatch(name) else None
                if principal:
                    ids[name] = principal.id
                elif not _OTHER.fullmatch(name):
                    raise AwsError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')
        return cls(document, ids)

    def current(self) -> str:
        """The document as it is now shown and evaluated."""
        gone = {arn: unique for arn, unique in self.ids.items() if getattr(find_principal(arn), "id", "") != unique}
        return _renamed(self.document, lambda arn: gone.get(arn, arn)) if gone else self.document


def _statements(document: str) -> list[Any]:
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from error
    return [one for one in (statements if isinstance(statements, list) else [statements]) if isinstance(one, dict)]


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    yield from (str(arn) for arn in (named if isinstance(named, list) else [named]))


def _renamed(document: str, new: Callable[[str], str]) -> str:
    parsed = json.loads(document)
    statements = parsed["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if names := [new(arn) for arn in _principals(statement)]:
            statement["Principal"]["AWS"] = names if len(names) > 1 else names[0]
    return json.dumps(parsed)
