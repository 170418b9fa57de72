"""Decides a request as IAM does, with all kinds of policies together; without moto, network or state.

    decide({
        "request": {
            "action": "s3:GetObject",
            "principal": "arn:aws:sts::111111111111:assumed-role/hub/session",
            "resource": {"resource": "arn:aws:s3:::bucket/key", "accountId": "111111111111"},
            "context": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        },
        "identityPolicies": [policy],
        "serviceControlPolicies": [{"orgIdentifier": "r-root", "policies": [policy]}],
    })

A policy is a document, as a mapping or as JSON text, or {"name": …, "policy": document}.

It follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and is stricter
where AWS's documentation is not clear, or where the sandbox does not know enough: such a statement never allows, and
denies if it is a Deny. tests/sandbox/verdicts/README.md tells where this differs from another engine.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sandbox.policy_patterns import Context, ShortArn
from sandbox.policy_statements import Asked, Document, Named, Principal, statements

ALLOWED, IMPLICITLY_DENIED, EXPLICITLY_DENIED = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"

IDENTITY, SESSION, BOUNDARY = "identity-based policy", "session policy", "permissions boundary"
SCP, RCP, RESOURCE = "service control policy", "resource control policy", "resource-based policy"

# What AWS owns in every account can be read there, and nothing else, whatever the policies say.
_OF_AWS = re.compile(r"arn:[^:]*:(iam::aws:policy/|iam::[0-9]*:role/aws-reserved/|kms:[^:]*:[^:]*:alias/aws/)")
_READING = ("get", "list", "generate", "simulate")

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Judgement:
    """A decision, and in AWS's words the kind of policy that denied; "" if the request is allowed."""

    verdict: str
    policy: str = ""

    @property
    def allowed(self) -> bool:
        return self.verdict == ALLOWED


class Finding(NamedTuple):
    """What the policies of one kind say together."""

    denies: bool
    named: Named  # how they allow it: NOT if they do not


def decide(case: Case) -> str:
    """ "Allowed", "ImplicitlyDenied" or "ExplicitlyDenied"."""
    return judge(case).verdict


def judge(case: Case) -> Judgement:
    """Decide a case.

    `case` has the keys

    - request: action; principal, the ARN of a user or of a role's session, or the name of an AWS service; resource, its
      ARN ("*" if the action has none, None if it is not known) and accountId; context, the condition keys; and known.
      A key that is not in context is absent if `known` names it or its family ("aws:RequestTag/"), or if there is no
      `known`; otherwise it is unknown. aws:PrincipalArn and aws:userid tell the path and the unique id of the caller.
    - identityPolicies, permissionBoundaries (None: no boundary), sessionPolicy (one or a list: Policy and PolicyArns)
    - resourcePolicy: the policy of the resource; of a role its trust policy, of a key its key policy
    - serviceControlPolicies and resourceControlPolicies: one {orgIdentifier, policies} for each level of the
      organization; none at all if they do not apply, as to the management account.
    """
    asked = _asked(case)
    if (asked.service, asked.name) == ("sts", "getcalleridentity"):
        return Judgement(ALLOWED)
    caller, account = asked.principal, case["request"]["resource"]["accountId"]
    linked = ":role/aws-service-role/" in (caller.role or caller.arn)
    resource = _of_resource(_documents(case.get("resourcePolicy")), asked)
    if _is_kept_by_aws(asked):
        resource = resource._replace(named=Named.NOT)
    rcps = [] if linked else [_rcp(documents, asked) for documents in _levels(case, "resourceControlPolicies")]
    scps = [] if linked else [_scp(documents, asked) for documents in _levels(case, "serviceControlPolicies")]
    found = {
        RCP: rcps,
        SCP: scps,
        RESOURCE: [resource],
        IDENTITY: [_own(_documents(case.get("identityPolicies")), asked)],
        BOUNDARY: [_own(documents, asked)] if (documents := _documents(case.get("permissionBoundaries"))) else [],
        SESSION: [_own(documents, asked)] if (documents := _documents(case.get("sessionPolicy"))) else [],
    }
    unneeded = set()
    if caller.is_service:
        unneeded.add(IDENTITY)  # it has none
    elif account == caller.account:
        if not _needs_its_policy(asked):
            unneeded.add(RESOURCE)
        if resource.named >= Named.BY_ROLE:
            unneeded.add(IDENTITY)
        if resource.named is Named.DIRECTLY:
            unneeded.add(BOUNDARY)
    return _judgement(found, unneeded)


def _judgement(found: Mapping[str, Sequence[Finding]], unneeded: Collection[str] = ()) -> Judgement:
    """Each Deny denies; then each kind of policy must allow, except those that are not needed."""
    for policy, findings in found.items():
        if any(finding.denies for finding in findings):
            return Judgement(EXPLICITLY_DENIED, policy)
    for policy, findings in found.items():
        if policy not in unneeded and not all(finding.named for finding in findings):
            return Judgement(IMPLICITLY_DENIED, policy)
    return Judgement(ALLOWED)


def _asked(case: Case) -> Asked:
    request = case["request"]
    context = Context(request.get("context") or {}, request.get("known"))
    service, _, name = request["action"].lower().partition(":")
    has_boundary = bool(_documents(case.get("permissionBoundaries")))
    principal = Principal.of(request["principal"], context, has_boundary)
    return Asked(principal, service, name, request["resource"]["resource"], context)


def _is_trust(asked: Asked) -> bool:
    """Whether the resource is a role that is to be assumed, and its policy therefore a trust policy."""
    return asked.service == "sts" and (asked.resource is None or ":role/" in asked.resource)


def _needs_its_policy(asked: Asked) -> bool:
    """Whether the resource's policy must allow in its own account too: of a role, a KMS key, and what AWS owns."""
    if asked.service == "kms" and (asked.resource is None or ":key/" in asked.resource):
        return True
    return _is_trust(asked) or _is_kept_by_aws(asked)


def _is_kept_by_aws(asked: Asked) -> bool:
    """Whether AWS owns the resource and the action would change it."""
    is_change = asked.service in ("iam", "kms") and not asked.name.startswith(_READING)
    return is_change and _OF_AWS.match(asked.resource or "") is not None


def _documents(policies: Any) -> list[Document]:
    listed = policies if isinstance(policies, (list, tuple)) else [] if policies is None else [policies]
    return [one["policy"] if isinstance(one, Mapping) and "policy" in one else one for one in listed]


def _levels(case: Case, name: str) -> list[list[Document]]:
    return [_documents(level["policies"]) for level in case.get(name) or ()]


def _own(documents: Iterable[Document], asked: Asked, short: ShortArn = ShortArn.COMPLETED) -> Finding:
    """What the policies say that are attached to the caller or to its account: they have no Principal."""
    denies = allows = False
    for statement in (statement for document in documents for statement in statements(document)):
        truth = statement.applies(asked, short)
        if truth is False:
            continue
        malformed = statement.principal is not None or statement.resource is None
        denies |= statement.denies
        allows |= statement.allows and truth is True and not malformed
    return Finding(denies, Named.DIRECTLY if allows else Named.NOT)


def _scp(documents: Iterable[Document], asked: Asked) -> Finding:
    """What the SCPs of one level say."""
    return _own(documents, asked, ShortArn.EXPANDED)


def _of_resource(documents: Iterable[Document], asked: Asked, rcp: bool = False) -> Finding:
    """What the policies say that are attached to the resource, or to its account (RCPs): they name the caller."""
    short, unnamed = (ShortArn.UNKNOWN, Named.DIRECTLY) if rcp else (ShortArn.EXPANDED, None)
    denies, allowed = False, Named.NOT
    for statement in (statement for document in documents for statement in statements(document)):
        named = unnamed if statement.principal is None else statement.names(asked.principal)
        if statement.not_principal and (rcp or _is_trust(asked)):
            named = None  # they must not have it
        elif rcp and named is Named.NOT:
            named = None  # an RCP must be for everybody
        truth = False if named is Named.NOT else statement.applies(asked, short)
        if truth is False:
            continue
        denies |= statement.denies
        if statement.allows and truth is True and named is not None:
            allowed = max(allowed, named)
    return Finding(denies, allowed)


def _rcp(documents: Sequence[Document], asked: Asked) -> Finding:
    """What the RCPs of one level say. AWS attaches RCPFullAWSAccess to each, which cannot be detached."""
    finding = _of_resource(documents, asked, rcp=True)
    if any(statement.allows for document in documents for statement in statements(document)):
        return finding
    return Finding(finding.denies, Named.DIRECTLY)
