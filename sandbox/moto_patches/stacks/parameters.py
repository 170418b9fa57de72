"""CloudFormation: a stack's parameters are kept as the texts that were given, or else their defaults."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.reading import as_texts


def keep_parameters_as_text() -> None:
    # moto keeps a list parameter as a list, which its next update splits again: HTTP 500. It does not split a list's
    # default, ignores AllowedPattern, MinLength and the like, takes the name of a parameter of SSM for its value, and
    # keeps what an update leaves out, where AWS takes the default. Can go when moto does as AWS does in each of these.
    from moto.cloudformation.models import Stack
    from moto.cloudformation.parsing import ResourceMap

    original_load, original_update = ResourceMap.load_parameters, ResourceMap.update
    original_ssm = ResourceMap.parse_ssm_parameter

    def load_parameters(self: Any) -> None:
        self.input_parameters = texts(self._template, self.input_parameters)
        self.resolved_parameters.clear()
        original_load(self)
        for name, value in self.resolved_parameters.items():
            if isinstance(value, list):
                self.resolved_parameters[name] = [one.strip() if isinstance(one, str) else one for one in value]
        self._parsed_resources.update(self.resolved_parameters)

    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        original_update(self, template, texts(template, parameters or {}))

    def parameter_list(self: Any) -> list[dict[str, Any]]:
        hidden, resolved = self.resource_map.no_echo_parameter_keys, self.resource_map.resolved_parameters
        slots = self.template_dict.get("Parameters", {})  # empty, if the stack has a change set only
        found = []
        for name, rules in slots.items():
            text = self.resource_map.input_parameters[name]
            found.append({"ParameterKey": name, "ParameterValue": "****" if name in hidden else text})
            if rules["Type"].startswith("AWS::SSM::Parameter::Value"):
                found[-1]["ResolvedValue"] = _text(resolved[name])
        return found

    def parse_ssm_parameter(self: Any, name: str, kind: str) -> Any:
        if kind == "AWS::SSM::Parameter::Name":
            return name
        try:
            return original_ssm(self, name, kind)
        except AttributeError:
            message = f"Unable to fetch parameters [{name}] from parameter store for this account."
            raise AwsError("ValidationError", message) from None

    ResourceMap.parse_ssm_parameter = parse_ssm_parameter  # type: ignore[method-assign]
    ResourceMap.load_parameters = load_parameters  # type: ignore[method-assign]
    ResourceMap.update = update  # type: ignore[method-assign]
    Stack.parameter_list = property(parameter_list)  # type: ignore[method-assign, assignment]


def update_from_previous_parameters() -> None:
    # moto knows the previous value only of what the latest `update-stack` gave, and compares with that, so that a stack
    # of change sets does not change back. Creating a change set without changes it refuses, where AWS makes a failed
    # one, which `aws cloudformation deploy` waits for. Can go when moto does as AWS does.
    from moto.cloudformation.models import CloudFormationBackend, Stack
    from moto.cloudformation.responses import CloudFormationResponse

    def has_parameters(self: Any, others: dict[str, Any]) -> bool:
        return bool(self.resource_map.input_parameters == texts(self.template_dict, others))

    def resolve(_self: Any, instance: Any, incoming_params: list[dict[str, Any]]) -> dict[str, Any]:
        previous = instance.stack_parameters if isinstance(instance, Stack) else _Previous(instance.parameters)
        return {
            one["ParameterKey"]: previous[one["ParameterKey"]] if one.get("UsePreviousValue") else one["ParameterValue"]
            for one in incoming_params
        }

    def validate(self: Any, incoming_params: list[dict[str, Any]], template: str, stack: Any) -> None:
        if self._get_action() != "UpdateStack" or not template or not stack.has_template(template):
            return
        given = self.cloudformation_backend._resolve_update_parameters(stack, incoming_params)
        if stack.has_parameters(given) and not self._get_param("Tags"):
            raise AwsError("ValidationError", "No updates are to be performed.")

    previous = property(lambda self: _Previous(self.resource_map.input_parameters))
    Stack.stack_parameters = previous  # type: ignore[method-assign, assignment]
    Stack.has_parameters = has_parameters  # type: ignore[method-assign]
    CloudFormationBackend._resolve_update_parameters = resolve  # type: ignore[method-assign]
    CloudFormationResponse._validate_different_update = validate  # type: ignore[method-assign, assignment]


class _Previous(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        message = f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter"
        raise AwsError("ValidationError", f"{message} key not in the previous template")


def texts(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """The template's parameters, in its order, each as it was given or else its default; raises for a wrong one."""
    if not template:  # of a stack that has a change set only
        return dict(given)
    slots = template.get("Parameters") or {}
    if untyped := [name for name, rules in slots.items() if "Type" not in rules]:
        message = f"[/Parameters/{untyped[0]}] Every Parameters object must contain a Type member."
        raise AwsError("ValidationError", f"Template format error: {message}")
    if unknown := [name for name in given if name not in slots]:
        raise AwsError("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: given.get(name, rules.get("Default")) for name, rules in slots.items()}
    if missing := [name for name, value in values.items() if value is None]:
        raise AwsError("ValidationError", f"Parameters: [{', '.join(missing)}] must have values")
    found = {name: _text(value) for name, value in values.items()}
    for name, rules in slots.items():
        kind = rules["Type"]
        for value in found[name].split(",") if kind == "CommaDelimitedList" or "List<" in kind else [found[name]]:
            if broken := _broken_rule(value.strip(), rules):
                raise AwsError("ValidationError", f"Parameter '{name}' must {broken}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):  # of a nested stack's properties
        return ",".join(map(str, value))
    return str(as_texts(value))


def _broken_rule(value: str, rules: dict[str, Any]) -> str:
    checks: dict[str, tuple[Callable[[Any], bool], str]] = {
        "AllowedPattern": (lambda pattern: bool(re.fullmatch(pattern, value)), "match pattern {}"),
        "AllowedValues": (lambda values: value in map(_text, values), "be one of AllowedValues"),
        "MinLength": (lambda least: len(value) >= int(least), "contain at least {} characters"),
        "MaxLength": (lambda most: len(value) <= int(most), "contain at most {} characters"),
        "MinValue": (lambda least: float(value) >= float(least), "be a number not less than {}"),
        "MaxValue": (lambda most: float(value) <= float(most), "be a number not greater than {}"),
    }
    if "Number" in rules["Type"] and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return "be a number"
    for rule, (is_kept, text) in checks.items():
        if rule in rules and not is_kept(rules[rule]):
            told = rules.get("ConstraintDescription")
            return f"satisfy constraint: {told}" if told else text.format(rules[rule])
    return ""
