"""What tests of the command need beside its fixtures."""

from __future__ import annotations

import io
import json
import os
import re
import signal

from tests.fake_aws import Reply

PLAN = re.compile(r"sweep\.py: [0-9,]+ checks? x [^\n]* calls?\n")
"""What is on stderr before anything is asked."""
ORGANIZATION = "POST /"
"""How the organization is asked."""

ONE_BY_ONE = ("--concurrency", "1")


def organization_of(*accounts: str) -> Reply:
    found = [{"Id": id_, "Name": "x", "State": "ACTIVE", "Paths": [f"o-a1b2c3d4e5/r-ab12/{id_}/"]} for id_ in accounts]
    return Reply(json.dumps({"Accounts": found}))


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
