"""The AWS calls of one piece of work, so that another thread can end all of them.

A socket's timeouts bound a call only if its peer is silent: one that sends a byte now and then keeps it for ever. So
whoever gives up on a piece of work ends its calls: their sockets are shut down, and none is sent or retried any more.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any
from weakref import WeakSet

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)


class CallsEnded(Exception):
    """A call of work that has been given up. Nobody waits for its result any more."""


class Calls:
    """The calls that belong together.

    Attributes:
        ended: no further call is sent.
    """

    def __init__(self) -> None:
        self.ended = False
        self._connections: WeakSet[_Connection] = WeakSet()
        self._lock = threading.Lock()

    @contextmanager
    def made_here(self) -> Iterator[None]:
        """Within, the calls of this thread belong to it, and those of every identity that is made."""
        token = here.set(self)
        try:
            yield
        finally:
            here.reset(token)

    def end(self) -> None:
        """Shut down the sockets of all calls, in whichever thread they are, and send no more."""
        with self._lock:
            self.ended = True
            connections = list(self._connections)
        for connection in connections:
            connection.shut_down(self)

    def go_on(self) -> None:
        """
        Raises:
            CallsEnded
        """
        if self.ended:
            raise CallsEnded

    def add(self, connection: _Connection) -> None:
        with self._lock:
            self.go_on()
            self._connections.add(connection)


here: ContextVar[Calls | None] = ContextVar("calls", default=None)
"""The calls that those of this thread belong to."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End the calls that are made within, also those that drip, after so many seconds."""
    calls = Calls()
    timer = threading.Timer(seconds, calls.end)
    timer.daemon = True
    timer.start()
    try:
        with calls.made_here():
            yield
    finally:
        timer.cancel()


class _Connection:
    """A connection of urllib3 that knows whose calls it serves. It is kept alive, so that changes."""

    sock: Any
    _calls: Calls | None = None
    _opened: Any = None

    def __init__(self, current: Callable[[], Calls | None], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._current = current

    def connect(self) -> None:
        self._join()
        super().connect()  # type: ignore[misc]  # the connection that this is mixed with
        self._opened = self.sock  # which is None again once a response has `Connection: close`, and may still drip
        if self._calls:  # resolving a name is not a socket yet, and may take half a minute
            self._calls.go_on()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._join()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def shut_down(self, calls: Calls) -> None:
        if self._calls is not calls or self._opened is None:
            return
        raw = getattr(self._opened, "socket", self._opened)  # TLS within the TLS of a proxy wraps it
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(raw, socket.SHUT_RDWR)  # an SSLSocket's own would drop its state

    def _join(self) -> None:
        calls = self._current()
        if calls is not self._calls:
            self._calls = calls
            if calls:
                calls.add(self)


class _HTTPConnection(_Connection, AWSHTTPConnection):  # type: ignore[misc]  # botocore's differs from its own base too
    pass


class _HTTPSConnection(_Connection, AWSHTTPSConnection):  # type: ignore[misc]
    def connect(self) -> None:
        # urllib3 reads the file of CA certificates at each connection, 31 ms of CPU, though its context has kept them.
        if self.ssl_context is None or (self.proxy and self.proxy.scheme == "https"):
            return super().connect()  # such a proxy is verified in another context, which is new each time
        if self.ssl_context in _with_certificates:
            self.ca_certs = None
        super().connect()
        _with_certificates.add(self.ssl_context)


_with_certificates: WeakSet[ssl.SSLContext] = WeakSet()
"""Those that have read the file, which is always the same one: a connection was made."""


def end_with_calls(client: Any, current: Callable[[], Calls | None]) -> None:
    """Make the calls of a botocore client end with those that they belong to.

    Args:
        client: one that has not been used yet.
        current: the calls that a call of this client belongs to; it is called in the thread that makes the call.
    """

    def go_on(**_: Any) -> None:
        if calls := current():
            calls.go_on()

    client.meta.events.register("before-send", go_on)  # each attempt comes here, in every retry mode

    def pool(pool: type[Any], connection: type[_Connection], *args: Any, **kwargs: Any) -> Any:
        made = pool(*args, **kwargs)
        made.ConnectionCls = partial(connection, current)
        return made

    # botocore has no parameter for its connections. Its pools for proxies use the same two classes.
    classes = client._endpoint.http_session._manager.pool_classes_by_scheme
    classes["http"] = partial(pool, AWSHTTPConnectionPool, _HTTPConnection)
    classes["https"] = partial(pool, AWSHTTPSConnectionPool, _HTTPSConnection)
