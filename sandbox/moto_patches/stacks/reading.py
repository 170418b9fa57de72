"""CloudFormation: the text of a template, read as CloudFormation reads it."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import yaml

from sandbox.aws_errors import AwsError

Document = dict[str, Any]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as CloudFormation reads it: with short forms of its functions, and a date is a text."""


def _function(loader: Any, name: str, node: yaml.Node) -> Document:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if name == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def read_yaml(text: str) -> Any:
    text = str(text)  # libyaml takes no Template
    return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_Loader)


@functools.lru_cache(maxsize=32)
def read(text: str) -> Document:
    """A template as it was written. Not to be changed: it is kept."""
    if not text:
        return {}
    try:
        document = read_yaml(text)
    except ValueError as error:
        raise AwsError("ValidationError", f"Template format error: JSON not well-formed. ({error})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise AwsError("ValidationError", f"Template format error: YAML not well-formed. {where}") from None
    if not isinstance(document, dict):
        raise AwsError("ValidationError", "Template format error: unsupported structure.")
    resources = document.get("Resources")
    if not resources or not isinstance(resources, dict):
        message = "Template format error: At least one Resources member must be defined."
        raise AwsError("ValidationError", message)
    for name, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            message = f"[/Resources/{name}] Every Resources object must contain a Type member."
            raise AwsError("ValidationError", f"Template format error: {message}")
    return document


def transforms_of(document: Document) -> list[str]:
    return names_of(document.get("Transform"))


def names_of(declared: Any) -> list[str]:
    found = declared if isinstance(declared, list) else [declared] if declared else []
    return [str(one.get("Name")) if isinstance(one, dict) else str(one) for one in found]


def parts(value: Any) -> Iterator[Document]:
    """Every mapping in it."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from parts(part)


def as_texts(value: Any) -> Any:
    """As CloudFormation hands on what YAML takes for numbers, dates and booleans: all of it is text."""
    if isinstance(value, dict):
        return {name: as_texts(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_texts(part) for part in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_json(document: Any) -> str:
    """A policy in a template as the service gets it."""
    return document if isinstance(document, str) else json.dumps(as_texts(document))
