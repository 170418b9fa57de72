"""CloudFormation: {{resolve:ssm:...}}, {{resolve:ssm-secure:...}} and {{resolve:secretsmanager:...}} become the values.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

import json
import re
from typing import Any

from sandbox.aws_errors import AwsError

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def resolve() -> None:
    # moto hands the reference itself to the resource. Can go when it resolves them.
    from moto.cloudformation import parsing

    original = parsing.clean_json

    def clean(value: Any, resources: Any) -> Any:  # the original calls this for each part
        found = original(value, resources)
        if not isinstance(found, str) or "{{resolve:" not in found:
            return found
        place = (resources._account_id, resources._region_name)
        return _REFERENCE.sub(lambda match: _value(match[0], match[1], match[2], place), found)

    parsing.clean_json = clean


def _value(reference: str, service: str, what: str, place: tuple[str, str]) -> str:
    found = _secret(what, place) if service == "secretsmanager" else _parameter(what, place)
    if found is None:
        raise AwsError("ValidationError", f"{reference} leads to nothing in {' '.join(place)}. Make it first.")
    return found


def _parameter(what: str, place: tuple[str, str]) -> str | None:
    from moto.ssm.exceptions import ParameterVersionNotFound
    from moto.ssm.models import ssm_backends

    account, region = place
    try:
        found = ssm_backends[account][region].get_parameter(what)
    except ParameterVersionNotFound:
        return None
    return None if found is None else str(found.response_object(decrypt=True)["Value"])


def _secret(what: str, place: tuple[str, str]) -> str | None:
    """An id or an ARN, and then, each may be missing: SecretString, a key of its JSON, a version's stage and its id."""
    from moto.secretsmanager.exceptions import SecretsManagerClientError
    from moto.secretsmanager.models import secretsmanager_backends

    account, region = place
    parts = what.split(":")
    parts_of_id = 7 if parts[0] == "arn" else 1
    secret_id = ":".join(parts[:parts_of_id])
    _, key, stage, version = (parts[parts_of_id:] + [""] * 4)[:4]
    try:
        text = secretsmanager_backends[account][region].get_secret_value(secret_id, version, stage)["SecretString"]
        return str(json.loads(text)[key] if key else text)
    except (SecretsManagerClientError, LookupError, ValueError):
        return None
