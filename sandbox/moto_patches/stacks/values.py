"""CloudFormation: values that a template takes from SSM and Secrets Manager, and those it puts into SSM."""

import json
import re
from typing import Any, ClassVar

from moto.backends import get_backend

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.functions import Properties, Resource


def resolve_references() -> None:
    # moto takes {{resolve:...}} for the value itself. Can go when it resolves it.
    from moto.cloudformation import parsing

    original = parsing.parse_resource

    def parse(resource: Any, resources: Any) -> Any:
        model, cleaned, kind = original(resource, resources)
        account, region = resources["AWS::AccountId"], resources["AWS::Region"]
        return model, {**cleaned, "Properties": _resolved(cleaned["Properties"], account, region)}, kind

    parsing.parse_resource = parse


def _resolved(value: Any, account: str, region: str) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(part, account, region) for name, part in value.items()}
    if isinstance(value, list):
        return [_resolved(part, account, region) for part in value]
    if isinstance(value, str):
        pattern = r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}"
        return re.sub(pattern, lambda found: _referred(*found.groups(), account, region), value)
    return value


def _referred(service: str, reference: str, account: str, region: str) -> str:
    backends: Any = get_backend("secretsmanager" if service == "secretsmanager" else "ssm")  # type: ignore[call-overload]
    backend = backends[account][region]
    if service != "secretsmanager":
        if (parameter := backend.get_parameter(reference)) is None:
            message = f"Parameters: [{service}:{reference}] cannot be found."
            raise AwsError("ValidationError", f"Unable to fetch parameters from parameter store. {message}")
        return str(parameter.value)
    found = re.fullmatch(
        r"((?:arn(?::[^:]*){5}:)?[^:]+)(?::SecretString)?(?::([^:]*))?(?::([^:]*))?(?::(.*))?", reference
    )
    secret, key, stage, version = found.groups() if found else (reference, "", "", "")
    text = str(backend.get_secret_value(secret, version or "", stage or "")["SecretString"])
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, TypeError, KeyError):
        raise AwsError("ValidationError", "Could not find a value associated with JSONKey in SecretString") from None


class _Parameter(Resource):
    service = "ssm"
    required = ("Type", "Value")
    create_only = ("Name",)
    attributes: ClassVar = {"Type": lambda self: self._value("Type"), "Value": lambda self: self._value("Value")}

    def make(self, name: str) -> str:
        self.name = self._value("Name") or f"CFN-{name}"
        self._put(overwrite=False)
        return str(self.name)

    def change(self, old: Properties) -> None:
        self.backend.remove_tags_from_resource("Parameter", self.name, [*old.get("Tags", {})])
        self._put(overwrite=True)

    def remove(self) -> None:
        self.backend.delete_parameter(self.name)

    def _put(self, overwrite: bool) -> None:
        self.backend.put_parameter(
            description=self._value("Description") or "",
            name=self.name,
            value=self._value("Value"),
            parameter_type=self._value("Type"),
            allowed_pattern=self._value("AllowedPattern") or "",
            keyid=None,
            overwrite=overwrite,
            tags=[],
            data_type=self._value("DataType") or "text",
            tier=self._value("Tier"),
            policies=self._value("Policies"),
        )
        self.backend.add_tags_to_resource("Parameter", self.name, dict(self._value("Tags") or {}))


def follow_templates_of_parameters() -> None:
    # moto's parameters of a stack need a name and have no attributes. Can go when moto follows the template.
    from moto.cloudformation.parsing import get_model_map

    get_model_map()["AWS::SSM::Parameter"] = _Parameter
