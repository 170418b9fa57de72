"""CloudFormation: a kind of resource that is as its template says, and goes with it; and the order of updates."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from sandbox.aws_errors import AwsError

Properties = Mapping[str, Any]


@contextmanager
def unless_gone() -> Iterator[None]:
    """Around a deletion: what it is deleted from may be gone already, because stacks delete in no special order."""
    try:
        yield
    except (ServiceException, HTTPException) as error:
        names = (type(error).__name__, getattr(error, "code", ""), getattr(error, "error_type", ""))
        if not re.search("NotFound|NoSuch|NonExist|NotExist", " ".join(map(str, names))):
            raise


class Resource(CloudFormationModel):
    """A resource of a stack, and its properties in the template."""

    service: ClassVar[str] = "lambda"
    required: ClassVar[tuple[str, ...]] = ()
    create_only: ClassVar[tuple[str, ...]] = ()
    """A change of one of these is another resource."""
    attributes: ClassVar[Mapping[str, Callable[[Any], str]]] = {}

    def __init__(self, name: str, properties: Properties, account: str, region: str, tags: Mapping[str, str]) -> None:
        self.properties, self.tags = properties, tags
        self._check_required()
        backends: Any = get_backend(self.service)  # type: ignore[call-overload]
        self.backend = backends[account][region]
        self.physical_resource_id = self.make(name)

    def make(self, name: str) -> str:
        """Make it; returns its physical id. `name` is for one that the template gives no name."""
        raise NotImplementedError

    def change(self, old: Properties) -> None:
        """Follow the properties that are not `create_only`."""

    def remove(self) -> None:
        raise NotImplementedError

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **about: str
    ) -> "Resource":
        stack = about["StackId"]
        tags = {"stack-id": stack, "stack-name": stack.split("/")[1], "logical-id": about["LogicalId"]}
        tags = {f"aws:cloudformation:{name}": value for name, value in tags.items()}
        return cls(resource_name, cloudformation_json["Properties"], account_id, region_name, tags)

    @classmethod
    def update_from_cloudformation_json(  # type: ignore[override]
        cls,
        original_resource: "Resource",
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> "Resource":
        old, new = original_resource.properties, cloudformation_json["Properties"]
        if old == new:
            return original_resource
        if any(old.get(name) != new.get(name) for name in cls.create_only):
            made = cls(new_resource_name, new, account_id, region_name, original_resource.tags)
            if not cloudformation_json.get("UpdateReplacePolicy", "").startswith("Retain"):
                original_resource.delete(account_id, region_name)
            return made
        original_resource.properties = new
        try:
            original_resource._check_required()
            original_resource.change(old)
        except Exception:
            original_resource.properties = old
            raise
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        with unless_gone():
            self.remove()

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    def get_cfn_attribute(self, attribute_name: str) -> str:
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException()
        return self.attributes[attribute_name](self)

    def _check_required(self) -> None:
        for name in self.required:
            if name not in self.properties:
                resource = self.tags["aws:cloudformation:logical-id"]
                message = f"Properties validation failed for resource {resource} with message:"
                raise AwsError("ValidationError", f"{message} #: required key [{name}] not found")

    def _value(self, name: str) -> Any:
        return self.properties.get(name)


def update_in_the_order_of_references() -> None:
    # moto makes what is new in a template before it changes the rest, so that a new version would have the old code. It
    # leaves as it is what only refers to something that was replaced, as a function does to its layer, or has another
    # condition. What a condition excluded in one update it does not find in the next.
    from moto.cloudformation import parsing

    original_update, original_item = parsing.ResourceMap.update, parsing.ResourceMap.__getitem__

    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        self.waiting = {*template["Resources"]} & {*self._parsed_resources}
        try:
            original_update(self, template, parameters)
            for name in template["Resources"]:
                self[name]
        finally:
            self.waiting = set()

    def item(self: Any, name: str) -> Any:
        """What is asked for is updated first."""
        if name in self._resource_json_map and self._parsed_resources.get(name, ()) is None:
            del self._parsed_resources[name]  # a condition excluded it; does it still?
        if name in vars(self).get("waiting", ()):
            self.waiting.remove(name)
            place = {"account_id": self._account_id, "region_name": self._region_name}
            changed = parsing.parse_and_update_resource(name, self._resource_json_map[name], self, **place)
            self._parsed_resources.pop(name, None)
            if changed is not None:
                self._parsed_resources[name] = changed
        return original_item(self, name)

    parsing.ResourceMap.update = update  # type: ignore[method-assign]
    parsing.ResourceMap.__getitem__ = item  # type: ignore[method-assign]
