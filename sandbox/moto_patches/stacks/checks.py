"""CloudFormation: what is wrong with a template, before anything of it is made."""

import difflib
import functools
import graphlib
import importlib.util
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.accounts import REGION
from sandbox.aws_errors import AwsError
from sandbox.moto_patches.stacks.custom import is_custom
from sandbox.moto_patches.stacks.reading import Document, names_of, parts, transforms_of
from sandbox.moto_patches.stacks.sam import TRANSFORM


def check_transforms(document: Document) -> None:
    inside = [name for part in parts(document) for name in names_of(part.get("Fn::Transform"))]
    for name in [*transforms_of(document), *inside]:
        if name != TRANSFORM:
            message = f"The sandbox has no transform {name}, only {TRANSFORM}. Deploy the template as it is after it."
            raise AwsError("ValidationError", message)


def check_structure(document: Document) -> None:
    """Functions that there are not, references to nothing, and circles of them."""
    _check_functions(document)
    _check_references(document)
    _check_order(document)


def _check_references(document: Document) -> None:
    known = {*document["Resources"], *(document.get("Parameters") or {})}
    blocks = {
        "Resources": [(one.get("Properties"), _depends_on(one)) for one in document["Resources"].values()],
        "Outputs": list((document.get("Outputs") or {}).values()),
    }
    for block, values in blocks.items():
        named = {name for part in parts(values) for name in _named_in(part)}
        if unknown := sorted(name for name in named - known if not name.startswith("AWS::")):
            message = f"Unresolved resource dependencies [{', '.join(unknown)}] in the {block} block of the template"
            raise AwsError("ValidationError", f"Template format error: {message}")


def check_rules(document: Document, resources: Any) -> None:
    for name, rule in (document.get("Rules") or {}).items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], resources):
            continue
        for one in rule["Assertions"]:
            if not _holds(one["Assert"], resources):
                message = f"Rule {name} failed: {one.get('AssertDescription', one['Assert'])}"
                raise AwsError("ValidationError", message)


def _holds(rule: Document, resources: Any) -> bool:
    from moto.cloudformation.parsing import clean_json

    ((function, operands),) = rule.items()
    if function in ("Fn::And", "Fn::Or", "Fn::Not"):
        held = [_holds(one, resources) for one in operands]
        if function == "Fn::Not":
            return not held[0]
        return all(held) if function == "Fn::And" else any(held)
    if function not in _OF_RULES or any(name.startswith("Fn::") for part in parts(operands) for name in part):
        raise AwsError(
            "ValidationError", f"Template error: The sandbox's CloudFormation has no {function} as in this rule"
        )
    left, right = clean_json(operands, resources)
    return _OF_RULES[function](left, right)


_OF_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "Fn::Equals": lambda left, right: str(left) == str(right),
    "Fn::Contains": lambda left, right: str(right) in map(str, left),
    "Fn::EachMemberEquals": lambda left, right: all(str(one) == str(right) for one in left),
    "Fn::EachMemberIn": lambda left, right: {*map(str, left)} <= {*map(str, right)},
}


def _check_functions(document: Document) -> None:
    # moto takes a function that it does not know for a value
    places = [document.get(name) for name in ("Conditions", "Resources", "Outputs")]
    for part in parts(places):
        for name in map(str, part):  # a status code of an API is a number
            if name.startswith("Fn::") and name.removeprefix("Fn::") not in _FUNCTIONS:
                raise AwsError(
                    "ValidationError", f"Template error: The sandbox's CloudFormation has no function {name}"
                )


_FUNCTIONS = (
    *("And", "Base64", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Not", "Or"),
    *("Select", "Split", "Sub", "ToJsonString"),
)


def _depends_on(resource: Document) -> list[Document]:
    """As references."""
    names = resource.get("DependsOn") or []
    return [{"Ref": name} for name in (names if isinstance(names, list) else [names])]


def _check_order(document: Document) -> None:
    resources = document["Resources"]
    needed = {
        name: {
            other
            for part in parts((one.get("Properties"), _depends_on(one)))
            for other in _named_in(part)
            if other in resources
        }
        for name, one in resources.items()
    }
    try:
        graphlib.TopologicalSorter(needed).prepare()
    except graphlib.CycleError as error:
        names = ", ".join(sorted({*error.args[1]}))
        raise AwsError("ValidationError", f"Circular dependency between resources: [{names}]") from None


def _named_in(part: Document) -> set[str]:
    """The resources and parameters that a function refers to."""
    if isinstance(name := part.get("Ref"), str) and len(part) == 1:
        return {name}
    if found := part.get("Fn::GetAtt"):
        return {found.partition(".")[0] if isinstance(found, str) else found[0]}
    if "Fn::Sub" in part:
        text, own = part["Fn::Sub"] if isinstance(part["Fn::Sub"], list) else (part["Fn::Sub"], {})
        return {name.partition(".")[0] for name in re.findall(r"\$\{\s*([^!}\s]+)\s*\}", text)} - {*own}
    return set()


def check_types(document: Document, conditions: Mapping[str, bool]) -> None:
    """Types that cannot be made here, and properties that a type does not have."""
    from moto.cloudformation.parsing import get_model_map

    wanted = {
        name: one
        for name, one in document["Resources"].items()
        if not is_custom(one["Type"]) and (not one.get("Condition") or conditions[one["Condition"]])
    }
    if unknown := {name: one["Type"] for name, one in wanted.items() if one["Type"] not in get_model_map()}:
        types, names = sorted({*unknown.values()}), ", ".join(f"{name} ({kind})" for name, kind in unknown.items())
        message = (
            f"Unrecognized resource types: [{', '.join(types)}]. The sandbox's CloudFormation cannot create {names}."
        )
        near = difflib.get_close_matches(types[0], get_model_map(), 1, cutoff=0.9)
        hint = f"Did you mean {near[0]}?" if near else "Leave it out here, for example by a Condition."
        raise AwsError("ValidationError", f"Template format error: {message} {hint}")
    for name, one in wanted.items():
        _check_properties(name, one.get("Properties") or {}, _properties_of(one["Type"]))


def _check_properties(name: str, properties: Document, known: Sequence[str]) -> None:
    for key in properties:
        if known and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            message = f"Properties validation failed for resource {name} with message: #: extraneous key [{key}]"
            raise AwsError("ValidationError", f"{message} is not permitted.{hint}")


@functools.cache
def _properties_of(kind: str) -> tuple[str, ...]:
    """By AWS's schema of the type, which cfn-lint has with it; empty if it has none. Its import would take a second."""
    (place,) = importlib.util.find_spec("cfnlint").submodule_search_locations  # type: ignore[union-attr, misc]
    schemas = Path(place) / "data" / "schemas"
    of_region = json.loads((schemas / "providers" / f"{REGION}.json").read_text())
    if kind not in of_region:
        return ()
    return tuple(json.loads((schemas / "resources" / f"{of_region[kind]}.json").read_text())["properties"])
