from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, get_args

from chalicelib.checks.check import Group, check, from_pages, require_field
from chalicelib.checks.identity import identity
from chalicelib.checks.policy_document import listed, statements
from chalicelib.checks.role_actions import DESCRIBE_REGIONS, INVOKE_MODEL, LIST_ORGANIZATION
from chalicelib.cross_account import Account

OF_ITSELF = ("iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies")
"""Allowed on the role itself; on anything else they are more than what the template allows."""
SWITCHED_OFF = "SwitchedOff"
"""The Sid by which the policy of a group of checks says that it is off on purpose."""

_UPDATE = "update it to role-template.yaml: aws cloudformation update-stack-set, or deploy (docs/operating-it.md)"

Policies = Mapping[str, Sequence[Mapping[str, Any]]]
"""The statements of each inline policy."""


@check(actions=OF_ITSELF, scope="global")  # sts:GetCallerIdentity, which tells the role's name, needs no permission
def role_drift(account: Account) -> dict[str, Any]:
    """Say what the role in the target lacks of what the checks declare, and what it allows beyond that."""
    role = identity.function(account)["arn"].split("/")[-2]
    names = from_pages(account.pages("iam", "list_role_policies", RoleName=role), "PolicyNames")
    managed = from_pages(account.pages("iam", "list_attached_role_policies", RoleName=role), "AttachedPolicies")
    attached = [policy["PolicyArn"] for policy in managed]
    get = account.client("iam").get_role_policy
    policies = {
        name: statements(require_field(get(RoleName=role, PolicyName=name), "PolicyDocument")) for name in names
    }
    off = switched_off(policies)
    return {"role": role, **summary(role, policies, attached, declared(off)), "off": off}


def declared(off: Collection[str] = ()) -> set[str]:
    """The actions that the role needs for the checks of this app, but for the groups that are switched off."""
    from chalicelib.checks import CHECKS  # imports this module

    actions = {action for each in CHECKS.values() if each.group not in off for action in each.actions}
    return (actions | {DESCRIBE_REGIONS}) - {INVOKE_MODEL}


def switched_off(policies: Policies) -> list[str]:
    """The groups of checks that the target has switched off."""
    groups = get_args(Group)
    return [
        group for group in groups if any(one.get("Sid") == SWITCHED_OFF for one in policies.get(_policy(group), ()))
    ]


def of_the_template() -> set[str]:
    """The role's inline policies."""
    return {"checks", "bedrock-converse", "organization", *map(_policy, get_args(Group))}


def _policy(group: str) -> str:
    return f"{group}-checks"


def summary(role: str, policies: Policies, attached: Sequence[str], declared: Collection[str]) -> dict[str, Any]:
    """Compare the role's own policies with what it needs.

    Args:
        role: its name.
        policies: its inline policies.
        attached: the ARNs of its managed policies, which are the target's own choice; what they allow is not read.
        declared: the actions that it needs.
    """
    lists = any(_allowed(policies, action) for action in LIST_ORGANIZATION)  # one that has one of them needs all
    needed = {*declared, *(LIST_ORGANIZATION if lists else ())}
    lacks = sorted(action for action in needed if not _allowed(policies, action))
    beyond = {name: [*_beyond(needed, role, of_policy)] for name, of_policy in policies.items()}
    return {
        "drift": ("none", "lacks", "exceeds", "both")[bool(lacks) + 2 * any(beyond.values())],
        "lacks": lacks,
        "exceeds": sorted({what for found in beyond.values() for what in found}),
        "attached": sorted(attached),
        "models": _models(policies),
        "lists_organization": lists,
        "limits": [*_limits(policies)],
        "next": _next(role, lacks, [name for name, found in beyond.items() if found]),
    }


def _allowed(policies: Policies, action: str) -> bool:
    """Whether a statement allows it, perhaps under a condition, and none denies it always."""
    matching = [one for of_policy in policies.values() for one in of_policy if _matches(one, action)]
    return any(one["Effect"] == "Allow" for one in matching) and not any(_denies_always(one) for one in matching)


def _matches(statement: Mapping[str, Any], action: str) -> bool:
    patterns = listed(statement, "Action") or listed(statement, "NotAction")
    found = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
    return found if "Action" in statement else not found


def _denies_always(statement: Mapping[str, Any]) -> bool:
    everywhere = "*" in listed(statement, "Resource")
    return statement["Effect"] == "Deny" and everywhere and not statement.get("Condition")


def _beyond(needed: Collection[str], role: str, of_policy: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What its statements allow that is not needed."""
    known = {action.lower() for action in (*needed, INVOKE_MODEL)}
    own = {action.lower() for action in OF_ITSELF}
    for statement in of_policy:
        if statement["Effect"] != "Allow":
            continue
        if "NotAction" in statement:
            yield _actions(statement)
        for action in listed(statement, "Action"):
            if action.lower() not in known:
                yield action
            elif action.lower() in own:
                others = (resource for resource in listed(statement, "Resource") if not _is_role(resource, role))
                yield from (f"{action} on {resource}" for resource in others)


def _is_role(resource: str, role: str) -> bool:
    return ":role/" in resource and resource.endswith(f"/{role}") and "*" not in resource and "?" not in resource


def _models(policies: Policies) -> list[str]:
    """The models that it may invoke, as the template's BedrockModelArns."""
    allowing = (
        one
        for of_policy in policies.values()
        for one in of_policy
        if one["Effect"] == "Allow" and _matches(one, INVOKE_MODEL)
    )
    return sorted({arn for one in allowing for arn in listed(one, "Resource")})


def _limits(policies: Policies) -> Iterator[str]:
    """The statements that deny, and those that allow under a condition only, whose values are not told."""
    for name, of_policy in policies.items():
        for statement in of_policy:
            condition = statement.get("Condition") or {}
            if condition or statement["Effect"] == "Deny":
                keys = [f"{operator} {key}" for operator, of_keys in condition.items() for key in of_keys]
                when = f" if {', '.join(keys)}" if keys else ""
                yield f"{name}: {statement['Effect']} {_actions(statement)}{when}"


def _next(role: str, lacks: Sequence[str], exceeding: Sequence[str]) -> str | None:
    foreign = [name for name in exceeding if name not in of_the_template()]
    update = [_UPDATE] if lacks or len(foreign) < len(exceeding) else []
    delete = [f"aws iam delete-role-policy --role-name {role} --policy-name {name}" for name in foreign]
    return "; ".join([*update, *delete]) or None


def _actions(statement: Mapping[str, Any]) -> str:
    if "NotAction" in statement:
        return f"everything but {', '.join(listed(statement, 'NotAction'))}"
    return ", ".join(listed(statement, "Action"))
