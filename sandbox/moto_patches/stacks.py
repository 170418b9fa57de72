"""CloudFormation: change sets, and templates parsed only once."""

import copy
import functools
import json
import re
from datetime import date
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


def parse_templates_once() -> None:
    # moto parses each stack's template with YAML in plain Python, 40 ms each: too slow for hundreds of accounts with
    # the same template. Delete this when moto parses with libyaml or caches.
    from moto.cloudformation.models import Stack

    parsed = functools.lru_cache(maxsize=32)(Stack.parse_template)
    Stack.parse_template = staticmethod(lambda template: copy.deepcopy(parsed(template)))  # type: ignore[method-assign]


def as_json(document: Any) -> str:
    def plain(value: Any) -> str:
        if isinstance(value, date):  # YAML reads Version: 2012-10-17 as a date
            return value.isoformat()
        raise TypeError(f"not JSON: {value!r}")

    return document if isinstance(document, str) else json.dumps(document, default=plain)


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
