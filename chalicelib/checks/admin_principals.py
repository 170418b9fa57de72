from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok, or_skip
from chalicelib.checks.policy_document import Statement, listed, statements
from chalicelib.cross_account import Account

ADMINISTRATOR_ACCESS = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/AdministratorAccess")
IDENTITY_CENTER = "/aws-reserved/sso.amazonaws.com/"
OF_THE_ORGANIZATION = ("OrganizationAccountAccessRole", "AWSControlTowerExecution", "stacksets-exec-*")
"""Roles that Organizations, Control Tower and StackSets make in every account, each with AdministratorAccess."""

GRANTS = "iam:attachuserpolicy"
"""Who may do this may do everything, in the end."""

Through = tuple[str, bool]
"""The name of a policy that allows everything, and whether it does so without limits."""


@check(actions=["iam:GetAccountAuthorizationDetails"], scope="global", group="identity")
def admin_principals(account: Account) -> Findings:
    """Find users and roles that may do everything: by AdministratorAccess, or by a policy that allows * on *.

    A user's groups count. A deny in another policy is not considered. No alarm, but worth to know, are a permissions
    boundary that limits it, a policy that allows it under a condition or but for something other than IAM, a role that
    people take through Identity Center, and the roles that the organization has in every account, by their names; who
    may assume those is judged by external_trust.

    Controls: CIS 5: 1.15; CIS 7: 2.14; FSBP: IAM.1.
    """
    # twice, as AWS lists a policy or group perhaps after those that have it, and there may be thousands of roles
    pages = [*_details(account, "Group", "LocalManagedPolicy")]
    policies = {
        require_field(policy, "Arn"): reach
        for policy in from_pages(pages, "Policies")
        if (reach := _reach_of_version(policy)) is not None
    }
    groups = {
        require_field(group, "GroupName"): _through(group, "Group", policies)
        for group in from_pages(pages, "GroupDetailList")
    }
    principals = (
        principal
        for page in _details(account, "User", "Role")
        for principal in (*require_field(page, "UserDetailList"), *require_field(page, "RoleDetailList"))
    )
    found = (judge(principal, policies, groups) for principal in principals)
    return or_skip(found, account.id, "There are neither users nor roles here.")


def judge(principal: Response, policies: Mapping[str, bool], groups: Mapping[str, Sequence[Through]]) -> Finding:
    """Judge a user or a role.

    Args:
        principal: as IAM describes it.
        policies: the account's own policies that allow everything, by ARN; False: with limits.
        groups: the policies of each group that do.
    """
    resource = require_field(principal, "Arn")
    kind = "Role" if "RoleName" in principal else "User"
    found = _through(principal, kind, policies)
    for group in principal.get("GroupList", ()):
        found += [(f"{policy} (group {group})", unlimited) for policy, unlimited in groups.get(group, ())]
    through = [policy for policy, _ in found]
    columns = {"kind": kind.lower(), "through": through}
    if not through:
        return ok(resource, f"The {kind.lower()} may not do everything.", **columns)
    may = f"The {kind.lower()} may do everything, through {', '.join(through)}"
    if not any(unlimited for _, unlimited in found):
        return info(resource, f"{may}, but only under a condition, or not quite everything.", **columns)
    if kind == "Role" and principal.get("Path", "").startswith(IDENTITY_CENTER):
        return info(resource, f"{may}, and people take it through Identity Center.", **columns)
    if kind == "Role" and any(fnmatchcase(principal["RoleName"], name) for name in OF_THE_ORGANIZATION):
        return info(resource, f"{may}, and is one that the organization has in every account.", **columns)
    boundary = principal.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if boundary and not _reach_of_arn(boundary, policies):
        return info(resource, f"{may}, but only within its permissions boundary.", **columns)
    return alarm(resource, f"{may}.", **columns)


def _details(account: Account, *kinds: str) -> Iterator[Response]:
    return account.pages("iam", "get_account_authorization_details", Filter=[*kinds])


def _through(holder: Response, kind: str, policies: Mapping[str, bool]) -> list[Through]:
    """The policies of a user, role or group that allow everything."""
    attached = [
        (one, _reach_of_arn(require_field(one, "PolicyArn"), policies))
        for one in holder.get("AttachedManagedPolicies", ())
    ]
    inline = [(one, _reach(require_field(one, "PolicyDocument"))) for one in holder.get(f"{kind}PolicyList", ())]
    return [(require_field(one, "PolicyName"), reach) for one, reach in (*attached, *inline) if reach is not None]


def _reach_of_arn(arn: str, policies: Mapping[str, bool]) -> bool | None:
    return True if ADMINISTRATOR_ACCESS.fullmatch(arn) else policies.get(arn)


def _reach_of_version(policy: Response) -> bool | None:
    """Of the version of a managed policy that is in force."""
    versions = [one for one in require_field(policy, "PolicyVersionList") if one.get("IsDefaultVersion")]
    return _reach(require_field(versions[0], "Document")) if versions else None


def _reach(document: object) -> bool | None:
    """Whether a policy allows everything; False: under a condition or not quite everything; None: no."""
    return max((reach for one in statements(document) if (reach := _reach_of(one)) is not None), default=None)


def _reach_of(statement: Statement) -> bool | None:
    all_actions = not {"*", "*:*"}.isdisjoint(listed(statement, "Action"))
    all_resources = "*" in listed(statement, "Resource")
    excepted = [str(action).lower() for action in listed(statement, "NotAction")]
    leaves_iam = "NotAction" in statement and not any(fnmatchcase(GRANTS, action) for action in excepted)
    if statement.get("Effect") != "Allow" or not (all_actions or leaves_iam):
        return None
    if all_actions and all_resources:
        return not statement.get("Condition")
    return False if all_resources or "NotResource" in statement else None
