"""The command's options, and the event for the function `sweep` that they come to."""

from __future__ import annotations

import json
import math
import os
from argparse import Action, ArgumentError, ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from chalicelib.checks.check import Check
from chalicelib.cross_account import InvalidInput
from chalicelib.inputs.fields import known_checks
from chalicelib.inputs.requests import DEFAULT_CONCURRENCY
from terminal.exit_status import Status
from terminal.help import epilog
from terminal.streams import PROGRAM, write

API_CALL = "api_call"
FORMATS = {
    "table": (".txt",),
    "csv": (".csv",),
    "json": (".json",),
    "jsonl": (".jsonl", ".ndjson"),
    "html": (".html", ".htm"),
}
"""And the endings of a file that mean them."""


def parse(arguments: Sequence[str] | None, description: str | None) -> Namespace:
    """The options. Ends the process with status 2 and one line if they are wrong."""
    parser = _parser(description)
    options = parser.parse_intermixed_args(arguments)  # a check may also be named behind an option
    if (options.list and options.credentials) or bool(options.checks) == bool(options.list or options.credentials):
        parser.error(
            "name a check or an operation, such as s3_buckets or ec2:DescribeInstances; or use --list, which shows the "
            "checks, or --credentials, each without a check."
        )
    try:
        options.format = options.format or _format_of(options.output)
        _check_files(options)
    except InvalidInput as error:
        parser.error(str(error))
    return options


def event_of(options: Namespace) -> dict[str, Any]:
    """The event for the function `sweep`.

    Raises:
        InvalidInput: one sentence.
    """
    fields = ("accounts", "organizational_unit", "account_tags", "exclude", "tags", "regions", "concurrency")
    event = {name: getattr(options, name) for name in fields if getattr(options, name) is not None}
    operations = [word for word in options.checks if ":" in word]
    if len(operations) > 1:
        raise InvalidInput(f"One operation at a time, not {len(operations)}: {operations[0]!a}, {operations[1]!a}.")
    names = [API_CALL if ":" in word else word for word in options.checks]
    given = {"operation": next(iter(operations), None), "query": options.query, "arguments": options.arguments}
    of_operation = {name: value for name, value in given.items() if value is not None}
    if of_operation and API_CALL not in names:
        raise InvalidInput(f"--{next(iter(of_operation))} is for an operation, such as ec2:DescribeInstances.")
    checks = known_checks(names)
    params = dict(_param(checks, text) for text in options.param) | of_operation
    which = {"check": names[0]} if len(names) == 1 else {"checks": names}
    return which | event | {"params": params}


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(Status.WRONG, f"{PROGRAM}: {message}\n")  # one line, without the usage before it

    def print_help(self, file: Any = None) -> None:
        self.exit(write(self.format_help()))


def _parser(description: str | None) -> ArgumentParser:
    parser = _Parser(
        PROGRAM,
        usage=f"python {PROGRAM} CHECK [CHECK ...] [options]",
        description=description,
        epilog=epilog(),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _what(parser)
    _where(parser)
    _answer(parser)
    _running(parser)
    other = parser.add_argument_group("instead of a sweep")
    other.add_argument(
        "--list", action="store_true", help="show the checks, their parameters, controls and IAM actions"
    )
    other.add_argument(
        "--credentials", metavar="ACCOUNT", help="print credentials of the role in one account, for another tool"
    )
    return parser


def _what(parser: ArgumentParser) -> None:
    parser.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help="such as preflight, identity or s3_buckets; posture: all checks that judge; with a colon a read-only AWS "
        "operation: ec2:DescribeInstances",
    )
    what = parser.add_argument_group("what to ask")
    what.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of a check, as text or as JSON, whichever the check takes; may be repeated",
    )
    what.add_argument("--query", metavar="JMESPATH", help="what to take of the operation's response")
    what.add_argument(
        "--arguments", type=_json_object, metavar="JSON", help="of the operation, named as in AWS's API; or @FILE"
    )


def _where(parser: ArgumentParser) -> None:
    where = parser.add_argument_group("where to ask")
    which = where.add_mutually_exclusive_group()
    which.add_argument(
        "--accounts",
        type=_names_or_file,
        metavar="ID,ID",
        help="ask these accounts; or @FILE, a text file of ids; default: the whole organization",
    )
    which.add_argument("--organizational-unit", metavar="OU", help="ask the accounts below this unit or root")
    where.add_argument(
        "--account-tags",
        action=_Tags,
        metavar="NAME=VALUE,NAME=VALUE",
        help="ask only accounts that have all of these tags; may be repeated",
    )
    where.add_argument("--exclude", type=_names_or_file, metavar="ID,ID", help="do not ask these accounts; or @FILE")
    where.add_argument(
        "--regions",
        type=_regions,
        metavar="REGION,REGION",
        help="ask in these regions; all: those that an account has enabled; default: the shell's region",
    )


def _answer(parser: ArgumentParser) -> None:
    answer = parser.add_argument_group("the answer")
    form = answer.add_mutually_exclusive_group()
    form.add_argument("--format", choices=FORMATS, help="default: by the ending of --output, else table")
    form.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")
    answer.add_argument(
        "--output", type=_new_file, metavar="FILE", help="write the answer there; csv and jsonl while the sweep runs"
    )
    answer.add_argument("--html", type=_new_file, metavar="FILE", help="also write it as a page")
    answer.add_argument("--tags", action="store_const", const=True, help="show the accounts' tags")
    answer.add_argument(
        "--since",
        type=Path,
        metavar="FILE",
        help="show what is new, gone or changed since the sweep that wrote this jsonl file; --output takes the rows of "
        "this sweep",
    )
    answer.add_argument("--fail-on", choices=["alarm"], help="exit with status 4 if the verdict of a row is alarm")


def _running(parser: ArgumentParser) -> None:
    running = parser.add_argument_group("running it")
    running.add_argument(
        "--concurrency", type=int, metavar="N", help=f"accounts to ask at the same time; default: {DEFAULT_CONCURRENCY}"
    )
    running.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="end after this time, with what is done; default: no limit"
    )
    running.add_argument(
        "--stage", default="dev", help="whose settings to use; default: dev, as for every chalice command"
    )


def _format_of(output: Path | None) -> str:
    if output is None:
        return "table"
    for name, endings in FORMATS.items():
        if output.suffix.lower() in endings:
            return name
    known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
    raise InvalidInput(f"The ending of {str(output)!a} does not say the format. These do: {known}. Or use --format.")


def _check_files(options: Namespace) -> None:
    """Each file once: the first to write it would destroy what the other needs."""
    given = {f"--{name}": getattr(options, name) for name in ("since", "output", "html")}
    named: dict[str, str] = {}
    for option, file in given.items():
        if file is not None and (other := named.setdefault(os.path.realpath(file), option)) != option:
            raise InvalidInput(f"{other} and {option} name the same file, {str(file)!a}.")


class _Tags(Action):
    """NAME=VALUE, several with commas between or by repeating the option."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None) -> None:
        tags = dict(getattr(namespace, self.dest) or {})
        for pair in str(values).split(","):
            name, equals, value = pair.partition("=")
            if not equals or not name or tags.setdefault(name, value) != value:
                raise ArgumentError(self, f"it takes NAME=VALUE, each name once, not {pair!a}")
        setattr(namespace, self.dest, tags)


def _regions(text: str) -> list[str] | str:
    names = _names(text)
    return "all" if names == ["all"] else names


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(_text_of(text[1:]) if text.startswith("@") else text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ArgumentTypeError('it must be a JSON object, such as {"MaxResults": 10}')
    return value


def _names(text: str, of: str = "it") -> list[str]:
    names = text.replace(",", " ").split()
    if not names:  # an unset variable of the shell must not mean everything
        raise ArgumentTypeError(f"{of} is empty")
    return names


def _names_or_file(text: str) -> list[str]:
    """Of @FILE those in the file, whose comments begin with #."""
    if not text.startswith("@"):
        return _names(text)
    lines = _text_of(text[1:]).splitlines()
    return _names(" ".join(line.partition("#")[0] for line in lines), f"the file {text[1:]!a}")


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")  # Windows puts a mark before the first character
    except OSError as error:
        raise ArgumentTypeError(f"the file {file!a} could not be read: {error.strerror}") from None
    except ValueError:
        raise ArgumentTypeError(f"the file {file!a} is not a text in UTF-8") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise ArgumentTypeError(f"it must be a number of seconds above 0, such as 90, not {text!a}")
    return seconds


def _new_file(text: str) -> Path:
    path = Path(text)
    if os.path.isdir(path) or not os.path.isdir(path.parent):  # better before the sweep than after it
        raise ArgumentTypeError(f"the directory of {text!a} does not exist, or it is a directory itself")
    return path


def _param(checks: Sequence[Check], text: str) -> tuple[str, Any]:
    """As text if a check takes text there, and else as JSON."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--param takes NAME=VALUE, not {text!a}.")
    parameters = [check.parameters[name] for check in checks if name in check.parameters]
    if not parameters or any(parameter.takes(value) for parameter in parameters):
        return name, value
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value
