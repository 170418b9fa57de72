"""Sessions kept between invocations: bounded, and one AssumeRole however many threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from .session import TargetSession

MAX_SESSIONS = 1024
"""About 3 KB each; a sweep of 10,000 accounts does not grow memory."""


class SessionCache:
    """The least recently used sessions make room for new ones.

    The key must hold every argument of AssumeRole that varies, or a session would be used for another purpose.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max = max_sessions
        self._sessions: OrderedDict[Hashable, TargetSession] = OrderedDict()
        self._assuming: dict[Hashable, Future[TargetSession]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, assume: Callable[[], TargetSession]) -> tuple[TargetSession, bool]:
        """Return the session for `key`, and whether it was there already.

        The first thread to ask runs `assume`; the others wait for its result or its exception. A failure is not kept.
        One that is no longer good is assumed anew here, and not renewed by botocore, whose lock on it a thread that has
        been given up might hold.

        Raises:
            whatever `assume` raises.
        """
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and session.is_good:
                self._sessions.move_to_end(key)
                return session, True
            coming = self._assuming.get(key)
            is_first = coming is None
            if coming is None:
                coming = self._assuming[key] = Future()
        if is_first:
            self._fill(key, coming, assume)
        return coming.result(), not is_first

    def _fill(self, key: Hashable, coming: Future[TargetSession], assume: Callable[[], TargetSession]) -> None:
        try:
            session = assume()
        except BaseException as error:
            self._settle(key, coming, None)
            coming.set_exception(error)
        else:
            self._settle(key, coming, session)
            coming.set_result(session)

    def _settle(self, key: Hashable, coming: Future[TargetSession], session: TargetSession | None) -> None:
        with self._lock:
            if self._assuming.get(key) is not coming:
                return  # given up meanwhile: it is not kept
            del self._assuming[key]
            if session is not None:
                self._sessions[key] = session
                if len(self._sessions) > self._max:
                    self._sessions.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Drop one session, so that the next caller assumes the role again."""
        with self._lock:
            self._sessions.pop(key, None)

    def give_up(self) -> None:
        """Keep nothing of what is still being assumed, and let nobody wait for it any more."""
        with self._lock:
            self._assuming.clear()

    def clear(self) -> None:
        """Drop every session."""
        with self._lock:
            self._sessions.clear()

    def __len__(self) -> int:
        return len(self._sessions)
