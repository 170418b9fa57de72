"""Who may speak to the sandbox: its developer, known by a signature, and no web page.

moto has doors without a signature: /moto-api (which replays recorded requests), instance metadata, CORS, and some calls
of Cognito, as well as those of other services that have the same name. So the signature is verified here, for every
service and path, before moto sees the request.
"""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import UnknownServiceError
from botocore.handlers import S3_SIGNING_NAMES
from botocore.model import OperationModel
from moto.core.request import EnvironHeaders, determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from sandbox import organization, presigned, regions
from sandbox.authorization import CALLER
from sandbox.aws_errors import (
    Refused,
    bad_signature,
    denied,
    expired_credentials,
    no_credentials,
    other_content,
    unknown_credentials,
)
from sandbox.callers import Caller, find_caller

# S3 has buckets, and S3 Control accounts, as names below that of the endpoint; browsers ask no DNS for these.
_LOOPBACK = re.compile(r"(([0-9]{12}\.)?127\.0\.0\.1|([a-z0-9.-]+\.)?localhost|\[::1\])(:[0-9]+)?", re.IGNORECASE)
_OF_A_PAGE = {"HTTP_ORIGIN", "HTTP_SEC_PURPOSE", "HTTP_PURPOSE"}
BODY = "sandbox.body"
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/[0-9]{8}/([^/,]+)/([^/,]+)/aws4_request, *"
    r"SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})"
)
_NOT_OF_AWS = ("/moto-api", "/latest/meta-data", "/latest/api")
_SERVICES_BY_FORM = {"x-www-form-urlencoded": "sts", "json": "organizations"}

Environ = dict[str, Any]
Response = tuple[str, list[tuple[str, str]], Iterable[bytes]]
"""Status line, headers and body."""


def refusal_of_a_page(environ: Environ) -> Response | None:
    """A response to whatever a browser sends for a page of another site, or for a name that leads to this machine.

    The sandbox has no pages, so that every Origin is foreign. A typed address has `Sec-Fetch-Site: none`, and what is
    not a browser has neither header. What a browser fetches ahead for a page has `none` too, and a purpose.
    """
    loopback = _LOOPBACK.fullmatch(environ.get("HTTP_HOST", ""))
    typed = environ.get("HTTP_SEC_FETCH_SITE", "none") == "none" and not environ.keys() & _OF_A_PAGE
    if loopback and typed:
        return None
    return "403 Forbidden", [("Content-Type", "text/plain")], [b"The sandbox serves 127.0.0.1, and no web page.\n"]


def refusal_of_a_stranger(environ: Environ) -> Response | None:
    """A response to what the sandbox's own keys did not sign, in the form of the service that it names."""
    try:
        _check_signature(environ)
    except Refused as refused:
        return serialized(refused, environ)
    return None


def _check_signature(environ: Environ) -> None:
    if environ["PATH_INFO"].startswith(_NOT_OF_AWS):
        raise denied(f"The sandbox does not serve {environ['PATH_INFO']}")
    query = presigned.query_of(environ)
    if key := query.get("AWSAccessKeyId"):
        caller = _caller(environ, key, query.get("x-amz-security-token"))
        _compare(presigned.version_2(environ, query, caller.credentials), query.get("Signature", ""))
        presigned.put_into_headers(environ, query)
    else:
        if query:
            presigned.put_into_headers(environ, query)
        _check_version_4(environ, is_presigned=bool(query))
    session = environ[CALLER].session
    if session and session.has_expired:
        raise expired_credentials()
    if query:
        presigned.check_time(query)


def _check_version_4(environ: Environ, is_presigned: bool) -> None:
    signed = SIGNED.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        raise no_credentials()
    key, region, service, names, signature = signed.groups()
    caller = _caller(environ, key, environ.get("HTTP_X_AMZ_SECURITY_TOKEN"))
    is_s3 = service in S3_SIGNING_NAMES
    url = environ["REQUEST_URI"]
    if is_presigned:
        url = re.sub("&X-Amz-Signature=[^&]*", "", url)
    sent = {name.lower(): value for name, value in EnvironHeaders(environ).items()}
    headers = {name: value for name, value in sent.items() if name in names.split(";")}
    body = _body(environ)
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers, body)
    request.context["timestamp"] = environ.get("HTTP_X_AMZ_DATE", "")
    kind = (S3SigV4QueryAuth if is_presigned else S3SigV4Auth) if is_s3 else SigV4Auth
    auth = kind(caller.credentials, service, region)
    _compare(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request), signature)
    of_the_query = presigned.HEADERS if is_presigned else set()
    if is_s3 and any(name.startswith("x-amz-") for name in sent.keys() - headers.keys() - of_the_query):
        # who has the URL of an upload could have something copied there, by who signed it
        raise denied("There were headers present in the request which were not signed")
    if refused := regions.refusal(caller.account, region, service):
        raise refused
    digest = request.headers.get("X-Amz-Content-SHA256", "")
    if re.fullmatch("[0-9a-f]{64}", digest) and digest != sha256(body).hexdigest():
        raise other_content() if is_s3 else bad_signature()


def _caller(environ: Environ, key: str, token: str | None) -> Caller:
    """Whose key it is; once the signature is verified, authorization.py takes it from there."""
    caller = find_caller(key)
    if caller is None or caller.credentials.token != token or organization.is_closed(caller.account):
        raise unknown_credentials()
    environ[CALLER] = caller
    return caller


def _compare(expected: str, signature: str) -> None:
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise bad_signature()


def _body(environ: Environ) -> bytes:
    """It is left to be read again."""
    size = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(size)
    environ["wsgi.input"], environ[BODY] = BytesIO(body), body
    return body


def serialized(refused: Refused, environ: Environ, service: str = "") -> Response:
    """The error in the protocol of a service: by default the one that the signature names."""
    content_type = environ.get("CONTENT_TYPE", "")
    signed = SIGNED.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    unnamed = next((service for form, service in _SERVICES_BY_FORM.items() if form in content_type), "s3")
    try:
        model = get_service_model(service or (signed[3] if signed else unnamed))
        protocol = determine_request_protocol(model, content_type)
        serializer = get_serializer_class(str(model.service_name), protocol)
    except (UnknownServiceError, NotImplementedError, KeyError):
        # boto3 may call a service otherwise than its signatures do, and moto does not know every protocol
        model = get_service_model(unnamed)
        protocol = str(model.protocol)
        serializer = get_serializer_class(str(model.service_name), protocol)
    refused.speak(str(model.service_name), protocol)
    answer = serializer(OperationModel({}, model)).serialize(refused)
    body: str | bytes = answer["body"]
    return (
        f"{refused.status} {HTTPStatus(refused.status).phrase}",
        [*answer["headers"].items()],
        [body.encode() if isinstance(body, str) else body],
    )
