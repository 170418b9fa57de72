"""The previous door to the evaluator, until trust.py, authorization.py and callers.py build cases for decide.py.

TO BE DELETED with them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sandbox.decide import decide
from sandbox.policy_patterns import ContextValue
from sandbox.policy_statements import Document

_KNOWN: tuple[str, ...] = (
    "sts:ExternalId",
    "sts:RoleSessionName",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
)
_KNOWN += ("aws:ResourceAccount", "aws:ResourceOrgID", "aws:RequestedRegion", "aws:userid", "lambda:SourceFunctionArn")


class Decision(Enum):
    ALLOW = "Allowed"
    EXPLICIT_DENY = "ExplicitlyDenied"
    IMPLICIT_DENY = "ImplicitlyDenied"

    @property
    def allowed(self) -> bool:
        return self is Decision.ALLOW


@dataclass(frozen=True)
class TrustRequest:
    account: str = ""
    arns: tuple[str, ...] = ()
    service: str = ""
    keys: Mapping[str, ContextValue] = field(default_factory=dict)
    action: str = "sts:AssumeRole"


def evaluate_identity(
    documents: Document | Iterable[Document],
    action: str,
    resource: str,
    context: Mapping[str, ContextValue] | None = None,
) -> Decision:
    policies = [documents] if isinstance(documents, (str, Mapping)) else list(documents)
    user, root = "arn:aws:iam::000000000000:user/x", {"AWS": "000000000000"}
    delegating = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": root}]}
    return _decide(action, user, resource, context or {}, identityPolicies=policies, resourcePolicy=delegating)


def evaluate_trust(document: Document, request: TrustRequest) -> Decision:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return _trust(document, request, identityPolicies=[everything])


def names_directly(document: Document, request: TrustRequest) -> bool:
    return _trust(document, request).allowed


def _trust(document: Document, request: TrustRequest, **more: object) -> Decision:
    principal = request.service or (request.arns[-1] if request.arns else "anonymous")
    role = f"arn:aws:iam::{request.account}:role/x"
    return _decide(request.action, principal, role, request.keys, request.account, resourcePolicy=document, **more)


def _decide(
    action: str,
    principal: str,
    resource: str,
    context: Mapping[str, ContextValue],
    account: str = "000000000000",
    **policies: object,
) -> Decision:
    present = {key: value for key, value in context.items() if value != ()}
    request = {
        "action": action,
        "principal": principal,
        "resource": {"resource": resource, "accountId": account},
        "context": present,
        "known": [*_KNOWN, *context],
    }
    return Decision(decide({"request": request, **policies}))
