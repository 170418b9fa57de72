"""Evaluates trust policies and identity policies of IAM, without moto, network or state.

The sandbox uses it, and tests evaluate the shipped role-template.yaml and .chalice/policy*.json with it.

    request = TrustRequest.of_role("arn:aws:iam::111111111111:role/hub", external_id="secret")
    evaluate_trust(role["AssumeRolePolicyDocument"], request).allowed
    evaluate_identity(policy, "sts:AssumeRole", "arn:aws:iam::123456789012:role/external-role").allowed

An explicit Deny always wins. A statement with an unknown operator, key, element or principal never allows, and if it
is a Deny, it denies.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sandbox.policy_conditions import ContextValue, Verdict, arn_like, as_list, judge_conditions, like

Document = str | Mapping[str, Any]


class Decision(Enum):
    """The result of evaluating policies, in IAM's terms."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"

    @property
    def allowed(self) -> bool:
        return self is Decision.ALLOW


@dataclass(frozen=True)
class TrustRequest:
    """The caller of AssumeRole, and the condition keys of the request."""

    account: str = ""
    arns: tuple[str, ...] = ()  # the ARNs of this caller in a trust policy: role and session, or user
    service: str = ""  # such as lambda.amazonaws.com, if the caller is an AWS service
    keys: Mapping[str, ContextValue] = field(default_factory=dict)
    action: str = "sts:AssumeRole"

    @classmethod
    def of_role(
        cls,
        role_arn: str,
        session: str = "session",
        external_id: str | None = None,
        org_id: str | None = None,
    ) -> "TrustRequest":
        """A request from a session of that role, with the keys that AWS derives from it."""
        account = role_arn.split(":")[4]
        name = role_arn.rpartition("/")[2]
        keys: dict[str, ContextValue] = {"aws:PrincipalArn": role_arn, "aws:PrincipalAccount": account}
        if external_id is not None:
            keys["sts:ExternalId"] = external_id
        if org_id is not None:
            keys["aws:PrincipalOrgID"] = org_id
        return cls(account, (role_arn, f"arn:aws:sts::{account}:assumed-role/{name}/{session}"), keys=keys)


def evaluate_identity(
    documents: Document | Iterable[Document],
    action: str,
    resource: str,
    context: Mapping[str, ContextValue] | None = None,
) -> Decision:
    """Evaluate one identity policy, or several together, for an action on a resource's ARN."""

    def concerns(statement: Mapping[str, Any]) -> bool | None:
        about_action = _element(statement, "Action", lambda glob: like(action, glob, ignore_case=True))
        about_resource = _element(statement, "Resource", lambda glob: arn_like(resource, glob))
        return _both(about_action, about_resource)

    one = isinstance(documents, (str, Mapping))
    policies: Iterable[Document] = [documents] if one else documents  # type: ignore[list-item]
    return _decide(policies, concerns, context or {})


def evaluate_trust(document: Document, request: TrustRequest) -> Decision:
    """Evaluate a role's trust policy, without the caller's own policies."""

    def concerns(statement: Mapping[str, Any]) -> bool | None:
        about_action = _element(statement, "Action", lambda glob: like(request.action, glob, ignore_case=True))
        return _both(about_action, _names(statement, request))

    return _decide([document], concerns, request.keys)


def names_directly(document: Document, request: TrustRequest) -> bool:
    """True if the trust policy names this caller itself and not only its account: enough within one account."""
    without_account = TrustRequest("", request.arns, request.service, request.keys, request.action)
    return evaluate_trust(document, without_account).allowed


def _statements(document: Document) -> list[Mapping[str, Any]]:
    parsed = json.loads(document) if isinstance(document, str) else document
    return as_list(parsed.get("Statement", []))


def _decide(
    documents: Iterable[Document],
    concerns: Callable[[Mapping[str, Any]], bool | None],
    context: Mapping[str, ContextValue],
) -> Decision:
    allowed = False
    for statement in (statement for document in documents for statement in _statements(document)):
        concerned = concerns(statement)
        if concerned is False:
            continue
        verdict = judge_conditions(statement.get("Condition", {}), context)
        if concerned is None and verdict is Verdict.MET:
            verdict = Verdict.UNKNOWN
        if statement.get("Effect") == "Deny" and verdict is not Verdict.NOT_MET:
            return Decision.EXPLICIT_DENY
        if statement.get("Effect") == "Allow" and verdict is Verdict.MET:
            allowed = True
    return Decision.ALLOW if allowed else Decision.IMPLICIT_DENY


def _both(first: bool | None, second: bool | None) -> bool | None:
    """Three-valued "and": None is unknown."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _element(statement: Mapping[str, Any], name: str, matches: Callable[[str], bool]) -> bool | None:
    """Match Action or Resource, or their Not… form; None if it is absent or contains a policy variable."""
    negated = f"Not{name}" in statement
    if not negated and name not in statement:
        return None
    globs = as_list(statement[f"Not{name}" if negated else name])
    if any("${" in str(glob) for glob in globs):
        return None
    return any(matches(str(glob)) for glob in globs) != negated


def _names(statement: Mapping[str, Any], request: TrustRequest) -> bool | None:
    principal = statement.get("Principal")
    if principal is None:
        return None  # absent or NotPrincipal: must not allow
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return None
    if request.service:
        return request.service in as_list(principal.get("Service", []))
    return any(_is_caller(str(named), request) for named in as_list(principal.get("AWS", [])))


def _is_caller(named: str, request: TrustRequest) -> bool:
    whole_account = request.account and named in (request.account, f"arn:aws:iam::{request.account}:root")
    return named == "*" or bool(whole_account) or named in request.arns
