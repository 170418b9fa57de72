from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import groupby
from operator import itemgetter

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import VERDICTS, Finding, Findings, Response, Verdict, or_skip
from chalicelib.checks.organization import Organization
from chalicelib.checks.policy_document import Statement, listed, statements
from chalicelib.cross_account import Account

ASSUME = ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity")
IS = re.compile(r"(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like))")
"""The operators under which a condition narrows: not with IfExists, which is true if there is no such key."""

ACCOUNT, ORGANIZATION = r"([0-9]{12})", r"(o-[a-z0-9]{10,32})"
ARN = r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}):.+"
NARROWING = {
    "aws:principalaccount": ACCOUNT,
    "aws:principalarn": ARN,
    "aws:principalorgid": ORGANIZATION,
    "aws:principalorgpaths": ORGANIZATION + "/.*",
    "aws:sourceaccount": ACCOUNT,
    "aws:sourcearn": ARN,
    "aws:sourceorgid": ORGANIZATION,
    "aws:sourceorgpaths": ORGANIZATION + "/.*",
}
"""Condition keys and how a value of each names an account or organization. No other condition narrows."""

Party = tuple[Verdict, str, str]
"""Whom a role lets in, as far as one account, organization or name goes: the verdict, the name, and why."""


@check(actions=["iam:ListRoles"], scope="global", group="identity")
def external_trust(account: Account, organization: Organization) -> Findings:
    """Find roles that everyone may assume, or an account outside the organization without an external ID.

    Judged are the roles that trust AWS accounts, users or roles; those that trust only services or identity providers
    are left out. An account outside with an external ID is a third party, and no alarm. A condition narrows who may
    assume a role if it says which account or organization the caller is of; a statement that denies does not.
    """
    roles = from_pages(account.pages("iam", "list_roles"), "Roles")
    found = (finding for role in roles for finding in judge(role, account.id, organization))
    return or_skip(found, account.id, "No role here trusts an AWS account, user or role.")


def judge(role: Response, account_id: str, organization: Organization) -> Iterator[Finding]:
    """Judge a role that trusts AWS principals; of another there is no finding.

    Args:
        role: as IAM lists it.
        account_id: the role's account.
        organization: what is known of it.
    """
    resource = require_field(role, "Arn")
    trusting = [one for one in statements(require_field(role, "AssumeRolePolicyDocument")) if _lets_in(one)]
    if not trusting:
        return
    parties = {party for one in trusting for party in _parties(one, account_id, organization)}
    verdict = min((verdict for verdict, _, _ in parties), key=_rank, default="ok")
    reason = "It lets in only the organization, the hub or the account itself."
    if verdict != "ok":
        worst = groupby(sorted((why, name) for its, name, why in parties if its == verdict), itemgetter(0))
        told = " and ".join(", ".join(name for _, name in group) + why for why, group in worst)
        reason = f"It lets in {told}. {organization.limits}".rstrip()
    trusted, external_id = sorted({name for _, name, _ in parties}), all(map(_asks_external_id, trusting))
    yield {"resource": resource, "verdict": verdict, "reason": reason, "trusted": trusted, "external_id": external_id}


def _lets_in(statement: Statement) -> bool:
    """Whether it lets an AWS principal assume the role."""
    patterns = [str(action).lower() for action in listed(statement, "Action")]
    assumes = "NotAction" in statement or any(fnmatchcase(action, one) for action in ASSUME for one in patterns)
    return statement.get("Effect") == "Allow" and assumes and bool(_principals(statement))


def _principals(statement: Statement) -> set[str]:
    """The accounts that it names, `*` for everyone, and the ids of deleted users and roles."""
    if "NotPrincipal" in statement:
        return {"*"}
    principal = statement.get("Principal", {})
    named = [principal] if isinstance(principal, str) else listed(principal, "AWS") + listed(principal, "*")
    return {found[1] if (found := re.fullmatch(ARN, one)) else one for one in named}


def _parties(statement: Statement, account_id: str, organization: Organization) -> list[Party]:
    """Whom it lets in. They are of its principals and of what each condition allows: the safest of these decides."""
    external = _asks_external_id(statement)
    sets = [
        [_party(name, external, account_id, organization) for name in sorted(names)]
        for names in (_principals(statement), *_narrowed(statement))
    ]
    return max(sets, key=lambda parties: min((_rank(verdict) for verdict, _, _ in parties), default=len(VERDICTS)))


def _party(name: str, external_id: bool, account_id: str, organization: Organization) -> Party:
    if re.fullmatch("A[A-Z0-9]{15,127}", name):
        return "info", name, ", which was deleted, so that it matches nobody"
    if name == "*":
        return "alarm", name, ", which is everyone, as no condition narrows it to accounts or an organization"
    if name.startswith("o-") and organization.id is None:
        return "unknown", name, ", and it is not known whether that is the account's own organization"
    if name in (account_id, organization.id) or organization.has(name):
        return "ok", name, ""
    where = "outside the organization" if organization.accounts is not None else "not known to be of the organization"
    if external_id:
        return "info", name, f", {where} but with an external ID"
    return "alarm", name, f", {where} and without an external ID"


def _narrowed(statement: Statement) -> Iterator[set[str]]:
    """The accounts and organizations that each condition which narrows allows."""
    for key, values in _conditions(statement):
        if pattern := NARROWING.get(key):
            found = [re.fullmatch(pattern, value) for value in values]
            if all(found):
                yield {one[1] for one in found if one}


def _asks_external_id(statement: Statement) -> bool:
    asked = [values for key, values in _conditions(statement) if key == "sts:externalid"]
    return any(all(value.strip("*?") for value in values) for values in asked)


def _conditions(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """The key and values of each condition that the caller must have."""
    for operator, of_keys in statement.get("Condition", {}).items():
        if IS.fullmatch(operator):
            for key in of_keys:
                yield key.lower(), [str(value) for value in listed(of_keys, key)]


def _rank(verdict: Verdict) -> int:
    """The worst has the lowest."""
    return VERDICTS.index(verdict)
