"""One account of a sweep: in, the question in each region, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.account import Account
from chalicelib.answers import ours
from chalicelib.cross_account import Hub
from chalicelib.errors import CrossAccountError
from chalicelib.logs import logger
from chalicelib.requests import allowed_account
from chalicelib.run_check import ask
from chalicelib.settings import ACCOUNT_ID
from chalicelib.sweep_request import SweepRequest

Item = dict[str, Any]
"""One account and region of a sweep's answer: account_id, region, ok, result or error, ms."""


@dataclass(frozen=True)
class Visit:
    """How a sweep goes through one account; the same for all of them."""

    hub: Hub
    request: SweepRequest
    request_id: str

    def enter(self, account: str, region: str | None = None) -> Account:
        """Assume the role, unless the session is there.

        Raises:
            InvalidInput: it is no account id, or none that this stage may look into.
            AwsError: of stage "assume".
        """
        allowed_account(account, self.hub.settings)
        return self.hub.account(account, self.request.check.actions, region=region, request_id=self.request_id)

    def ask_in_each_region(self, account: str, began: float) -> Iterator[Item]:
        """Ask in an account that has let us in; the session is the same for every region.

        Args:
            account: its id.
            began: `time.monotonic()` of its start; the first region's milliseconds hold AssumeRole as well.
        """
        for region in self.request.regions:
            yield self._ask(account, region, began)
            began = time.monotonic()

    def failure(self, account: str, error: Exception, began: float, *, asked: int = 0) -> list[Item]:
        """Tell for each region, but for the first ones that were `asked`, that the account could not be asked."""
        why = ours(error)
        return [self._not_ok(account, region, why, began) for region in self.request.regions[asked:]]

    def _ask(self, account: str, region: str | None, began: float) -> Item:
        request = self.request
        try:
            result = ask(self.hub, request.check, self.enter(account, region), request.params)
        except Exception as error:
            return self._not_ok(account, region, ours(error), began)
        logger.debug("checked", account_id=account, region=region, check=request.check.name, ms=_ms(began))
        return {"account_id": account, "region": region, "ok": True, "result": result, "ms": _ms(began)}

    def _not_ok(self, account: str, region: str | None, error: CrossAccountError, began: float) -> Item:
        logger.warning(
            "not checked",
            account_id=account if ACCOUNT_ID.fullmatch(account) else None,
            region=region,
            check=self.request.check.name,
            stage=error.stage,
            error=type(error).__name__,
            code=error.code,
            request_id=self.request_id,
        )
        return {"account_id": account[:64], "region": region, "ok": False, "error": error.as_dict(), "ms": _ms(began)}


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
