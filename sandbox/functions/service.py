"""lambda:Invoke: the invocation types, the limits and the response's headers."""

import base64
import json
import re
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.awslambda.utils import get_backend

from sandbox import leftovers
from sandbox.aws_errors import AwsError
from sandbox.functions.code import CodeStore
from sandbox.functions.environment import RoleNotAssumable
from sandbox.functions.pool import FunctionPool, TooManyRequests
from sandbox.functions.process import FunctionProcess, init_failure
from sandbox.functions.runtime_api import Invocation, Outcome
from sandbox.functions.specification import Specification, specification_of
from sandbox.state_file import PROJECT

PROCESSES_PER_FUNCTION = 10
_MAXIMUM_REQUEST = 6_291_456
_MAXIMUM_EVENT = 1_048_576


@dataclass(frozen=True)
class Response:
    """The HTTP response to Invoke."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


LAYERS = PROJECT / "build" / "layers"
"""Of all sandboxes: to unpack a layer takes a second."""


class FunctionService:
    """All functions of all accounts."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._directory = leftovers.folder("functions")
        self._home = Path(self._directory.name) / "homes"
        self._home.mkdir()
        self._code = CodeStore(Path(self._directory.name) / "code")
        self._layer_code = CodeStore(LAYERS)
        self._pools: dict[tuple[str, ...], FunctionPool] = {}
        # Chalice deletes a layer's old version while functions still use it. Lambda keeps a copy, and so does this.
        self._layers: dict[str, Any] = {}
        self._lock = threading.Lock()

    def invoke(self, function: Any, payload: bytes, headers: Mapping[str, str], qualifier: str = "") -> Response:
        """Invoke moto's `function`, named with `qualifier`; raises what Lambda returns before a function runs."""
        kind = headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        limit = _MAXIMUM_EVENT if kind == "Event" else _MAXIMUM_REQUEST
        if len(payload) > limit:
            message = f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
            raise AwsError("RequestTooLargeException", message)
        if not _is_json(payload or b"{}"):
            raise AwsError("InvalidRequestContentException", "Could not parse request body into json")
        if kind == "DryRun":
            return Response(204)
        spec = specification_of(function)
        pool = self._pool(spec, function)
        request_id = str(uuid.uuid4())
        trace = headers.get("X-Amzn-Trace-Id") or _new_trace(sampled=spec.tracing == "Active")
        arn = f"{spec.arn}:{qualifier}" if qualifier else function.function_arn
        invocation = Invocation(request_id, payload or b"{}", arn, trace, _client_context(headers))
        if kind == "Event":
            threading.Thread(target=self._run, args=(pool, invocation, True), daemon=True).start()
            return Response(202)
        outcome, tail = self._run(pool, invocation, wait=False)
        response = {"X-Amz-Executed-Version": spec.version, "x-amzn-RequestId": invocation.request_id}
        if outcome.failed:
            response["X-Amz-Function-Error"] = "Unhandled"
        if headers.get("X-Amz-Log-Type") == "Tail":
            response["X-Amz-Log-Result"] = base64.b64encode(tail).decode()
        return Response(200, outcome.payload, response)

    def forget(self, function: Any) -> None:
        """End the processes of a deleted function, of all its versions, or of a deleted version."""
        *name, version = specification_of(function).place
        with self._lock:
            gone = [place for place in self._pools if [*place[:3]] == name and version in ("$LATEST", place[3])]
            pools = [self._pools.pop(place) for place in gone]
        for pool in pools:
            pool.retire()

    def close(self) -> None:
        """End every process and delete the unpacked files."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()
        self._directory.cleanup()

    def _run(self, pool: FunctionPool, invocation: Invocation, wait: bool) -> tuple[Outcome, bytes]:
        spec = pool.spec
        if refused := _refusal(spec):
            return init_failure("Runtime.InvalidRuntime", refused), b""
        try:
            return pool.invoke(invocation, wait)
        except TooManyRequests:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.") from None
        except RoleNotAssumable:
            message = "The role defined for the function cannot be assumed by Lambda."
            if wait:
                print(f"sandbox: {spec.name}: {message}", file=sys.stderr)
                return init_failure("AccessDeniedException", message), b""
            raise AwsError("InvalidParameterValueException", message) from None

    def _pool(self, spec: Specification, function: Any) -> FunctionPool:
        reserved = function.reserved_concurrency
        limit = PROCESSES_PER_FUNCTION if reserved is None else min(int(reserved), PROCESSES_PER_FUNCTION)
        outdated = None
        with self._lock:
            pool = self._pools.get(spec.place)
            if pool is None or pool.spec != spec or pool.limit != limit:
                outdated = pool
                pool = self._pools[spec.place] = FunctionPool(spec, limit, lambda wanted: self._start(wanted, function))
        if outdated:
            outdated.retire()
        return pool

    def _start(self, spec: Specification, function: Any) -> FunctionProcess:
        backend = get_backend(spec.account, spec.region)
        for arn in spec.layers:
            if (found := backend.layers_versions_by_arn(arn)) is not None:
                self._layers[arn] = found
            elif arn not in self._layers:
                raise AwsError("InvalidParameterValueException", f"Layer version {arn} does not exist.")
        layers = [self._layers[arn] for arn in spec.layers]
        directories = {
            "task": self._code.unpacked([lambda: function.code_bytes], f"task {spec.code_sha256}"),
            "layers": self._layer_code.unpacked(
                [lambda layer=layer: layer.code_bytes for layer in layers],  # type: ignore[misc]
                "layers " + " ".join(layer.code_sha_256 for layer in layers),
            ),
            "runtime": self._code.runtime(),
            "home": self._home,
        }
        return FunctionProcess(spec, self._endpoint_url, directories)


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


def _refusal(spec: Specification) -> str:
    """Why the sandbox cannot run this function, in a sentence; empty if it can."""
    if spec.package_type != "Zip":
        return f"The sandbox runs no container images, and {spec.name} is one: deploy it as a zip of Python code here."
    if not re.fullmatch(r"python3\.\d+", spec.runtime):
        return f"The sandbox runs functions made for python3.x, and {spec.name} is made for {spec.runtime}."
    return ""


def _new_trace(sampled: bool) -> str:
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={int(sampled)}"


def _client_context(headers: Mapping[str, str]) -> str:
    encoded = headers.get("X-Amz-Client-Context") or ""
    return base64.b64decode(encoded).decode() if encoded else ""
