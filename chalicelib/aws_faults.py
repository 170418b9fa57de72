"""What botocore raises, sorted into few kinds: the only place that does this."""

from __future__ import annotations

import re
import traceback
from enum import Enum
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    NoCredentialsError,
    PaginationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from chalicelib.errors import CrossAccountError

AWS_EXCEPTIONS = (ClientError, BotoCoreError, ResponseParserError)
"""ResponseParserError is neither a ClientError nor a BotoCoreError; botocore raises it for bodies it cannot read."""


class Fault(Enum):
    """The kinds of failure that call for different next steps."""

    DENIED = "denied"
    THROTTLED = "throttled"
    TIMED_OUT = "timed out"
    CREDENTIALS = "credentials rejected"
    UNREACHABLE = "unreachable"
    UNAVAILABLE = "unavailable"
    BROKEN_ANSWER = "answered with something that is no answer"
    REFUSED = "refused"


_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "Forbidden",
    "403",
    "AuthorizationError",
}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "ProvisionedThroughputExceededException",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "429",
}
_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "RequestTimeTooSkewed",
    "RequestExpired",
    "MissingAuthenticationToken",
    "AuthFailure",
}
_UNAVAILABLE = {
    "ModelNotReadyException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "500",
    "502",
    "503",
}
_TIMED_OUT = {"RequestTimeout", "RequestTimeoutException", "ModelTimeoutException", "504"}


_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
    LoginError,
)


def from_aws(error: Exception) -> bool:
    """Whether a call to AWS raised this, and not code of ours or of a check.

    For a body that AWS did not write, such as a proxy's page, botocore's parsers raise a bare KeyError, ValueError,
    TypeError or AttributeError. Only the traceback tells it from one of a check's own.
    """
    if isinstance(error, AWS_EXCEPTIONS):
        return True
    if isinstance(error, CrossAccountError):
        return False  # ours already: the session could not be renewed for this call
    return any(
        frame.f_code.co_name == "_make_api_call" and frame.f_globals.get("__name__") == "botocore.client"
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def fault_of(error: Exception) -> Fault:
    """Sort what is `from_aws` into its kind."""
    if isinstance(error, ClientError):
        code = code_of(error)
        return _fault_of_code(code) if code else Fault.BROKEN_ANSWER
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return Fault.TIMED_OUT
    if isinstance(error, _NO_CREDENTIALS):
        return Fault.CREDENTIALS
    if isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError):
        return Fault.UNREACHABLE
    if isinstance(error, BotoCoreError) and not isinstance(error, PaginationError):
        return Fault.REFUSED
    return Fault.BROKEN_ANSWER  # also two pages with the same continuation token


def _fault_of_code(code: str) -> Fault:
    for codes, fault in (
        (_DENIED, Fault.DENIED),
        (_THROTTLED, Fault.THROTTLED),
        (_CREDENTIALS, Fault.CREDENTIALS),
        (_TIMED_OUT, Fault.TIMED_OUT),
        (_UNAVAILABLE, Fault.UNAVAILABLE),
    ):
        if code in codes:
            return fault
    return Fault.REFUSED


def code_of(error: Exception) -> str | None:
    """AWS's error code, or None where AWS did not answer with one."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return _word(response.get("Error", {}).get("Code"))


def request_id_of(error: Exception) -> str | None:
    """AWS's id of the failed request, for a support case or CloudTrail."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return _word(response.get("ResponseMetadata", {}).get("RequestId"))


def _word(value: Any) -> str | None:
    """A code or an id as AWS writes them. Anything else is somebody's page, and does not get into answers and logs."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.:=+/-]{1,100}", value, re.ASCII) else None
