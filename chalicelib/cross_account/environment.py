"""Settings from environment variables: valid, or an InvalidSettings that names variable, value and rule."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import InvalidSettings

Environment = Mapping[str, str]


def checked(name: str, value: str, pattern: str, rule: str, *, secret: bool = False) -> str:
    """Return `value` if all of it matches `pattern`; a secret value is not shown in the error."""
    if re.fullmatch(pattern, value, re.ASCII):
        return value
    raise invalid(name, "a value (not shown)" if secret else repr(value[:80]), rule)


def flag(environment: Environment, name: str, *, default: bool) -> bool:
    return checked(name, environment.get(name, str(default).lower()), "true|false", "true or false") == "true"


def invalid(name: str, shown: str, rule: str) -> InvalidSettings:
    return InvalidSettings(
        f"The setting {name} has {shown}; the rule is: {rule}.",
        hint=f"Set {name} in the function's environment (in this project: environment_variables of the stage in "
        ".chalice/config.json) and deploy again.",
    )
