"""CloudFormation: capabilities that the caller has to acknowledge."""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.reading import Document, transforms_of


def ask_for_capabilities() -> None:
    # moto creates roles and expands transforms unasked. Can go when it raises InsufficientCapabilitiesException.
    from moto.cloudformation.responses import CloudFormationResponse

    def asking(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(operation)
        def answer(self: Any) -> Any:
            expands = operation.__name__ == "create_change_set"  # it shows what comes of a transform
            acknowledged = {*self._get_param("Capabilities", []), *(["CAPABILITY_AUTO_EXPAND"] if expands else [])}
            before = _ACKNOWLEDGED.set(acknowledged)
            try:
                return operation(self)
            finally:
                _ACKNOWLEDGED.reset(before)

        return answer

    for name in ("create_stack", "update_stack", "create_change_set", "create_stack_set", "update_stack_set"):
        setattr(CloudFormationResponse, name, asking(getattr(CloudFormationResponse, name)))


_ACKNOWLEDGED: ContextVar[set[str] | None] = ContextVar("_ACKNOWLEDGED", default=None)


_NAMES = {  # of what grants permissions; with a name of the template's choice it could be another's
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::GroupPolicy": "",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": "",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": "",
    "AWS::IAM::UserToGroupAddition": "",
}


def capabilities_of(document: Document) -> list[str]:
    resources = [one for one in document["Resources"].values() if one.get("Type") in _NAMES]
    named = any(_NAMES[one["Type"]] in one.get("Properties", {}) for one in resources)
    needed = [f"CAPABILITY_{'NAMED_' if named else ''}IAM"] if resources else []
    return [*needed, *(["CAPABILITY_AUTO_EXPAND"] if transforms_of(document) else [])]


def check_capabilities(written: Document, document: Document) -> None:
    acknowledged = _ACKNOWLEDGED.get()
    if acknowledged is None:
        return
    if "CAPABILITY_NAMED_IAM" in acknowledged:
        acknowledged = acknowledged | {"CAPABILITY_IAM"}
    needed = [*capabilities_of(document), *(["CAPABILITY_AUTO_EXPAND"] if transforms_of(written) else [])]
    if missing := [one for one in needed if one not in acknowledged]:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")
