"""The app's own log: one JSON object a line. It never holds credentials."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from aws_lambda_powertools import Logger

logger = Logger(service="cross-account", utc=True)

MAX_WARNINGS = 1000
"""Lines of an invocation of level WARNING, and as many of ERROR. A sweep of 10,000 accounts that all fail would write
10,000, and CloudWatch bills them; its response has them all."""


class _FirstWarnings(logging.Filter):
    """Lets the first ones of each level pass, and counts the others. Without `bounded_log` it lets all pass."""

    seen: Counter[int] | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if self.seen is None or record.levelno < logging.WARNING:
            return True
        self.seen[record.levelno] += 1
        return self.seen[record.levelno] <= MAX_WARNINGS


_first_warnings = _FirstWarnings()
logging.getLogger(logger.name).addFilter(_first_warnings)


@contextmanager
def bounded_log() -> Iterator[None]:
    """Bound the number of warnings within; at the end, one line says how many were not written."""
    seen = _first_warnings.seen = Counter[int]()
    try:
        yield
    finally:
        _first_warnings.seen = None
        left_out = sum(max(times - MAX_WARNINGS, 0) for times in seen.values())
        if left_out:
            logger.warning("not all warnings were written", left_out=left_out)


def warn_of_compiling(**modules: str) -> None:
    """Say so, once per cold start, if a part of the deployment came without bytecode that Python uses in a package.

    Args:
        modules: an imported one of each part, by the part's name.
    """
    without = [
        part
        for part, name in modules.items()
        if not _has_bytecode(str(getattr(sys.modules[name].__spec__, "cached", "")))
    ]
    if without:
        logger.warning(
            "deployed without bytecode: each cold start compiles these parts, which more than doubles its CPU",
            parts=without,
            hint="Deploy with .venv/bin/chalice, which `make demo` sets up.",
        )


def _has_bytecode(path: str) -> bool:
    """What goes by the time of the source, as a developer's __pycache__ does, is stale in a package."""
    try:
        with open(path, "rb") as file:
            return file.read(5)[4:] in (b"\1", b"\3")  # PEP 552: it goes by a hash
    except OSError:
        return False


_SENSITIVE_LOGGERS = (
    "botocore.auth",  # canonical requests, with the session token
    "botocore.awsrequest",  # bodies
    "botocore.compress",
    "botocore.configprovider",  # what stands in ~/.aws/config
    "botocore.crt.auth",
    "botocore.discovery",  # identifiers in parameters
    "botocore.endpoint",  # parameters with the external ID, headers with the token
    "botocore.handlers",  # error texts that came with a 200
    "botocore.history",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.monitoring",  # error texts
    "botocore.paginate",  # tokens of the caller's
    "botocore.parsers",  # bodies, with the secret key
    "botocore.regions",  # parameters
    "botocore.retryhandler",
    "botocore.session",  # what a caller configures
    "botocore.signers",
    "botocore.useragent",
    "botocore.utils",  # bodies of the metadata service
    "boto3.dynamodb.table",  # items
    "boto3.resources.action",  # parameters and whole responses, if a check uses session().resource()
    "boto3.resources.collection",
    "s3transfer",  # tracebacks, with error texts, as in all of its modules
    "s3transfer.crt",
    "s3transfer.download",
    "s3transfer.futures",
    "s3transfer.processpool",
    "s3transfer.tasks",
    "s3transfer.utils",
    "urllib3.connection",  # headers that it cannot parse, certificates
    "urllib3.connectionpool",  # URLs, with presigned queries
    "urllib3.contrib.pyopenssl",
    "urllib3.poolmanager",
    "urllib3.util.retry",
)
"""Those that log what a peer or a caller wrote."""
_RETRIES = "botocore.retries.standard"  # whose debug records are worth having, but for a header
_CREDENTIALS = ("botocore.credentials", "botocore.tokens")  # and where credentials come from, but for error texts


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _without_values(record: logging.LogRecord) -> bool:
    """Keep a warning and not what it quotes: "Failed to parse headers (url=...): ..."."""
    _replace_arguments(record, lambda value: value if isinstance(value, int | float) else "...")
    return _without_error_text(record)


def _without_error_text(record: logging.LogRecord) -> bool:
    """Keep the class of an exception: its text may be a peer's."""
    _replace_arguments(record, lambda value: type(value).__name__ if isinstance(value, Exception) else value)
    if record.exc_info and record.exc_info[0]:
        record.msg = f"{record.msg} ({record.exc_info[0].__name__})"
        record.exc_info = None
    return True


def _replace_arguments(record: logging.LogRecord, new: Callable[[object], object]) -> None:
    """logging makes a single dict the arguments themselves, for `%(name)s` or as the one value for `%s`."""
    if isinstance(record.args, Mapping) and "%(" in record.msg:
        record.args = {name: new(value) for name, value in record.args.items()}
    elif isinstance(record.args, Mapping):
        record.args = (new(record.args),)
    elif record.args:
        record.args = tuple(new(value) for value in record.args)


def silence_botocore_debug() -> None:
    """Drop botocore's debug records, and what its warnings quote, at any level that is set later.

    They hold credentials, external IDs and texts of AWS.

    Filters and not a level, because `logging.getLogger().setLevel("DEBUG")` or `boto3.set_stream_logger()` would undo a
    level. On each logger, because a filter is not inherited. The root logger is not touched.
    """
    for name in _SENSITIVE_LOGGERS:
        logging.getLogger(name).addFilter(_above_debug)  # adding it again changes nothing
    for name in (*_SENSITIVE_LOGGERS, _RETRIES):
        logging.getLogger(name).addFilter(_without_values)
    for name in _CREDENTIALS:
        logging.getLogger(name).addFilter(_without_error_text)
