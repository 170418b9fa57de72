"""The stage's settings, read from the environment when called and validated as a whole; and the hub made from them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from chalicelib.app_log import bounded_log, logger
from chalicelib.cross_account import Hub, TargetRole
from chalicelib.cross_account.environment import checked, flag
from chalicelib.cross_account.hub import allowed_accounts, cache_credentials

API_CALLS = ("none", "list", "read")
"""Each permits what those before it do."""
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    """What one stage of `.chalice/config.json` decides.

    Attributes:
        role: the role in every target (ROLE_NAME, ROLE_PATH, EXTERNAL_ID, SESSION_SECONDS).
        allowed_accounts: the ids that may be asked for, or None for every account.
        cache_credentials: keep sessions for the next invocation of a warm function.
        organization_account_id: the account to list the organization from; empty: the hub itself.
        results_bucket: where a stored sweep writes its results; empty: nothing is stored.
        api_calls: which operations the check api_call may be asked for: "none", "list" or "read".
        metrics: write CloudWatch metrics into the log; off by default, because metrics are billed.
        log_level: of the app's own logger.
    """

    role: TargetRole = field(default_factory=TargetRole)
    allowed_accounts: frozenset[str] | None = None
    cache_credentials: bool = True
    organization_account_id: str = ""
    results_bucket: str = ""
    api_calls: str = "list"
    metrics: bool = False
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and validate the settings.

        Args:
            environment: variables by name; default: the process's own, read now and not at import, so that tests and
                `chalice local` may set them late.

        Raises:
            InvalidSettings: one sentence that names the variable, its value and the rule.
        """
        source = os.environ if environment is None else environment

        def text(name: str, default: str, pattern: str, rule: str) -> str:
            return checked(name, source.get(name, default), pattern, rule)

        return cls(
            role=TargetRole.from_environment(source),
            allowed_accounts=allowed_accounts(source),
            cache_credentials=cache_credentials(source),
            organization_account_id=text("ORGANIZATION_ACCOUNT_ID", "", r"|[0-9]{12}", "empty, or 12 digits"),
            results_bucket=text(
                "RESULTS_BUCKET", "", r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "empty, or a bucket's name"
            ),
            api_calls=text("API_CALLS", "list", "|".join(API_CALLS), "one of " + ", ".join(API_CALLS)),
            metrics=flag(source, "METRICS", default=False),
            log_level=text("LOG_LEVEL", "INFO", "|".join(_LOG_LEVELS), "one of " + ", ".join(_LOG_LEVELS)),
        )


@lru_cache(maxsize=1)
def hub_of(settings: Settings) -> Hub:
    """The hub of these settings, kept for the life of the process: its sessions and clients make a warm invocation
    cheap.

    Raises:
        InvalidSettings, HubCredentialsRejected: as `Hub` does.
    """
    return Hub(settings.role, allowed_accounts=settings.allowed_accounts, cache_credentials=settings.cache_credentials)


@contextmanager
def open_hub(settings: Settings | None = None) -> Iterator[Hub]:
    """The process's hub for one invocation. At the end, CACHE_CREDENTIALS decides whether sessions are kept.

    Args:
        settings: default: those of the environment.
    """
    settings = settings or current_settings()
    hub = hub_of(settings)
    try:
        with bounded_log():
            yield hub
    finally:
        hub.end_invocation()


def current_settings() -> Settings:
    """Those of the environment; the log's level is set by them."""
    settings = Settings.from_environment()
    if logger.log_level != logging.getLevelName(settings.log_level):  # setting it makes every logger forget its cache
        logger.setLevel(settings.log_level)
    return settings
