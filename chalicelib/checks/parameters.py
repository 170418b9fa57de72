"""A check's parameters: its signature is their schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Parameter:
    """One parameter of a check, from its signature."""

    name: str
    annotation: Any
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def type_name(self) -> str:
        return _name_of(self.annotation)

    def takes(self, value: Any) -> bool:
        return _fits(value, self.annotation)

    def as_dict(self) -> dict[str, Any]:
        described: dict[str, Any] = {"type": self.type_name, "required": self.required}
        return described if self.required else described | {"default": self.default}


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """Read a check's parameters from its signature: every argument after the account and, if there, the organization.

    Raises:
        TypeError: one is not keyword-only, has no type, or has a type that an event cannot be checked against; or there
            is no argument for the account.
    """
    hints = get_type_hints(function)
    arguments = list(inspect.signature(function).parameters.values())
    if not arguments or arguments[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise TypeError(f"{function.__name__}: the first argument must be the account, before the *.")
    parameters = {}
    for parameter in arguments[2 if wants_organization(function) else 1 :]:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or parameter.name not in hints:
            raise TypeError(f"{function.__name__}: {parameter.name} must be keyword-only (after a *) and have a type.")
        annotation = hints[parameter.name]
        _name_of(annotation)
        parameters[parameter.name] = Parameter(parameter.name, annotation, parameter.default)
    return parameters


def wants_organization(function: Callable[..., Any]) -> bool:
    """Whether its second argument is `organization`."""
    arguments = list(inspect.signature(function).parameters.values())
    return (
        len(arguments) > 1
        and arguments[1].name == "organization"
        and arguments[1].kind is not inspect.Parameter.KEYWORD_ONLY
    )


_NAMES: dict[Any, str] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    dict: "dict",
    NoneType: "null",
}


def _name_of(annotation: Any) -> str:
    """Name a parameter's type; TypeError for one that an event cannot be checked against."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _NAMES:
        return _NAMES[annotation]
    if origin is dict:
        return "dict"
    if origin is list:
        return f"list of {_name_of(arguments[0])}"
    if origin in (UnionType, Union):
        return " or ".join(_name_of(argument) for argument in arguments)
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    raise TypeError(
        f"A check's parameter cannot be {annotation!r}: use str, int, float, bool, dict, list[...], | None."
    )


def _fits(value: Any, annotation: Any) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin in (UnionType, Union):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return any(value == argument and type(value) is type(argument) for argument in arguments)
    if annotation is float:
        return type(value) in (int, float)
    return type(value) is (origin or annotation)  # not isinstance: True is an int
