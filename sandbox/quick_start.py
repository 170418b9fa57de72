"""What makes the sandbox start in little more than half the time: moto's imports without what they repeat."""

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
    from moto.core import utils

    utils.create_loader = functools.cache(utils.create_loader)  # it looks through 400 folders, for each service
    gc.freeze()
    gc.enable()
