"""A request as it came over the wire, and its parameters by botocore's model of the operation."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, Shape
from moto.core.parse import EC2QueryParser, QueryParser
from moto.core.utils import get_service_model


@dataclass(frozen=True)
class Request:
    """What of an HTTP request tells the action, the resource and the condition keys.

    `service` is boto3's name of it, as moto's response class knows it (`boto3_service_name`). `operation` is the API's
    operation as moto finds it; S3's are found here. `path` is as it arrived, with its query string. `form` is moto's
    `data`. `bucket` and `key` are S3's, which moto takes from path or host.
    """

    service: str
    operation: str
    method: str
    path: str
    form: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes | str
    account: str
    region: str
    bucket: str = ""
    key: str = ""

    @cached_property
    def bare_path(self) -> str:
        return self.path.partition("?")[0]

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        """The query string's parameters, also those without a value."""
        text = self.path.partition("?")[2]
        return parse_qs(text, keep_blank_values=True) if text else {}

    @cached_property
    def json(self) -> Mapping[str, Any]:
        """The body's object. Of another body nothing is known, and moto refuses it."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """The fields of a form, one value each."""
        return {name: str(value[0] if isinstance(value, list) else value) for name, value in self.form.items() if value}


def model_of(service: str) -> ServiceModel | None:
    """botocore's model, or None for a service that it does not know."""
    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


def operation_of(service: str, operation: str) -> OperationModel | None:
    """botocore's model of the operation, or None."""
    model = model_of(service)
    try:
        return model.operation_model(operation) if model else None
    except OperationNotFoundError:
        return None


class Reader:
    """Reads an operation's input: strings, numbers, maps, lists of strings, and tags, as boto3 would name them."""

    def __init__(self, operation: OperationModel) -> None:
        shape = operation.input_shape
        uri = str(operation.http.get("requestUri", "/"))
        self._labels, self._names = _labels(uri), re.findall(r"\{([^}+]+)", uri)
        found = {name: _reader(operation, name, member) for name, member in shape.members.items()} if shape else {}
        self._readers = {name: read for name, read in found.items() if read}
        self.members = list(self._readers)
        self.unread_body = any(read is None for read in found.values())

    def read(self, request: Request) -> dict[str, Any]:
        """Those of the members that the request has."""
        matched = self._labels.match(request.bare_path) if self._labels else None
        labels = dict(zip(self._names, matched.groups(), strict=False)) if matched else {}
        found = {name: read(request, labels) for name, read in self._readers.items()}
        return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _labels(uri: str) -> re.Pattern[str] | None:
    """Matches an operation's paths; of its groups, each is one label, in their order in the path."""
    path = uri.partition("?")[0]
    if "{" not in path:
        return None
    pieces = re.split(r"\{([^}+]+)(\+?)\}", path)  # text, name, plus, text, name, plus, text
    pattern = re.escape(pieces[0])
    for plus, text in zip(pieces[2::3], pieces[3::3], strict=True):
        pattern += f"({'.+' if plus else '[^/]+'}){re.escape(text)}"
    return re.compile(pattern.rstrip("/") + "/?$")


_Read = Callable[[Request, Mapping[str, str]], Any]


def _reader(operation: OperationModel, member: str, shape: Shape) -> _Read | None:
    """Reads one member; None for what is in XML or is the whole body."""
    name = shape.serialization.get("name", member)
    location = shape.serialization.get("location")
    protocol = str(operation.service_model.protocol)
    if location == "uri":
        return lambda request, labels: unquote(labels.get(name, ""))
    if location == "querystring":
        return lambda request, labels: _of_query(shape, request.query.get(name, []))
    if location == "header":
        return lambda request, labels: request.headers.get(name, "")
    if location or protocol == "rest-xml" or operation.input_shape.serialization.get("payload"):
        return None
    parser = (EC2QueryParser if protocol == "ec2" else QueryParser)(operation)
    field = parser._get_serialized_name(shape, member)

    def of_form_or_json(request: Request, labels: Mapping[str, str]) -> Any:
        if "Action" not in request.form:
            return request.json.get(name)
        found = parser._parse_shape(shape, request.fields, field)
        return found if isinstance(found, (str, int, list, dict)) else None

    return of_form_or_json


def _of_query(shape: Shape, values: list[str]) -> Any:
    return values if shape.type_name == "list" else "".join(values[:1])
