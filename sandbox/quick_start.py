"""moto without what it repeats: the sandbox starts in little more than half the time, and answers sooner."""

import functools
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import botocore.session


@contextmanager
def quick_start() -> Iterator[None]:
    """Around the first import of moto.

    Some hundred thousand objects are made that all stay, and the garbage collector looks through none of them, now or
    later. botocore's data files are read once, not for each of the 40 sessions that moto makes; they are only read.
    """
    gc.disable()
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    yield
    from moto import backends
    from moto.core import loaders, utils

    modules = list(backends.list_of_moto_modules())  # moto looks through 200 folders, for each request
    backends.list_of_moto_modules = lambda: modules
    utils.create_loader = functools.cache(loaders.create_loader)  # type: ignore[attr-defined]  # and 400, for each service
    gc.freeze()
    gc.enable()
