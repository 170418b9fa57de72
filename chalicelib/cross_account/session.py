"""The session in a target account, renewed before it expires."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from weakref import ref

from botocore.credentials import RefreshableCredentials

from .calls import at_most

ADVISORY_REFRESH_SECONDS = 300
"""A session is renewed when it has less than this left. botocore's own 15 minutes would renew a 900 s session at
every call."""
MANDATORY_REFRESH_SECONDS = 60
"""Below this, it is not used any more: a call waits until it is renewed."""
RETRY_REFRESH_SECONDS = 30
"""A session that is still good is not tried to be renewed again for so long, after that has failed."""
ATTEMPT_SECONDS = 7
"""What one attempt of AssumeRole may take, by the timeouts of its client, and also if STS drips."""


class TargetSession(RefreshableCredentials):
    """A session of AssumeRole. botocore renews it at a call when it is time to.

    While it is still good, STS gets one attempt and then a pause: an STS that hangs would otherwise hold up each call.

    Args:
        assume: calls AssumeRole and returns its credentials; without `retries` in one attempt.

    Raises:
        whatever `assume` raises.
    """

    def __init__(self, assume: Callable[[bool], dict[str, Any]]) -> None:
        self._assume = assume
        self._not_again_before = 0.0
        first = assume(True)
        session = ref(self)  # weak: in a cycle, each of ten thousand sessions would wait for the garbage collector
        super().__init__(
            first["AccessKeyId"],
            first["SecretAccessKey"],
            first["SessionToken"],
            first["Expiration"],  # as it is: a text would be parsed again, for 4 % of a sweep's CPU
            refresh_using=lambda: session().renewed(),  # type: ignore[union-attr]  # it is what calls this
            method="cross-account",
            time_fetcher=partial(datetime.now, UTC),  # botocore's own, local time, costs 45 µs at every call
            advisory_timeout=ADVISORY_REFRESH_SECONDS,
            mandatory_timeout=MANDATORY_REFRESH_SECONDS,
        )

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        """What botocore asks at every call, with the seconds that are to be left."""
        if time.monotonic() < self._not_again_before:
            refresh_in = MANDATORY_REFRESH_SECONDS
        return super().refresh_needed(refresh_in)

    @property
    def is_good(self) -> bool:
        """Whether it may be used as it is."""
        return not super().refresh_needed(MANDATORY_REFRESH_SECONDS)

    def renewed(self) -> dict[str, str]:
        """What botocore asks for when it is time to renew it."""
        if self.is_good:
            self._not_again_before = time.monotonic() + RETRY_REFRESH_SECONDS  # first: it holds whatever is raised
            with at_most(ATTEMPT_SECONDS):
                new = self._assume(False)
        else:
            new = self._assume(True)
        return {
            "access_key": new["AccessKeyId"],
            "secret_key": new["SecretAccessKey"],
            "token": new["SessionToken"],
            "expiry_time": new["Expiration"].isoformat(),
        }
