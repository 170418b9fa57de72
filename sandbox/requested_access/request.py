"""A request as it came over the wire, and its parameters by botocore's model of the operation."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape, StructureShape
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import EC2QueryParser, QueryParser
from moto.core.utils import get_service_model


@dataclass(frozen=True)
class Request:
    """What of an HTTP request tells the action, the resource and the condition keys.

    `service` is boto3's name of it, as moto's response class knows it (`boto3_service_name`). `operation` is the API's
    operation as moto finds it; S3's are found here. `path` is as it arrived, with its query string. `form` is moto's
    `data`. `bucket` and `key` are S3's, which moto takes from path or host. `caller` is the ARN of the user or session
    that asks.
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
    caller: str = ""

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


def operation_of(request: Request) -> OperationModel | None:
    """botocore's model of the operation, or None.

    moto's own names of operations are not always AWS's: for Batch, Polly and X-Ray they are a part of the path.
    """
    model = model_of(request.service)
    if model is None:
        return None
    name = _by_lower_case(request.service).get((request.operation or "").lower()) or _by_path(request)
    return model.operation_model(name) if name else None


@cache
def _by_lower_case(service: str) -> Mapping[str, str]:
    model = model_of(service)
    return {name.lower(): name for name in model.operation_names} if model else {}


def _by_path(request: Request) -> str | None:
    paths = _paths(request.service)
    fitting = (name for method, path, name in paths if method == request.method and path.match(request.bare_path))
    return next(fitting, None)


@cache
def _paths(service: str) -> Sequence[tuple[str, re.Pattern[str], str]]:
    """Methods and paths of a service's operations, if they have their own, those with the fewest labels first."""
    model = model_of(service)
    names = model.operation_names if model and str(model.protocol).startswith("rest") else []
    found = [model.operation_model(name).http | {"name": name} for name in names] if model else []
    found.sort(key=lambda http: str(http["requestUri"]).count("{"))
    return [(http["method"], _labels(http["requestUri"]), http["name"]) for http in found]


class Reader:
    """Reads an operation's input: strings, numbers, maps, lists of strings, and tags, as boto3 would name them."""

    def __init__(self, operation: OperationModel) -> None:
        shape = operation.input_shape
        uri = str(operation.http.get("requestUri", "/"))
        self._labels, self._names = _labels(uri), re.findall(r"\{([^}+]+)", uri)
        found = {name: _reader(operation, shape, name) for name in shape.members} if shape else {}
        self._readers = {name: read for name, read in found.items() if read}
        self.members = {name: shape.members[name] for name in self._readers} if shape else {}
        self.is_complete = None not in found.values()

    def read(self, request: Request) -> dict[str, Any]:
        """Those of the members that the request has."""
        matched = self._labels.match(request.bare_path) if self._names else None
        labels = dict(zip(self._names, matched.groups(), strict=False)) if matched else {}
        found = {name: read(request, labels) for name, read in self._readers.items()}
        return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _labels(uri: str) -> re.Pattern[str]:
    """Matches an operation's paths; each group is one label, in their order in the path."""
    path = uri.partition("?")[0]
    pieces = re.split(r"\{([^}+]+)(\+?)\}", path)  # text, name, plus, text, name, plus, text
    pattern = re.escape(pieces[0])
    for plus, text in zip(pieces[2::3], pieces[3::3], strict=True):
        pattern += f"({'.+' if plus else '[^/]+'}){re.escape(text)}"
    return re.compile(pattern.rstrip("/") + "/?$")


_Read = Callable[[Request, Mapping[str, str]], Any]


def _reader(operation: OperationModel, whole: StructureShape, member: str) -> _Read | None:
    """Reads one member; None for what is in XML or is the whole body."""
    shape = whole.members[member]
    name = shape.serialization.get("name", member)
    location = shape.serialization.get("location")
    protocol = str(operation.service_model.protocol)
    if location == "uri":
        return lambda request, labels: unquote(labels.get(name, ""))
    if location == "querystring":
        return lambda request, labels: _of_query(shape, request.query.get(name, []))
    if location == "header":
        return lambda request, labels: request.headers.get(name, "")
    if location or protocol == "rest-xml" or whole.serialization.get("payload"):
        return None
    parser = (EC2QueryParser if protocol == "ec2" else QueryParser)(operation)
    field = parser._get_serialized_name(shape, member)  # type: ignore[no-untyped-call]
    fits = str if shape.type_name in ("string", "blob") else _JSON_TYPES.get(shape.type_name, (str, int, float))

    def of_form_or_json(request: Request, labels: Mapping[str, str]) -> Any:
        if "Action" not in request.form:
            found = request.json.get(name)
            return found if isinstance(found, fits) else None
        if shape.type_name not in _JSON_TYPES:
            return request.fields.get(field)
        if not any(one.startswith(f"{field}.") for one in request.fields):
            return None
        if "tag" not in member.lower() and _is_nested(shape):
            return {"": ""}  # that it is there
        found = parser._parse_shape(shape, request.fields, field)  # type: ignore[no-untyped-call]
        return found if isinstance(found, fits) else None

    return of_form_or_json


def _is_nested(shape: Shape) -> bool:
    return shape.type_name == "structure" or getattr(shape, "member", shape).type_name == "structure"


_JSON_TYPES: Mapping[str, type | tuple[type, ...]] = {"list": list, "map": dict, "structure": dict}


def _of_query(shape: Shape, values: list[str]) -> Any:
    return values if shape.type_name == "list" else "".join(values[:1])
