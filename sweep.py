"""One check over many accounts from a terminal, without deploying: `python sweep.py s3_buckets`.

It needs the hub's credentials in the shell, and does what the function `sweep` does, with the settings of a stage in
.chalice/config.json laid over the shell's variables, as `chalice local` does it. A table, hints and a summary go to
stdout, or with --json the function's response; a progress bar and errors go to stderr.

Exit status: 0 if every account succeeded, 1 if any failed or was not started, 2 if the command is wrong, 130 after
Ctrl-C. Chalice packages app.py and chalicelib, so this is not deployed.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from chalice.config import Config
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from chalicelib.app_log import logger, silence_botocore_debug
from chalicelib.checks.check import Check
from chalicelib.cross_account import CrossAccountError, InvalidInput, InvalidSettings
from chalicelib.inputs.fields import known_check
from chalicelib.inputs.requests import DEFAULT_CONCURRENCY, SweepRequest
from chalicelib.inputs.settings import Settings, hub_of
from chalicelib.outputs.responses import error_body
from chalicelib.pages.report import page
from chalicelib.sweeps.deadline import Deadline
from chalicelib.sweeps.outcome import Answer, Outcome
from chalicelib.sweeps.sweep import sweep

PROGRAM = "sweep.py"
CONFIG = Path(__file__).parent / ".chalice" / "config.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Returns the exit status."""
    options = _parser().parse_args(arguments)
    _log_only_own_errors()
    try:
        event = _event(options)
        answer = _sweep(event, options.stage)
    except KeyboardInterrupt:
        _say("stopped.")
        return 130
    except CrossAccountError as error:
        _say(str(error))
        if isinstance(error, InvalidInput | InvalidSettings):
            return 2
        if options.json:
            _write_json(error_body(error))
        return 1
    if options.json:
        _write_json(answer.as_dict())
    else:
        _show(answer)
    if options.html and not _write_page(options.html, page(answer, asked=event)):
        return 1
    return 1 if answer.failed or answer.not_started else 0


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}\n")  # one line, without the usage before it


def _parser() -> ArgumentParser:
    parser = _Parser(PROGRAM, description=__doc__, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("check", help="such as preflight, identity or s3_buckets")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--accounts", type=_names, metavar="ID,ID", help="default: the whole organization")
    which.add_argument("--organizational-unit", metavar="OU", help="everything below this unit or root")
    parser.add_argument("--exclude", type=_names, metavar="ID,ID", help="accounts of the organization to leave out")
    parser.add_argument("--regions", type=_names, metavar="REGION,REGION", help="default: the shell's own region")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the check, as text or as JSON, whichever the check takes; may be repeated",
    )
    parser.add_argument(
        "--concurrency", type=int, metavar="N", help=f"accounts in flight; default: {DEFAULT_CONCURRENCY}"
    )
    parser.add_argument(
        "--stage", default="dev", help="whose settings to use; default: dev, as for every chalice command"
    )
    parser.add_argument("--json", action="store_true", help="print the response as JSON and nothing else")
    parser.add_argument("--html", type=_new_file, metavar="FILE", help="write a page as well")
    return parser


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:  # an unset variable of the shell must not mean everything
        raise ArgumentTypeError("it is empty")
    return names


def _new_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():  # better before the sweep than after it
        raise ArgumentTypeError(f"the directory of {text!a} does not exist, or it is a directory itself")
    return path


def _sweep(event: dict[str, Any], stage: str) -> Answer:
    request = SweepRequest.from_event(event)
    os.environ.update(_variables(stage))  # not only read: the sandbox's stage sets AWS_* variables, for botocore
    settings = Settings.from_environment()
    with _bar() as bar:
        task = bar.add_task(request.check.name, total=None)
        return sweep(
            hub_of(settings),
            settings,
            request,
            deadline=Deadline(lambda: math.inf),
            request_id=f"terminal-{uuid4()}",  # CloudTrail shows it at the end of every session's name
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _event(options: Namespace) -> dict[str, Any]:
    """The event for the function `sweep`."""
    fields = ("check", "accounts", "organizational_unit", "exclude", "regions", "concurrency")
    event = {name: getattr(options, name) for name in fields if getattr(options, name) is not None}
    check = known_check(options.check)
    return event | {"params": dict(_param(check, text) for text in options.param)}


def _param(check: Check, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--param takes NAME=VALUE, not {text!a}.")
    parameter = check.parameters.get(name)
    if parameter is None or parameter.takes(value):
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


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


def _show(answer: Answer) -> None:
    console = Console(highlight=False)
    console.print(_table(answer))
    summary = "{accounts} accounts: {ok} ok, {failed} failed, {not_started} not started, {seconds} s"
    console.print(summary.format(**answer.summary()))
    for failure, hint in _next_steps(answer.outcomes).items():
        first, *more = hint.splitlines() or [""]
        for line in (f"{failure}: {first}", *(f"  {line}" for line in more)):
            console.print(_plain(line), soft_wrap=True)  # a command in it must stay in one piece for copying
    if answer.duplicates:
        console.print(_plain(f"Named more than once: {', '.join(answer.duplicates)}"))


def _table(answer: Answer) -> Table:
    fixed = (
        Column("account", no_wrap=True),
        Column("region", no_wrap=True),
        Column("ms", justify="right", no_wrap=True),
    )
    table = Table(*fixed, "result")  # the only flexible column: its cells are truncated rather than wrapped
    for outcome in answer.outcomes:
        text = json.dumps(outcome.result) if outcome.error is None else _failure(outcome.error)
        account, result = _plain(outcome.account[:64]), _plain(text, truncate=True)
        table.add_row(account, outcome.region, str(outcome.ms), result, style="" if outcome.ok else "red")
    for target in answer.not_started:
        table.add_row(_plain(target.id[:64]), None, None, "not started", style="yellow")
    return table


def _failure(error: CrossAccountError) -> str:
    name = type(error).__name__
    return f"{name} {error.code}" if error.code else name


def _next_steps(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """One hint for each kind of failure: that of its first account."""
    steps: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.error:
            steps.setdefault(_failure(outcome.error), outcome.error.as_dict()["hint"])
    return steps


def _plain(text: str, *, truncate: bool = False) -> Text:
    """Data from elsewhere, as neither markup nor a terminal's control sequence."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return Text(shown, no_wrap=truncate, overflow="ellipsis" if truncate else "fold")


def _write_page(file: Path, html: str) -> bool:
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        _say(f"{str(file)!a} was not written: {error.strerror}.")
        return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"{PROGRAM}: {text}\n")


def _write_json(response: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(response, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
