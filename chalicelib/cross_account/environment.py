"""Settings from environment variables: valid, or an InvalidSettings that names variable, value and rule."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any

from .errors import InvalidSettings

Environment = Mapping[str, str]


def checked(name: str, value: Any, pattern: str, rule: str, *, secret: bool = False) -> str:
    """Return `value` if it is a str and all of it matches `pattern`; a secret value is not shown in the error."""
    if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
        return value
    raise invalid(name, "a value (not shown)" if secret else shown(value), rule)


def flag(environment: Environment, name: str, *, default: bool) -> bool:
    return checked(name, environment.get(name, str(default).lower()), "true|false", "true or false") == "true"


def shown(value: Any) -> str:
    """A value in an error, on one line."""
    return reprlib.repr(value) if not isinstance(value, str) else repr(value[:80])


def invalid(name: str, shown: str, rule: str) -> InvalidSettings:
    return InvalidSettings(
        f"The setting {name} has {shown}; the rule is: {rule}.",
        hint=f"Set {name} in the function's environment (in this project: environment_variables of the stage in "
        ".chalice/config.json) and deploy again.",
    )
