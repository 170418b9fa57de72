"""Requests that moto has no answer for: they are authorized too, and then told that they are not implemented.

But for the operations of Access Analyzer, a service that moto 5.2.5 lacks. Delete access_analyzer.py when moto has it.
"""

import json
from functools import cache
from urllib.parse import parse_qs

from botocore.session import get_session
from moto.core.request import EnvironHeaders

from sandbox import access_analyzer, guard
from sandbox.accounts import REGION
from sandbox.authorization import CALLER, SEEN, authorize_request
from sandbox.aws_errors import Refused, not_implemented
from sandbox.requested_access import Request
from sandbox.requested_access.request import model_of, operation_of


def is_unserved(environ: guard.Environ, status: str) -> bool:
    """Whether moto did not bring the request to authorization.py, and not because it is malformed."""
    return SEEN not in environ and (status[0] != "4" or status.startswith("404"))


def response_to(environ: guard.Environ) -> guard.Response:
    """AWS's refusal, or NotImplemented to who may call the operation."""
    request = _request(environ)
    try:
        account = authorize_request(request, environ[CALLER], environ)
        if request.service == "accessanalyzer" and (answer := access_analyzer.ANSWERS.get(request.operation)):
            asked = {name: values[0] for name, values in request.query.items()} | dict(request.json)
            body = json.dumps(answer(account, request.region, asked)).encode()
            return "200 OK", [("Content-Type", "application/json")], [body]
    except Refused as refused:
        return guard.serialized(refused, environ, request.service)
    return guard.serialized(not_implemented(f"{request.service}:{request.operation}"), environ, request.service)


def _request(environ: guard.Environ) -> Request:
    """By the service that was signed for, of which boto3 may have several, such as ses and sesv2."""
    signed = guard.SIGNED.fullmatch(environ["HTTP_AUTHORIZATION"])  # or a URL of S3's, presigned by version 2
    region, signing_name = signed.group(2, 3) if signed else (REGION, "s3")
    caller, body = environ[CALLER], environ.get(guard.BODY, b"")
    is_form = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
    form = parse_qs(body.decode(errors="replace")) if is_form else {}
    named = form.get("Action") or [environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]]
    url = environ["REQUEST_URI"]

    def of(service: str, operation: str) -> Request:
        method, headers = environ["REQUEST_METHOD"], EnvironHeaders(environ)
        return Request(service, operation, method, url, form, headers, body, caller.account, region, caller=caller.arn)

    for service in _services(signing_name):
        if operation := operation_of(of(service, named[0])):
            return of(service, operation.name)
    return of(signing_name, named[0] or "Unknown")


@cache
def _services(signing_name: str) -> list[str]:
    """boto3's names of the services that sign with this name."""

    beginning = signing_name.replace("-", "")
    found = [name for name in get_session().get_available_services() if name.replace("-", "").startswith(beginning)]
    return [name for name in found if (model := model_of(name)) and model.signing_name == signing_name]
