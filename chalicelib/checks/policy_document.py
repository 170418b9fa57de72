"""IAM's policies as boto3 returns them, in which one thing may stand for a list of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import CheckCallFailed

Statement = Mapping[str, Any]


def statements(document: Any) -> list[Statement]:
    """The statements of a policy.

    Raises:
        CheckCallFailed: it is not JSON, which boto3 then leaves as text.
    """
    if not isinstance(document, Mapping):
        raise CheckCallFailed(
            "AWS's response has a policy that is not JSON.", hint="Is there a proxy in between? Retry."
        )
    return listed(document, "Statement")


def listed(within: Mapping[str, Any], name: str) -> list[Any]:
    """A value that may be one or a list; none if it is not there."""
    value = within.get(name, [])
    return value if isinstance(value, list) else [value]
