"""The stage's settings, read from the environment when called and validated as a whole."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.errors import InvalidSettings

ACCOUNT_ID = re.compile(r"[0-9]{12}")
"""For `fullmatch`: `\\d` would take other scripts' digits, and `match` with `$` a trailing newline."""

REGION = re.compile(r"[a-z]{2,4}(-[a-z]{1,20}){1,3}-[0-9]{1,2}")
"""For `fullmatch`: a region's name becomes part of a host name, so nothing else may pass for one."""

EVERY_ACCOUNT = "*"
_TRUE_FALSE = {"true": True, "false": False}
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    """What one stage of `.chalice/config.json` decides. Attributes are named as the variables.

    Attributes:
        role_name, role_path: the role to assume in every target account.
        external_id: the external ID its trust policy asks for; empty = none is sent.
        allowed_accounts: the ids that may be asked for, or None for every account.
        session_seconds: lifetime of an assumed session, 900 to 3600 seconds. A Lambda function runs as a role, so
            assuming another one is role chaining, which AWS caps at one hour.
        cache_credentials: keep sessions for the next invocation of a warm function.
        organization_account_id: the account to list the organization from; empty = the hub itself.
        results_bucket: where a stored sweep writes its results; empty = nothing is stored.
        metrics: write CloudWatch metrics into the log; off by default, because metrics are billed.
        log_level: of this app's own logger.
    """

    role_name: str = "external-role"
    role_path: str = "/"
    external_id: str = field(default="", repr=False)
    allowed_accounts: frozenset[str] | None = None
    session_seconds: int = 3600
    cache_credentials: bool = True
    organization_account_id: str = ""
    results_bucket: str = ""
    metrics: bool = False
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and validate the settings.

        Args:
            environment: variables by name; default the process's own, read now and not at import, so that tests and
                `chalice local` may set them late.

        Raises:
            InvalidSettings: one sentence that names the variable, its value and the rule.
        """
        source = os.environ if environment is None else environment

        def text(name: str, default: str, pattern: str, rule: str, *, secret: bool = False) -> str:
            value = source.get(name, default)
            if re.fullmatch(pattern, value, re.ASCII):
                return value
            raise _invalid(name, "its value (not shown)" if secret else repr(value[:80]), rule)

        return cls(
            role_name=text("ROLE_NAME", "external-role", r"[\w+=,.@-]{1,64}", "1 to 64 of A-Z a-z 0-9 _+=,.@-"),
            role_path=text("ROLE_PATH", "/", r"/|/[\x21-\x2e\x30-\x7e/]{1,510}/", "begins and ends with a slash"),
            external_id=text(
                "EXTERNAL_ID",
                "",
                r"|[\w+=,.@:/-]{2,1224}",
                "empty, or 2 to 1224 of A-Z a-z 0-9 _+=,.@:/-",
                secret=True,
            ),
            allowed_accounts=_allowed_accounts(source.get("ALLOWED_ACCOUNTS", EVERY_ACCOUNT)),
            session_seconds=_session_seconds(source.get("SESSION_SECONDS", "3600")),
            cache_credentials=_TRUE_FALSE[text("CACHE_CREDENTIALS", "true", "true|false", "true or false")],
            organization_account_id=text("ORGANIZATION_ACCOUNT_ID", "", r"|[0-9]{12}", "empty, or 12 digits"),
            results_bucket=text(
                "RESULTS_BUCKET", "", r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "empty, or a bucket's name"
            ),
            metrics=_TRUE_FALSE[text("METRICS", "false", "true|false", "true or false")],
            log_level=text("LOG_LEVEL", "INFO", "|".join(_LOG_LEVELS), "one of " + ", ".join(_LOG_LEVELS)),
        )

    def allows(self, account_id: str) -> bool:
        return self.allowed_accounts is None or account_id in self.allowed_accounts


def _allowed_accounts(value: str) -> frozenset[str] | None:
    if value.strip() == EVERY_ACCOUNT:
        return None
    accounts = [part.strip() for part in value.split(",")]
    for account_id in accounts:
        if not ACCOUNT_ID.fullmatch(account_id):
            raise _invalid(
                "ALLOWED_ACCOUNTS",
                repr(account_id[:80]),
                "* for every account, or ids of 12 digits with commas between",
            )
    return frozenset(accounts)


def _session_seconds(value: str) -> int:
    if re.fullmatch(r"[0-9]{1,6}", value) and 900 <= int(value) <= 3600:
        return int(value)
    raise _invalid(
        "SESSION_SECONDS",
        repr(value[:80]),
        "900 to 3600 seconds (a Lambda role that assumes a role is role chaining, capped at one hour)",
    )


def _invalid(name: str, shown: str, rule: str) -> InvalidSettings:
    return InvalidSettings(
        f"The setting {name} has {shown}; the rule is: {rule}.",
        hint=f"Set {name} under environment_variables of this stage in .chalice/config.json and deploy again.",
    )
