"""The environment of a hub of the tests: nothing of the developer, fake credentials and no metadata service."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

import botocore.compat
import botocore.hooks
import botocore.loaders
import botocore.session
import pytest

from tests.fake_aws import HUB_KEY, HUB_SECRET, HUB_TOKEN
from tests.templates import ROOT

CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
SETTINGS = {
    name for variables in (CONFIG, *CONFIG["stages"].values()) for name in variables.get("environment_variables", {})
}
MODELS = botocore.loaders.create_loader()
NAMES_OF_EVENTS: dict[str, str] = {}


class Events(botocore.hooks.EventAliaser):
    """A session's events, whose present names all sessions look up together."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._alias_name_cache = NAMES_OF_EVENTS


def accepts_kwargs(handler: Callable[..., Any]) -> bool:
    """As botocore's own, which makes the whole signature of each handler to see whether it ends in **kwargs."""
    if isinstance(handler, FunctionType | MethodType):
        return bool(handler.__code__.co_flags & inspect.CO_VARKEYWORDS)
    return bool(botocore.compat.accepts_kwargs(handler))


# Every test makes sessions and clients of its own. Most of the time they take is work that is the same for each:
# reading botocore's models, and what it looks up for each of its 150 handlers.
botocore.session.create_loader = lambda search_path=None: MODELS
botocore.session.EventAliaser = Events
botocore.hooks.accepts_kwargs = accepts_kwargs


def set_environment(patch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's AWS and no setting, fake credentials and no metadata service."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "POWERTOOLS_", "BOTO_")) or name in SETTINGS:
            patch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": HUB_KEY,
        "AWS_SECRET_ACCESS_KEY": HUB_SECRET,
        "AWS_SESSION_TOKEN": HUB_TOKEN,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        patch.setenv(name, value)
