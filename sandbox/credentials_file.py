"""The developer's credentials in a file, and a profile of each account, named as the account.

The stage `sandbox` lets botocore look at no credentials but these. Each sandbox has files of its own, so that several
do not get in each other's way, and a variable says where they are: botocore replaces it in the path that
.chalice/config.json names. Where it is not set, such a file does not exist, and botocore raises ProfileNotFound instead
of looking for other credentials.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox import leftovers
from sandbox.accounts import ADMINISTRATOR_ROLE, HUB_NAME, REGION, Target

VARIABLE = "SANDBOX_CREDENTIALS_FILE"
PROFILE = "cross-account-sandbox"


def write_files(credentials: Mapping[str, str], targets: Iterable[Target]) -> "TemporaryDirectory[str]":
    """Returns their directory. All are this user's alone. The profile of a target acts as its administrator."""
    folder = leftovers.folder("credentials")
    keys = {name.lower(): value for name, value in credentials.items()}
    _write(Path(folder.name) / "credentials", {PROFILE: keys, HUB_NAME: keys})
    roles = {
        f"profile {target.name}": {
            "role_arn": f"arn:aws:iam::{target.id}:role/{ADMINISTRATOR_ROLE}",
            "source_profile": HUB_NAME,
            "role_session_name": Path(folder.name).name,  # aws keeps sessions in ~/.aws/cli/cache by this name too
            "region": REGION,
        }
        for target in targets
    }
    _write(Path(folder.name) / "config", {f"profile {HUB_NAME}": {"region": REGION}, **roles})
    return folder


def variables(folder: "TemporaryDirectory[str]") -> dict[str, str]:
    """By which botocore finds these files, and none of ~/.aws."""
    credentials = str(Path(folder.name) / "credentials")
    config = str(Path(folder.name) / "config")
    return {VARIABLE: credentials, "AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config}


def _write(path: Path, profiles: Mapping[str, Mapping[str, str]]) -> None:
    lines = [
        line for name, pairs in profiles.items() for line in (f"[{name}]", *(f"{k} = {v}" for k, v in pairs.items()))
    ]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        print(*lines, sep="\n", file=file)
