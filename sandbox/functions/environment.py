"""The environment of a function's process: only its own variables, Lambda's variables and the sandbox's endpoint.

The credentials are a session of the function's execution role. They override the function's own variables of the same
name, which Lambda refuses; the sandbox stage has them so that it works only in the sandbox, and names a profile that
exists only for the developer.
"""

import sys
from pathlib import Path

from sandbox.functions.specification import Specification
from sandbox.sts.assume_role import assume_as_service

_FOR_THE_DEVELOPER = {
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
}


class RoleNotAssumable(Exception):
    """The execution role is missing or does not trust lambda.amazonaws.com."""


def process_environment(
    spec: Specification, endpoint_url: str, runtime_api: str, log_stream: str, directories: dict[str, Path]
) -> dict[str, str]:
    """The complete environment; the sandbox's own process adds nothing to it."""
    session = assume_as_service(spec.role, "lambda.amazonaws.com", spec.name, spec.account, spec.arn)
    if session is None:
        raise RoleNotAssumable(spec.role)
    return {
        **{name: value for name, value in spec.variables if name not in _FOR_THE_DEVELOPER},
        "_HANDLER": spec.handler,
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        **_log_format(spec),
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(directories["task"]),
        "LAMBDA_RUNTIME_DIR": str(directories["runtime"]),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        # Not set by Lambda: the sandbox's endpoint, and a home directory without ~/.aws.
        "AWS_ENDPOINT_URL": endpoint_url,
        "HOME": str(directories["home"]),
    }


def _log_format(spec: Specification) -> dict[str, str]:
    """What the runtime client needs to write the function's own lines as JSON, at a level."""
    if spec.log_format != "JSON":
        return {}
    return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": spec.application_log_level}


def process_command(spec: Specification, directories: dict[str, Path]) -> list[str]:
    """This Python, isolated from its environment (-I) and from its installed packages (-S)."""
    bootstrap = Path(__file__).with_name("bootstrap.py")
    arguments = [str(directories[name]) for name in ("task", "layers", "runtime")]
    return [sys.executable, "-I", "-S", "-X", "utf8", str(bootstrap), *arguments, spec.runtime, spec.handler]


def runtime_name() -> str:
    """The Lambda runtime of this Python."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
