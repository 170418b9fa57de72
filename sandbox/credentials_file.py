"""The developer's credentials in a file, for the stage `sandbox`, which lets botocore look at nothing else.

Each sandbox has a file of its own, so that several do not get in each other's way, and a variable says where it is:
botocore replaces it in the path that .chalice/config.json names. Where it is not set, such a file does not exist, and
botocore raises ProfileNotFound instead of looking for other credentials.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

VARIABLE = "SANDBOX_CREDENTIALS_FILE"
PROFILE = "cross-account-sandbox"


def write_credentials(credentials: dict[str, str]) -> "TemporaryDirectory[str]":
    """Returns the file's directory. Both are this user's alone."""
    folder = TemporaryDirectory(prefix="sandbox-credentials-")
    lines = [f"[{PROFILE}]", *(f"{name.lower()} = {value}" for name, value in credentials.items())]
    with open(os.open(path_in(folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        print(*lines, sep="\n", file=file)
    return folder


def path_in(folder: "TemporaryDirectory[str]") -> Path:
    return Path(folder.name) / "credentials"
