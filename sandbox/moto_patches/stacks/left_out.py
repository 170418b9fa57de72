"""CloudFormation: a property that moto leaves out is told, in an event of its resource and in the sandbox's log."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any


class Watched(dict[str, Any]):
    """Properties of a resource; knows which of them were looked at."""

    def __init__(self, properties: dict[str, Any]) -> None:
        super().__init__(properties)
        self._seen: set[str] = set()
        self._seen_whole = False

    def unseen(self, names: Iterable[str]) -> set[str]:
        return set() if self._seen_whole else {*names} - self._seen

    def __getitem__(self, name: str) -> Any:
        self._seen.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        self._seen_whole = True
        return super().__iter__()

    def keys(self) -> Any:
        self._seen_whole = True
        return super().keys()

    def items(self) -> Any:
        self._seen_whole = True
        return super().items()


def watch_properties() -> None:
    # moto ignores properties that it does not know. Can go when it refuses them.
    from moto.cloudformation import parsing

    parse, create = parsing.parse_resource, parsing.parse_and_create_resource

    def parse_resource(resource: Any, resources: Any) -> Any:
        model, cleaned, kind = parse(resource, resources)
        resources.watched = Watched(cleaned["Properties"])
        return model, {**cleaned, "Properties": resources.watched}, kind

    def create_resource(logical_id: str, resource: Any, resources: Any, **place: str) -> Any:
        made: Any = create(logical_id, resource, resources, **place)
        if made is not None:
            made.left_out = resources.watched.unseen(dict.keys(resources.watched))
            tell(made, made.left_out, resources, "CREATE_COMPLETE")
        return made

    parsing.parse_resource = parse_resource
    parsing.parse_and_create_resource = create_resource  # type: ignore[assignment]


def tell(made: Any, left_out: set[str], resources: Any, status: str) -> None:
    from moto.cloudformation.models import Event, cloudformation_backends

    if not left_out or made.cf_resource_type in _TAKE_NOTHING:
        return
    account, region = resources["AWS::AccountId"], resources["AWS::Region"]
    stack = cloudformation_backends[account][region].stacks[resources.stack_id]
    reason = f"The sandbox's CloudFormation (moto 5.2.5) leaves out {', '.join(sorted(left_out))}."
    print(f"sandbox: {stack.name}, {made.logical_resource_id}: {reason}", file=sys.stderr)
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=made.logical_resource_id,
        physical_resource_id=made.physical_resource_id,
        resource_type=made.cf_resource_type,
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    stack.events.append(event)


_TAKE_NOTHING = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle")
