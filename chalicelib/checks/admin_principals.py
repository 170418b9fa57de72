from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from chalicelib.checks.check import check, from_pages, require_field
from chalicelib.checks.finding import Finding, Findings, Response, alarm, info, ok, or_skip
from chalicelib.checks.policy_document import Statement, listed, statements
from chalicelib.cross_account import Account

ADMINISTRATOR_ACCESS = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/AdministratorAccess")
IDENTITY_CENTER = "/aws-reserved/sso.amazonaws.com/"
OF_THE_ORGANIZATION = ("OrganizationAccountAccessRole", "AWSControlTowerExecution", "stacksets-exec-*")
"""Roles that Organizations, Control Tower and StackSets make in every account, each with AdministratorAccess."""


@check(actions=["iam:GetAccountAuthorizationDetails"], scope="global", group="identity")
def admin_principals(account: Account) -> Findings:
    """Find users and roles that may do everything: by AdministratorAccess, or by a policy that allows * on *.

    A user's groups count. A deny in another policy is not considered, and neither is what a policy allows under a
    condition. No alarm, but worth to know, are a permissions boundary that limits it, a role that people take through
    Identity Center, and the roles that the organization has in every account, by their names; who may assume those is
    judged by external_trust.

    Controls: CIS 5: 1.15; CIS 7: 2.14; FSBP: IAM.1.
    """
    # twice, as AWS lists a policy or group perhaps after those that have it, and there may be thousands of roles
    pages = [*_details(account, "Group", "LocalManagedPolicy")]
    policies = {policy["Arn"] for policy in from_pages(pages, "Policies") if _is_admin(policy)}
    groups = {group["GroupName"]: _through(group, "Group", policies) for group in from_pages(pages, "GroupDetailList")}
    principals = (
        principal
        for page in _details(account, "User", "Role")
        for principal in (*require_field(page, "UserDetailList"), *require_field(page, "RoleDetailList"))
    )
    found = (judge(principal, policies, groups) for principal in principals)
    return or_skip(found, account.id, "There are neither users nor roles here.")


def judge(principal: Response, policies: Collection[str], groups: Mapping[str, Sequence[str]]) -> Finding:
    """Judge a user or a role.

    Args:
        principal: as IAM describes it.
        policies: the ARNs of the account's own policies that allow everything.
        groups: of each group, the names of its policies that allow everything.
    """
    resource = require_field(principal, "Arn")
    kind = "Role" if "RoleName" in principal else "User"
    through = _through(principal, kind, policies)
    for group in principal.get("GroupList", ()):
        through += [f"{policy} (group {group})" for policy in groups.get(group, ())]
    columns = {"kind": kind.lower(), "through": through}
    if not through:
        return ok(resource, f"The {kind.lower()} may not do everything.", **columns)
    may = f"The {kind.lower()} may do everything, through {', '.join(through)}"
    if kind == "Role" and principal.get("Path", "").startswith(IDENTITY_CENTER):
        return info(resource, f"{may}, and people take it through Identity Center.", **columns)
    if kind == "Role" and any(fnmatchcase(principal["RoleName"], name) for name in OF_THE_ORGANIZATION):
        return info(resource, f"{may}, and is one that the organization has in every account.", **columns)
    boundary = principal.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if boundary and not _allows_all(boundary, policies):
        return info(resource, f"{may}, but only within its permissions boundary.", **columns)
    return alarm(resource, f"{may}.", **columns)


def _details(account: Account, *kinds: str) -> Iterator[Response]:
    return account.pages("iam", "get_account_authorization_details", Filter=[*kinds])


def _through(holder: Response, kind: str, policies: Collection[str]) -> list[str]:
    """The names of the policies of a user, role or group that allow everything."""
    attached = [one for one in holder.get("AttachedManagedPolicies", ()) if _allows_all(one["PolicyArn"], policies)]
    inline = [one for one in holder.get(f"{kind}PolicyList", ()) if _everything(one["PolicyDocument"])]
    return [policy["PolicyName"] for policy in (*attached, *inline)]


def _allows_all(arn: str, policies: Collection[str]) -> bool:
    return arn in policies or ADMINISTRATOR_ACCESS.fullmatch(arn) is not None


def _is_admin(policy: Response) -> bool:
    """Whether the version of a managed policy that is in force allows everything."""
    versions = policy.get("PolicyVersionList", ())
    return any(_everything(version["Document"]) for version in versions if version.get("IsDefaultVersion"))


def _everything(document: object) -> bool:
    return any(map(_allows_everything, statements(document)))


def _allows_everything(statement: Statement) -> bool:
    actions, resources = listed(statement, "Action"), listed(statement, "Resource")
    allows = statement.get("Effect") == "Allow" and not statement.get("Condition")
    return allows and "*" in resources and not {"*", "*:*"}.isdisjoint(actions)
