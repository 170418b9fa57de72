"""Versions, aliases and event source mappings of functions."""

import random
import re
from collections.abc import Iterator
from typing import Any

from sandbox.aws_errors import AwsError

_Mappings = dict[str, Any]


def number_versions_once() -> None:
    # moto gives the number of a deleted version to the next one, and publishes a second version of a function that was
    # changed only before the first. Delete this when it numbers as Lambda does.
    from moto.awslambda.models import LambdaStorage

    original = LambdaStorage.publish_version

    def publish_version(self: Any, name_or_arn: str, description: str = "") -> Any:
        latest = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        versions = self._functions[latest.function_name]["versions"]
        before = len(versions)
        version = original(self, name_or_arn, description)
        latest.code_or_config_updated = False
        if len(versions) > before:
            latest.last_number = vars(latest).get("last_number", 0) + 1
            if version.version != latest.last_number:
                self._arns.pop(version.function_arn)
                version.set_version(latest.last_number)
                version.function_arn = f"{latest.function_arn}:{latest.last_number}"
                self._arns[version.function_arn] = version
        return version

    LambdaStorage.publish_version = publish_version  # type: ignore[method-assign]


def follow_qualified_arns() -> None:
    # For an event that goes to a version or an alias, moto runs the unpublished function. Delete this when it does not.
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import LambdaStorage

    def get_arn(self: Any, arn: str) -> Any:
        try:
            return self.get_function_by_name_or_arn_with_qualifier(arn)
        except UnknownFunctionException:
            return None

    LambdaStorage.get_arn = get_arn  # type: ignore[method-assign]


def end_mappings() -> None:
    # In moto an event source mapping that was deleted or disabled still runs its function, one that was updated the old
    # one, and one of an alias for ever the version that the alias had; they are listed only by the word that named the
    # function. Delete this when it follows them.
    from moto.awslambda.models import LambdaBackend

    backend: Any = LambdaBackend
    original_create, original_update = backend.create_event_source_mapping, backend.update_event_source_mapping
    original_delete, original_list = backend.delete_event_source_mapping, backend.list_event_source_mappings

    def create(self: Any, spec: dict[str, Any]) -> Any:
        _refuse_filters(spec)
        mapping = original_create(self, spec)
        _follow(self, mapping, spec["FunctionName"])
        return mapping

    def update(self: Any, uuid: str, spec: dict[str, Any]) -> Any:
        _refuse_filters(spec)
        mapping = original_update(self, uuid, spec)
        if mapping:
            _follow(self, mapping, spec.get("FunctionName", mapping.function_name))
        return mapping

    def delete(self: Any, uuid: str) -> Any:
        mapping = original_delete(self, uuid)
        if mapping:
            for mappings in _of_sources(self, mapping):
                _drop(mappings, mapping)
        return mapping

    def list_mappings(self: Any, event_source_arn: str, function_name: str) -> list[Any]:
        found = original_list(self, event_source_arn, "")
        return [one for one in found if not function_name or one.function_arn == _function_arn(self, function_name)]

    backend.list_event_source_mappings = list_mappings
    backend.create_event_source_mapping = create
    backend.update_event_source_mapping = update
    backend.delete_event_source_mapping = delete


def _refuse_filters(spec: dict[str, Any]) -> None:
    if spec.get("FilterCriteria"):
        message = "The sandbox does not filter the events of a source: leave FilterCriteria out here."
        raise AwsError("InvalidParameterValueException", message)


def _follow(backend: Any, mapping: Any, function_name: str) -> None:
    mapping.function_name, mapping.function_arn = function_name, _function_arn(backend, function_name)
    for mappings in _of_sources(backend, mapping):
        _drop(mappings, mapping)
        if mapping.enabled:
            mappings[mapping.function_arn] = mapping


def _function_arn(backend: Any, function_name: str) -> str:
    name, qualifier = name_and_qualifier(function_name)
    arn = f"arn:{backend.partition}:lambda:{backend.region_name}:{backend.account_id}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def _drop(mappings: _Mappings, mapping: Any) -> None:
    for key in [key for key, one in mappings.items() if one is mapping]:
        del mappings[key]


def _of_sources(backend: Any, mapping: Any) -> Iterator[_Mappings]:
    """moto's dictionary in the queue, the table or the stream that the mapping reads."""
    from moto.dynamodb.models import dynamodb_backends
    from moto.kinesis.models import kinesis_backends
    from moto.sqs.models import sqs_backends

    account, region = backend.account_id, backend.region_name
    for queue in sqs_backends[account][region].queues.values():
        if queue.queue_arn == mapping.event_source_arn:
            yield queue.lambda_event_source_mappings
    for stream in kinesis_backends[account][region].streams.values():
        if stream.arn == mapping.event_source_arn:
            yield stream.lambda_event_source_mappings
    for table in dynamodb_backends[account][region].tables.values():
        if f"{table.table_arn}/stream/{table.latest_stream_label}" == mapping.event_source_arn:
            yield table.lambda_event_source_mappings


def name_and_qualifier(function: str) -> tuple[str, str]:
    """Of a name or a part of an ARN or an ARN, each maybe with a version or an alias."""
    found = re.fullmatch(r"(?:(?:arn:[^:]+:lambda:[^:]*:)?(?:\d{12}:)?function:)?([^:]+):?(.*)", function)
    return (found[1], found[2]) if found else (function, "")


def routed(backend: Any, function: Any, qualifier: str) -> Any:
    """The version that runs: of an alias with two, one by their weights, which moto ignores."""
    alias = backend._lambdas._get_function_aliases(function.function_name).get(qualifier)
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights", {}) if alias else {}
    chance = random.random()
    for version, weight in weights.items():
        chance -= weight
        if chance < 0:
            return backend.get_function(function.function_name, version)
    return function
