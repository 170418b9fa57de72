"""This app's own log: one JSON object a line, and nothing in it that opens a door."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

logger = Logger(service="cross-account", utc=True)

_TALKATIVE = (
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
    "boto3.resources.action",  # parameters and whole answers, where a check uses session().resource()
    "boto3.resources.collection",
    "s3transfer.utils",
    "urllib3.connectionpool",  # URLs, with presigned queries
)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def keep_secrets_out() -> None:
    """Stop botocore's debug records, whatever level somebody sets: they hold credentials and external IDs.

    A filter and not a level, because `logging.getLogger().setLevel("DEBUG")` or `boto3.set_stream_logger()` would
    undo a level. No root logger is touched.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_above_debug)  # adding it again changes nothing
