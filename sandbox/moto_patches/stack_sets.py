"""CloudFormation: a stack set's update reaches the stacks."""

import uuid
from collections.abc import Sequence
from typing import Any

from moto.cloudformation.exceptions import StackInstanceNotFound

from sandbox.moto_patches.back_doors import check_trust
from sandbox.moto_patches.stack_parameters import texts


def update_stacks_of_stack_sets() -> None:
    # moto's update of a stack set changes what it tells of the set, and none of its stacks; overrides replace the set's
    # parameters instead of adding to them. Can go when moto updates the stacks.
    from moto.cloudformation.models import Stack, StackSet

    create = StackSet.create_stack_instances

    def create_stack_instances(self: Any, parameters: list[dict[str, Any]], **where: Any) -> str:
        before = [*self.stack_instances]
        merged = self.parameters | {one["ParameterKey"]: one["ParameterValue"] for one in parameters or []}
        operation = create(self, parameters=merged, **where)  # type: ignore[arg-type]
        for instance in self.instances.stack_instances:
            if instance not in before:
                instance.parameters = parameters or []
        return operation

    def update(
        self: Any, template: str, description: str, parameters: dict[str, str], tags: dict[str, str], **more: Any
    ) -> Any:
        new = template or self.template
        parameters = texts(Stack.parse_template(new), parameters)
        chosen = _chosen(self, more["accounts"], more["regions"])
        self.template = self.instances.template = new
        self.parameters = self.instances.parameters = parameters
        self.description, self.tags = description or self.description, tags or self.tags
        self.administration_role_arn = more["admin_role"] or self.administration_role_arn
        self.execution_role_name = more["execution_role"] or self.execution_role_name
        return _updated(self, chosen, more["operation_id"])

    def update_instances(self: Any, accounts: list[str], regions: list[str], parameters: list[dict[str, Any]]) -> Any:
        chosen = _chosen(self, accounts, regions)
        for instance in chosen:
            instance.parameters = parameters or []
        return _updated(self, chosen, None)

    StackSet.create_stack_instances = create_stack_instances  # type: ignore[method-assign, assignment]
    StackSet.update = update  # type: ignore[method-assign, assignment]
    StackSet.update_instances = update_instances  # type: ignore[method-assign]


def _chosen(stack_set: Any, accounts: Sequence[str], regions: Sequence[str]) -> list[Any]:
    """The stacks that an operation names, or all."""
    if not accounts or not regions:
        return list(stack_set.stack_instances)
    found = [stack_set.instances.get_instance(account, region) for account in accounts for region in regions]
    if None in found:
        raise StackInstanceNotFound
    return found


def _updated(stack_set: Any, instances: Sequence[Any], operation_id: str | None) -> Any:
    from moto.cloudformation.models import cloudformation_backends

    of_roles = [one for one in instances if one.permission_model != "SERVICE_MANAGED"]
    check_trust(stack_set, [instance.account_id for instance in of_roles])
    for instance in instances:
        given = stack_set.parameters | {one["ParameterKey"]: one["ParameterValue"] for one in instance.parameters}
        if instance.permission_model == "SERVICE_MANAGED":  # moto keeps its stack apart
            instance.stack.update(stack_set.template, None, given)
        else:
            backend = cloudformation_backends[instance.account_id][instance.region_name]
            parameters = [{"ParameterKey": name, "ParameterValue": text} for name, text in given.items()]
            backend.update_stack(instance.stack.name, stack_set.template, None, parameters, None)
    failed = any(instance.stack.status != "UPDATE_COMPLETE" for instance in instances)
    return stack_set._create_operation(
        operation_id=operation_id or str(uuid.uuid4()),
        action="UPDATE",
        status="FAILED" if failed else "SUCCEEDED",
        accounts=[instance.account_id for instance in instances],
        regions=sorted({instance.region_name for instance in instances}),
    )
