"""CloudFormation: a stack that cannot be made, updated or deleted has failed, says why, and is rolled back."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.callers import PARTITION
from sandbox.moto_patches.stacks.deletions import importing
from sandbox.moto_patches.stacks.left_out import tell
from sandbox.moto_patches.stacks.policies import LOOKED_AT


class _ResourceFailed(Exception):
    def __init__(self, logical_id: str, kind: str, cause: Exception) -> None:
        super().__init__(_reason(cause))
        self.logical_id, self.kind = logical_id, kind


def _reason(error: Exception) -> str:
    if isinstance(error, _ResourceFailed):
        return str(error)
    told = getattr(error, "message", "") or getattr(error, "description", "")
    return str(told) if told else f"The sandbox's CloudFormation (moto 5.2.5) raised {type(error).__name__}: {error}"


def make_or_refuse_resources() -> None:
    # A resource of which moto has no update, or not of a property, vanishes from the stack or stays as it was, and one
    # of which it has no deletion remains. Can go when it updates or refuses.
    from moto.cloudformation import parsing

    warnings.filterwarnings("ignore", message="Unable to delete .* never created")  # what failed is taken back
    create, update = parsing.parse_and_create_resource, parsing.parse_and_update_resource
    delete, delete_by_name = parsing.ResourceMap._delete_resource, parsing.parse_and_delete_resource

    def create_resource(logical_id: str, resource: Any, resources: Any, **place: str) -> Any:
        with _naming(logical_id, resource):
            made = create(logical_id, resource, resources, **place)
            if made is not None:
                made.properties_of_stack = _properties(resource, resources)
            return made

    def update_resource(logical_id: str, resource: Any, resources: Any, **place: str) -> Any:
        with _naming(logical_id, resource):
            made = resources._parsed_resources.get(logical_id)
            wanted = _is_wanted(resource, resources)
            properties = _properties(resource, resources) if wanted else {}
            if made is not None and wanted:
                old, followed = made.properties_of_stack, _followed(resource["Type"])
                changed = {name for name in old | properties if old.get(name) != properties.get(name)}
                if not changed and made.cf_resource_type not in LOOKED_AT:
                    return made
                if followed is not None and (others := sorted(changed - {*followed})):
                    raise _cannot_update(others)
            updated = update(logical_id, resource, resources, **place)
            if made is not None and wanted and getattr(updated, "properties_of_stack", None) != properties:
                left_out, updated.left_out = resources.watched.unseen(changed), made.left_out
                if others := sorted(left_out - made.left_out):
                    raise _cannot_update(others)
                tell(updated, left_out, resources, "UPDATE_COMPLETE")
            if updated is not None:
                updated.properties_of_stack = properties
            return updated

    def delete_resource(self: Any, made: Any, resource: Any) -> None:
        with _naming(getattr(made, "logical_resource_id", ""), resource):
            delete(self, made, resource)

    def delete_resource_by_name(name: str, resource: Any, *place: str) -> None:
        model = parsing.resource_class_from_type(resource["Type"])
        if hasattr(model.delete_from_cloudformation_json, "__isabstractmethod__"):
            message = f"The sandbox's CloudFormation (moto 5.2.5) cannot delete {resource['Type']}."
            raise AwsError("ValidationError", f"{message} Delete {name} itself, and the stack with RetainResources.")
        delete_by_name(name, resource, *place)

    parsing.parse_and_create_resource = create_resource  # type: ignore[assignment]
    parsing.parse_and_update_resource = update_resource  # type: ignore[assignment]
    parsing.ResourceMap._delete_resource = delete_resource  # type: ignore[method-assign]
    parsing.parse_and_delete_resource = delete_resource_by_name


def roll_back_stacks() -> None:
    # Where a resource cannot be made, moto answers HTTP 500 and leaves the stack as far as it came. Can go when it
    # rolls back.
    from moto.cloudformation.models import CloudFormationBackend

    create_stack, update_stack = CloudFormationBackend.create_stack, CloudFormationBackend.update_stack

    def created(self: Any, name: str, template: str, parameters: Any, **more: Any) -> Any:
        before = {*self.stacks}
        try:
            return create_stack(self, name, template, parameters, **more)
        except Exception as error:
            made = [stack for key, stack in self.stacks.items() if key not in before and stack.name == name]
            if not made:  # it was refused
                raise
            _undo_creation(self, made[0], error)
            return made[0]

    def updated(self: Any, name: str, *arguments: Any) -> Any:
        stack = self.get_stack(name)
        check_updatable(stack)
        stack.resource_map.cross_stack_resources = self.exports
        with _undoing_update(self, stack):
            update_stack(self, name, *arguments)
        return stack

    backend: Any = CloudFormationBackend
    backend.create_stack, backend.update_stack = created, updated


def check_updatable(stack: Any) -> None:
    if stack.status == "ROLLBACK_COMPLETE" or stack.status.endswith("_FAILED"):
        message = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        raise AwsError("ValidationError", message)


def roll_back_change_sets() -> None:
    # The same of change sets, whose stacks export and import nothing in moto. Can go when it rolls back and exports.
    from moto.cloudformation.models import CloudFormationBackend

    execute = CloudFormationBackend.execute_change_set

    def executed(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        stack.resource_map.cross_stack_resources = self.exports
        change_set.execution_status = "EXECUTE_FAILED"
        if change_set.change_set_type == "UPDATE":
            with _undoing_update(self, stack):
                execute(self, change_set_name, stack_name)
            return
        try:
            execute(self, change_set_name, stack_name)
            _export(self, stack)
        except Exception as error:
            stack.template = change_set.template
            _undo_creation(self, stack, error)

    CloudFormationBackend.execute_change_set = executed  # type: ignore[method-assign]


def keep_what_cannot_be_deleted() -> None:
    # Where a resource cannot be deleted, moto answers HTTP 500, and the stack is gone. Can go when it is DELETE_FAILED.
    from moto.cloudformation.models import CloudFormationBackend

    delete_stack = CloudFormationBackend.delete_stack

    def deleted(self: Any, name_or_id: str) -> None:
        if (stack := self.stacks.get(name_or_id)) is None:
            delete_stack(self, name_or_id)  # which finds its id and comes back
            return
        outputs, stack.output_map._output_json_map = stack.output_map._output_json_map, {}
        try:
            _export(self, stack)  # nothing any more
            delete_stack(self, name_or_id)
        except Exception as error:
            self.stacks[name_or_id], stack.status = stack, "DELETE_FAILED"
            stack.output_map._output_json_map = outputs
            _tell(stack, error, "DELETE_FAILED")
            stack._add_stack_event("DELETE_FAILED", resource_status_reason=_summary(error, "delete"))

    CloudFormationBackend.delete_stack = deleted  # type: ignore[method-assign, assignment]


def fail_with_nested_stacks() -> None:
    # In moto a stack goes on without its nested stack that failed, whose tags it drops. Can go when it fails, too.
    from moto.cloudformation.models import Stack

    nest = Stack.create_from_cloudformation_json

    def create_nested(_cls: Any, *arguments: Any, **more: Any) -> Any:
        made = nest(*arguments, **more)
        if made.status != "CREATE_COMPLETE":
            reasons = [event.resource_status_reason for event in made.events if "ROLLBACK" in event.resource_status]
            message = f"Embedded stack {made.stack_id} was not successfully created: {reasons[0]}"
            made.delete_from_cloudformation_json(made.stack_id, {}, made.account_id, made.region_name)
            raise AwsError("ValidationError", message)
        made.tags = {tag["Key"]: tag["Value"] for tag in arguments[1]["Properties"].get("Tags", [])}
        return made

    Stack.create_from_cloudformation_json = classmethod(create_nested)  # type: ignore[method-assign, assignment]


def _cannot_update(names: list[str]) -> AwsError:
    message = f"The sandbox's CloudFormation (moto 5.2.5) cannot update {', '.join(names)} of this type."
    return AwsError(
        "ValidationError", f"{message} Give the changed resource another logical id, or delete the stack first."
    )


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


def _followed(kind: str) -> tuple[str, ...] | None:
    """The properties that an update changes; None if it is moto's own."""
    from moto.cloudformation.parsing import resource_class_from_type

    model: Any = resource_class_from_type(kind)
    has_update = not hasattr(model.update_from_cloudformation_json, "__isabstractmethod__")
    return getattr(model, "followed", None if has_update else ())


def _is_wanted(resource: Mapping[str, Any], resources: Any) -> bool:
    condition = resource.get("Condition")
    return not condition or bool(resources.lazy_condition_map[condition])


def _export(backend: Any, stack: Any) -> None:
    before = {
        name: export.value for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id
    }
    after = {export.name: export.value for export in stack.exports}
    for name in [name for name, value in before.items() if after.get(name) != value]:
        if users := [*importing(backend, name)]:
            verb = "updated" if name in after else "deleted"
            message = f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}"
            raise AwsError("ValidationError", message)
    _withdraw_exports(backend, stack)
    for export in stack.exports:
        if export.name in backend.exports:
            message = f"Export with name {export.name} is already exported by another stack"
            raise AwsError("ValidationError", message)
        backend.exports[export.name] = export


def _withdraw_exports(backend: Any, stack: Any) -> None:
    for name, export in [*backend.exports.items()]:
        if export.exporting_stack_id == stack.stack_id:
            del backend.exports[name]


def _undo_creation(backend: Any, stack: Any, error: Exception) -> None:
    _withdraw_exports(backend, stack)
    _tell(stack, error, "CREATE_FAILED")
    stack._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=_summary(error, "create"))
    stack.status = _after(stack.resource_map.delete, stack, "ROLLBACK")
    stack.resource_map._resource_json_map = {}  # whoever looks at the resources would make them
    stack.output_map._output_json_map = {}


@contextlib.contextmanager
def _undoing_update(backend: Any, stack: Any) -> Iterator[None]:
    resources = stack.resource_map
    template, document, texts = stack.template, resources._template, dict(resources.input_parameters)
    made = dict(resources._parsed_resources)
    try:
        yield
        _export(backend, stack)
    except Exception as error:
        _put_back_buckets(made, resources._parsed_resources)
        for name in {*document["Resources"]} - {*resources.resources}:  # moto deletes first: make them again
            resources._parsed_resources.pop(name, None)
        _tell(stack, error, "UPDATE_FAILED")
        stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=_summary(error, "update"))
        stack.template, stack.template_dict, stack.parameters = template, document, texts
        stack.status = _after(lambda: resources.update(document, texts), stack, "UPDATE_ROLLBACK")
        stack.output_map = stack._create_output_map()
        _export(backend, stack)


def _put_back_buckets(made: Mapping[str, Any], now: dict[str, Any]) -> None:
    """Those that were replaced and are still there, because they have objects, in place of the new ones."""
    from moto.s3.models import FakeBucket, s3_backends

    for name, old in made.items():
        if isinstance(old, FakeBucket) and now.get(name) is not old:
            backend = s3_backends[old.account_id][PARTITION]
            if backend.buckets.get(old.name) is old:
                if isinstance(new := now.get(name), FakeBucket):
                    backend.delete_bucket(new.name)
                now[name] = old


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
