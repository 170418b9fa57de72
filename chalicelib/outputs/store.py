"""JSON lines in the hub's own bucket, where SQL reads them: a sweep's results, and the accounts of the organization.

See docs/thousands-of-accounts.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NoReturn

from chalicelib.app_log import logger
from chalicelib.cross_account import Hub, HubCredentialsRejected, InvalidSettings
from chalicelib.cross_account.aws_errors import code_of, is_aws_error, request_id_of
from chalicelib.errors import ResultsNotStored, to_cross_account_error
from chalicelib.inputs.requests import StoreRequest, SweepRequest
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.organization import Listing
from chalicelib.sweeps.outcome import Answer, Outcome

STORE_SECONDS = 15.0
"""Kept back at the end for writing: a failed attempt and one more."""
_MEMORY_BYTES = 8 * 1024 * 1024
"""A larger part goes through a file in /tmp, so that its text does not come on top of the results in memory."""

_RESULTS, _ACCOUNTS = "sweeps", "accounts"
"""The only places in the bucket: sweep-template.yaml lets `sweep` write below one, and `list_accounts` the other.

A table of SQL is a folder, with all that is in it, so neither is in the other.
"""

_COLUMNS = ("account_id", "name", "unit", "region", "check", "ok", "ms", "result", "error")

Line = Mapping[str, Any]


class StoredFile:
    """One file in the bucket. Create it before the work, so that a missing bucket setting fails first.

    Args:
        hub: the account this runs in.
        bucket: RESULTS_BUCKET, the only one that is written to.
        key: see `results_key` and `accounts_key`.

    Raises:
        InvalidSettings: this stage has no bucket for results.
    """

    def __init__(self, hub: Hub, bucket: str, key: str) -> None:
        if not bucket:
            raise InvalidSettings(
                "The setting RESULTS_BUCKET is empty; the rule is: the name of the bucket that stored sweeps write to.",
                hint="Deploy sweep-template.yaml, set RESULTS_BUCKET of this stage in .chalice/config.json to the name "
                "of its bucket, and deploy the app again.",
            )
        self._hub = hub
        self._bucket = bucket
        self._key = key

    def write(self, lines: Iterable[Line], deadline: Deadline) -> str:
        """Write the lines, and return where they are. Overwrites an earlier file; without lines, it is empty.

        Raises:
            ResultsNotStored: S3 did not accept them, or not in time.
        """
        count = deadline.run(partial(self._put, lines), late=self._put_late)
        location = f"s3://{self._bucket}/{self._key}"
        logger.info("stored", file=location, lines=count)
        return location

    def _put(self, lines: Iterable[Line]) -> int:
        try:
            with SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
                count = _write_lines(file, lines)
                file.seek(0)
                self._hub.client("s3").put_object(
                    Bucket=self._bucket, Key=self._key, Body=file, ContentType="application/x-ndjson"
                )
            return count
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
            hint="sweep-template.yaml makes the bucket and lets the functions sweep and list_accounts, and no other, "
            "write to it.",
            code=code,
            request_id=request_id,
            operation="PutObject",
        )


def keep_results(file: StoredFile, answer: Answer, deadline: Deadline) -> dict[str, Any]:
    """Write a sweep's results, and return its response with `failed` and `location` in place of `results`.

    Raises:
        as `StoredFile.write` does. The results are lost, and the sweep has to be run again.
    """
    location = file.write(map(line_of, answer.outcomes), deadline)
    failed = list(dict.fromkeys(account[:64] for account in answer.failed))
    return {**answer.without_results(), "failed": failed, "location": location}


def line_of(outcome: Outcome) -> Line:
    """An outcome as a stored line. All have the same columns, null where there is nothing, as a table needs it."""
    values = outcome.as_dict()
    tags = {} if outcome.tags is None else {"tags": outcome.tags}
    return {name: values.get(name) for name in _COLUMNS} | tags


def results_key(request: SweepRequest, request_id: str) -> str:
    """The key of a part of a sweep's results: a part that is run again overwrites itself, another question does not."""
    store = request.store or StoreRequest()
    accounts: Any = request.accounts
    if accounts is None:
        listing = request.listing
        accounts = {"unit": listing.organizational_unit, "exclude": sorted(listing.exclude)}
        if listing.account_tags:
            accounts["tags"] = sorted(listing.account_tags)
    params = [dict(asked.params) for asked in request.checks]
    asked = (accounts, request.regions, params[0] if len(params) == 1 else params)
    part = store.part or hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    return f"{_RESULTS}/check={request.name}/{_of_run(store, request_id)}/{part}.jsonl"


def accounts_key(store: StoreRequest, request_id: str) -> str:
    """The key of the accounts of a run, by which SQL joins them to its results."""
    return f"{_ACCOUNTS}/{_of_run(store, request_id)}/accounts.jsonl"


def account_lines(listing: Listing) -> Iterable[Line]:
    """A line for each account of the organization; `left_out` is why it was not asked, or null."""
    accounts = [(target, None) for target in listing.targets]
    for target, reason in [*accounts, *((one.target, one.reason) for one in listing.left_out)]:
        yield {"id": target.id, "name": target.name, "unit": target.unit, "tags": target.tags, "left_out": reason}


def _of_run(store: StoreRequest, request_id: str) -> str:
    day = store.date or datetime.now(UTC).date().isoformat()
    return f"date={day}/run={store.run or request_id}"


def _write_lines(file: IO[bytes], lines: Iterable[Line]) -> int:
    count = 0
    for line in lines:
        file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        count += 1
    return count
