"""The pages of a call.

Nearly every call has one page, and for one page botocore's paginator costs a tenth of the call: 115 of 1,080 µs of
ListBuckets, and the first one in a process 9 ms more. So the first page is a plain call, and a paginator takes over
only if the response says that there are more.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]  # botocore brings it
from botocore.exceptions import DataNotFoundError
from botocore.model import OperationModel, ServiceModel
from botocore.paginate import Paginator, PaginatorModel

_TOKEN = re.compile("[nN]ext(Page|Continuation)?(Token|Marker)|Marker")


def paging_of(loader: Any, operation: OperationModel) -> dict[str, Any]:
    """How an operation's pages follow each other and what of them is merged, as botocore's paginators have it.

    botocore lacks it for eight hundred operations, whose pages would end after the first: it is made of the model for
    those whose request takes the response's token.

    Args:
        loader: of botocore's data.

    Returns:
        the configuration of a paginator; {}: the operation has one page.
    """
    service = operation.service_model
    # by the data's name: to find its newest version, botocore would walk through all services' folders (7 ms)
    try:
        data = loader.load_data(f"{service.service_name}/{service.api_version}/paginators-1")
        return dict(PaginatorModel(data).get_paginator(operation.name))
    except (DataNotFoundError, ValueError):
        return _paging_by_names(operation)


def _paging_by_names(operation: OperationModel) -> dict[str, Any]:
    """By the token's name in request and response: the same, or NextPageToken and PageToken."""
    sent = operation.input_shape.members if operation.input_shape else {}
    returned = operation.output_shape.members if operation.output_shape else {}
    # Marker last: beside NextMarker it is the request's own
    tokens = sorted(filter(_TOKEN.fullmatch, returned), key="Marker".__eq__)
    for token in tokens:
        bare = token[4:]
        asked = next((name for name in (token, bare, bare[:1].lower() + bare[1:]) if name in sent), None)
        if asked:
            others = [name for name in returned if name not in tokens]
            growing = [name for name in others if returned[name].type_name in ("list", "map")]
            growing = growing or [name for name in others if returned[name].type_name == "structure"]
            return {
                "input_token": asked,
                "output_token": token,
                "result_key": growing,
                "non_aggregate_keys": [name for name in others if name not in growing],
            }
    return {}


class _Rule:
    """How an operation's responses say that there are more pages."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        tokens = config.get("output_token", [])
        self._tokens = [jmespath.compile(token) for token in ([tokens] if isinstance(tokens, str) else tokens)]
        self._more = jmespath.compile(config["more_results"]) if "more_results" in config else None

    def has_more(self, response: Mapping[str, Any]) -> bool:
        if self._more and not self._more.search(response):
            return False
        return any(token.search(response) for token in self._tokens)


class Pages:
    """Reads the pages of calls. Safe to use from many threads.

    Args:
        core: the session whose data it reads, once for each operation.
    """

    def __init__(self, core: botocore.session.Session) -> None:
        self._core = core
        self._rules: dict[tuple[str, str], _Rule] = {}
        self._loading = threading.Lock()

    def of(self, client: Any, operation: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every page, in order.

        Args:
            client: of boto3, or a view on one.
            operation: boto3's name, such as `list_buckets`.
            arguments: of the operation.

        Raises:
            whatever the client raises.
            PaginationError: AWS repeats a continuation token.
        """
        if "PaginationConfig" in arguments:
            yield from client.get_paginator(operation).paginate(**arguments)
            return
        method, name = getattr(client, operation), client.meta.method_to_api_mapping[operation]
        first = method(**arguments)
        rule = self.rule(client.meta.service_model, name)
        if not rule.has_more(first):
            yield first
            return
        known: Iterator[Any] = iter([first])

        def call(**request: Any) -> Any:
            return next(known, None) or method(**request)

        model = client.meta.service_model.operation_model(name)
        paginator: Any = Paginator(call, rule.config, model)  # type: ignore[arg-type]  # the stubs want a name
        yield from paginator.paginate(**arguments)

    def rule(self, service: ServiceModel, operation: str) -> _Rule:
        """The rule of an operation by its API name; one without pages never has more."""
        key = service.service_name, operation
        if key not in self._rules:
            with self._loading:
                if key not in self._rules:
                    self._rules[key] = self._load(service, operation)
        return self._rules[key]

    def _load(self, service: ServiceModel, operation: str) -> _Rule:
        return _Rule(paging_of(self._core.get_component("data_loader"), service.operation_model(operation)))
