"""Every way this app can fail, and what each way answers.

    CrossAccountError              status   message of a direct answer       HTTP
    |
    +-- InvalidInput                 400    a sentence that names the field    400
    |   +-- MissingAccountId         400    Missing account_id                 400
    |   +-- InvalidAccountId         400    Invalid account ID format          400
    |   +-- UnknownCheck             400    names the checks there are         404
    |   +-- AccountNotAllowed        403    names the setting                  403
    |
    +-- AwsError                     500    AWS API error occurred
    |   +-- AssumeRoleDenied                                                   403
    |   +-- AssumeRoleThrottled                                                429
    |   +-- AssumeRoleTimedOut                                                 504
    |   +-- AssumeRoleFailed         refused, unreachable or nonsense          502
    |   +-- HubCredentialsRejected   the hub's own credentials do not work     502
    |   +-- WrongAccount             another account answered                  502
    |   +-- CheckDenied                                                        403
    |   +-- CheckThrottled                                                     429
    |   +-- CheckTimedOut                                                      504
    |   +-- CheckCallFailed                                                    502
    |   +-- AccountsNotListed        by AWS Organizations                      502
    |   +-- EveryAccountFailed       of a sweep                                502
    |   +-- ResultsNotStored         by S3, a sweep's                          502
    |
    +-- InternalError                500    Internal server error              500
        +-- InvalidSettings          the stage's settings are wrong
        +-- CheckFailed              the check's own code raised
        +-- ResultNotJson            the check answered what JSON cannot hold
        +-- ResultTooLarge           more than a Lambda may answer

`status` and `message` are the article's contract for a direct invocation; `http_status` is what a route answers.
No text here ever holds a credential, a token or an external ID: AWS's own error messages are not passed on, only
their error code and request id.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

Stage = Literal["input", "assume", "check"]


class CrossAccountError(Exception):
    """What failed, at which stage, and what to do next.

    Args:
        message: one sentence that says what failed.
        hint: what to do next, for somebody who sees just this.
        code: AWS's own error code, where AWS answered with one.
        request_id: AWS's request id, where there is one, for a support case or CloudTrail.
    """

    status: ClassVar[int] = 500
    http_status: ClassVar[int] = 500
    stage: ClassVar[Stage] = "input"
    fixed_message: ClassVar[str | None] = None
    """The message that the direct contract fixes for this class; None: the error's own sentence."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def public_message(self) -> str:
        """The `message` of an answer's body."""
        return self.fixed_message or self.message

    def as_dict(self) -> dict[str, Any]:
        """The `error` object of an answer: type, stage, code, hint, request_id."""
        hint = str(self) if self.fixed_message else self.hint
        return {
            "type": type(self).__name__,
            "stage": self.stage,
            "code": self.code,
            "hint": hint,
            "request_id": self.request_id,
        }


class InvalidInput(CrossAccountError):
    """The caller asked for something that cannot be; AWS has not been called."""

    status = http_status = 400


class MissingAccountId(InvalidInput):
    fixed_message = "Missing account_id"


class InvalidAccountId(InvalidInput):
    fixed_message = "Invalid account ID format"


class UnknownCheck(InvalidInput):
    http_status = 404


class AccountNotAllowed(InvalidInput):
    status = http_status = 403


class AwsError(CrossAccountError):
    """AWS refused, did not answer, or answered nonsense."""

    fixed_message = "AWS API error occurred"
    http_status = 502


class AssumeRoleDenied(AwsError):
    stage = "assume"
    http_status = 403


class AssumeRoleThrottled(AwsError):
    stage = "assume"
    http_status = 429


class AssumeRoleTimedOut(AwsError):
    stage = "assume"
    http_status = 504


class AssumeRoleFailed(AwsError):
    stage = "assume"


class HubCredentialsRejected(AwsError):
    stage = "assume"


class WrongAccount(AwsError):
    stage = "assume"


class CheckDenied(AwsError):
    stage = "check"
    http_status = 403


class CheckThrottled(AwsError):
    stage = "check"
    http_status = 429


class CheckTimedOut(AwsError):
    stage = "check"
    http_status = 504


class CheckCallFailed(AwsError):
    stage = "check"


class AccountsNotListed(AwsError):
    stage = "check"


class EveryAccountFailed(AwsError):
    stage = "check"
    answer: dict[str, Any] | None = None  # the sweep's all the same, for a page that says of each account why


class ResultsNotStored(AwsError):
    stage = "check"


class InternalError(CrossAccountError):
    """A fault of ours, or of a check's own code."""

    fixed_message = "Internal server error"


class InvalidSettings(InternalError):
    """One of the stage's environment variables is wrong; nothing has been called."""


class CheckFailed(InternalError):
    stage = "check"


class ResultNotJson(InternalError):
    stage = "check"


class ResultTooLarge(InternalError):
    stage = "check"
