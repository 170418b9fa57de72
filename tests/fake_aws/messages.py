"""A request as the server saw it, and a reply with all that can be wrong in how it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qs

from tests.fake_aws.canaries import account_of

REQUEST_ID = "aws-request-id"


@dataclass(frozen=True)
class Request:
    """What the server received.

    Attributes:
        nth: of its operation, from 1.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    nth: int = 1

    @property
    def _credential(self) -> list[str]:
        found = re.search(r"Credential=([^,]+)", self.headers.get("authorization", ""))
        scope = found[1] if found else self.query.get("X-Amz-Credential", "unsigned/-/-/-/-")
        return scope.split("/")

    @property
    def access_key(self) -> str:
        return self._credential[0]

    @property
    def token(self) -> str:
        return self.headers.get("x-amz-security-token", "")

    @property
    def service(self) -> str:
        return self._credential[3]

    @property
    def region(self) -> str:
        return self._credential[2]

    @property
    def signer(self) -> str:
        """The account whose credentials signed it."""
        return account_of(self.access_key)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}

    @property
    def operation(self) -> str:
        if self.service in ("sts", "iam"):
            return self.form.get("Action", "")
        if self.service == "s3" and (self.method, self.path) == ("GET", "/"):
            return "ListBuckets"
        if self.path.endswith("/converse"):
            return "Converse"
        if self.path == "/foundation-models":
            return "ListFoundationModels"
        return f"{self.method} {self.path}"

    @property
    def account(self) -> str:
        """The account it is about: the one whose role is asked for, else the one that signed."""
        return self.form["RoleArn"].split(":")[4] if self.operation == "AssumeRole" else self.signer


class Ending(Enum):
    """What becomes of the connection after a reply."""

    KEPT = "kept for the next request"
    CLOSED = "closed"
    RESET = "reset: RST instead of FIN"
    SILENT = "open, and nothing more is said, for longer than anybody waits"


@dataclass(frozen=True)
class Reply:
    """An answer, and how it is sent: well, unless told otherwise.

    Attributes:
        status: None: not a word is said, not even a status.
        content_length: what the header promises; default the truth.
        pieces, pause: the body is sent in so many pieces, each after so many seconds.
        ending: what becomes of the connection.
    """

    body: str | bytes = ""
    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_length: int | None = None
    pieces: int = 1
    pause: float = 0
    ending: Ending = Ending.KEPT

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


Answer = Reply | Callable[[Request], Reply]
