"""Event source mappings: what a queue, a stream or a table calls."""

from collections.abc import Iterator
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.lambda_versions import name_and_qualifier

_Mappings = dict[str, Any]


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
