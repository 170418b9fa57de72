"""Sessions kept between invocations: bounded, and one AssumeRole however many threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from botocore.credentials import RefreshableCredentials

MAX_SESSIONS = 1024
"""About 3 KB each; a sweep of 10,000 accounts does not grow memory."""


class SessionCache:
    """The least recently used sessions make room for new ones.

    The key must hold every argument of AssumeRole that varies, or a session would be used for another purpose.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max = max_sessions
        self._sessions: OrderedDict[Hashable, Future[RefreshableCredentials]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, assume: Callable[[], RefreshableCredentials]) -> tuple[RefreshableCredentials, bool]:
        """Return the session for `key`, and whether it was there already.

        The first thread to ask runs `assume`; the others wait for its result or its exception. A failure is not kept.

        Raises:
            whatever `assume` raises.
        """
        with self._lock:
            session = self._sessions.get(key)
            found = session is not None
            if session is None:
                session = self._sessions[key] = Future()
                if len(self._sessions) > self._max:
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
        """Drop one session, so that the next caller assumes the role again."""
        with self._lock:
            self._sessions.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._sessions.clear()

    def __len__(self) -> int:
        return len(self._sessions)
