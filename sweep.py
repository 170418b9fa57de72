"""Ask AWS accounts from a terminal, without deploying anything: python sweep.py s3_buckets

It needs the hub's credentials in the shell, and does what the function `sweep` does, with the settings of a stage in
.chalice/config.json laid over the shell's variables. The answer goes to stdout or into --output FILE; the plan, a
progress bar and how to go on go to stderr. So do the failures, unless stdout has a table or JSON, which contain them.

Ctrl-C, or the end of --timeout, ends the sweep: what is done is written, with the command that asks the rest.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: no traceback

import logging
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.app_log import logger, silence_botocore_debug
from chalicelib.cross_account import CrossAccountError, InvalidInput, InvalidSettings
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings, hub_of
from chalicelib.outputs.responses import error_body
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer
from chalicelib.sweeps.sweep import sweep
from terminal.command import open_closed_streams
from terminal.credentials import process_credentials
from terminal.ending_early import Limit, how_to_go_on
from terminal.exit_status import Status, first_of
from terminal.formats import as_json
from terminal.list_checks import checks_as
from terminal.options import event_of, parse
from terminal.outputs import Outputs
from terminal.plan import plan
from terminal.stage import settings_of
from terminal.streams import PROGRAM, leave, say, write

NOTHING_DONE = "stopped before any account was done, so there is nothing to show. The same command starts again."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit status."""
    open_closed_streams()
    options = parse(arguments, __doc__)
    _log_only_own_errors()
    if options.list:
        return write(checks_as(options.format))
    limit = Limit(options.timeout)
    signal.signal(signal.SIGINT, limit.interrupt)
    try:
        if options.credentials:
            return write(process_credentials(options.credentials, options.stage))
        return _ask(options, limit, sys.orig_argv if arguments is None else ["python", PROGRAM, *arguments])
    except KeyboardInterrupt:
        say(NOTHING_DONE)
        return Status.INTERRUPTED
    except (InvalidInput, InvalidSettings) as error:
        say(str(error))
        return Status.WRONG
    except CrossAccountError as error:
        say(str(error))
        if options.format == "json" and not options.output and not options.credentials:
            write(as_json(error_body(error)))
        return Status.FAILED


def _ask(options: Namespace, limit: Limit, typed: Sequence[str]) -> Status:
    settings = settings_of(options.stage)
    event = event_of(options)
    request = SweepRequest.from_event(event, settings)
    with ExitStack() as open_files:
        checks = [asked.name for asked in request.checks]
        outputs = Outputs(options, event, checks, open_files, give_up=limit.end)
        answer = _sweep(settings, request, outputs, limit)
        limit.over = True
        done = any(outcome.ok or outcome.account not in answer.cut for outcome in answer.outcomes)
        if limit.interrupted and not done:
            say(NOTHING_DONE)
            return Status.INTERRUPTED
        return _give(answer, outputs, typed, interrupted=limit.interrupted)


def _sweep(settings: Settings, request: SweepRequest, outputs: Outputs, limit: Limit) -> Answer:
    hub = hub_of(settings)
    with _bar(hidden=outputs.is_streaming and sys.stdout.isatty()) as bar:
        task = bar.add_task(request.name, total=None)

        def progress(done: int, total: int) -> None:
            if not limit.sweeping:
                say(plan(request, total, hub.region))
            limit.sweeping = True
            bar.update(task, completed=done, total=total)

        return sweep(
            hub,
            settings,
            request,
            deadline=Deadline(limit.left),
            request_id=f"terminal-{uuid4()}",  # CloudTrail shows it at the end of every session's name
            progress=progress,
            receive=outputs.receive,
        )


def _give(answer: Answer, outputs: Outputs, typed: Sequence[str], *, interrupted: bool) -> Status:
    """Write what there is. Returns the exit status."""
    is_read = interrupted or Status.CLOSED not in outputs.statuses
    rest = list(dict.fromkeys([*outputs.lost, *answer.unfinished])) if is_read else []
    next_step = how_to_go_on(typed, answer.check, rest, answer.accounts) if rest else "Every account was done."
    outputs.finish(answer)
    if not answer.listing_complete:
        say(
            "there was no time to list the whole organization: it has more accounts than these. Ask again with a "
            "longer --timeout, or with --organizational-unit."
        )
    if interrupted:
        say(f"stopped. {next_step}")
    elif rest:
        say(f"{'time is up. ' if not outputs.lost else ''}{next_step}")
    holding = {
        Status.INTERRUPTED: interrupted,
        Status.FAILED: bool(answer.failed or rest or not answer.listing_complete or not answer.accounts),
        Status.ALARM: outputs.tally.alarm,
        Status.CHANGED: outputs.changed,
    }
    return first_of(outputs.statuses | {status for status, holds in holding.items() if holds})


def _log_only_own_errors() -> None:
    """On stderr; a failure of an account is told below the rows."""
    silence_botocore_debug()
    logger.setLevel(logging.ERROR)
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)


def _bar(*, hidden: bool) -> Progress:
    """Only on a terminal, and not between rows."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the rows are not for the bar's console
        disable=hidden or not sys.stderr.isatty(),
    )


if __name__ == "__main__":
    leave(main())
