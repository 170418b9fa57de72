"""`--list`: the checks there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check
from chalicelib.pages.words import controls_of


def checks_as(form: str) -> str:
    """The checks, with their parameters and actions.

    Args:
        form: "json" for what `GET /checks` returns; else text.
    """
    if form == "json":
        return json.dumps({"checks": [check.as_dict() for check in CHECKS.values()]}, indent=2) + "\n"
    return "\n".join("\n".join(_lines(check)) + "\n" for check in CHECKS.values())


def _lines(check: Check) -> Iterator[str]:
    described = check.as_dict()
    yield check.name
    yield f"  {check.description}"
    for name, parameter in described["parameters"].items():
        yield f"  --param {name}=  {_type(parameter)}"
    if check.judges:
        yield "  " + "; ".join(filter(None, [f"gives verdicts, group {check.group}", controls_of(check.name)]))
    once = ", asked once in an account" if check.scope == "global" else ""
    yield f"  {', '.join(check.actions) or 'its action depends on its parameters'}{once}"


def _type(parameter: Mapping[str, Any]) -> str:
    suffix = "required" if parameter["required"] else f"default {json.dumps(parameter['default'])}"
    return f"{parameter['type']}, {suffix}"
