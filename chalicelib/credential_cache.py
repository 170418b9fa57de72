"""Assumed sessions kept between invocations: bounded, and one AssumeRole however many threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from botocore.credentials import RefreshableCredentials

MOST_SESSIONS = 1024
"""About 3 KB each; a sweep of 10,000 accounts passes through without growing memory."""


class CredentialCache:
    """The least recently used sessions make room for new ones.

    The key must hold everything that AssumeRole was asked, or somebody gets a session made for another purpose.
    """

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._sessions: OrderedDict[Hashable, Future[RefreshableCredentials]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, assume: Callable[[], RefreshableCredentials]) -> tuple[RefreshableCredentials, bool]:
        """Give the session for `key`, and whether it was there already.

        The first thread to ask runs `assume`; the others wait for its outcome, good or bad. A failure is not kept.

        Raises:
            whatever `assume` raises.
        """
        with self._lock:
            session = self._sessions.get(key)
            found = session is not None
            if session is None:
                session = self._sessions[key] = Future()
                if len(self._sessions) > self._most:
                    self._sessions.popitem(last=False)
            else:
                self._sessions.move_to_end(key)
        if not found:
            self._fill(key, session, assume)
        return session.result(), found

    def _fill(
        self,
        key: Hashable,
        session: Future[RefreshableCredentials],
        assume: Callable[[], RefreshableCredentials],
    ) -> None:
        try:
            session.set_result(assume())
        except BaseException as error:
            self._drop(key, session)
            session.set_exception(error)

    def _drop(self, key: Hashable, session: Future[RefreshableCredentials]) -> None:
        with self._lock:
            if self._sessions.get(key) is session:
                del self._sessions[key]

    def forget(self, key: Hashable) -> None:
        """Drop one session, so that the next to ask assumes the role again."""
        with self._lock:
            self._sessions.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._sessions.clear()

    def __len__(self) -> int:
        return len(self._sessions)
