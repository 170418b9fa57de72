"""`--credentials`: the role in one account for any other tool, which runs this command to get into it.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from __future__ import annotations

import json
import os
from uuid import uuid4

from chalicelib.cross_account import HubCredentialsRejected, InvalidSettings
from chalicelib.cross_account.account_id import valid_account_id
from chalicelib.inputs.settings import hub_of
from terminal.stage import settings_of

_RUNNING = "CROSS_ACCOUNT_CREDENTIALS"
"""Names the account to whatever this process starts: which may be itself, by the profile that botocore reads."""


def process_credentials(account_id: str, stage: str) -> str:
    """What botocore and every SDK read from a `credential_process`.

    Raises:
        CrossAccountError: the account is not valid or not allowed, the settings are wrong, or AssumeRole failed.
    """
    if account_id in os.environ.get(_RUNNING, "").split():
        raise InvalidSettings(
            "The hub's own credentials come from this same command: it would call itself without end."
        )
    os.environ[_RUNNING] = f"{os.environ.get(_RUNNING, '')} {account_id}"
    settings = settings_of(stage)
    valid_account_id(account_id, settings.allowed_accounts)
    try:
        found = hub_of(settings).assume(account_id, request_id=f"terminal-{uuid4()}")
    except HubCredentialsRejected as error:
        if "CredentialRetrievalError" in error.message:
            profile = os.environ.get("AWS_PROFILE", "default")
            error.hint += (
                f" Does the profile {profile} run this command? Then it has to name the hub's profile: "
                "credential_process = env AWS_PROFILE=hub ..."
            )
        raise
    expiration = found["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"Version": 1, **found, "Expiration": expiration}) + "\n"
