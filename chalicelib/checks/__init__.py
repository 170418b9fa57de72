"""The table of checks. A new one is a file beside this one and a line in this table."""

from __future__ import annotations

from importlib import import_module

from chalicelib.checks.check import Check


def _table(*names: str) -> dict[str, Check]:
    """Each name is a module of this package and the check in it."""
    return {name: getattr(import_module(f"{__name__}.{name}"), name) for name in names}


CHECKS: dict[str, Check] = _table(
    "identity",
    "preflight",
    "s3_buckets",
    "bedrock_models",
    "bedrock_converse",
    "account_summary",
    "role_drift",
    "api_call",
)
