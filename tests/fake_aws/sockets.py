"""Servers that never get as far as HTTP: what they send is set byte by byte, or nothing at all."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from itertools import chain, repeat


def dripping_server(first: bytes = b"", then: bytes = b"", pause: float = 1) -> str:
    """Listen on a free port of loopback for as long as the process lasts. Returns host and port.

    Args:
        first: sent at once to whoever connects, before anything is asked.
        then: sent every `pause` seconds, for ever; empty: the connection stays open without more data.
    """
    server = socket.create_server(("127.0.0.1", 0), backlog=128)

    def drip(client: socket.socket) -> None:
        with client, suppress(OSError):  # the client has gone
            for data in chain([first], repeat(then)):
                client.sendall(data)
                threading.Event().wait(pause)

    def accept() -> None:
        while True:
            threading.Thread(target=drip, args=server.accept()[:1], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return "127.0.0.1:{1}".format(*server.getsockname())


class full_queue:
    """A listening socket whose queue of connections is full, so that one more is neither taken nor refused."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.waiting: list[socket.socket] = []

    def __enter__(self) -> str:
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(0)
        address = self.server.getsockname()
        for _ in range(16):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            self.waiting.append(client)
        return f"http://127.0.0.1:{address[1]}"

    def __exit__(self, *_: object) -> None:
        for client in self.waiting:
            client.close()
