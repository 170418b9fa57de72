"""CloudFormation's stack sets: stacks in other accounts, which follow the set when it changes.

moto creates the stacks of a stack set in any account and one level of units, gives up at the first that fails, changes
none when the set changes, and lacks filters, preferences and drift. Everything here can go when moto does as AWS does.
An operation is done when its call returns.
"""

import copy
import functools
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from werkzeug.exceptions import HTTPException

from sandbox import organization, resources
from sandbox.accounts import HUB, REGION
from sandbox.aws_errors import AwsError
from sandbox.callers import PARTITION, find_role
from sandbox.moto_patches.other_accounts import lets_in
from sandbox.moto_patches.stacks.reading import as_json
from sandbox.moto_patches.stacks.templates import judge

Parameters = dict[str, Any]


@dataclass(eq=False)
class _Instance:
    """A stack of a stack set; where `detailed` is not SUCCEEDED, it is not there or not as the set is."""

    stack_set: Any
    account_id: str
    region_name: str
    overrides: dict[str, str]
    stack_id: str = ""
    detailed: str = "PENDING"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    operation_id: str = ""

    @property
    def backend(self) -> Any:
        return cloudformation_backends[self.account_id][self.region_name]

    def deploy(self) -> None:
        _be_let_in(self.stack_set, self.account_id)
        parameters, template = {**self.stack_set.parameters, **self.overrides}, str(self.stack_set.template)
        if self.stack_id in self.backend.stacks:
            listed = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
            _be_complete(self.backend.update_stack(self.stack_id, template, None, listed, None))
            return
        stack = self.backend.create_stack(f"StackSet-{self.stack_set.name}-{uuid.uuid4()}", template, parameters)
        try:
            _be_complete(stack)
        except AwsError:
            self.backend.delete_stack(stack.stack_id)
            raise
        self.stack_id = stack.stack_id

    def remove(self) -> None:
        self.backend.delete_stack(self.stack_id)
        self.forget()

    def forget(self) -> None:
        self.stack_set.stack_instances.remove(self)

    def detect_drift(self) -> None:
        stack = self.backend.stacks.get(self.stack_id)
        self.drift = _drift(stack) if stack else "NOT_CHECKED"

    def to_dict(self) -> dict[str, Any]:
        return {
            "StackSetId": self.stack_set.id,
            "StackId": self.stack_id,
            "Account": self.account_id,
            "Region": self.region_name,
            "Status": "CURRENT" if self.detailed == "SUCCEEDED" else "OUTDATED",
            "StatusReason": self.reason,
            "StackInstanceStatus": {"DetailedStatus": self.detailed},
            "ParameterOverrides": [{"ParameterKey": k, "ParameterValue": v} for k, v in self.overrides.items()],
            "DriftStatus": self.drift,
            "LastOperationId": self.operation_id,
        }


def operate_stack_sets() -> None:
    from moto.cloudformation.responses import CloudFormationResponse
    from moto.core.responses import ActionResult

    original_create = CloudFormationResponse.create_stack_set

    def create_stack_set(self: Any) -> ActionResult:
        backend, name = self.cloudformation_backend, self.params["StackSetName"]
        if any(each.name == name and each.status == "ACTIVE" for each in backend.stacksets.values()):
            raise AwsError("NameAlreadyExistsException", f"The Name already exists: {name}")
        created = original_create(self)
        made = backend.describe_stack_set(name)
        made.auto_deployment, made.targets = self.params.get("AutoDeployment", {"Enabled": False}), set()
        return created

    def operating(work: Callable[[Any, Parameters], dict[str, Any]]) -> Callable[[Any], ActionResult]:
        @functools.wraps(work)
        def respond(self: Any) -> ActionResult:
            stack_set = self.cloudformation_backend.describe_stack_set(self.params["StackSetName"])
            _refuse(stack_set, self.params)
            if url := self.params.get("TemplateURL"):
                self.params["TemplateBody"] = self._get_stack_from_s3_url(url)
            return ActionResult(work(stack_set, self.params))

        return respond

    CloudFormationResponse.create_stack_set = create_stack_set  # type: ignore[method-assign]
    for work in (
        create_stack_instances,
        update_stack_instances,
        update_stack_set,
        delete_stack_instances,
        list_stack_instances,
        detect_stack_set_drift,
        list_stack_set_operation_results,
    ):
        setattr(CloudFormationResponse, work.__name__, operating(work))


def follow_the_organization() -> None:
    """By AutoDeployment an account that comes below a unit of a set gets its stack, and one that goes loses it."""
    from moto.organizations.models import OrganizationsBackend

    def following(change: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(change)
        def changed(self: Any, **asked: Any) -> Any:
            result = change(self, **asked)
            for backend in list(cloudformation_backends[HUB].values()):
                for stack_set in list(backend.stacksets.values()):
                    if stack_set.status == "ACTIVE" and stack_set.auto_deployment["Enabled"]:
                        _follow(stack_set)
            return result

        return changed

    for name in ("create_account", "move_account", "remove_account_from_organization"):
        setattr(OrganizationsBackend, name, following(getattr(OrganizationsBackend, name)))


def _follow(stack_set: Any) -> None:
    wanted = {(account, region) for unit, region in stack_set.targets for account in _below([unit])}
    there = {(each.account_id, each.region_name): each for each in stack_set.stack_instances}
    gone = [there[place] for place in there.keys() - wanted]
    retain = stack_set.auto_deployment.get("RetainStacksOnAccountRemoval", False)
    _operate(stack_set, "DELETE", gone, _Instance.forget if retain else _Instance.remove, {})
    new = [_Instance(stack_set, *place, {}) for place in sorted(wanted - there.keys())]
    stack_set.stack_instances += new
    _operate(stack_set, "CREATE", new, _Instance.deploy, {})


def create_stack_instances(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    overrides = _resolved(parameters.get("ParameterOverrides", []), {})
    there = {(each.account_id, each.region_name): each for each in stack_set.stack_instances}
    instances = [
        there.get((account, region)) or _Instance(stack_set, account, region, overrides)
        for region in parameters["Regions"]
        for account in _accounts(stack_set, parameters)
    ]
    stack_set.stack_instances += [each for each in instances if each not in stack_set.stack_instances]
    stack_set.targets |= _units_in_regions(parameters)
    return _operate(stack_set, "CREATE", instances, _Instance.deploy, parameters)


def update_stack_instances(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    instances = _chosen(stack_set, parameters)
    if missing := len({*parameters["Regions"]}) * len(_accounts(stack_set, parameters)) - len(instances):
        raise AwsError("StackInstanceNotFoundException", f"{missing} stack instances do not exist.")
    for each in instances:
        each.overrides = _resolved(parameters.get("ParameterOverrides", []), each.overrides)
    return _operate(stack_set, "UPDATE", instances, _Instance.deploy, parameters)


def update_stack_set(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    """Of all its instances, or of those that are named; the others are outdated then."""
    text = str(stack_set.template) if parameters.get("UsePreviousTemplate") else parameters.get("TemplateBody", "")
    if not text:
        raise AwsError("ValidationError", "Either TemplateBody, TemplateURL or UsePreviousTemplate must be specified")
    given = _resolved(parameters.get("Parameters", []), stack_set.parameters)
    own = cloudformation_backends[stack_set.instances.account_id][REGION]
    stack_set.template, stack_set.parameters = judge(own, stack_set.name, text, given), given
    stack_set.auto_deployment = parameters.get("AutoDeployment", stack_set.auto_deployment)
    stack_set.description = parameters.get("Description", stack_set.description)
    stack_set.administration_role_arn = parameters.get("AdministrationRoleARN", stack_set.administration_role_arn)
    stack_set.execution_role_name = parameters.get("ExecutionRoleName", stack_set.execution_role_name)
    if "Tags" in parameters:
        stack_set.tags = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
    for each in stack_set.stack_instances:
        each.detailed = "PENDING"
    return _operate(stack_set, "UPDATE", _chosen(stack_set, parameters), _Instance.deploy, parameters)


def delete_stack_instances(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    remove = _Instance.forget if parameters["RetainStacks"] else _Instance.remove
    if "AccountFilterType" not in parameters.get("DeploymentTargets", {}):
        stack_set.targets -= _units_in_regions(parameters)
    return _operate(stack_set, "DELETE", _chosen(stack_set, parameters), remove, parameters)


def list_stack_instances(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    asked = {one["Name"]: one["Values"] for one in parameters.get("Filters", [])}
    asked |= {name: parameters[name] for name in ("StackInstanceAccount", "StackInstanceRegion") if name in parameters}

    def is_asked(each: _Instance) -> bool:
        has = {
            "DETAILED_STATUS": each.detailed,
            "LAST_OPERATION_ID": each.operation_id,
            "DRIFT_STATUS": each.drift,
            "StackInstanceAccount": each.account_id,
            "StackInstanceRegion": each.region_name,
        }
        return asked.items() <= has.items()

    return {"Summaries": [each.to_dict() for each in stack_set.stack_instances if is_asked(each)]}


def detect_stack_set_drift(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    return _operate(stack_set, "DETECT_DRIFT", stack_set.stack_instances, _Instance.detect_drift, parameters)


def list_stack_set_operation_results(stack_set: Any, parameters: Parameters) -> dict[str, Any]:
    return {"Summaries": stack_set.get_operation(parameters["OperationId"])["Results"]}


def _operate(
    stack_set: Any, action: str, instances: Iterable[_Instance], do: Callable[[_Instance], None], parameters: Parameters
) -> dict[str, Any]:
    """In each region all accounts, until more have failed than are tolerated; the rest is cancelled."""
    instances, preferences = list(instances), parameters.get("OperationPreferences", {})
    operation_id, failed, results = parameters.get("OperationId") or str(uuid.uuid4()), dict[str, int](), []
    for each in instances:
        among = sum(other.region_name == each.region_name for other in instances)
        tolerated = int(preferences.get("FailureTolerancePercentage", 0)) * among // 100
        if any(count > int(preferences.get("FailureToleranceCount", tolerated)) for count in failed.values()):
            status, reason = "CANCELLED", "Cancelled since failure tolerance has exceeded"
        else:
            status, reason = _attempt(do, each)
            failed[each.region_name] = failed.get(each.region_name, 0) + (status == "FAILED")
        each.operation_id = operation_id
        if action != "DETECT_DRIFT":
            each.detailed, each.reason = status, reason
        results.append(
            {"Account": each.account_id, "Region": each.region_name, "Status": status, "StatusReason": reason}
        )
    ended = (
        "FAILED"
        if any(result["Status"] == "CANCELLED" for result in results) or _none_succeeded(results)
        else "SUCCEEDED"
    )
    now = {"CreationTimestamp": utcnow(), "EndTimestamp": utcnow()}
    stack_set.operations.append(
        {"OperationId": operation_id, "Action": action, "Status": ended, "Results": results, **now}
    )
    return {"OperationId": operation_id}


def _none_succeeded(results: list[dict[str, str]]) -> bool:
    return bool(results) and all(result["Status"] != "SUCCEEDED" for result in results)


def _attempt(do: Callable[[_Instance], None], instance: _Instance) -> tuple[str, str]:
    try:
        do(instance)
    except (ServiceException, HTTPException) as error:
        return "FAILED", getattr(error, "message", None) or str(error)
    return "SUCCEEDED", ""


def _be_complete(stack: Any) -> None:
    if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        reasons = [event.resource_status_reason for event in stack.events if event.resource_status.endswith("_FAILED")]
        raise AwsError("ValidationError", reasons[-1] if reasons else f"The stack is {stack.status}")


def _be_let_in(stack_set: Any, account: str) -> None:
    """In AWS each account has an execution role that trusts the administration role, or the organization does it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html
    """
    own, administrator = stack_set.instances.account_id, stack_set.administration_role_arn
    if stack_set.permission_model == "SERVICE_MANAGED" or account == own:
        return
    arn = f"arn:aws:iam::{account}:role/{stack_set.execution_role_name}"
    role, is_own = find_role(arn), resources.owner_of(administrator, "") == own
    if not lets_in(role.assume_role_policy_document if role and is_own else None, administrator, "sts:AssumeRole", arn):
        message = f"Account {account} should have '{stack_set.execution_role_name}' role with trust relationship"
        raise AwsError("ValidationError", f"{message} to Role '{administrator.rpartition('/')[2]}'.")


def _refuse(stack_set: Any, parameters: Parameters) -> None:
    if stack_set.permission_model == "SERVICE_MANAGED" and stack_set.instances.account_id != HUB:
        raise AwsError("ValidationError", "Only the management account can operate a SERVICE_MANAGED stack set")
    if parameters.get("CallAs") == "DELEGATED_ADMIN" or "AccountsUrl" in parameters.get("DeploymentTargets", {}):
        raise AwsError(
            "ValidationError", "The sandbox has no delegated administrators of stack sets, and no AccountsUrl."
        )


def _accounts(stack_set: Any, parameters: Parameters) -> list[str]:
    """Below the units at any depth, but for the management account; or those that are named."""
    targets = parameters.get("DeploymentTargets", {})
    named, units = [*parameters.get("Accounts", []), *targets.get("Accounts", [])], targets.get("OrganizationalUnitIds")
    if stack_set.permission_model != "SERVICE_MANAGED":
        if units:
            raise AwsError(
                "ValidationError", "StackSets with SELF_MANAGED permission model can only have accounts as target"
            )
        return named
    if not units:
        raise AwsError("ValidationError", "OrganizationalUnitIds are required")
    backend: Any = organization.managing(HUB)
    members = [each.id for each in backend.accounts if each.id != HUB]
    if unknown := sorted({*units} - {unit.id for unit in backend.ou}):
        raise AwsError("ValidationError", f"OrganizationalUnits do not exist: {', '.join(unknown)}")
    below = _below(units)
    match targets.get("AccountFilterType", "NONE"):
        case "INTERSECTION":
            return [each for each in below if each in named]
        case "DIFFERENCE":
            return [each for each in below if each not in named]
        case "UNION":
            return [*below, *(each for each in members if each in named and each not in below)]
    return below


def _below(units: Iterable[str]) -> list[str]:
    """The accounts below these units at any depth, but for the management account."""
    backend: Any = organization.managing(HUB)
    accounts = [each.id for each in backend.accounts if each.id != HUB and not organization.is_closed(each.id)]
    return [each for each in accounts if {*units} & {*(organization.path_of(each) or "").split("/")}]


def _units_in_regions(parameters: Parameters) -> set[tuple[str, str]]:
    units = parameters.get("DeploymentTargets", {}).get("OrganizationalUnitIds", [])
    return {(unit, region) for unit in units for region in parameters["Regions"]}


def _chosen(stack_set: Any, parameters: Parameters) -> list[_Instance]:
    """All, if neither accounts nor regions are named."""
    accounts: Any = None
    if parameters.get("Accounts") or parameters.get("DeploymentTargets"):
        accounts = _accounts(stack_set, parameters)
    regions = parameters.get("Regions")
    return [
        each
        for each in stack_set.stack_instances
        if (accounts is None or each.account_id in accounts) and (not regions or each.region_name in regions)
    ]


def _resolved(given: Iterable[Parameters], previous: dict[str, str]) -> dict[str, str]:
    """What is left out, or has no previous value, has the template's default."""
    new = {each["ParameterKey"]: each["ParameterValue"] for each in given if "ParameterValue" in each}
    kept = {each["ParameterKey"] for each in given if each.get("UsePreviousValue")} & {*previous}
    return {**new, **{key: previous[key] for key in kept}}


def _drift(stack: Any) -> str:
    """Of roles and their policies; other resources are not looked at, as in AWS not every kind is."""
    from moto.cloudformation.parsing import parse_resource

    roles, found = iam_backends[stack.account_id][PARTITION].roles.values(), []
    for name, resource in stack.template_dict["Resources"].items():
        made = stack.resource_map._parsed_resources.get(name)
        if not made or resource["Type"] not in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            continue
        _, parsed, _ = parse_resource(copy.deepcopy(resource), stack.resource_map)
        properties = parsed["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            found.append(not any(role is made and _is_as(role, properties) for role in roles))
        else:
            policy, wanted = properties["PolicyName"], json.loads(as_json(properties["PolicyDocument"]))
            holders = [role for role in roles if role.name in properties.get("Roles", [])]
            found += [json.loads(role.policies.get(policy, "null")) != wanted for role in holders]
    return "DRIFTED" if any(found) else "IN_SYNC" if found else "NOT_CHECKED"


def _is_as(role: Any, properties: Parameters) -> bool:
    trust = json.loads(role.assume_role_policy_document) == json.loads(as_json(properties["AssumeRolePolicyDocument"]))
    attached = properties.get("ManagedPolicyArns")
    return trust and (attached is None or {*attached} == {*role.managed_policies})
