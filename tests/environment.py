"""The environment of a hub of the tests: nothing of the developer, fake credentials and no metadata service."""

from __future__ import annotations

import json
import os

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
    # Every test makes clients of its own; reading botocore's models anew would be most of the time they take.
    patch.setattr(botocore.session, "create_loader", lambda search_path=None: MODELS)
