"""A snapshot of a deployed function, taken from moto at each invocation.

A process belongs to one specification. When code, layers or configuration change, the next invocation has another
specification and new processes, as in Lambda.
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Specification:
    """One version of one function."""

    account: str
    region: str
    name: str
    version: str
    handler: str
    runtime: str
    memory: int
    timeout: int
    role: str
    variables: tuple[tuple[str, str], ...]
    code_sha256: str
    layers: tuple[str, ...]  # ARNs with their version; later layers override earlier ones
    architectures: tuple[str, ...] = ()
    description: str = ""  # a change of it too replaces a function's processes

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Identifies the function's version, independently of its configuration."""
        return (self.account, self.region, self.name, self.version)


def specification_of(function: Any) -> Specification:
    """Read moto's LambdaFunction."""
    # moto sometimes numbers the unpublished version 1; only a published version has its number in the ARN.
    published = function.function_arn.count(":") == 7
    return Specification(
        account=function.account_id,
        region=function.region,
        name=function.function_name,
        version=str(function.version) if published else "$LATEST",
        handler=function.handler or "",
        runtime=function.run_time or "",
        memory=int(function.memory_size),
        timeout=int(function.timeout),
        role=function.role,
        variables=tuple(sorted((str(k), str(v)) for k, v in (function.environment_vars or {}).items())),
        code_sha256=function.code_sha_256,
        layers=tuple(layer["Arn"] for layer in function.layers),
        architectures=tuple(function.architectures),
        description=function.description or "",
    )


def error_payload(error_type: str, message: str, **more: object) -> bytes:
    """A failure in the form of Lambda's payload."""
    return json.dumps({"errorType": error_type, "errorMessage": message, **more}).encode()
