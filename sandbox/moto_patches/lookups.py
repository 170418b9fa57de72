"""What moto looks up on the disk again and again."""

import functools


def keep_folders() -> None:
    # moto looks through its 200 folders for each request, and through botocore's 400 for each service. Delete this when
    # it keeps what it has found.
    from moto import backends
    from moto.core import loaders, utils

    modules = list(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    utils.create_loader = functools.cache(loaders.create_loader)  # type: ignore[attr-defined]
