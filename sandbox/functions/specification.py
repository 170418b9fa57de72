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
    log_group: str
    log_format: str = "Text"
    application_log_level: str = ""  # both levels only with the format JSON
    system_log_level: str = ""
    tracing: str = "PassThrough"
    package_type: str = "Zip"
    architectures: tuple[str, ...] = ()
    description: str = ""  # a change of it too replaces a function's processes

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Identifies the function's version, independently of its configuration."""
        return (self.account, self.region, self.name, self.version)


def specification_of(function: Any) -> Specification:
    """Read moto's LambdaFunction."""
    # moto sometimes numbers the unpublished version 1; only a published version has its number in the ARN.
    published = function.function_arn.count(":") == 7
    log = function.logging_config
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
        log_group=log["LogGroup"],
        log_format=log["LogFormat"],
        application_log_level=log.get("ApplicationLogLevel", ""),
        system_log_level=log.get("SystemLogLevel", ""),
        tracing=function.tracing_config["Mode"],
        package_type=function.package_type,
        architectures=tuple(function.architectures),
        description=function.description or "",
    )


def default_log_group(name: str) -> str:
    return f"/aws/lambda/{name}"


def error_payload(error_type: str, message: str, **more: object) -> bytes:
    """A failure in the form of Lambda's payload."""
    return json.dumps({"errorType": error_type, "errorMessage": message, **more}).encode()
