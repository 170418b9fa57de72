"""Functions that run, without Docker, with all of their configuration."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.aws_errors import AwsError
from sandbox.callers import PARTITION
from sandbox.functions.service import FunctionService
from sandbox.functions.specification import default_log_group
from sandbox.moto_patches.lambda_versions import name_and_qualifier, routed


def run_functions(functions: FunctionService) -> None:
    # moto's Invoke needs Docker, and its simple mode only returns the event. The sandbox always needs this patch.
    from moto.awslambda.models import LambdaBackend, LambdaFunction
    from moto.awslambda.responses import LambdaResponse

    def invoke(self: Any) -> tuple[int, dict[str, str], bytes]:
        name, in_name = name_and_qualifier(unquote(self.path.rsplit("/", 2)[-2]))
        qualifier = in_name or self._get_param("Qualifier") or ""
        function = self.backend.get_function(name, qualifier or None)
        version = routed(self.backend, function, qualifier)
        version.reserved_concurrency = self.backend.get_function(name).reserved_concurrency  # of all versions
        response = functions.invoke(version, self.raw_body or b"", self.headers, qualifier)
        return (
            response.status,
            {**response.headers, "content-type": "application/json", "status": str(response.status)},
            response.body,
        )

    def invoke_internally(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        """For moto's own events: S3 notifications, EventBridge, rotation of secrets."""
        payload = body if isinstance(body, bytes) else str(body or "{}").encode()
        return functions.invoke(self, payload, {"X-Amz-Invocation-Type": "Event", **dict(request_headers or {})}).body

    def get_layer_version_by_arn(self: Any) -> str:
        """moto lacks it; `chalice deploy` calls it before it deploys again."""
        arn = self.querystring["Arn"][0]
        layer = self.backend.layers_versions_by_arn(arn)
        if layer is None:
            raise AwsError("ResourceNotFoundException", f"Layer version {arn} does not exist.")
        return json.dumps(layer.get_layer_version())

    original_delete = LambdaBackend.delete_function

    def delete_function(self: Any, function_name: str, qualifier: Any = None) -> None:
        function = self.get_function(function_name, qualifier)
        original_delete(self, function_name, qualifier)
        functions.forget(function)

    LambdaResponse.invoke = invoke  # type: ignore[method-assign]
    LambdaResponse.get_layer_version_by_arn = get_layer_version_by_arn  # type: ignore[attr-defined]
    LambdaFunction.invoke = invoke_internally  # type: ignore[method-assign]
    LambdaBackend.delete_function = delete_function  # type: ignore[method-assign]


def look_up_only_what_has_layers() -> None:
    # moto asks for its state of the region also for a function without layers; while inventory/ fills that state,
    # moto would begin another one. Delete this when moto asks only for layers.
    from moto.awslambda.models import LambdaFunction

    original = LambdaFunction._get_layers_data

    def layers_of(self: Any, arns: list[str]) -> Any:
        return original(self, arns) if arns else []

    LambdaFunction._get_layers_data = layers_of  # type: ignore[method-assign]


def find_layers_by_account() -> None:
    # moto takes a layer of the own account and of this name for one of another account. Delete this when it does not.
    from moto.awslambda.models import LambdaBackend

    original = LambdaBackend.layers_versions_by_arn

    def layers_versions_by_arn(self: Any, layer_version_arn: str) -> Any:
        region, account = layer_version_arn.split(":")[3:5]
        if (region, account) == (self.region_name, self.account_id):
            return original(self, layer_version_arn)
        message = (
            f"The sandbox has no layers of other accounts, such as {layer_version_arn}: "
            f"publish that layer in {self.account_id} and {self.region_name}, or leave it out here."
        )
        raise AwsError("InvalidParameterValueException", message)

    LambdaBackend.layers_versions_by_arn = layers_versions_by_arn  # type: ignore[method-assign]


def read_versions_of_code() -> None:
    # moto ignores the version of an object that is a function's or a layer's code, and fails with status 500 if there
    # is no such object. Delete this when it reads the version.
    from moto.awslambda.models import LambdaFunction, LayerVersion

    original_set, original_init = LambdaFunction._set_function_code, LayerVersion.__init__

    def set_function_code(self: Any, code: dict[str, Any]) -> None:
        original_set(self, {**code, **_code_of(code, self.account_id)} if code.get("S3Key") else code)

    def init(self: Any, spec: dict[str, Any], account_id: str, region: str) -> None:
        content = {**spec["Content"], **_code_of(spec["Content"], account_id)}
        original_init(self, {**spec, "Content": content}, account_id, region)

    LambdaFunction._set_function_code = set_function_code  # type: ignore[method-assign]
    LayerVersion.__init__ = init  # type: ignore[method-assign]


def _code_of(code: Mapping[str, Any], account: str) -> dict[str, str]:
    """The object's content as ZipFile, which moto prefers; empty if the code is not an object."""
    from moto.s3.exceptions import MissingBucket
    from moto.s3.models import s3_backends

    if not code.get("S3Key"):
        return {}
    try:
        found = s3_backends[account][PARTITION].get_object(
            code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion") or None
        )
    except MissingBucket:
        raise _no_object("NoSuchBucket", "The specified bucket does not exist") from None
    if found is None:
        raise _no_object("NoSuchKey", "The specified key does not exist.")
    return {"ZipFile": base64.b64encode(found.value).decode()}


def _no_object(code: str, sentence: str) -> AwsError:
    message = f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {sentence}"
    return AwsError("InvalidParameterValueException", message)


def replace_event_invoke_configs() -> None:
    # moto appends a second configuration and returns the first. Delete this when the last one counts.
    from moto.awslambda.models import LambdaBackend

    original = LambdaBackend.put_function_event_invoke_config

    def put(self: Any, function_name: str, config: dict[str, Any]) -> Any:
        function = self.get_function(function_name)
        before, function.event_invoke_config = function.event_invoke_config, []
        try:
            return original(self, function_name, config)
        except Exception:
            function.event_invoke_config = before
            raise

    def update(self: Any, function_name: str, config: dict[str, Any]) -> Any:
        found = self.get_function(function_name).event_invoke_config
        return put(self, function_name, {**(found[0].config if found else {}), **config})

    LambdaBackend.put_function_event_invoke_config = put  # type: ignore[method-assign]
    LambdaBackend.update_function_event_invoke_config = update  # type: ignore[method-assign]


def keep_configurations() -> None:
    # moto checks little, drops LoggingConfig and what is in _KEPT, an update also TracingConfig, EphemeralStorage,
    # KMSKeyArn, ImageConfig and its time, and it fails with an empty Environment. Delete this when moto keeps them.
    from moto.awslambda.models import ImageConfig, LambdaFunction
    from moto.core.utils import iso_8601_datetime_with_nanoseconds

    original_init, original_update = LambdaFunction.__init__, LambdaFunction.update_configuration
    original_configuration = LambdaFunction.get_configuration

    def init(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **more: Any) -> None:
        log = log_configuration(spec["FunctionName"], spec.get("LoggingConfig", {}), {})
        _check(spec)
        if spec.get("PackageType", "Zip") == "Zip" and not (spec.get("Runtime") and spec.get("Handler")):
            message = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            raise AwsError("InvalidParameterValueException", message)
        original_init(self, account_id, spec, *rest, **more)
        self.logging_config = log
        self.kept = {name: spec[name] for name in _KEPT if name in spec}

    def update_configuration(self: Any, updates: dict[str, Any]) -> Any:
        log = log_configuration(self.function_name, updates.get("LoggingConfig", {}), self.logging_config)
        _check({**updates, "FunctionName": self.function_name})
        if "Environment" in updates:
            updates = {**updates, "Environment": {"Variables": {}, **updates["Environment"]}}
        original_update(self, updates)
        self.logging_config = log
        self.kept = {**self.kept, **{name: updates[name] for name in _KEPT if name in updates}}
        self.tracing_config = updates.get("TracingConfig", self.tracing_config)
        self.kms_key_arn = updates.get("KMSKeyArn", self.kms_key_arn)
        if size := updates.get("EphemeralStorage"):
            self.ephemeral_storage = size["Size"]
        if "ImageConfig" in updates:
            self.image_config = ImageConfig(updates["ImageConfig"])
        self.last_modified = iso_8601_datetime_with_nanoseconds()
        return self.get_configuration()

    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:
        kept = {name: value for name, value in self.kept.items() if value}
        if "SnapStart" in kept:
            kept["SnapStart"] = {"OptimizationStatus": "Off", **kept["SnapStart"]}
        return {**original_configuration(self, on_create), "LoggingConfig": self.logging_config, **kept}

    functions: Any = LambdaFunction
    functions.__init__ = init
    functions.update_configuration = update_configuration
    functions.get_configuration = get_configuration


_KEPT = ("DeadLetterConfig", "SnapStart")
_NOT_HERE = ("FileSystemConfigs", "DurableConfig", "TenancyConfig", "CapacityProviderConfig", "AcceleratorConfig")
_LIMITS = {"Timeout": (1, 900), "MemorySize": (128, 10240)}
_LOG_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")
_LOG_VALUES = {
    "LogFormat": ("JSON", "Text"),
    "ApplicationLogLevel": ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
    "SystemLogLevel": ("DEBUG", "INFO", "WARN"),
}


def log_configuration(function: str, asked: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    """What Lambda makes of a LoggingConfig; what an update leaves out remains."""
    for name, values in _LOG_VALUES.items():
        if name in asked and asked[name] not in values:
            raise _invalid(
                asked[name], f"LoggingConfig.{name}", f"Member must satisfy enum value set: [{', '.join(values)}]"
            )
    pattern = r"[\.\-_/#A-Za-z0-9]+"
    if "LogGroup" in asked and not re.fullmatch(pattern, asked["LogGroup"]):
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        raise _invalid(asked["LogGroup"], "LoggingConfig.LogGroup", rule)
    config = {"LogFormat": "Text", "LogGroup": default_log_group(function), **current, **asked}
    if config["LogFormat"] == "JSON":
        return {**dict.fromkeys(_LOG_LEVELS, "INFO"), **config}
    if any(level in asked for level in _LOG_LEVELS):
        message = (
            'LogLevel is not supported when LogFormat is set to "Text". '
            'Remove LogLevel from your request or change the LogFormat to "JSON" and try again.'
        )
        raise AwsError("InvalidParameterValueException", message)
    return {name: value for name, value in config.items() if name not in _LOG_LEVELS}


def _invalid(value: Any, name: str, rule: str) -> Exception:
    from moto.awslambda.exceptions import ValidationException

    return ValidationException(value, re.sub(r"\b[A-Z]", lambda first: first[0].lower(), name), rule)


def _check(asked: Mapping[str, Any]) -> None:
    """What Lambda refuses, and what a function would miss here."""
    for name, (least, most) in _LIMITS.items():
        value = asked.get(name, least)
        if not least <= value <= most:
            side = ("greater", least) if value < least else ("less", most)
            raise _invalid(value, name, "Member must have value {} than or equal to {}".format(*side))
    for name in _NOT_HERE:
        if asked.get(name):
            message = (
                f"The sandbox runs functions without {name}, which {asked['FunctionName']} has: leave it out here."
            )
            raise AwsError("InvalidParameterValueException", message)
