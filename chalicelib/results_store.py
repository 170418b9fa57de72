"""A sweep's results as JSON lines in the hub's own bucket, where SQL reads them: see docs/thousands-of-accounts.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from chalicelib.aws_faults import code_of, from_aws, request_id_of
from chalicelib.cross_account import Hub
from chalicelib.errors import InvalidSettings, ResultsNotStored
from chalicelib.logs import logger
from chalicelib.sweep_request import SweepRequest
from chalicelib.visit import Item

STORE_SECONDS = 15.0
"""Kept back at the end of a sweep for writing its results: a failed attempt and one more."""
_MEMORY_BYTES = 8 * 1024 * 1024
"""A larger part goes through a file in /tmp, so that its text does not come on top of the results in memory."""

_LINE = ("account_id", "region", "ok", "ms", "result", "error")
"""Every line has all of these, null where there is none: a table needs the same columns everywhere."""


class ResultsStore:
    """Where one sweep's results go. Make it before the sweep: what cannot be stored need not be asked.

    Args:
        hub: the account this runs in; its RESULTS_BUCKET is the only one.
        request: the sweep, which says under which key.
        request_id: of the invocation.

    Raises:
        InvalidSettings: this stage has no bucket for results.
    """

    def __init__(self, hub: Hub, request: SweepRequest, request_id: str) -> None:
        if not hub.settings.results_bucket:
            raise InvalidSettings(
                "The setting RESULTS_BUCKET is empty; the rule is: the name of the bucket that stored sweeps write to.",
                hint="Deploy sweep-template.yaml, set RESULTS_BUCKET of this stage in .chalice/config.json to the name "
                "of its bucket, and deploy the app again.",
            )
        asked = request.accounts
        if asked is None:
            asked = (request.listing.organizational_unit, *sorted(request.listing.exclude))
        key = request.store
        assert key is not None  # somebody who does not want it stored has no business here
        self._hub = hub
        self._bucket = hub.settings.results_bucket
        self._key = key.path(request.check.name, asked, request_id)

    def keep(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Write a sweep's results, and give its answer with `failed` and `location` in place of `results`.

        Nothing is left of an earlier run of the same part, and an empty part is written as well: the file says what
        this part came to, not what it might have.

        Raises:
            ResultsNotStored: S3 did not take them. They are lost, and the sweep is to be run again.
        """
        results: list[Item] = answer["results"]
        with SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
            _write_lines(file, results)
            self._put(file)
        location = f"s3://{self._bucket}/{self._key}"
        logger.info("stored", location=location, lines=len(results))
        return {
            **{name: value for name, value in answer.items() if name != "results"},
            "failed": list(dict.fromkeys(item["account_id"] for item in results if not item["ok"])),
            "location": location,
        }

    def _put(self, file: IO[bytes]) -> None:
        file.seek(0)
        try:
            self._hub.client("s3").put_object(
                Bucket=self._bucket, Key=self._key, Body=file, ContentType="application/x-ndjson"
            )
        except Exception as error:
            if not from_aws(error):
                raise
            raise ResultsNotStored(
                f"S3 did not take the results: {code_of(error) or type(error).__name__}, "
                f"bucket {self._bucket} (RESULTS_BUCKET).",
                hint="sweep-template.yaml makes the bucket and lets the function sweep, and no other, write to it.",
                code=code_of(error),
                request_id=request_id_of(error),
            ) from None


def _write_lines(file: IO[bytes], results: Iterable[Item]) -> None:
    for item in results:
        line = {name: item.get(name) for name in _LINE}
        file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
