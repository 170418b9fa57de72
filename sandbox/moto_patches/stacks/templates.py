"""CloudFormation: a template is read, transformed and judged before anything of a stack is touched."""

import copy
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.capabilities import capabilities_of, check_capabilities
from sandbox.moto_patches.stacks.checks import check_rules, check_structure, check_transforms, check_types
from sandbox.moto_patches.stacks.failures import check_updatable
from sandbox.moto_patches.stacks.reading import Document, read, transforms_of
from sandbox.moto_patches.stacks.sam import TRANSFORM, translate


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
    if kind == "UPDATE" and stack:
        check_updatable(stack)
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
    check_transforms(written)
    document = copy.deepcopy(written)
    if TRANSFORM in transforms_of(written):
        document = translate(document, given, backend.account_id, backend.region_name)
    place = {"region_name": backend.region_name, "account_id": backend.account_id}
    resources = ResourceMap(
        "", name, dict(given), {}, template=document, cross_stack_resources=backend.exports, **place
    )
    resources.load_mapping()
    resources.load_parameters()
    check_rules(document, resources)
    check_structure(document)
    resources.load_conditions()
    check_types(document, resources.lazy_condition_map)
    resources.validate_outputs()
    check_capabilities(written, document)
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
        check_transforms(document)
        if not transforms_of(document):
            check_structure(document)
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
    if needed := capabilities_of(document):
        found |= {"Capabilities": needed, "CapabilitiesReason": f"The template needs {', '.join(needed)}"}
    return found


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
