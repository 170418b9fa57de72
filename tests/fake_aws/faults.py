"""Errors of AWS, and responses that AWS did not write. AWS's error texts contain what must not be passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.fake_aws.canaries import EXTERNAL_ID, HUB_ARN, HUB_SECRET, SESSION_SECRET, SESSION_TOKEN
from tests.fake_aws.healthy import as_json, healthy, xml
from tests.fake_aws.messages import REQUEST_ID, Ending, Reply, Request


def refusal(reason: str = "") -> str:
    """AWS's message for a denial, with everything in it that must not be passed on."""
    return (
        f"User: {HUB_ARN} is not authorized to perform: sts:AssumeRole on resource: x{reason} "
        f"(ExternalId {EXTERNAL_ID}, keys {HUB_SECRET} {SESSION_SECRET}, token {SESSION_TOKEN})"
    )


TALKATIVE = refusal()


def error(code: str, status: int = 400, message: str = TALKATIVE) -> Callable[[Request], Reply]:
    """An error in the form of the service that was called."""

    def respond(request: Request) -> Reply:
        if request.service == "bedrock":
            return as_json({"message": message}, status, **{"x-amzn-ErrorType": code})
        if request.service == "s3":
            return xml(
                f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{REQUEST_ID}</RequestId></Error>",
                status,
            )
        return xml(
            '<ErrorResponse xmlns="https://example.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
            status,
        )

    return respond


def denied(reason: str = "") -> Callable[[Request], Reply]:
    """STS's denial, with the hub's ARN in the message."""
    return error("AccessDenied", 403, refusal(reason))


def plain(status: int, body: bytes | str, content_type: str = "text/plain") -> Reply:
    """A response that AWS did not write, such as a proxy's page."""
    return Reply(body, status, {"Content-Type": content_type})


def html(status: int = 200) -> Reply:
    return plain(status, f"<html><body><h1>Sign in</h1><p>{TALKATIVE}</p></body></html>", "text/html")


def truncated(share: float = 0.5, *, honest: bool = False) -> Callable[[Request], Reply]:
    """A success that ends after a share of the body; with `honest` the Content-Length is that of the share."""

    def respond(request: Request) -> Reply:
        whole = healthy(request)
        part = whole.content[: int(len(whole.content) * share)]
        promised = len(part if honest else whole.content)
        return replace(whole, body=part, content_length=promised, ending=Ending.CLOSED)

    return respond


def dripping(pause: float, pieces: int = 10) -> Callable[[Request], Reply]:
    """A success in pieces, with `pause` seconds before each."""
    return lambda request: replace(healthy(request), pieces=pieces, pause=pause)


def _begun(ending: Ending) -> Reply:
    return Reply("<AssumeRoleResponse>", content_length=10_000, ending=ending)


reset = Reply(status=None, ending=Ending.RESET)
reset_midway = _begun(Ending.RESET)
closed = Reply(status=None, ending=Ending.CLOSED)
silent = Reply(status=None, ending=Ending.SILENT)
silent_midway = _begun(Ending.SILENT)
