"""CloudFormation: a template is read, transformed and judged before anything of a stack is touched."""

import copy
import functools
import graphlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.custom import is_custom
from sandbox.moto_patches.stacks.sam import TRANSFORM, translate

Document = dict[str, Any]


class Template(str):
    """The text that was given, and what is to be deployed of it."""

    document: Document


def judge_templates_first() -> None:
    # moto creates what it knows of a template and leaves out the rest: resources of other types, transforms, rules,
    # references to nothing (HTTP 500). It parses every template anew in plain Python, 40 ms each, and of !Condition it
    # makes Fn::Condition, which is never true. Can go when moto refuses what it cannot do and parses with libyaml.
    from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack

    create, update = CloudFormationBackend.create_stack, CloudFormationBackend.update_stack
    create_change_set = CloudFormationBackend.create_change_set
    create_stack_set = CloudFormationBackend.create_stack_set

    def judged_create(self: Any, name: str, template: str, parameters: Document, **more: Any) -> Any:
        return create(self, name, judge(self, name, template, parameters), parameters, **more)

    def judged_update(self: Any, name: str, template: str, role_arn: Any, parameters: Any, tags: Any) -> Any:
        given = self._resolve_update_parameters(self.get_stack(name), parameters)
        return update(self, name, judge(self, name, template, given), role_arn, parameters, tags)

    def judged_change_set(
        self: Any, stack_name: str, change_set_name: str, template: str, parameters: Document, **more: Any
    ) -> Any:
        judged = judge(self, stack_name, template, parameters)
        _check_status(self, stack_name, change_set_name, more["change_set_type"])
        return create_change_set(self, stack_name, change_set_name, judged, parameters, **more)

    def judged_stack_set(self: Any, name: str, template: str, parameters: Document, **more: Any) -> Any:
        judged = judge(self, name, template, parameters)
        if more.get("permission_model") == "SERVICE_MANAGED" and transforms_of(read(template)):
            raise AwsError("ValidationError", "Stack sets with service-managed permissions do not support transforms")
        return create_stack_set(self, name, judged, parameters, **more)

    def parse(template: str) -> Document:
        return copy.deepcopy(template.document if isinstance(template, Template) else read(template))

    def parse_of_change_set(self: Any) -> None:
        self.template_dict = parse(self.template)

    backend: Any = CloudFormationBackend
    backend.create_stack, backend.update_stack = judged_create, judged_update
    backend.create_change_set, backend.create_stack_set = judged_change_set, judged_stack_set
    Stack.parse_template = staticmethod(parse)  # type: ignore[method-assign]
    ChangeSet._parse_template = parse_of_change_set  # type: ignore[method-assign]


def _check_status(backend: Any, name: str, change_set: str, kind: str) -> None:
    stack = next((stack for stack in backend.stacks.values() if stack.name == name), None)
    if kind == "UPDATE" and stack and stack.status == "ROLLBACK_COMPLETE":
        message = f"Stack:{stack.stack_id} is in ROLLBACK_COMPLETE state and can not be updated."
        raise AwsError("ValidationError", message)
    if kind == "CREATE" and stack:
        if stack.status != "REVIEW_IN_PROGRESS":
            message = f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]"
            raise AwsError("ValidationError", message)
        del backend.stacks[stack.stack_id]  # moto makes another of the same name


def judge(backend: Any, name: str, text: str, given: Mapping[str, Any]) -> Template:
    """What is to be deployed; raises if it cannot be."""
    try:
        return _judged(backend, name, text, given)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        message = f"Template format error: unexpected structure. ({type(error).__name__}: {error})"
        raise AwsError("ValidationError", message) from error


def _judged(backend: Any, name: str, text: str, given: Mapping[str, Any]) -> Template:
    from moto.cloudformation.parsing import ResourceMap

    judged, written = Template(text), read(text)
    _check_transforms(written)
    document = copy.deepcopy(written)
    if TRANSFORM in transforms_of(written):
        document = translate(document, given, backend.account_id, backend.region_name)
    place = {"region_name": backend.region_name, "account_id": backend.account_id}
    resources = ResourceMap(
        "", name, dict(given), {}, template=document, cross_stack_resources=backend.exports, **place
    )
    resources.load_mapping()
    resources.load_parameters()
    _check_rules(document, resources)
    _check_functions(document)
    _check_references(document)
    _check_order(document)
    resources.load_conditions()
    _check_types(document, resources.lazy_condition_map)
    resources.validate_outputs()
    _check_capabilities(written, document)
    judged.document = document
    return judged


def show_templates_as_given() -> None:
    # moto knows one template of a stack, and validates with cfn-lint, whose warnings would be errors, and tells nothing
    # of the parameters. Can go when moto has TemplateStage and tells what a template has.
    from moto.cloudformation import responses
    from moto.cloudformation.responses import ActionResult, CloudFormationResponse

    def get_template(self: Any) -> Any:
        name, change_set = self._get_param("StackName"), self._get_param("ChangeSetName")
        backend = self.cloudformation_backend
        found = backend.describe_change_set(change_set) if change_set else backend.get_stack(name)
        text: Any = found.template
        if self._get_param("TemplateStage") == "Processed" and transforms_of(read(text)):
            text = json.dumps(text.document)
        return ActionResult({"TemplateBody": text or "", "StagesAvailable": ["Original", "Processed"]})

    def validate_template(self: Any) -> Any:
        url = self._get_param("TemplateURL")
        document = read(self._get_stack_from_s3_url(url) if url else self._get_param("TemplateBody"))
        _check_transforms(document)
        if not transforms_of(document):
            _check_functions(document)
            _check_references(document)
            _check_order(document)
        return ActionResult(_told_of(document))

    def summarize(template: str) -> Document:
        document = read(template)
        types = {"ResourceTypes": [one["Type"] for one in document["Resources"].values()]}
        return _told_of(document) | types | {"Version": document.get("AWSTemplateFormatVersion")}

    responses.get_template_summary_response_from_template = summarize
    CloudFormationResponse.get_template = get_template  # type: ignore[method-assign]
    CloudFormationResponse.validate_template = validate_template  # type: ignore[method-assign]


def _told_of(document: Document) -> Document:
    parameters = [
        {
            "ParameterKey": name,
            "ParameterType": rules["Type"],
            "ParameterConstraints": {key: value for key, value in rules.items() if key == "AllowedValues"},
            "NoEcho": bool(rules.get("NoEcho")),
            **({"DefaultValue": str(rules["Default"])} if "Default" in rules else {}),
            **({"Description": rules["Description"]} if "Description" in rules else {}),
        }
        for name, rules in (document.get("Parameters") or {}).items()
    ]
    found = {"Parameters": parameters, "DeclaredTransforms": transforms_of(document)}
    if description := document.get("Description"):
        found["Description"] = description
    if needed := _capabilities(document):
        found |= {"Capabilities": needed, "CapabilitiesReason": f"The template needs {', '.join(needed)}"}
    return found


def ask_for_capabilities() -> None:
    # moto creates roles and expands transforms unasked. Can go when it raises InsufficientCapabilitiesException.
    from moto.cloudformation.responses import CloudFormationResponse

    def asking(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(operation)
        def answer(self: Any) -> Any:
            expands = operation.__name__ == "create_change_set"  # it shows what comes of a transform
            acknowledged = {*self._get_param("Capabilities", []), *(["CAPABILITY_AUTO_EXPAND"] if expands else [])}
            before = _ACKNOWLEDGED.set(acknowledged)
            try:
                return operation(self)
            finally:
                _ACKNOWLEDGED.reset(before)

        return answer

    for name in ("create_stack", "update_stack", "create_change_set", "create_stack_set", "update_stack_set"):
        setattr(CloudFormationResponse, name, asking(getattr(CloudFormationResponse, name)))


_ACKNOWLEDGED: ContextVar[set[str] | None] = ContextVar("_ACKNOWLEDGED", default=None)
_NAMES = {  # of what grants permissions; with a name of the template's choice it could be another's
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::GroupPolicy": "",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": "",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": "",
    "AWS::IAM::UserToGroupAddition": "",
}


def _capabilities(document: Document) -> list[str]:
    resources = [one for one in document["Resources"].values() if one.get("Type") in _NAMES]
    named = any(_NAMES[one["Type"]] in one.get("Properties", {}) for one in resources)
    needed = [f"CAPABILITY_{'NAMED_' if named else ''}IAM"] if resources else []
    return [*needed, *(["CAPABILITY_AUTO_EXPAND"] if transforms_of(document) else [])]


def _check_capabilities(written: Document, document: Document) -> None:
    acknowledged = _ACKNOWLEDGED.get()
    if acknowledged is None:
        return
    if "CAPABILITY_NAMED_IAM" in acknowledged:
        acknowledged = acknowledged | {"CAPABILITY_IAM"}
    needed = [*_capabilities(document), *(["CAPABILITY_AUTO_EXPAND"] if transforms_of(written) else [])]
    if missing := [one for one in needed if one not in acknowledged]:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def find_templates_at_the_endpoint() -> None:
    # Of a TemplateURL whose host is not localhost or amazonaws.com, moto takes the host for the bucket's name; what is
    # not there is HTTP 500. Can go when moto takes the path also of its own host.
    from moto.cloudformation import models, responses, utils
    from moto.s3.exceptions import S3ClientError

    def get(template_url: str, account_id: str, partition: str) -> str:
        url = urlsplit(template_url)
        of_bucket = re.fullmatch(r"(.+)\.s3([.-][a-z0-9.-]+)?\.amazonaws\.com(\.cn)?", url.hostname or "")
        path = f"/{of_bucket[1]}{url.path}" if of_bucket else url.path
        try:
            return original(f"https://s3.amazonaws.com{unquote(path)}", account_id, partition)
        except (AttributeError, ValueError):  # no such key, or no key in the URL
            raise AwsError("ValidationError", f"S3 error: The specified key does not exist: {template_url}") from None
        except S3ClientError as error:
            raise AwsError("ValidationError", f"S3 error: {error.message}: {template_url}") from None

    original = utils.get_stack_from_s3_url
    models.get_stack_from_s3_url = responses.get_stack_from_s3_url = get


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as CloudFormation reads it: with short forms of its functions, and a date is a text."""


def _function(loader: Any, name: str, node: yaml.Node) -> Document:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if name == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def read_yaml(text: str) -> Any:
    text = str(text)  # libyaml takes no Template
    return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_Loader)


@functools.lru_cache(maxsize=32)
def read(text: str) -> Document:
    """A template as it was written. Not to be changed: it is kept."""
    if not text:
        return {}
    try:
        document = read_yaml(text)
    except ValueError as error:
        raise AwsError("ValidationError", f"Template format error: JSON not well-formed. ({error})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise AwsError("ValidationError", f"Template format error: YAML not well-formed. {where}") from None
    if not isinstance(document, dict):
        raise AwsError("ValidationError", "Template format error: unsupported structure.")
    resources = document.get("Resources")
    if not resources or not isinstance(resources, dict):
        message = "Template format error: At least one Resources member must be defined."
        raise AwsError("ValidationError", message)
    for name, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            message = f"[/Resources/{name}] Every Resources object must contain a Type member."
            raise AwsError("ValidationError", f"Template format error: {message}")
    return document


def transforms_of(document: Document) -> list[str]:
    return _names(document.get("Transform"))


def _names(declared: Any) -> list[str]:
    found = declared if isinstance(declared, list) else [declared] if declared else []
    return [str(one.get("Name")) if isinstance(one, dict) else str(one) for one in found]


def _check_transforms(document: Document) -> None:
    inside = [name for part in parts(document) for name in _names(part.get("Fn::Transform"))]
    for name in [*transforms_of(document), *inside]:
        if name != TRANSFORM:
            message = f"The sandbox has no transform {name}, only {TRANSFORM}. Deploy the template as it is after it."
            raise AwsError("ValidationError", message)


def parts(value: Any) -> Iterator[Document]:
    """Every mapping in it."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from parts(part)


def _check_references(document: Document) -> None:
    known = {*document["Resources"], *(document.get("Parameters") or {})}
    blocks = {
        "Resources": [(one.get("Properties"), _depends_on(one)) for one in document["Resources"].values()],
        "Outputs": list((document.get("Outputs") or {}).values()),
    }
    for block, values in blocks.items():
        named = {name for part in parts(values) for name in _named_in(part)}
        if unknown := sorted(name for name in named - known if not name.startswith("AWS::")):
            message = f"Unresolved resource dependencies [{', '.join(unknown)}] in the {block} block of the template"
            raise AwsError("ValidationError", f"Template format error: {message}")


def _check_rules(document: Document, resources: Any) -> None:
    for name, rule in (document.get("Rules") or {}).items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], resources):
            continue
        for one in rule["Assertions"]:
            if not _holds(one["Assert"], resources):
                message = f"Rule {name} failed: {one.get('AssertDescription', one['Assert'])}"
                raise AwsError("ValidationError", message)


def _holds(rule: Document, resources: Any) -> bool:
    from moto.cloudformation.parsing import clean_json

    ((function, operands),) = rule.items()
    if function in ("Fn::And", "Fn::Or", "Fn::Not"):
        held = [_holds(one, resources) for one in operands]
        if function == "Fn::Not":
            return not held[0]
        return all(held) if function == "Fn::And" else any(held)
    if function not in _OF_RULES or any(name.startswith("Fn::") for part in parts(operands) for name in part):
        raise AwsError(
            "ValidationError", f"Template error: The sandbox's CloudFormation has no {function} as in this rule"
        )
    left, right = clean_json(operands, resources)
    return _OF_RULES[function](left, right)


_OF_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "Fn::Equals": lambda left, right: str(left) == str(right),
    "Fn::Contains": lambda left, right: str(right) in map(str, left),
    "Fn::EachMemberEquals": lambda left, right: all(str(one) == str(right) for one in left),
    "Fn::EachMemberIn": lambda left, right: {*map(str, left)} <= {*map(str, right)},
}


def _check_functions(document: Document) -> None:
    # moto takes a function that it does not know for a value
    places = [document.get(name) for name in ("Conditions", "Resources", "Outputs")]
    for part in parts(places):
        for name in map(str, part):  # a status code of an API is a number
            if name.startswith("Fn::") and name.removeprefix("Fn::") not in _FUNCTIONS:
                raise AwsError(
                    "ValidationError", f"Template error: The sandbox's CloudFormation has no function {name}"
                )


_FUNCTIONS = (
    *("And", "Base64", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Not", "Or"),
    *("Select", "Split", "Sub", "ToJsonString"),
)


def _depends_on(resource: Document) -> list[Document]:
    """As references."""
    names = resource.get("DependsOn") or []
    return [{"Ref": name} for name in (names if isinstance(names, list) else [names])]


def _check_order(document: Document) -> None:
    resources = document["Resources"]
    needed = {
        name: {
            other
            for part in parts((one.get("Properties"), _depends_on(one)))
            for other in _named_in(part)
            if other in resources
        }
        for name, one in resources.items()
    }
    try:
        graphlib.TopologicalSorter(needed).prepare()
    except graphlib.CycleError as error:
        names = ", ".join(sorted({*error.args[1]}))
        raise AwsError("ValidationError", f"Circular dependency between resources: [{names}]") from None


def _named_in(part: Document) -> set[str]:
    """The resources and parameters that a function refers to."""
    if isinstance(name := part.get("Ref"), str) and len(part) == 1:
        return {name}
    if found := part.get("Fn::GetAtt"):
        return {found.partition(".")[0] if isinstance(found, str) else found[0]}
    if "Fn::Sub" in part:
        text, own = part["Fn::Sub"] if isinstance(part["Fn::Sub"], list) else (part["Fn::Sub"], {})
        return {name.partition(".")[0] for name in re.findall(r"\$\{\s*([^!}\s]+)\s*\}", text)} - {*own}
    return set()


def _check_types(document: Document, conditions: Mapping[str, bool]) -> None:
    from moto.cloudformation.parsing import get_model_map

    unknown = {
        name: one["Type"]
        for name, one in document["Resources"].items()
        if not (one["Type"] in get_model_map() or is_custom(one["Type"]))
        and (not one.get("Condition") or conditions[one["Condition"]])
    }
    if unknown:
        types, names = sorted({*unknown.values()}), ", ".join(f"{name} ({kind})" for name, kind in unknown.items())
        message = (
            f"Unrecognized resource types: [{', '.join(types)}]. The sandbox's CloudFormation cannot create {names}."
        )
        hint = "Leave it out here, for example by a Condition."
        raise AwsError("ValidationError", f"Template format error: {message} {hint}")


def allow_resources_that_are_nothing() -> None:
    # In AWS, too, these create nothing. moto leaves them out of the stack. Can go when it lists them.
    from moto.cloudformation.parsing import NULL_MODELS, get_model_map

    NULL_MODELS.clear()  # AWS::CloudFormation::WaitCondition waits for a signal, which cannot come here
    for name in ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle"):
        get_model_map()[name] = _nothing(name)


def _nothing(name: str) -> Any:
    from moto.core.common_models import CloudFormationModel

    class Nothing(CloudFormationModel):
        def __init__(self, resource_name: str) -> None:
            self.physical_resource_id = resource_name

        @classmethod
        def create_from_cloudformation_json(cls, resource_name: str, *_: Any, **__: Any) -> "Nothing":  # type: ignore[override]
            return cls(resource_name)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource: Any, **_: Any) -> Any:  # type: ignore[override]
            return original_resource

        def is_created(self) -> bool:
            return True

        def delete(self, *_: str) -> None:
            pass

    return type(name, (Nothing,), {})
