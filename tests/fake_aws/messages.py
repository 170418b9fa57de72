"""A request as the server received it, and a reply with everything that can be wrong with how it is sent."""

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
    """A request that the server received.

    Attributes:
        nth: its number among the requests of its operation, from 1.
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
        """The account of the role in AssumeRole; for all other operations the account that signed."""
        return self.form["RoleArn"].split(":")[4] if self.operation == "AssumeRole" else self.signer


class Ending(Enum):
    """What happens to the connection after a reply."""

    KEPT = "kept for the next request"
    CLOSED = "closed"
    RESET = "reset: RST instead of FIN"
    SILENT = "open without more data, longer than any timeout"


@dataclass(frozen=True)
class Reply:
    """A response and how it is sent; the defaults are correct.

    Attributes:
        status: None sends nothing, not even a status.
        content_length: the header's value; None is the true length.
        pieces, pause: the body is sent in this many pieces, each after this many seconds.
        ending: what happens to the connection.
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
