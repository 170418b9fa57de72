"""Fills moto's state of a service in an account and a region when it is first asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from sandbox.accounts import TARGETS

IDS = {target.name: target.id for target in TARGETS}
PRODUCTION, STAGING, ANALYTICS = IDS["production"], IDS["staging"], IDS["analytics"]


def begin_with(kind: type, fill: Callable[[Any], None]) -> None:
    """Let each of moto's states of a service, of this class, begin with what `fill` puts there."""
    original = kind.__init__  # type: ignore[misc]

    @wraps(original)
    def begin(self: Any, region_name: str, account_id: str) -> None:
        original(self, region_name, account_id)
        fill(self)

    kind.__init__ = begin  # type: ignore[misc]
