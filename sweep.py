"""One check over many accounts from a terminal, without deploying: `python sweep.py s3_buckets`.

It needs the hub's credentials in the shell, and does what the function `sweep` does, with the settings of a stage in
.chalice/config.json laid over the shell's variables, as `chalice local` does it. A table, hints and a summary go to
stdout, or with --json the function's response; a progress bar, errors and how to go on go to stderr.

Ctrl-C, or the end of --timeout, ends the sweep: what is done is printed, with the command that asks the rest.

Exit status: 0 if every account succeeded, 1 if any failed or was not started, 2 if the command is wrong, 130 after
Ctrl-C, 141 if stdout was closed. Chalice packages app.py and chalicelib, so this is not deployed.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: no traceback

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from chalice.config import Config
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.app_log import logger, silence_botocore_debug
from chalicelib.cross_account import CrossAccountError, InvalidInput, InvalidSettings
from chalicelib.inputs.requests import SweepRequest
from chalicelib.inputs.settings import Settings, hub_of
from chalicelib.outputs.responses import error_body
from chalicelib.pages.report import page
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer
from chalicelib.sweeps.sweep import sweep
from terminal.going_on import how_to_go_on
from terminal.limit import INTERRUPTED, Limit
from terminal.options import event_of, parse
from terminal.streams import PROGRAM, leave, open_closed_streams, say, write
from terminal.table import shown

CONFIG = Path(__file__).parent / ".chalice" / "config.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit status."""
    open_closed_streams()
    options = parse(arguments, __doc__)
    limit = Limit(options.timeout)
    signal.signal(signal.SIGINT, limit.interrupt)
    _log_only_own_errors()
    try:
        event = event_of(options)
        answer = _sweep(event, options.stage, limit)
    except KeyboardInterrupt:
        return _nothing_done()
    except CrossAccountError as error:
        say(str(error))
        if isinstance(error, InvalidInput | InvalidSettings):
            return 2
        if options.json:
            write(_json(error_body(error)))
        return 1
    limit.over = True
    done = any(outcome.ok or outcome.account not in answer.cut for outcome in answer.outcomes)
    if limit.interrupted and not done:
        return _nothing_done()
    typed = sys.orig_argv if arguments is None else ["python", PROGRAM, *arguments]
    return _give(answer, event, options, typed, interrupted=limit.interrupted)


def _sweep(event: dict[str, Any], stage: str, limit: Limit) -> Answer:
    os.environ.update(_variables(stage))  # not only read: the sandbox's stage sets AWS_* variables, for botocore
    settings = Settings.from_environment()
    request = SweepRequest.from_event(event, settings)
    with _bar() as bar:
        task = bar.add_task(request.name, total=None)

        def progress(done: int, total: int) -> None:
            limit.sweeping = True
            bar.update(task, completed=done, total=total)

        return sweep(
            hub_of(settings),
            settings,
            request,
            deadline=Deadline(limit.left),
            request_id=f"terminal-{uuid4()}",  # CloudTrail shows it at the end of every session's name
            progress=progress,
        )


def _nothing_done() -> int:
    say("stopped before any account was done, so there is nothing to show. The same command starts again.")
    return INTERRUPTED


def _give(answer: Answer, event: dict[str, Any], options: Namespace, typed: Sequence[str], *, interrupted: bool) -> int:
    """Write what there is, files first: who reads stdout may not read all of it. Returns the exit status."""
    page_written = not options.html or _write_page(options.html, page(answer, asked=event))
    rest = answer.unfinished
    next_step = how_to_go_on(typed, answer.check, rest, answer.accounts) if rest else "Every account was done."
    status = write(_json(answer.as_dict()) if options.json else shown(answer))
    listing_complete = answer.listing_complete
    if not listing_complete:
        say(
            "there was no time to list the whole organization: it has more accounts than these. Ask again with a "
            "longer --timeout, or with --organizational-unit."
        )
    if interrupted:
        say(f"stopped. {next_step}")
        return INTERRUPTED
    if rest:
        say(f"time is up. {next_step}")
    everything = page_written and listing_complete and not answer.failed and not rest
    return status or (0 if everything else 1)


def _variables(stage: str) -> dict[str, str]:
    """What a stage sets for the function `sweep`."""
    config = json.loads(CONFIG.read_text())
    if stage not in config["stages"]:
        raise InvalidInput(
            f"There is no stage {stage!a} in .chalice/config.json. There are: {', '.join(config['stages'])}."
        )
    return Config(chalice_stage=stage, function_name="sweep", config_from_disk=config).environment_variables


def _log_only_own_errors() -> None:
    """On stderr; a failure of an account is a line of the table."""
    silence_botocore_debug()
    logger.setLevel(logging.ERROR)
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)


def _bar() -> Progress:
    """Only on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _write_page(file: Path, html: str) -> bool:
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        say(f"{str(file)!a} was not written: {error.strerror}.")
        return False
    return True


def _json(response: dict[str, Any]) -> str:
    return json.dumps(response, indent=2) + "\n"


if __name__ == "__main__":
    leave(main())
