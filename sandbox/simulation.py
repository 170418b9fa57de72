"""What iam:SimulatePrincipalPolicy and iam:SimulateCustomPolicy answer: decide.py, with policies and keys at choice.

As in AWS, a simulation looks at no resource: its policy counts if it is sent, and resource control policies never do.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.iam.models import iam_backends

from sandbox import organization
from sandbox.aws_errors import AwsError
from sandbox.callers import NOTHING, PARTITION, documents_of, managed_policy
from sandbox.decide import ALLOWED, EXPLICITLY_DENIED, IMPLICITLY_DENIED, decide
from sandbox.pinned_policies import statements_of

_DECISIONS = {ALLOWED: "allowed", IMPLICITLY_DENIED: "implicitDeny", EXPLICITLY_DENIED: "explicitDeny"}
_MOST_RESTRICTIVE_FIRST = ("explicitDeny", "implicitDeny", "allowed")
_ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Parameters = Mapping[str, Any]
Result = dict[str, Any]


def simulate_principal_policy(account: str, parameters: Parameters) -> list[Result]:
    """The results for the policies, the groups and the boundary of a user, a group or a role of this account."""
    source = parameters["PolicySourceArn"]
    holder = _find(account, source)
    if parameters.get("PolicyExclusionList"):
        raise _invalid("The sandbox does not simulate policies that are left out.")
    holders = [holder]
    if ":user/" in source:
        holders += iam_backends[account][PARTITION].get_groups_for_user(holder.name)
    policies = [document for each in holders for document in documents_of(each)]
    boundary = getattr(holder, "permissions_boundary_arn", None)
    return _results(
        account,
        source,
        [*policies, *parameters.get("PolicyInputList", [])],
        [managed_policy(account, boundary) or NOTHING] if boundary else [],
        organization.controls(account)[0],
        parameters,
    )


def simulate_custom_policy(account: str, parameters: Parameters) -> list[Result]:
    """The results for the policies that were sent."""
    return _results(account, "", parameters["PolicyInputList"], [], [], parameters)


def _results(
    account: str,
    source: str,
    policies: Sequence[str],
    boundary: Sequence[str],
    scps: Sequence[organization.Level],
    parameters: Parameters,
) -> list[Result]:
    caller = parameters.get("CallerArn") or source
    resource_policy = parameters.get("ResourcePolicy")
    if resource_policy and not caller:
        raise _invalid("CallerArn is required when a resource-based policy is simulated.")
    boundary = parameters.get("PermissionsBoundaryPolicyInputList") or boundary
    documents = [*policies, *boundary, *([resource_policy] if resource_policy else [])]
    keys = {entry["ContextKeyName"]: _values(entry) for entry in parameters.get("ContextEntries", [])}
    missing = sorted(key for key in _keys_of(documents) if key.lower() not in {name.lower() for name in keys})
    owner = parameters.get("ResourceOwner") or account
    own_account = {"Version": "2012-10-17", "Statement": {**_ALLOW, "Principal": {"AWS": account}}}

    def result_of(action: str, resource: str) -> Result:
        case = {
            "request": {
                "action": action,
                "principal": _principal(account, caller),
                "resource": {"resource": resource, "accountId": owner if resource_policy else account},
                "context": {**({"aws:PrincipalArn": caller} if caller else {}), **keys},
            },
            "identityPolicies": policies,
            "permissionBoundaries": list(boundary) or None,
            "serviceControlPolicies": scps,
            "resourcePolicy": resource_policy or own_account,
        }
        unlimited = {**case, "identityPolicies": [{"Statement": _ALLOW}], "resourcePolicy": own_account}
        result: Result = {"EvalDecision": _DECISIONS[decide(case)], "MissingContextValues": missing}
        if scps:
            allowed = decide({**unlimited, "permissionBoundaries": None}) == ALLOWED
            result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
        if boundary:
            allowed = decide({**unlimited, "serviceControlPolicies": []}) == ALLOWED
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
        return result

    results = []
    for action in parameters["ActionNames"]:
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action):
            raise _invalid(f"Invalid action name: {action}")
        by_resource = {resource: result_of(action, resource) for resource in parameters.get("ResourceArns") or ["*"]}
        worst = min(by_resource.values(), key=lambda result: _MOST_RESTRICTIVE_FIRST.index(result["EvalDecision"]))
        results.append(
            {
                "EvalActionName": action,
                "EvalResourceName": "*",
                **worst,
                "MatchedStatements": [],
                "ResourceSpecificResults": [
                    {"EvalResourceName": resource, "EvalResourceDecision": result["EvalDecision"], **result}
                    for resource, result in by_resource.items()
                    if parameters.get("ResourceArns")
                ],
            }
        )
    return results


def _find(account: str, arn: str) -> Any:
    iam = iam_backends[account][PARTITION]
    everything: list[Any] = [*iam.roles.values(), *iam.users.values(), *iam.groups.values()]
    found = next((holder for holder in everything if holder.arn == arn), None)
    if found is None:
        raise AwsError("NoSuchEntity", f"The entity {arn} cannot be found.")
    return found


def _principal(account: str, caller: str) -> str:
    """As decide.py has it: of a role its session."""
    if ":role/" in caller:
        return f"arn:aws:sts::{caller.split(':')[4]}:assumed-role/{caller.rpartition('/')[2]}/simulated"
    return caller if ":user/" in caller else f"arn:aws:iam::{account}:user/simulated"


def _values(entry: Mapping[str, Any]) -> str | list[str]:
    values = entry.get("ContextKeyValues", [])
    return values[0] if len(values) == 1 and not entry["ContextKeyType"].endswith("List") else list(values)


def _keys_of(documents: Iterable[str]) -> set[str]:
    """The condition keys that the policies ask for, by condition or by variable."""
    keys: set[str] = set()
    for document in documents:
        try:
            conditions = [statement.get("Condition", {}) for statement in statements_of(json.loads(document))]
            keys |= {key for condition in conditions for operator in condition.values() for key in operator}
        except (ValueError, TypeError, AttributeError) as error:
            raise _invalid("The policy is not in the valid JSON format.") from error
        keys |= set(re.findall(r"\$\{([A-Za-z0-9-]+:[^},]+)", document))
    return keys


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInput", message)
