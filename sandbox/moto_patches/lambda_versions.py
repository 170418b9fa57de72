"""Versions and aliases of functions."""

import random
import re
from typing import Any


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
