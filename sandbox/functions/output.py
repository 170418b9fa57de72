"""Reads what a process prints, without losing the last line or waiting for a line that never comes.

stdout and stderr share one pipe. When the process posts its response, the pipe contains everything that it printed
before, so draining it then gives exactly this invocation's output.
"""

import os
import select
import threading
from collections.abc import Callable


class OutputPipe:
    """A pipe from the child; reading it never blocks."""

    def __init__(self, write: Callable[[list[str]], None]) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._write = write
        self._rest = b""
        self._closed = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Call after the child has the writing end; this closes it here, so that the pipe ends with the child."""
        os.close(self.write_end)
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        while not self._closed:
            select.select([self._read_end], [], [])
            self.drain()
        with self._lock:
            os.close(self._read_end)

    def drain(self, final: bool = False) -> None:
        """Write all complete lines in the pipe; with `final` also a last line without a line end."""
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
            # The runtime client joins the lines of one message, such as a traceback, with carriage returns.
            self._write([line.decode("utf-8", "replace").replace("\r", "\n") for line in lines])
