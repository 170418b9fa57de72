"""When a sweep at a terminal ends early: at the end of --timeout, at Ctrl-C, or when nothing can be written."""

from __future__ import annotations

import math
import os
import time

from terminal.status import Status


class Limit:
    """The time that a sweep has.

    Attributes:
        sweeping: accounts are being asked, by threads whose locks an exception in this one would break.
        interrupted: by Ctrl-C.
        over: the sweep is over, and its answer is being written.

    Args:
        seconds: None: no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self.sweeping = False
        self.interrupted = False
        self.over = False

    def left(self) -> float:
        """Seconds."""
        return 0.0 if self.interrupted else self._end - time.monotonic()

    def end(self) -> None:
        """Now: nobody takes the answer any more."""
        self._end = -math.inf

    def interrupt(self, *_: object) -> None:
        """Ctrl-C: the first ends the sweep, one more ends the process.

        Raises:
            KeyboardInterrupt: the accounts are still being listed, or even less.
        """
        if self.interrupted or self.over:
            if os.isatty(2):
                os.write(2, b"\x1b[?25h")  # the bar may have hidden the cursor
            os._exit(Status.INTERRUPTED)
        self.interrupted = True
        if not self.sweeping:
            raise KeyboardInterrupt
