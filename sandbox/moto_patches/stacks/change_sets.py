"""CloudFormation: change sets, and what is in a stack."""

import re
from typing import Any


def see_parameters_in_substitutions() -> None:
    # An update with the same template and another parameter leaves a resource as it is that names the parameter in
    # Fn::Sub alone. Can go when moto finds these references.
    from moto.cloudformation import parsing

    original = parsing.get_references_from_template

    def references(template: Any) -> list[str]:  # the original calls this for each part
        text = template.get("Fn::Sub", "") if isinstance(template, dict) else ""
        return [*original(template), *re.findall(r"\$\{(\w+)", text[0] if isinstance(text, list) else text)]

    parsing.get_references_from_template = references


def list_only_what_is_there() -> None:
    # moto lists, without names, also the resources that a condition excludes, makes again what it lists and is deleted,
    # and a nested stack has no ARN and no outputs. Can go when moto lists what is there, and has both.
    from moto.cloudformation.models import Stack

    def output(self: Any, name: str) -> Any:
        found = {one["OutputKey"]: one["OutputValue"] for one in self.outputs or []}
        return found[name.removeprefix("Outputs.")]

    def there(self: Any) -> list[Any]:
        made = self.resource_map._parsed_resources
        return [made[name] for name in self.resource_map.resources if made.get(name) is not None]

    Stack.stack_resources = property(there)  # type: ignore[method-assign, assignment]
    Stack.get_cfn_attribute = output  # type: ignore[attr-defined]
    Stack.physical_resource_id = property(lambda self: self.stack_id)  # type: ignore[method-assign, assignment]


def apply_change_sets_whole() -> None:
    # `aws cloudformation deploy` uses change sets. In moto a stack then has no outputs, and an update creates,
    # changes or keeps resources that a condition excludes. Delete this when moto follows the template.
    from moto.cloudformation import parsing
    from moto.cloudformation.models import ChangeSet

    original_apply, original_update = ChangeSet.apply, parsing.parse_and_update_resource

    def apply(self: Any) -> None:
        self.stack.template_dict = self.template_dict
        original_apply(self)
        self.stack.output_map = self.stack._create_output_map()

    def update(logical_id: str, resource_json: dict[str, Any], resources_map: Any, **place: str) -> Any:
        condition = resource_json.get("Condition")
        if condition and not resources_map.lazy_condition_map[condition]:
            if made := resources_map._parsed_resources.get(logical_id):
                resources_map._delete_resource(made, resource_json)
            return None
        if resources_map[logical_id] is None:
            return parsing.parse_and_create_resource(logical_id, resource_json, resources_map, **place)
        return original_update(logical_id, resource_json, resources_map, **place)

    ChangeSet.apply = apply  # type: ignore[method-assign]
    parsing.parse_and_update_resource = update  # type: ignore[assignment]


def list_change_sets_of_a_stack() -> None:
    # moto lists those of every stack. Can go when it lists the stack's.
    from moto.cloudformation.responses import ActionResult, CloudFormationResponse

    def list_change_sets(self: Any) -> Any:
        backend = self.cloudformation_backend
        stack = backend.get_stack(self._get_param("StackName"))
        found = [one for one in backend.change_sets.values() if one.stack_id == stack.stack_id]
        return ActionResult({"Summaries": found})

    CloudFormationResponse.list_change_sets = list_change_sets  # type: ignore[method-assign]
