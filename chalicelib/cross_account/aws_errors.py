"""What botocore raises: classified into few kinds, and made an error of ours that names the next step."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from enum import Enum
from typing import Any

from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PaginationError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from .denial import Denial, explain
from .errors import (
    AssumeRoleDenied,
    AssumeRoleFailed,
    AssumeRoleThrottled,
    AssumeRoleTimedOut,
    AwsError,
    CrossAccountError,
    HubCredentialsRejected,
    InvalidSettings,
)

AWS_EXCEPTIONS = (ClientError, BotoCoreError, ResponseParserError)
"""ResponseParserError is neither a ClientError nor a BotoCoreError; botocore raises it for bodies it cannot read."""


class ErrorKind(Enum):
    """The kinds of failure that call for different next steps; the value is what a message says of it."""

    DENIED = "denied"
    THROTTLED = "throttled"
    TIMED_OUT = "timed out"
    CREDENTIALS = "credentials rejected"
    UNREACHABLE = "unreachable"
    UNAVAILABLE = "unavailable"
    INVALID_RESPONSE = "invalid response"
    REFUSED = "refused"


ErrorTable = Mapping[ErrorKind, tuple[type[AwsError], str]]
"""The error class and the hint for each kind."""

_KINDS_BY_CODE = {
    ErrorKind.DENIED: {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "Forbidden",
        "403",
        "AuthorizationError",
    },
    ErrorKind.THROTTLED: {
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
    },
    ErrorKind.CREDENTIALS: {
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
    },
    ErrorKind.TIMED_OUT: {"RequestTimeout", "RequestTimeoutException", "ModelTimeoutException", "504"},
    ErrorKind.UNAVAILABLE: {
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
    },
}

_NO_CREDENTIALS: tuple[type[BotoCoreError], ...] = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
    getattr(exceptions, "LoginError", NoCredentialsError),  # not in boto3 1.39
)


def is_aws_error(error: BaseException) -> bool:
    """Whether a call to AWS raised this, and not code of ours or of a check.

    For a body that AWS did not write, such as a proxy's page, botocore's parsers raise a bare KeyError, ValueError,
    TypeError or AttributeError. Only the traceback tells it from one of a check's own.
    """
    if isinstance(error, CrossAccountError):
        return False  # ours already: the session could not be renewed for this call
    if isinstance(error, AWS_EXCEPTIONS):
        return True
    return isinstance(error, Exception) and any(
        frame.f_code.co_name == "_make_api_call" and frame.f_globals.get("__name__") == "botocore.client"
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def classify(error: BaseException) -> ErrorKind:
    """The kind of what `is_aws_error`."""
    if isinstance(error, ClientError):
        code = code_of(error)
        return _kind_of_code(code) if code else ErrorKind.INVALID_RESPONSE
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return ErrorKind.TIMED_OUT
    if isinstance(error, _NO_CREDENTIALS):
        return ErrorKind.CREDENTIALS
    if isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError):
        return ErrorKind.UNREACHABLE
    if isinstance(error, BotoCoreError) and not isinstance(error, PaginationError):
        return ErrorKind.REFUSED
    return ErrorKind.INVALID_RESPONSE  # also two pages with the same continuation token


def _kind_of_code(code: str) -> ErrorKind:
    return next((kind for kind, codes in _KINDS_BY_CODE.items() if code in codes), ErrorKind.REFUSED)


def code_of(error: BaseException) -> str | None:
    """AWS's error code, or None if AWS did not return one."""
    return _word(_response(error).get("Error", {}).get("Code"))


def request_id_of(error: BaseException) -> str | None:
    """AWS's id of the failed request, for a support case or CloudTrail."""
    return _word(_response(error).get("ResponseMetadata", {}).get("RequestId"))


def message_of(error: BaseException) -> str:
    """AWS's own message. It may hold anything, so it is matched and never passed on."""
    return str(_response(error).get("Error", {}).get("Message", ""))


def _response(error: BaseException) -> dict[str, Any]:
    return getattr(error, "response", None) or {}


def _word(value: Any) -> str | None:
    """A code or an id as AWS writes them. Anything else is not AWS's, and stays out of responses and logs."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.:=+/-]{1,100}", value, re.ASCII) else None


_ASSUME_ROLE_ERRORS: ErrorTable = {
    ErrorKind.DENIED: (AssumeRoleDenied, ""),
    ErrorKind.THROTTLED: (
        AssumeRoleThrottled,
        "STS limits the rate of requests per hub account and region. Retry later, or with fewer accounts at a time.",
    ),
    ErrorKind.TIMED_OUT: (
        AssumeRoleTimedOut,
        "STS did not respond in time. Retry. A function in a VPC needs a route to the regional STS endpoint.",
    ),
    ErrorKind.CREDENTIALS: (
        HubCredentialsRejected,
        "The hub's own credentials do not work. On a laptop: sign in again, and check the clock. In Lambda: does the "
        "execution role still exist?",
    ),
    ErrorKind.UNREACHABLE: (
        AssumeRoleFailed,
        "There was no connection to STS, or it broke. A function in a VPC needs a route to the regional endpoint.",
    ),
    ErrorKind.UNAVAILABLE: (AssumeRoleFailed, "STS is unavailable in this region. Retry."),
    ErrorKind.INVALID_RESPONSE: (
        AssumeRoleFailed,
        "The response of STS could not be read. Is there a proxy in between? Retry.",
    ),
    ErrorKind.REFUSED: (AssumeRoleFailed, "STS refused the request itself; see the code."),
}

_HINTS_BY_CODE = {
    # The account whose session it would be has to enable it, and for an opt-in region the hub as well:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    "RegionDisabledException": "STS is switched off for this region in the target account: switch it on there (IAM, "
    "Account settings; an opt-in region in both accounts), or deploy the function in another region.",
    "ValidationError": "STS does not accept one of ROLE_NAME, ROLE_PATH and EXTERNAL_ID: check them.",
    "PackedPolicyTooLarge": "The actions are more than a session policy can hold; declare fewer.",
    "MalformedPolicyDocument": "The list of actions makes a session policy that STS does not understand.",
}
_TOO_LONG = (
    "SESSION_SECONDS is over the hour that role chaining allows, or over the role's MaxSessionDuration; set it lower."
)


def assume_role_error(error: BaseException, role_arn: str, denial: Denial) -> AwsError:
    """The error for an AssumeRole that failed.

    Args:
        error: what botocore raised, `is_aws_error`.
        role_arn: the role that was to be assumed.
        denial: what is known beside the error.
    """
    kind = classify(error)
    code = code_of(error)
    message = message_of(error)
    error_type, hint = _ASSUME_ROLE_ERRORS[kind]
    if kind is ErrorKind.DENIED:
        hint = explain(message, denial)
    elif code == "ValidationError" and "DurationSeconds" in message:
        hint = _TOO_LONG
    else:
        hint = _HINTS_BY_CODE.get(code or "", hint)
    return error_type(
        f"AssumeRole of {role_arn}: {kind.value}, {code or type(error).__name__}.",
        hint=hint,
        code=code,
        request_id=request_id_of(error),
        operation="AssumeRole",
    )


def time_is_up(account_id: str) -> AssumeRoleTimedOut:
    """The error for an AssumeRole that has been given up."""
    _, hint = _ASSUME_ROLE_ERRORS[ErrorKind.TIMED_OUT]
    message = f"AssumeRole in account {account_id} did not end in time."
    return AssumeRoleTimedOut(message, hint=hint, operation="AssumeRole")


def hub_error(error: BotoCoreError | ValueError) -> CrossAccountError:
    """The error for a hub without credentials, or with a configuration that botocore cannot use."""
    kind = type(error).__name__
    if classify(error) is ErrorKind.CREDENTIALS:
        error_type, hint = _ASSUME_ROLE_ERRORS[ErrorKind.CREDENTIALS]
        return error_type(f"The hub has no credentials: {kind}.", hint=hint)
    return InvalidSettings(
        f"The AWS configuration of this process cannot be used: {kind}.",
        hint="Check AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and other AWS_ variables, and the files that "
        "AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else those in ~/.aws.",
    )
