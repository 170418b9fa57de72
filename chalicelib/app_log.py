"""The app's own log: one JSON object a line. It never holds credentials."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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


MAX_WARNINGS = 1000
"""Lines of an invocation of level WARNING and above. A sweep of 10,000 accounts that all fail would write 10,000, and
CloudWatch bills them; its response has them all."""


class _FirstWarnings(logging.Filter):
    """Lets the first ones of an invocation pass, and counts the others."""

    seen = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        self.seen += 1
        return self.seen <= MAX_WARNINGS


_first_warnings = _FirstWarnings()
logging.getLogger(logger.name).addFilter(_first_warnings)


@contextmanager
def bounded_log() -> Iterator[None]:
    """Bound the number of warnings within; at the end, one line says how many were not written."""
    _first_warnings.seen = 0
    try:
        yield
    finally:
        left_out = _first_warnings.seen - MAX_WARNINGS
        _first_warnings.seen = 0
        if left_out > 0:
            logger.warning("not all warnings were written", left_out=left_out)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def silence_botocore_debug() -> None:
    """Drop botocore's debug records, at any level that is set later: they hold credentials and external IDs.

    A filter and not a level, because `logging.getLogger().setLevel("DEBUG")` or `boto3.set_stream_logger()` would
    undo a level. The root logger is not touched.
    """
    for name in _SENSITIVE_LOGGERS:
        logging.getLogger(name).addFilter(_above_debug)  # adding it again changes nothing
