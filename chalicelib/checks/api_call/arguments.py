"""The arguments of an operation, validated before anything is sent: by botocore's model, and by what they would do."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

from chalicelib.checks.api_call.operations import Operation
from chalicelib.checks.check import shown
from chalicelib.cross_account import InvalidInput

_ANYTHING = re.compile("", re.DOTALL)
_ARN = re.compile("arn:")
_ELSEWHERE = "an ARN or a directory bucket has another address, and other IAM actions"

REFUSED: Mapping[str, Mapping[str, tuple[re.Pattern[str], str]]] = {
    "apigateway:GetApiKey": {"includeValue": (re.compile("true"), "it asks for a secret")},
    "apigateway:GetApiKeys": {"includeValues": (re.compile("true"), "it asks for secrets")},
    "ec2:DescribeImageAttribute": {"Attribute": (re.compile("(?i)uefidata"), "it asks for stored keys")},
    "ec2:DescribeInstanceAttribute": {"Attribute": (re.compile("(?i)userdata"), "user data often hold secrets")},
    "omics:GetRun": {"export": (_ANYTHING, "it asks for a URL that opens something for whoever has it")},
    "s3:GetObjectAcl": {"VersionId": (_ANYTHING, "S3 asks for another IAM action then, s3:GetObjectVersionAcl")},
    "s3:GetObjectTagging": {
        "VersionId": (_ANYTHING, "S3 asks for another IAM action then, s3:GetObjectVersionTagging")
    },
    "s3": {"Bucket": (re.compile(r"(?![a-zA-Z0-9._-]{1,255}\Z)|.*--[a-z]+-s3\Z"), _ELSEWHERE)},
    "s3control": {"Bucket": (_ARN, _ELSEWHERE), "Name": (_ARN, _ELSEWHERE)},
}
"""By operation or service, the arguments whose values turn a read into more, and why."""


def validated(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as boto3 takes them: bytes, which JSON holds in base64, are decoded.

    Raises:
        InvalidInput: one sentence that names the argument.
    """
    model = model_of(operation)
    shape = model.input_shape
    required = [name for name in shape.required_members if name not in arguments] if shape else []
    if required:
        raise InvalidInput(f"{operation.name} needs the argument{'s' * (len(required) > 1)} {', '.join(required)}.")
    try:
        _refuse(operation, arguments)
        decoded = _decoded(arguments, shape, "arguments") if shape else dict(arguments)
        wrong = ParamValidator().validate(decoded, shape).generate_report() if shape else ""
    except (ValueError, RecursionError) as error:
        what = "they are nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInput(f"The arguments do not suit {operation.name}: {what}.") from None
    if not shape and arguments:
        raise InvalidInput(f"{operation.name} takes no arguments.")
    if wrong:
        first, *others = wrong.splitlines()
        more = f" (and {len(others)} more)" if others else ""
        raise InvalidInput(f"The arguments do not suit {operation.name}: {_short(first)}{more}.")
    return decoded


def model_of(operation: Operation) -> OperationModel:
    """botocore's model of an operation."""
    service, _, name = operation.name.partition(":")
    return _service(service).operation_model(name)


@lru_cache(maxsize=1)
def loader() -> Loader:
    """Of botocore's data; it keeps what it has read."""
    return create_loader()


@lru_cache(maxsize=8)
def _service(service: str) -> ServiceModel:
    return ServiceModel(loader().load_service_model(service, "service-2"), service)


def _refuse(operation: Operation, arguments: Mapping[str, Any]) -> None:
    service = operation.name.partition(":")[0]
    for name, (pattern, why) in {**REFUSED.get(service, {}), **REFUSED.get(operation.name, {})}.items():
        value = arguments.get(name)
        text = value if isinstance(value, str) else str(value is True).lower()
        if value is not None and pattern.match(text):
            raise InvalidInput(f"api_call does not ask {operation.name} with {name} {shown(value)}: {why}.")


def _decoded(value: Any, shape: Shape, where: str) -> Any:
    """Bytes from base64. JSON's true is no number, although Python's is.

    Raises:
        ValueError: what is wrong, and where.
    """
    kind = shape.type_name
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError(f"{where} must be bytes in base64") from None
    if kind in ("integer", "long", "float", "double") and (isinstance(value, bool) or not _is_finite(value)):
        raise ValueError(f"{where} must be a number")
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        members: Mapping[str, Shape] = shape.members  # type: ignore[attr-defined]
        return {
            name: _decoded(one, members[name], f"{where}.{name}") if name in members else one
            for name, one in value.items()
        }
    if kind == "map" and isinstance(value, dict):
        return {name: _decoded(one, shape.value, f"{where}.{name}") for name, one in value.items()}  # type: ignore[attr-defined]
    if kind == "list" and isinstance(value, list):
        return [_decoded(one, shape.member, f"{where}[{index}]") for index, one in enumerate(value)]  # type: ignore[attr-defined]
    return value


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _short(text: str) -> str:
    text = ascii(text)[1:-1].removesuffix(".")
    return text if len(text) <= 300 else text[:297] + "..."
