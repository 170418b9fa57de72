"""How the AssumeRole calls of an invocation went, counted by all threads together."""

from __future__ import annotations

import threading
from collections import Counter

from chalicelib.errors import AssumeRoleDenied, AssumeRoleThrottled, CrossAccountError

_COUNTED: dict[type[CrossAccountError], str] = {AssumeRoleDenied: "denied", AssumeRoleThrottled: "throttled"}


class Tally:
    """Counts until somebody takes the counts.

    Attributes:
        let_in: whether any account ever let this process in; it stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.let_in = False

    def assumed(self) -> None:
        with self._lock:
            self._counts["assumed"] += 1
            self.let_in = True

    def not_assumed(self, error: CrossAccountError) -> None:
        """Count an AssumeRole that was denied, or throttled after botocore's own retries; no other."""
        if name := _COUNTED.get(type(error)):
            with self._lock:
                self._counts[name] += 1

    def take(self) -> Counter[str]:
        """Give the counts, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts
