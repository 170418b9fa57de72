"""The settings of a stage in .chalice/config.json, laid over the shell's variables as `chalice local` does it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from chalice.config import Config

from chalicelib.cross_account import InvalidInput
from chalicelib.inputs.settings import Settings

_OF_A_SANDBOX = "SANDBOX_CREDENTIALS_FILE"
CONFIG = Path(__file__).parents[1] / ".chalice" / "config.json"


def settings_of(stage: str) -> Settings:
    """The settings, also for botocore: a stage may set AWS_* variables, as that of the sandbox does.

    Raises:
        InvalidInput: there is no such stage, or it is the sandbox's, and the shell is not.
        InvalidSettings: one of its values is wrong.
    """
    of_stage = variables(stage)
    if f"${_OF_A_SANDBOX}" in of_stage.values() and _OF_A_SANDBOX not in os.environ:
        raise InvalidInput(
            f"The stage {stage} needs a running sandbox (make sandbox), and its environment in this shell: "
            'eval "$(make -s sandbox-env)"'
        )
    os.environ.update(of_stage)
    return Settings.from_environment()


def variables(stage: str) -> dict[str, str]:
    """What a stage sets for the function `sweep`."""
    config = json.loads(CONFIG.read_text())
    if stage not in config["stages"]:
        raise InvalidInput(
            f"There is no stage {stage!a} in .chalice/config.json. There are: {', '.join(config['stages'])}."
        )
    return Config(chalice_stage=stage, function_name="sweep", config_from_disk=config).environment_variables
