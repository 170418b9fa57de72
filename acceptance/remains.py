"""What of a trial's name is in the two accounts, by name: a `chalice deploy` that was ended leaves no record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from acceptance.trial import Account, Trial


@dataclass(frozen=True)
class Remainder:
    """A thing that is still there."""

    name: str
    delete: Callable[[], object]
    is_log: bool = False


def remains(trial: Trial) -> Iterator[Remainder]:
    """Everything of the trial's name."""
    for things in KINDS.values():
        yield from things(trial)


def delete_remains(trial: Trial) -> list[str]:
    """Returns what could not be deleted, and why. One kind or one thing does not keep the others."""
    left: list[str] = []
    for kind, things in KINDS.items():
        try:
            for thing in things(trial):
                try:
                    thing.delete()
                except Exception as error:
                    left.append(f"{thing.name}: {error}")
        except Exception as error:
            left.append(f"whatever {kind} is called {trial.name}: {error}")
    return left


def _stack(trial: Trial) -> Iterator[Remainder]:
    cloudformation = trial.target.client("cloudformation")
    if any(stack["StackName"] == trial.name for stack in _pages(cloudformation, "describe_stacks", "Stacks")):
        yield Remainder(f"stack {trial.name} in {trial.target.id}", trial.delete_role)


def _apis(trial: Trial) -> Iterator[Remainder]:
    gateway = trial.hub.client("apigateway")
    for api in _pages(gateway, "get_rest_apis", "items"):
        if api["name"] == trial.name:
            yield Remainder(f"REST API {api['id']}", partial(gateway.delete_rest_api, restApiId=api["id"]))


def _functions(trial: Trial) -> Iterator[Remainder]:
    awslambda = trial.hub.client("lambda")
    for function in _pages(awslambda, "list_functions", "Functions"):
        name = function["FunctionName"]
        if name.startswith(trial.name):
            yield Remainder(f"function {name}", partial(awslambda.delete_function, FunctionName=name))


def _layers(trial: Trial) -> Iterator[Remainder]:
    awslambda = trial.hub.client("lambda")
    for layer in _pages(awslambda, "list_layers", "Layers"):
        name, version = layer["LayerName"], layer["LatestMatchingVersion"]["Version"]
        if name.startswith(trial.name):
            yield Remainder(
                f"layer {name}",
                partial(awslambda.delete_layer_version, LayerName=name, VersionNumber=version),
            )


def _roles(trial: Trial) -> Iterator[Remainder]:
    """Also of the target: the stack may have kept its role."""
    for account in (trial.hub, trial.target):
        yield from _roles_in(account, trial.name)


def _roles_in(account: Account, prefix: str) -> Iterator[Remainder]:
    iam = account.client("iam")

    def delete(role: str) -> None:
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        iam.delete_role(RoleName=role)

    for role in _pages(iam, "list_roles", "Roles"):
        name = role["RoleName"]
        if name.startswith(prefix):
            yield Remainder(f"role {name} in {account.id}", partial(delete, name))


def _logs(trial: Trial) -> Iterator[Remainder]:
    logs = trial.hub.client("logs")
    for group in _pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/lambda/{trial.name}"):
        name = group["logGroupName"]
        yield Remainder(f"log group {name}", partial(logs.delete_log_group, logGroupName=name), is_log=True)


KINDS: Mapping[str, Callable[[Trial], Iterator[Remainder]]] = {
    "stack": _stack,
    "REST API": _apis,
    "function": _functions,
    "layer": _layers,
    "role": _roles,
    "log group": _logs,
}
"""In an order in which they can be deleted."""


def _pages(client: Any, operation: str, key: str, **arguments: str) -> list[dict[str, Any]]:
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]
