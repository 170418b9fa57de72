"""Every way to fail on the way into a target account.

    CrossAccountError
    |
    |                              status   message of a direct response     HTTP
    +-- InvalidInput                 400    a sentence that names the field    400
    |   +-- MissingAccountId         400    Missing account_id                 400   also a ValueError
    |   +-- InvalidAccountId         400    Invalid account ID format          400   also a ValueError
    |   +-- AccountNotAllowed        403    names the setting                  403
    |
    +-- InvalidSettings              500    Internal server error              500
    |
    +-- AwsError                     500    AWS API error occurred             502   also a botocore ClientError
        +-- AssumeRoleDenied                                                   403
        +-- AssumeRoleThrottled                                                429
        +-- AssumeRoleTimedOut                                                 504
        +-- AssumeRoleFailed         refused, unreachable or invalid response  502
        +-- HubCredentialsRejected   the hub's own credentials do not work     502
        +-- WrongAccount             another account responded                 502

`status` and `message` are the contract of a direct invocation; `http_status` is what a route returns.
No text here ever holds a credential, a token or an external ID: AWS's own error messages are not passed on, only
its error code and request id.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError

Stage = Literal["input", "settings", "list", "assume", "check", "store"]


class CrossAccountError(Exception):
    """What failed, at which stage, and what to do next.

    Args:
        message: one sentence that says what failed.
        hint: what to do next, for a reader who sees nothing else.
        code: AWS's error code, if AWS returned one.
        request_id: AWS's request id, if there is one, for a support case or CloudTrail.
        stage: where it happened, if not where this class usually does.
    """

    status: ClassVar[int] = 500
    http_status: ClassVar[int] = 500
    stage: Stage = "input"
    fixed_message: ClassVar[str | None] = None
    """The message that the direct contract fixes for this class; None: the error's own sentence."""
    result: Any = None
    """What the answer tells beside the error, such as a finding that is unknown; None: nothing."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        request_id: str | None = None,
        stage: Stage | None = None,
    ) -> None:
        Exception.__init__(self, message)
        self.message = message
        self.hint = hint
        self.code = code
        self.request_id = request_id
        if stage:
            self.stage = stage

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def public_message(self) -> str:
        """The `message` of a response's body."""
        return self.fixed_message or self.message

    def as_dict(self) -> dict[str, Any]:
        """The `error` object of a response's body: type, stage, code, hint, request_id."""
        return {
            "type": type(self).__name__,
            "stage": self.stage,
            "code": self.code,
            "hint": str(self) if self.fixed_message else self.hint,
            "request_id": self.request_id,
        }


class InvalidInput(CrossAccountError):
    """The caller asked for something impossible; AWS has not been called."""

    status = http_status = 400


class MissingAccountId(InvalidInput, ValueError):
    fixed_message = "Missing account_id"


class InvalidAccountId(InvalidInput, ValueError):
    fixed_message = "Invalid account ID format"


class AccountNotAllowed(InvalidInput):
    status = http_status = 403


class InvalidSettings(CrossAccountError):
    """An environment variable, or the AWS configuration, is wrong; AWS has not been called."""

    stage: Stage = "settings"
    fixed_message = "Internal server error"


class AwsError(CrossAccountError, ClientError):
    """AWS refused, did not respond, or sent an invalid response.

    It is a ClientError of `operation`, so that a caller's `except ClientError` and `error.response["Error"]["Code"]`
    go on working. `response` is made of this error's own texts and holds nothing else of what AWS sent.
    """

    stage: Stage = "assume"
    http_status = 502
    fixed_message = "AWS API error occurred"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        request_id: str | None = None,
        stage: Stage | None = None,
        operation: str = "",
    ) -> None:
        super().__init__(message, hint=hint, code=code, request_id=request_id, stage=stage)
        self.operation_name = operation
        self.response: Any = {
            "Error": {"Code": code or type(self).__name__, "Message": message},
            "ResponseMetadata": {"RequestId": request_id or ""},
        }

    __reduce__ = Exception.__reduce__  # ClientError's own calls __init__ with other arguments


class AssumeRoleDenied(AwsError):
    http_status = 403


class AssumeRoleThrottled(AwsError):
    http_status = 429


class AssumeRoleTimedOut(AwsError):
    http_status = 504


class AssumeRoleFailed(AwsError):
    pass


class HubCredentialsRejected(AwsError):
    pass


class WrongAccount(AwsError):
    pass
