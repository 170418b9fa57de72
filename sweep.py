"""One check over many accounts from a terminal, without deploying: `python sweep.py s3_buckets`.

It needs the hub's credentials in the shell, and does what the function `sweep` does, with the settings of a stage in
.chalice/config.json laid over the shell's variables, as `chalice local` does it. A table goes to stdout, or with --json
the function's answer; a progress bar and what went wrong go to stderr.

Exit status: 0 if every account answered, 1 if any failed or was not started, 2 if it was asked for wrongly, 130 after
Ctrl-C. Chalice packages app.py and chalicelib, so nothing of this is deployed.
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

from chalicelib.answers import failure_body
from chalicelib.check import Check
from chalicelib.cross_account import Hub
from chalicelib.errors import CrossAccountError, EveryAccountFailed, InvalidInput, InvalidSettings
from chalicelib.logs import keep_secrets_out, logger
from chalicelib.organization import members
from chalicelib.report import page
from chalicelib.requests import known_check
from chalicelib.settings import Settings
from chalicelib.sweep import Sweep
from chalicelib.sweep_request import DEFAULT_CONCURRENCY, SweepRequest

PROGRAM = "sweep.py"
CONFIG = Path(__file__).parent / ".chalice" / "config.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; gives the exit status."""
    options = _parser().parse_args(arguments)
    _log_only_faults_of_ours()
    names: dict[str, str] = {}
    try:
        answer = _sweep(options, names)
    except KeyboardInterrupt:
        _say("stopped.")
        return 130
    except CrossAccountError as error:
        _say(str(error))
        if isinstance(error, InvalidInput | InvalidSettings):
            return 2
        if options.json:
            _write_json(failure_body(error))
        return 1
    if options.json:
        _write_json(answer)
    else:
        _show(answer)
    if options.html and not _write_page(options.html, answer, names):
        return 1
    return 1 if answer["summary"]["failed"] or answer["not_started"] else 0


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}\n")  # one line, without the usage before it


def _parser() -> ArgumentParser:
    parser = _Parser(PROGRAM, description=__doc__, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("check", help="the question, such as preflight, identity or s3_buckets")
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
        help="a parameter of the check, as it stands or as JSON, whichever the check takes; may be repeated",
    )
    parser.add_argument("--concurrency", type=int, metavar="N", help=f"at the same time; default {DEFAULT_CONCURRENCY}")
    parser.add_argument(
        "--stage", default="dev", help="whose settings to use; default dev, as for every chalice command"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON and nothing else")
    parser.add_argument("--html", type=_new_file, metavar="FILE", help="write the answer as a page, too")
    return parser


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:  # an unset variable of the shell must not mean everything
        raise ArgumentTypeError("it is empty")
    return names


def _new_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():  # to be told before the sweep and not after it
        raise ArgumentTypeError(f"{text!a} is no file in a folder that is there")
    return path


def _sweep(options: Namespace, names: dict[str, str]) -> dict[str, Any]:
    """Run it, and put into `names` what the organization calls the accounts."""
    request = SweepRequest.from_event(_event(options))
    os.environ.update(_variables(options.stage))
    hub = Hub(Settings.from_environment())
    run = f"terminal-{uuid4()}"  # in CloudTrail, the end of every session's name
    accounts = request.accounts
    if accounts is None:
        found = members(hub, request.listing, run)
        accounts = tuple(member.id for member in found)
        names.update((member.id, member.name) for member in found)
    with _bar() as bar:
        task = bar.add_task(request.check.name, total=len(dict.fromkeys(accounts)))
        sweep = Sweep(
            hub,
            request,
            accounts,
            time_left=lambda: math.inf,
            request_id=run,
            on_done=lambda _items: bar.advance(task),
        )
        try:
            return sweep.run()
        except EveryAccountFailed as error:  # here too, somebody wants to see why each of them did
            if error.answer is None:
                raise
            return error.answer


def _event(options: Namespace) -> dict[str, Any]:
    """The event that the function would be invoked with."""
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


def _log_only_faults_of_ours() -> None:
    """On stderr; a failure of an account is a line of the table."""
    keep_secrets_out()
    logger.setLevel(logging.ERROR)
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(sys.stderr)


def _bar() -> Progress:
    """Only for somebody who watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _show(answer: dict[str, Any]) -> None:
    summary, console = answer["summary"], Console(highlight=False)
    console.print(_table(answer))
    console.print(
        "{accounts} accounts: {ok} ok, {failed} failed, {not_started} not started, {seconds} s".format(**summary)
    )
    for failure, hint in _next_steps(answer["results"]).items():
        first, *more = hint.splitlines() or [""]
        for line in (f"{failure}: {first}", *(f"  {line}" for line in more)):
            console.print(_plain(line), soft_wrap=True)  # a command in it is to be copied as it stands
    if answer["duplicates"]:
        console.print(_plain(f"Named more than once: {', '.join(answer['duplicates'])}"))


def _table(answer: dict[str, Any]) -> Table:
    fixed = (
        Column("account", no_wrap=True),
        Column("region", no_wrap=True),
        Column("ms", justify="right", no_wrap=True),
    )
    table = Table(*fixed, "answer")  # the only one that gives way, and each cell of it is cut rather than wrapped
    for item in answer["results"]:
        said = json.dumps(item["result"]) if item["ok"] else _failure(item)
        style = "" if item["ok"] else "red"
        table.add_row(_plain(item["account_id"]), item["region"], str(item["ms"]), _plain(said, cut=True), style=style)
    for account in answer["not_started"]:
        table.add_row(_plain(account), None, None, "not started", style="yellow")
    return table


def _failure(item: dict[str, Any]) -> str:
    error = item["error"]
    return f"{error['type']} {error['code']}" if error["code"] else str(error["type"])


def _next_steps(results: list[dict[str, Any]]) -> dict[str, str]:
    """One hint for each way to fail: that of the first account that did."""
    steps: dict[str, str] = {}
    for item in results:
        if not item["ok"]:
            steps.setdefault(_failure(item), item["error"]["hint"])
    return steps


def _plain(text: str, *, cut: bool = False) -> Text:
    """What came from elsewhere is neither markup nor a terminal's control sequence."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return Text(shown, no_wrap=cut, overflow="ellipsis" if cut else "fold")


def _write_page(file: Path, answer: dict[str, Any], names: dict[str, str]) -> bool:
    try:
        file.write_text(page(answer, names), encoding="utf-8")
    except OSError as error:
        _say(f"{str(file)!a} was not written: {error.strerror}.")
        return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"{PROGRAM}: {text}\n")


def _write_json(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
