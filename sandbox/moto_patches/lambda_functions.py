"""Functions that run, without Docker, with all of their configuration."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.functions.service import FunctionService
from sandbox.functions.specification import default_log_group


def run_functions(functions: FunctionService) -> None:
    # moto's Invoke needs Docker, and its simple mode only returns the event. The sandbox always needs this patch.
    from moto.awslambda.models import LambdaBackend, LambdaFunction
    from moto.awslambda.responses import LambdaResponse

    def invoke(self: Any) -> tuple[int, dict[str, str], bytes]:
        function_name = _function_name(self.path)
        function = self.backend.get_function(function_name, self._get_param("Qualifier"))
        response = functions.invoke(function, self.raw_body or b"", self.headers)
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


def keep_configurations() -> None:
    # moto drops LoggingConfig and what is in _KEPT, an update also TracingConfig, EphemeralStorage, KMSKeyArn,
    # ImageConfig and its time, and it fails with an empty Environment. Delete this when moto keeps them.
    from moto.awslambda.models import ImageConfig, LambdaFunction
    from moto.core.utils import iso_8601_datetime_with_nanoseconds

    original_init, original_update = LambdaFunction.__init__, LambdaFunction.update_configuration
    original_configuration = LambdaFunction.get_configuration

    def init(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **more: Any) -> None:
        log = log_configuration(spec["FunctionName"], spec.get("LoggingConfig", {}), {})
        _refuse_file_systems(spec)
        original_init(self, account_id, spec, *rest, **more)
        self.logging_config = log
        self.kept = {name: spec[name] for name in _KEPT if name in spec}

    def update_configuration(self: Any, updates: dict[str, Any]) -> Any:
        log = log_configuration(self.function_name, updates.get("LoggingConfig", {}), self.logging_config)
        _refuse_file_systems(updates)
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
            raise _invalid(asked[name], name, f"Member must satisfy enum value set: [{', '.join(values)}]")
    pattern = r"[\.\-_/#A-Za-z0-9]+"
    if "LogGroup" in asked and not re.fullmatch(pattern, asked["LogGroup"]):
        raise _invalid(asked["LogGroup"], "LogGroup", f"Member must satisfy regular expression pattern: {pattern}")
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


def _invalid(value: str, name: str, rule: str) -> Exception:
    from moto.awslambda.exceptions import ValidationException

    return ValidationException(value, f"loggingConfig.{name[0].lower()}{name[1:]}", rule)


def _refuse_file_systems(asked: Mapping[str, Any]) -> None:
    if asked.get("FileSystemConfigs"):
        message = "The sandbox mounts no file systems for functions: leave FileSystemConfigs out here."
        raise AwsError("InvalidParameterValueException", message)


def _function_name(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path.rsplit("/", 2)[-2])
