"""Functions that run, without Docker, and functions without layers."""

import json
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.functions.service import FunctionService


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


def _function_name(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path.rsplit("/", 2)[-2])
