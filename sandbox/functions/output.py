"""Reads what a process prints, without losing the last line or waiting for one that will not come.

stdout and stderr share one pipe. Everything printed before the process posts its answer is in the pipe by then,
so draining it at that moment gives exactly this invocation's output.
"""

import os
import select
import threading
from collections.abc import Callable


class OutputPipe:
    """The reading end is ours and never blocks; the writing end goes to the child."""

    def __init__(self, write: Callable[[list[str]], None]) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._write = write
        self._rest = b""
        self._closed = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Call once the child has its end: ours is closed, so that the child's death ends the pipe."""
        os.close(self.write_end)
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        while not self._closed:
            select.select([self._read_end], [], [])
            self.drain()
        with self._lock:
            os.close(self._read_end)

    def drain(self, final: bool = False) -> None:
        """Pass on all complete lines there are now; with `final` also a last line without an end."""
        with self._lock:
            while not self._closed:
                try:
                    chunk = os.read(self._read_end, 65536)
                except BlockingIOError:
                    break
                self._closed = not chunk
                self._rest += chunk
            *lines, self._rest = self._rest.split(b"\n")
            if (final or self._closed) and self._rest:
                lines.append(self._rest)
                self._rest = b""
            # The runtime client joins the lines of one message, a traceback say, with carriage returns.
            self._write([line.decode("utf-8", "replace").replace("\r", "\n") for line in lines])
