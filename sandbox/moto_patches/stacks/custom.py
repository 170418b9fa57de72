"""CloudFormation: a custom resource is what its function makes of it."""

import functools
import json
import secrets
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.lambda_versions import name_and_qualifier
from sandbox.moto_patches.stacks.reading import as_texts
from sandbox.moto_patches.stacks.resource import Properties, Resource


def run_custom_resources() -> None:
    # moto runs their functions without waiting for them, and only when they are created. Can go when it waits, and has
    # updates and deletions.
    from moto.cloudformation import parsing

    original_class, original_update = parsing.resource_class_from_type, parsing.ResourceMap.update
    original_delete = parsing.ResourceMap.delete

    def resource_class(kind: str) -> Any:
        return _of_kind(kind) if is_custom(kind) else original_class(kind)

    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        _delete_first(self, {*self.resources} - {*template["Resources"]})
        original_update(self, template, parameters)

    def delete(self: Any) -> None:
        _delete_first(self, self.resources)
        original_delete(self)

    parsing.resource_class_from_type = resource_class
    parsing.ResourceMap.update = update  # type: ignore[method-assign]
    parsing.ResourceMap.delete = delete  # type: ignore[method-assign]


def is_custom(kind: str) -> bool:
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def _delete_first(resources: Any, names: Iterable[str]) -> None:
    """While their functions are still there."""
    made = resources._parsed_resources
    for name in [name for name in reversed([*made]) if name in names and isinstance(made[name], _CustomResource)]:
        resources._delete_resource(made[name], resources._resource_json_map[name])
        del made[name]


class _CustomResource(Resource):
    kind: str
    required = ("ServiceToken",)

    def make(self, name: str) -> str:
        try:
            return self._ask("Create")
        except AwsError:
            with suppress(AwsError):
                self._ask("Delete", PhysicalResourceId=name)
            raise

    def change(self, old: Properties) -> None:
        before = self.physical_resource_id
        given = {"PhysicalResourceId": before, "OldResourceProperties": as_texts(old)}
        self.physical_resource_id = self._ask("Update", **given)
        if self.physical_resource_id != before:
            self._ask("Delete", PhysicalResourceId=before, ResourceProperties=as_texts(old))

    def delete(self, account_id: str, region_name: str) -> None:
        self._ask("Delete", PhysicalResourceId=self.physical_resource_id)

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        if attribute_name not in self.data:
            message = f"CustomResource attribute error: Vendor response doesn't contain {attribute_name} attribute"
            raise AwsError("ValidationError", message)
        return self.data[attribute_name]

    def _ask(self, request: str, **given: Any) -> str:
        """Run the function; returns the physical id that it gives."""
        token = self._value("ServiceToken")
        if not token.startswith(f"arn:aws:lambda:{self.backend.region_name}:{self.backend.account_id}:function:"):
            message = f"The sandbox's ServiceToken is the ARN of a function of this account and region, not {token}."
            raise AwsError("ValidationError", message)
        with _Answer() as answer:
            event = {
                "RequestType": request,
                "ServiceToken": token,
                "ResponseURL": answer.url,
                "StackId": self.tags["aws:cloudformation:stack-id"],
                "RequestId": str(uuid.uuid4()),
                "LogicalResourceId": self.tags["aws:cloudformation:logical-id"],
                "ResourceType": self.kind,
                "ResourceProperties": as_texts(self.properties),
                **given,
            }
            name, qualifier = name_and_qualifier(token)
            function = self.backend.get_function(name, qualifier or None)
            returned = function.invoke(json.dumps(event), {"X-Amz-Invocation-Type": "RequestResponse"}, {})
        if answer.content is None:
            told = f"{name} ended without a response to its ResponseURL, and the sandbox does not wait any longer."
            raise AwsError("ValidationError", f"{told} It returned {returned.decode()[:500]}")
        if answer.content.get("Status") != "SUCCESS":
            told = f"Message returned: {answer.content.get('Reason')}"
            raise AwsError("ValidationError", f"Received response status [FAILED] from custom resource. {told}")
        if request != "Delete":
            self.data = answer.content.get("Data") or {}
        if not (physical_id := answer.content.get("PhysicalResourceId")):
            raise AwsError("ValidationError", f"{name} gave no PhysicalResourceId.")
        return str(physical_id)


@functools.cache
def _of_kind(kind: str) -> type[_CustomResource]:
    return type(kind, (_CustomResource,), {"kind": kind})


class _Answer:
    """A URL that takes one PUT, while it is open."""

    content: Any = None

    def __enter__(self) -> "_Answer":
        path = f"/{secrets.token_urlsafe()}"

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(handler) -> None:
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                if handler.path == path:
                    self.content = json.loads(body)
                handler.send_response(200 if handler.path == path else 403)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
