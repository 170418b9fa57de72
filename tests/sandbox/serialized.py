"""Requests as botocore serializes them, without a client and without a server."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

from botocore.serialize import create_serializer
from moto.core.utils import get_service_model

from sandbox.requested_access import Access, Request, accesses_of

ACCOUNT = "111111111111"


@cache
def _serializer(protocol: str) -> Any:
    return create_serializer(protocol)


def request(service: str, operation: str, parameters: Mapping[str, Any]) -> Request:
    """A request to a service, from ACCOUNT in us-east-1."""
    model = get_service_model(service)
    parts = _serializer(str(model.resolved_protocol)).serialize_to_request(
        dict(parameters), model.operation_model(operation)
    )
    path = parts["url_path"]
    if parts["query_string"]:
        path += ("&" if "?" in path else "?") + urlencode(parts["query_string"], doseq=True)
    is_form = isinstance(parts["body"], dict)
    bucket, _, key = path.partition("?")[0].lstrip("/").partition("/") if service == "s3" else ("", "", "")
    return Request(
        service,
        operation,
        parts["method"],
        path,
        {name: [value] for name, value in parts["body"].items()} if is_form else {},
        parts["headers"],
        b"" if is_form else parts["body"],
        ACCOUNT,
        "us-east-1",
        unquote(bucket),
        unquote(key),
    )


def asked(service: str, operation: str, **parameters: Any) -> Sequence[Access]:
    """What such a request asks for."""
    return accesses_of(request(service, operation, parameters))
