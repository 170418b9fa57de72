"""The cold start, without the garbage collector. To be imported before the rest of `chalicelib` brings botocore in.

Imports make some hundred thousand objects that all stay; looking through them again and again for garbage is an eighth
of the CPU time up to the first answer. Afterwards they are frozen, so that no later collection looks at them either.
"""

from __future__ import annotations

import gc

gc.disable()


def is_over() -> None:
    """Let the collector work from here on, on what comes from here on."""
    gc.freeze()
    gc.enable()
