"""Every way in which the app can fail beyond those of `cross_account.errors`.

InvalidInput, of the helper    status   message of a direct response     HTTP
+-- UnknownCheck                 400    names the checks there are         404
+-- ForeignRequest               400    of `chalice local`                 403
+-- UnsupportedMediaType         400    of `chalice local`                 415

AwsError, of the helper          500    AWS API error occurred             502
+-- CheckDenied                                                            403
+-- CheckThrottled                                                         429
+-- CheckTimedOut                                                          504
+-- CheckCallFailed                                                        502
+-- RegionOff                    the account has not enabled the region    409
|   +-- ServiceNotOffered        AWS does not offer the service there      409
+-- AccountsNotListed            by AWS Organizations                      502
+-- EveryAccountFailed           of a sweep                                502
+-- ResultsNotStored             by S3, a sweep's                          502

InternalError                    500    Internal server error              500
+-- CheckFailed                  the check's own code raised
+-- ResultNotJson                the check returned what JSON cannot hold
+-- ResultTooLarge               more than a Lambda function may return
"""

from __future__ import annotations

import traceback

from chalicelib.app_log import logger
from chalicelib.cross_account.errors import AwsError, CrossAccountError, InvalidInput, Stage


class UnknownCheck(InvalidInput):
    http_status = 404


class ForeignRequest(InvalidInput):
    http_status = 403


class UnsupportedMediaType(InvalidInput):
    http_status = 415


class CheckDenied(AwsError):
    stage: Stage = "check"
    http_status = 403


class CheckThrottled(AwsError):
    stage: Stage = "check"
    http_status = 429


class CheckTimedOut(AwsError):
    stage: Stage = "check"
    http_status = 504


class CheckCallFailed(AwsError):
    stage: Stage = "check"


class RegionOff(AwsError):
    """It says where there is nothing to ask, so a sweep does not count it as a failure."""

    stage: Stage = "check"
    http_status = 409


class ServiceNotOffered(RegionOff):
    """The region does not have the service, so there is nothing to ask either."""


class AccountsNotListed(AwsError):
    stage: Stage = "list"


class EveryAccountFailed(AwsError):
    stage: Stage = "check"


class ResultsNotStored(AwsError):
    stage: Stage = "store"


class InternalError(CrossAccountError):
    """A fault of the app, or of a check's own code."""

    fixed_message = "Internal server error"


class CheckFailed(InternalError):
    stage: Stage = "check"


class ResultNotJson(InternalError):
    stage: Stage = "check"


class ResultTooLarge(InternalError):
    stage: Stage = "check"


def to_cross_account_error(error: BaseException, stage: Stage) -> CrossAccountError:
    """Return any exception as a CrossAccountError.

    An unexpected one is logged with its traceback but not with its text, which may contain secrets.

    Args:
        error: whatever was raised.
        stage: where, if it was unexpected.
    """
    if isinstance(error, CrossAccountError):
        return error
    name = type(error).__name__
    logger.error("unexpected error", raised=name, stage=stage, where=traceback.format_tb(error.__traceback__))
    return InternalError(f"Unexpected {name}.", hint="The log says where; please report it.", stage=stage)
