"""The app's own log: one JSON object a line. It never holds credentials."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

logger = Logger(service="cross-account", utc=True)

_SENSITIVE_LOGGERS = (
    "botocore.auth",  # canonical requests, with the session token
    "botocore.crt.auth",
    "botocore.endpoint",  # parameters with the external ID, headers with the token
    "botocore.handlers",  # error texts that came with a 200
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",  # bodies, with the secret key
    "botocore.signers",
    "botocore.retryhandler",
    "botocore.history",
    "boto3.resources.action",  # parameters and whole responses, if a check uses session().resource()
    "boto3.resources.collection",
    "s3transfer.utils",
    "urllib3.connectionpool",  # URLs, with presigned queries
)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def silence_botocore_debug() -> None:
    """Drop botocore's debug records, at any level that is set later: they hold credentials and external IDs.

    A filter and not a level, because `logging.getLogger().setLevel("DEBUG")` or `boto3.set_stream_logger()` would
    undo a level. The root logger is not touched.
    """
    for name in _SENSITIVE_LOGGERS:
        logging.getLogger(name).addFilter(_above_debug)  # adding it again changes nothing
