"""The table of checks. A new one is a file beside this one and a line in this table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import cast

from chalicelib.checks.check import Check


class Table(Mapping[str, Check]):
    """Checks by name. Each is a module of this package, imported when it is first looked up: a cold start pays for the
    one that it runs.

    Attributes:
        entries: by name; None: not imported yet.
    """

    def __init__(self, *names: str) -> None:
        self.entries: dict[str, Check | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Check:
        found = self.entries[name]
        if found is None:
            found = self.entries[name] = cast(Check, getattr(import_module(f"{__name__}.{name}"), name))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


CHECKS = Table(
    "identity",
    "preflight",
    "s3_buckets",
    "bedrock_models",
    "bedrock_converse",
    "account_summary",
    "role_drift",
    "api_call",
    "root_user",
    "iam_user_mfa",
    "old_access_keys",
    "admin_principals",
    "external_trust",
    "s3_account_block",
    "s3_public_buckets",
    "open_security_groups",
    "default_vpcs",
    "ebs_encryption",
    "imds",
    "public_snapshots_amis",
    "rds_exposure",
    "cloudtrail",
    "flow_logs",
    "config_recorder",
    "guardduty",
    "security_hub",
    "access_analyzer",
    "kms_rotation",
    "lambda_runtimes",
)

POSTURE = "posture"
"""In place of a check's name: all checks that judge."""


def posture() -> list[str]:
    """The names of all checks that judge."""
    return [name for name, check in CHECKS.items() if check.judges]
