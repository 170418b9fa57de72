"""CloudFormation: functions, layers, versions, aliases and what belongs to them are as a template says, and go with it.

Everything here can go when moto follows the template.
"""

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.awslambda.exceptions import FunctionAlreadyExists
from moto.awslambda.models import LambdaFunction

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.lambda_versions import name_and_qualifier
from sandbox.moto_patches.stacks.reading import as_texts
from sandbox.moto_patches.stacks.resource import Properties, Resource


def follow_templates_of_functions() -> None:
    # moto does not know aliases, URLs and configurations of asynchronous invocations. The layers of a stack have no ARN
    # and lose their names, its functions lose their layers, tags and half of their configuration, its versions have no
    # ARN, and nothing but functions is deleted.
    from moto.cloudformation.parsing import get_model_map

    get_model_map().update(_KINDS)


class _Function(Resource):
    required = ("Code", "Role")
    create_only = ("FunctionName", "PackageType", "TenancyConfig")
    attributes: ClassVar = {
        "Arn": lambda self: self.backend.get_function(self.physical_resource_id).function_arn,
        "SnapStartResponse.ApplyOn": lambda self: self.properties.get("SnapStart", {}).get("ApplyOn", "None"),
        "SnapStartResponse.OptimizationStatus": lambda self: "Off",
    }

    def make(self, name: str) -> str:
        self.name = name if len(name) <= 64 else f"{name[:50]}{name[-14:]}"
        if self.name in self.backend._lambdas._functions:
            raise FunctionAlreadyExists(self.name)
        self.backend.create_function(self._specification())
        return self.name

    def change(self, old: Properties) -> None:
        """What a property had set, and the template no longer has, gets its default again."""
        function = self.backend.get_function(self.name)
        changed = LambdaFunction(self.backend.account_id, self._specification(), self.backend.region_name, "$LATEST")
        vars(changed).update({name: vars(function)[name] for name in _NOT_OF_THE_TEMPLATE if name in vars(function)})
        changed.policy.parent, changed.code_or_config_updated = changed, True
        self.backend._lambdas.put_function(changed)

    def remove(self) -> None:
        self.backend.delete_function(self.name)

    def _specification(self) -> dict[str, Any]:
        """The request of CreateFunction; a template's numbers and variables may be of another type."""
        asked = {**self.properties, "FunctionName": self.name, "Tags": {**tags_of(self.properties), **self.tags}}
        asked["Code"] = dict(asked["Code"])
        if "ZipFile" in asked["Code"]:
            archive = LambdaFunction._create_zipfile_from_plaintext_code(asked["Code"]["ZipFile"])
            asked["Code"]["ZipFile"] = base64.b64encode(archive).decode()
        for name in ("MemorySize", "Timeout", "ReservedConcurrentExecutions"):
            if name in asked:
                asked[name] = int(asked[name])
        if "EphemeralStorage" in asked:
            asked["EphemeralStorage"] = {"Size": int(asked["EphemeralStorage"]["Size"])}
        if "VpcConfig" in asked:
            asked["VpcConfig"] = {"SubnetIds": [], "SecurityGroupIds": [], **asked["VpcConfig"]}
        variables = asked.get("Environment", {}).get("Variables", {})
        asked["Environment"] = {"Variables": as_texts(variables)}
        asked["KMSKeyArn"] = asked.pop("KmsKeyArn", None)
        return asked


_NOT_OF_THE_TEMPLATE = ("policy", "url_config", "event_invoke_config", "last_number")


def tags_of(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: as_texts(tag["Value"]) for tag in properties.get("Tags", [])}


class _LayerVersion(Resource):
    required = ("Content",)
    create_only = (
        *("LayerName", "Content", "Description", "LicenseInfo"),
        *("CompatibleRuntimes", "CompatibleArchitectures"),
    )
    attributes: ClassVar = {"LayerVersionArn": lambda self: self.layer.arn}

    def make(self, name: str) -> str:
        self.layer = self.backend.publish_layer_version({"LayerName": name, **self.properties})
        return str(self.layer.arn)

    def remove(self) -> None:
        self.backend.delete_layer_version(self.layer.name, str(self.layer.version))


class _Version(Resource):
    required = ("FunctionName",)
    create_only = ("FunctionName", "Description", "CodeSha256", "ProvisionedConcurrencyConfig", "RuntimePolicy")
    attributes: ClassVar = {
        "Version": lambda self: str(self.version.version),
        "FunctionArn": lambda self: self.version.function_arn,
    }

    def make(self, name: str) -> str:
        function = self.backend.get_function(self._value("FunctionName"))
        if (wanted := self._value("CodeSha256")) not in (None, function.code_sha_256):
            message = (
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({function.code_sha_256})."
            )
            raise AwsError(
                "InvalidParameterValueException", f"{message} Please try again with the CodeSHA256 in $LATEST."
            )
        before = [*self.backend._lambdas._functions[function.function_name]["versions"]]
        self.version = self.backend.publish_version(function.function_name, self._value("Description") or "")
        if self.version in before:
            message = f"A version for this Lambda function exists ( {self.version.version} )."
            raise AwsError("AlreadyExists", f"{message} Modify the function to create a new version.")
        return str(self.version.function_arn)

    def remove(self) -> None:
        self.backend.delete_function(self.version.function_name, str(self.version.version))


class _Alias(Resource):
    required = ("FunctionName", "FunctionVersion", "Name")
    create_only = ("Name", "FunctionName")
    attributes: ClassVar = {"AliasArn": lambda self: self.physical_resource_id}

    def make(self, name: str) -> str:
        return str(self.backend.create_alias(*self._of_the_alias()).arn)

    def change(self, old: Properties) -> None:
        self.backend.update_alias(*self._of_the_alias())

    def remove(self) -> None:
        self.backend.delete_alias(self._value("Name"), self._value("FunctionName"))

    def _of_the_alias(self) -> tuple[Any, ...]:
        weights = (self._value("RoutingConfig") or {}).get("AdditionalVersionWeights", [])
        routing = {str(one["FunctionVersion"]): float(one["FunctionWeight"]) for one in weights}
        return (
            self._value("Name"),
            self._value("FunctionName"),
            str(self._value("FunctionVersion")),
            self._value("Description") or "",
            {"AdditionalVersionWeights": routing} if routing else {},
        )


class _Url(Resource):
    required = ("TargetFunctionArn", "AuthType")
    create_only = ("TargetFunctionArn", "Qualifier")
    attributes: ClassVar = {
        "FunctionUrl": lambda self: self.config.url,
        "FunctionArn": lambda self: self.physical_resource_id,
    }

    def make(self, name: str) -> str:
        function, qualifier = name_and_qualifier(self._value("TargetFunctionArn"))
        qualifier = self._value("Qualifier") or qualifier
        self.backend.get_function(function, qualifier or None)
        self.config = self._function().create_url_config({"InvokeMode": "BUFFERED", **self.properties})
        self.config.url += "/"
        arn = self._function().function_arn
        return f"{arn}:{qualifier}" if qualifier else str(arn)

    def change(self, old: Properties) -> None:
        self.config.config = {"InvokeMode": "BUFFERED", **self.properties}

    def remove(self) -> None:
        if (function := self._function()).url_config is self.config:
            function.delete_url_config()

    def _function(self) -> Any:
        return self.backend.get_function(name_and_qualifier(self._value("TargetFunctionArn"))[0])


class _EventSourceMapping(Resource):
    required = ("FunctionName",)
    create_only = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource")
    attributes: ClassVar = {
        "Id": lambda self: self.physical_resource_id,
        "EventSourceMappingArn": lambda self: self.mapping.arn,
    }

    def make(self, name: str) -> str:
        self.mapping = self.backend.create_event_source_mapping(self._asked())
        return str(self.mapping.uuid)

    def change(self, old: Properties) -> None:
        changed = {**dict.fromkeys(old), "Enabled": True, **self._asked()}
        self.backend.update_event_source_mapping(self.physical_resource_id, changed)

    def remove(self) -> None:
        self.backend.delete_event_source_mapping(self.physical_resource_id)

    def _asked(self) -> dict[str, Any]:
        asked = {**self.properties, "Tags": {**tags_of(self.properties), **self.tags}}
        asked["KMSKeyArn"] = asked.pop("KmsKeyArn", None)
        if "BatchSize" in asked:
            asked["BatchSize"] = int(asked["BatchSize"])
        if "Enabled" in asked:
            asked["Enabled"] = as_texts(asked["Enabled"]).lower() == "true"
        return asked


class _EventInvokeConfig(Resource):
    required = ("FunctionName", "Qualifier")
    create_only = ("FunctionName", "Qualifier")

    def make(self, name: str) -> str:
        self.change({})
        return f"{self._value('FunctionName')}|{self._value('Qualifier')}"

    def change(self, old: Properties) -> None:
        numbers = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
        config = {name: int(self._value(name)) for name in numbers if name in self.properties}
        if "DestinationConfig" in self.properties:
            config["DestinationConfig"] = self._value("DestinationConfig")
        self.backend.put_function_event_invoke_config(self._function().function_name, config)
        self.config = self._function().event_invoke_config

    def remove(self) -> None:
        if (function := self._function()).event_invoke_config is self.config:
            function.event_invoke_config = []

    def _function(self) -> Any:
        return self.backend.get_function(name_and_qualifier(self._value("FunctionName"))[0])


_KINDS: Mapping[str, type[Resource]] = {
    "AWS::Lambda::Function": _Function,
    "AWS::Lambda::LayerVersion": _LayerVersion,
    "AWS::Lambda::Version": _Version,
    "AWS::Lambda::Alias": _Alias,
    "AWS::Lambda::Url": _Url,
    "AWS::Lambda::EventSourceMapping": _EventSourceMapping,
    "AWS::Lambda::EventInvokeConfig": _EventInvokeConfig,
}
