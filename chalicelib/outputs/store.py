"""A sweep's results as JSON lines in the hub's own bucket, where SQL reads them: see docs/thousands-of-accounts.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NoReturn

from chalicelib.app_log import logger
from chalicelib.cross_account import Hub, HubCredentialsRejected, InvalidSettings
from chalicelib.cross_account.aws_errors import code_of, is_aws_error, request_id_of
from chalicelib.errors import ResultsNotStored, to_cross_account_error
from chalicelib.inputs.requests import StoreRequest, SweepRequest
from chalicelib.outputs.rows import line_of
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer, Outcome

STORE_SECONDS = 15.0
"""Kept back at the end of a sweep for writing its results: a failed attempt and one more."""
_MEMORY_BYTES = 8 * 1024 * 1024
"""A larger part goes through a file in /tmp, so that its text does not come on top of the results in memory."""

_PREFIX = "sweeps"
"""The only place in the bucket; sweep-template.yaml grants writing below it and nowhere else."""


class ResultsStore:
    """Where one sweep's results go. Create it before the sweep, so that a missing bucket setting fails first.

    Args:
        hub: the account this runs in.
        bucket: RESULTS_BUCKET, the only one that is written to.
        request: the sweep; its `store` says under which key.
        request_id: of the invocation.

    Raises:
        InvalidSettings: this stage has no bucket for results.
    """

    def __init__(self, hub: Hub, bucket: str, request: SweepRequest, request_id: str) -> None:
        if not bucket:
            raise InvalidSettings(
                "The setting RESULTS_BUCKET is empty; the rule is: the name of the bucket that stored sweeps write to.",
                hint="Deploy sweep-template.yaml, set RESULTS_BUCKET of this stage in .chalice/config.json to the name "
                "of its bucket, and deploy the app again.",
            )
        self._hub = hub
        self._bucket = bucket
        self._key = key(request, request_id)

    def keep(self, answer: Answer, deadline: Deadline) -> dict[str, Any]:
        """Write a sweep's results, and return its response with `failed` and `location` in place of `results`.

        Overwrites an earlier run of this part; writes an empty file if there are no results.

        Raises:
            ResultsNotStored: S3 did not accept them, or not in time. They are lost, and the sweep has to be run again.
        """
        deadline.run(partial(self._put, answer.outcomes), late=self._put_late)
        location = f"s3://{self._bucket}/{self._key}"
        logger.info("stored", location=location, lines=len(answer.outcomes))
        failed = list(dict.fromkeys(account[:64] for account in answer.failed))
        return {**answer.without_results(), "failed": failed, "location": location}

    def _put(self, outcomes: Iterable[Outcome]) -> None:
        try:
            with SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
                _write_lines(file, outcomes)
                file.seek(0)
                self._hub.client("s3").put_object(
                    Bucket=self._bucket, Key=self._key, Body=file, ContentType="application/x-ndjson"
                )
        except HubCredentialsRejected as error:
            error.stage = "store"
            raise
        except Exception as error:
            if not is_aws_error(error):
                raise to_cross_account_error(error, "store") from None
            what = f"S3 did not accept the results: {code_of(error) or type(error).__name__}"
            raise self._not_stored(what, code_of(error), request_id_of(error)) from None

    def _put_late(self) -> NoReturn:
        raise self._not_stored("S3 did not accept the results in time")

    def _not_stored(self, what: str, code: str | None = None, request_id: str | None = None) -> ResultsNotStored:
        return ResultsNotStored(
            f"{what}, bucket {self._bucket} (RESULTS_BUCKET).",
            hint="sweep-template.yaml makes the bucket and lets the function sweep, and no other, write to it.",
            code=code,
            request_id=request_id,
            operation="PutObject",
        )


def key(request: SweepRequest, request_id: str) -> str:
    """The key of a part of a sweep's results: a part that is run again overwrites itself, another question does not."""
    store = request.store or StoreRequest()
    accounts: Any = request.accounts
    if accounts is None:
        accounts = {"unit": request.listing.organizational_unit, "exclude": sorted(request.listing.exclude)}
    params = [dict(asked.params) for asked in request.checks]
    asked = (accounts, request.regions, params[0] if len(params) == 1 else params)
    part = store.part or hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    day = store.date or datetime.now(UTC).date().isoformat()
    return f"{_PREFIX}/check={request.name}/date={day}/run={store.run or request_id}/{part}.jsonl"


def _write_lines(file: IO[bytes], outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        file.write(json.dumps(line_of(outcome), separators=(",", ":")).encode() + b"\n")
