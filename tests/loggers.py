"""Every logger there is, turned up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def every_logger_at_debug() -> Iterator[list[logging.Logger]]:
    """The loggers, the root first, each with the level DEBUG of its own until the end."""
    root = logging.getLogger()
    loggers = [root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    before = {each: each.level for each in loggers}
    _set_levels(dict.fromkeys(loggers, logging.DEBUG))
    try:
        yield loggers
    finally:
        _set_levels(before)


def _set_levels(levels: dict[logging.Logger, int]) -> None:
    """As setLevel of each, which makes every one of some 250 loggers forget what it has cached: 250 times as fast."""
    root = logging.getLogger()
    for each, level in levels.items():
        each.level = level
    root.setLevel(levels[root])
