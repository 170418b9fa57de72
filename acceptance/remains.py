"""What of a trial's name is in the two accounts, by name: a `chalice deploy` that was ended leaves no record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from acceptance.trial import Trial


@dataclass(frozen=True)
class Remainder:
    """A thing that is still there."""

    name: str
    delete: Callable[[], object]
    is_log: bool = False


def remains(trial: Trial) -> Iterator[Remainder]:
    """Everything of the trial's name, in an order in which it can be deleted."""
    yield from _stack(trial)
    yield from _apis(trial)
    yield from _functions(trial)
    yield from _layers(trial)
    yield from _roles(trial)
    yield from _logs(trial)


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
    iam = trial.hub.client("iam")

    def delete(role: str) -> None:
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        iam.delete_role(RoleName=role)

    for role in _pages(iam, "list_roles", "Roles"):
        name = role["RoleName"]
        if name.startswith(trial.name):
            yield Remainder(f"role {name}", partial(delete, name))


def _logs(trial: Trial) -> Iterator[Remainder]:
    logs = trial.hub.client("logs")
    for group in _pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=f"/aws/lambda/{trial.name}"):
        name = group["logGroupName"]
        yield Remainder(f"log group {name}", partial(logs.delete_log_group, logGroupName=name), is_log=True)


def _pages(client: Any, operation: str, key: str, **arguments: str) -> list[dict[str, Any]]:
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]
