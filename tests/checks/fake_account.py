"""An account without AWS, for checks that judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def refusal(code: str = "AccessDenied", message: str = "", operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def verdicts(findings: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The resource and verdict of each finding."""
    found = list(findings)
    assert all(finding["reason"].endswith(".") for finding in found)
    return [(finding["resource"], finding["verdict"]) for finding in found]


class FakeAccount:
    """An account in which each operation has an answer, by name; it denies the others.

    An answer may be an error, or a function of the arguments. A list has one for each call; or, of pages, one for each
    page.

    Attributes:
        calls: the operations, in order.
        sent: the arguments of each operation's last call.
        regions: of the clients.
    """

    id, region = ACCOUNT, REGION

    def __init__(self, **answers: Any) -> None:
        self.calls: list[str] = []
        self.sent: dict[str, Any] = {}
        self.regions: set[str | None] = set()
        self._answers = answers

    def client(self, service: str, region: str | None = None) -> Any:
        self.regions.add(region)
        return _Client(self, service)

    def pages(self, service: str, operation: str, /, **arguments: Any) -> Iterator[Any]:
        answer = self.answer_of(service, operation, arguments)
        yield from map(_or_raised, answer if isinstance(answer, list) else [answer])

    def answer_of(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        self.calls.append(operation)
        self.sent[operation] = arguments
        if operation not in self._answers:
            action = f"{service}:{operation.title().replace('_', '')}"
            raise refusal("UnauthorizedOperation", f"You are not authorized to perform: {action}")
        answer = self._answers[operation]
        return answer(**arguments) if callable(answer) else answer


class _Client:
    def __init__(self, account: FakeAccount, service: str) -> None:
        self._account, self._service = account, service

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            answer = self._account.answer_of(self._service, operation, arguments)
            return _or_raised(answer.pop(0) if isinstance(answer, list) else answer)

        return call


def _or_raised(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer
