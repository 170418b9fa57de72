"""What an account's organization says of it: the policies above it, its path, whether it was closed.

It reads moto's state at every request, so that a change of the organization holds at once. moto searches lists for
accounts and units; this module looks them up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.organizations.models import OrganizationsBackend, organizations_backends

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"

Level = Mapping[str, Any]
"""Of the root, of a unit or of an account: `orgIdentifier`, its id, and `policies`, the documents attached to it."""

# The root, the units and the accounts of each organization, by id. AWS and moto give no id twice.
_nodes: dict[str, dict[str, Any]] = {}
_closed: set[str] = set()


def controls(account: str) -> tuple[Sequence[Level], Sequence[Level]]:
    """The service control policies and the resource control policies above an account, root first.

    Both are empty for the management account and outside of an organization; one is while its type is not enabled.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    nodes = _path(account)
    if not nodes or account == nodes[0].master_account_id:
        return [], []
    enabled = [policy_type["Type"] for policy_type in nodes[0].policy_types]
    return (
        [_level(node, SCP) for node in nodes] if SCP in enabled else [],
        [_level(node, RCP) for node in nodes] if RCP in enabled else [],
    )


def id_of(account: str) -> str | None:
    """The id of the account's organization, such as o-a1b2c3d4e5, or None."""
    backend = managing(account)
    return str(backend.org.id) if backend and backend.org else None


def path_of(account: str) -> str | None:
    """The account's place as aws:PrincipalOrgPaths has it, such as o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/, or None.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    nodes = _path(account)
    if not nodes:
        return None
    return "/".join([nodes[0].organization_id, *(node.id for node in nodes[:-1]), ""])


def close(account: str) -> None:
    """Mark it as closed (organizations:CloseAccount), which it stays when it leaves its organization."""
    _closed.add(account)


def is_closed(account: str) -> bool:
    """Whether it was closed: its roles, users, sessions and resources are no longer available.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
    """
    return account in _closed


def managing(account: str) -> OrganizationsBackend | None:
    """moto's state of the account's organization, which its management account has; None outside of one."""
    if account in organizations_backends.master_accounts:
        account, _ = organizations_backends.master_accounts[account]
    if account not in organizations_backends:
        return None
    backend = organizations_backends[account]["aws"]
    return backend if backend.org else None


def _path(account: str) -> list[Any]:
    """moto's root, units and account, root first; empty outside of any organization."""
    backend = managing(account)
    if backend is None:
        return []
    path = [_node(backend, account)]
    while path[-1].parent_id:  # only the root has none
        path.append(_node(backend, path[-1].parent_id))
    return path[::-1]


def _node(backend: Any, identifier: str) -> Any:
    nodes = _nodes.get(backend.org.id, {})
    if identifier not in nodes:
        nodes = _nodes[backend.org.id] = {node.id: node for node in (*backend.ou, *backend.accounts)}
    return nodes[identifier]


def _level(node: Any, policy_type: str) -> Level:
    policies = [policy.content for policy in node.attached_policies if policy.type == policy_type]
    return {"orgIdentifier": node.id, "policies": policies}
