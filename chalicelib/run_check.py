"""One check in one account: assume, ask, and say how it went in the log."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from typing import Any

from chalicelib.account import Account
from chalicelib.aws_faults import Fault, fault_of, from_aws
from chalicelib.check import Check
from chalicelib.check_faults import check_error
from chalicelib.cross_account import Hub
from chalicelib.errors import CheckFailed, CrossAccountError
from chalicelib.logs import logger


def run_check(
    hub: Hub, check: Check, account_id: str, params: Mapping[str, Any], *, region: str | None, request_id: str
) -> Any:
    """Run a check in an account.

    Args:
        hub: the account this runs in.
        check: the question.
        account_id: validated, and allowed.
        params: validated.
        region: where its clients work; None: the function's own region.
        request_id: of the invocation, for the log and CloudTrail.

    Returns:
        The check's result; JSON can hold it.

    Raises:
        CrossAccountError: of stage "assume" or "check".
    """
    started = time.monotonic()
    line: dict[str, Any] = {"account_id": account_id, "check": check.name, "request_id": request_id}
    try:
        account = hub.account(account_id, check.actions, region=region, request_id=request_id)
        line["cached"] = account.cached
        result = ask(hub, check, account, params)
    except CrossAccountError as error:
        logger.warning(
            "not checked",
            **line,
            stage=error.stage,
            ms=_ms(started),
            error=type(error).__name__,
            code=error.code,
        )
        raise
    logger.info("checked", **line, stage="done", ms=_ms(started))
    return result


def ask(hub: Hub, check: Check, account: Account, params: Mapping[str, Any]) -> Any:
    """Run a check in an account that has let us in, and make whatever it raises an error of ours."""
    try:
        return check.run(account, params)
    except CrossAccountError:
        raise
    except (Exception, SystemExit) as error:  # sys.exit() in a check shall not end a thread of a sweep
        if isinstance(error, Exception) and from_aws(error):
            if fault_of(error) is Fault.CREDENTIALS:
                hub.forget(account.id, check.actions)
            raise check_error(error, check.name, account.id) from None
        # Where it happened, but not what it said: the text may hold anything the check has seen.
        where = traceback.format_tb(error.__traceback__)
        logger.error("check raised", check=check.name, raised=type(error).__name__, where=where)
        raise CheckFailed(
            f"The check {check.name} raised {type(error).__name__} in account {account.id}.",
            hint="The log says where. Run it in the sandbox with the same parameters.",
        ) from None


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
