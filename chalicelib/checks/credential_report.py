"""IAM's report of the credentials of all users, which two checks read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from time import sleep

from chalicelib.checks.check import require_field
from chalicelib.cross_account import Account
from chalicelib.errors import CheckCallFailed

ACTIONS = ("iam:GenerateCredentialReport", "iam:GetCredentialReport")

PAUSES = (0.25, 0.5, 1, 2, 4, 4, 4, 4)
"""Seconds between asking whether the report is ready, in which AWS makes it for thousands of users."""

User = Mapping[str, str]
"""By column: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html"""


def users(account: Account) -> Iterator[User]:
    """The rows of the IAM users. AWS makes a new report once in four hours, so that it may be as old as that.

    Raises:
        CheckCallFailed: it is not ready in time, or cannot be read.
    """
    iam = account.client("iam")
    for pause in (*PAUSES, 0):
        if require_field(iam.generate_credential_report(), "State") == "COMPLETE":
            return rows(require_field(iam.get_credential_report(), "Content"))
        sleep(pause)
    raise CheckCallFailed(
        f"IAM's credential report was not ready after {sum(PAUSES):.0f} seconds.", hint="Ask again in a minute."
    )


def rows(content: bytes) -> Iterator[User]:
    """Those of the IAM users; the root user's is left out, which the check root_user judges."""
    table = csv.DictReader(io.StringIO(content.decode(errors="replace")))
    for row in table:
        if None in row or None in row.values() or "arn" not in row:
            raise CheckCallFailed("IAM's credential report has a row that cannot be read.")
        if row["user"] != "<root_account>":
            yield row
