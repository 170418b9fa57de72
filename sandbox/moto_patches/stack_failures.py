"""CloudFormation: a stack that cannot be made or updated has failed, says why, and is rolled back."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws_errors import AwsError


class _ResourceFailed(Exception):
    def __init__(self, logical_id: str, kind: str, cause: Exception) -> None:
        super().__init__(_reason(cause))
        self.logical_id, self.kind = logical_id, kind


def _reason(error: Exception) -> str:
    if isinstance(error, _ResourceFailed):
        return str(error)
    told = getattr(error, "message", "") or getattr(error, "description", "")
    return str(told) if told else f"The sandbox's CloudFormation (moto 5.2.5) raised {type(error).__name__}: {error}"


def roll_back_what_fails() -> None:
    # Where a resource cannot be made, moto answers HTTP 500 and leaves the stack as far as it came. A resource of which
    # it has no update vanishes from the stack. Can go when moto rolls back, and updates or refuses.
    from moto.cloudformation import parsing
    from moto.cloudformation.models import CloudFormationBackend

    create, update = parsing.parse_and_create_resource, parsing.parse_and_update_resource
    create_stack, update_stack = CloudFormationBackend.create_stack, CloudFormationBackend.update_stack
    execute = CloudFormationBackend.execute_change_set

    def create_resource(logical_id: str, resource: Any, resources: Any, **place: str) -> Any:
        with _naming(logical_id, resource):
            made = create(logical_id, resource, resources, **place)
            if made is not None:
                made.properties_of_stack = _properties(resource, resources)
            return made

    def update_resource(logical_id: str, resource: Any, resources: Any, **place: str) -> Any:
        with _naming(logical_id, resource):
            made = resources._parsed_resources.get(logical_id)
            properties = _properties(resource, resources)
            if made is not None and not _has_update(resource["Type"]) and _is_wanted(resource, resources):
                if made.properties_of_stack == properties:
                    return made
                message = "The sandbox's CloudFormation (moto 5.2.5) cannot update this type. Give the changed resource"
                raise AwsError("ValidationError", f"{message} another logical id, or delete the stack first.")
            updated = update(logical_id, resource, resources, **place)
            if updated is not None:
                updated.properties_of_stack = properties
            return updated

    def created(self: Any, name: str, template: str, parameters: Any, **more: Any) -> Any:
        before = {*self.stacks}
        try:
            return create_stack(self, name, template, parameters, **more)
        except Exception as error:
            made = [stack for key, stack in self.stacks.items() if key not in before]
            if not made:  # it was refused
                raise
            _undo_creation(made[-1], error)
            return made[-1]

    def updated(self: Any, name: str, *arguments: Any) -> Any:
        stack = self.get_stack(name)
        with _undoing_update(stack):
            update_stack(self, name, *arguments)
        return stack

    def executed(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        change_set.execution_status = "EXECUTE_FAILED"
        if change_set.change_set_type == "UPDATE":
            with _undoing_update(stack):
                execute(self, change_set_name, stack_name)
            return
        try:
            execute(self, change_set_name, stack_name)
        except Exception as error:
            stack.template = change_set.template
            _undo_creation(stack, error)

    backend: Any = CloudFormationBackend
    backend.create_stack, backend.update_stack, backend.execute_change_set = created, updated, executed
    parsing.parse_and_create_resource = create_resource  # type: ignore[assignment]
    parsing.parse_and_update_resource = update_resource  # type: ignore[assignment]


@contextlib.contextmanager
def _naming(logical_id: str, resource: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except _ResourceFailed:  # another one, which this one needs
        raise
    except Exception as error:
        raise _ResourceFailed(logical_id, resource["Type"], error) from error


def _properties(resource: Mapping[str, Any], resources: Any) -> Any:
    from moto.cloudformation.parsing import clean_json

    return clean_json(resource.get("Properties", {}), resources)


def _has_update(kind: str) -> bool:
    from moto.cloudformation.parsing import resource_class_from_type

    return not hasattr(resource_class_from_type(kind).update_from_cloudformation_json, "__isabstractmethod__")


def _is_wanted(resource: Mapping[str, Any], resources: Any) -> bool:
    condition = resource.get("Condition")
    return not condition or bool(resources.lazy_condition_map[condition])


def _undo_creation(stack: Any, error: Exception) -> None:
    _tell(stack, error, "CREATE_FAILED")
    stack._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=_summary(error, "create"))
    stack.status = _after(stack.resource_map.delete, stack, "ROLLBACK")
    stack.resource_map._resource_json_map = {}  # whoever looks at the resources would make them
    stack.output_map._output_json_map = {}


@contextlib.contextmanager
def _undoing_update(stack: Any) -> Iterator[None]:
    resources = stack.resource_map
    template, document, texts = stack.template, resources._template, dict(resources.input_parameters)
    try:
        yield
    except Exception as error:
        _tell(stack, error, "UPDATE_FAILED")
        stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=_summary(error, "update"))
        stack.template, stack.template_dict, stack.parameters = template, document, texts
        stack.status = _after(lambda: resources.update(document, texts), stack, "UPDATE_ROLLBACK")
        stack.output_map = stack._create_output_map()


def _after(undo: Any, stack: Any, kind: str) -> str:
    try:
        undo()
        status, reason = f"{kind}_COMPLETE", None
    except Exception as error:
        status, reason = f"{kind}_FAILED", _reason(error)
    stack._add_stack_event(status, resource_status_reason=reason)
    return status


def _tell(stack: Any, error: Exception, status: str) -> None:
    from moto.cloudformation.models import Event

    if isinstance(error, _ResourceFailed):
        made = stack.resource_map._parsed_resources.get(error.logical_id)
        stack.events.append(
            Event(
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_resource_id=error.logical_id,
                physical_resource_id=getattr(made, "physical_resource_id", "") or "",
                resource_type=error.kind,
                resource_status=status,
                resource_status_reason=str(error),
                resource_properties=None,
            )
        )


def _summary(error: Exception, kind: str) -> str:
    if isinstance(error, _ResourceFailed):
        return f"The following resource(s) failed to {kind}: [{error.logical_id}]. {error}"
    return _reason(error)
