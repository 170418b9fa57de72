"""The command's options, and the event for the function `sweep` that they come to."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from chalicelib.checks.check import Check
from chalicelib.cross_account import InvalidInput
from chalicelib.inputs.fields import known_check
from chalicelib.inputs.requests import DEFAULT_CONCURRENCY
from terminal.streams import PROGRAM, write


def parse(arguments: Sequence[str] | None, description: str | None) -> Namespace:
    """The options. Ends the process with status 2 and one line if they are wrong."""
    return _parser(description).parse_args(arguments)


def event_of(options: Namespace) -> dict[str, Any]:
    """The event for the function `sweep`."""
    fields = ("check", "accounts", "organizational_unit", "exclude", "regions", "concurrency")
    event = {name: getattr(options, name) for name in fields if getattr(options, name) is not None}
    check = known_check(options.check)
    return event | {"params": dict(_param(check, text) for text in options.param)}


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}\n")  # one line, without the usage before it

    def print_help(self, file: Any = None) -> None:
        self.exit(write(self.format_help()))


def _parser(description: str | None) -> ArgumentParser:
    parser = _Parser(PROGRAM, description=description, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("check", help="such as preflight, identity or s3_buckets")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--accounts",
        type=_names_or_file,
        metavar="ID,ID",
        help="or @FILE, a text file of ids; default: the whole organization",
    )
    which.add_argument("--organizational-unit", metavar="OU", help="everything below this unit or root")
    parser.add_argument(
        "--exclude", type=_names_or_file, metavar="ID,ID", help="or @FILE: accounts of the organization to leave out"
    )
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
        "--timeout", type=_seconds, metavar="SECONDS", help="then print what is done; default: no limit"
    )
    parser.add_argument(
        "--stage", default="dev", help="whose settings to use; default: dev, as for every chalice command"
    )
    parser.add_argument("--json", action="store_true", help="print the response as JSON and nothing else")
    parser.add_argument("--html", type=_new_file, metavar="FILE", help="write a page as well")
    return parser


def _names(text: str, of: str = "it") -> list[str]:
    names = text.replace(",", " ").split()
    if not names:  # an unset variable of the shell must not mean everything
        raise ArgumentTypeError(f"{of} is empty")
    return names


def _names_or_file(text: str) -> list[str]:
    """Of @FILE those in the file, whose comments begin with #."""
    if not text.startswith("@"):
        return _names(text)
    file = f"the file {text[1:]!a}"
    try:
        lines = Path(text[1:]).read_text(encoding="utf-8-sig").splitlines()  # Windows puts a mark before the first id
    except OSError as error:
        raise ArgumentTypeError(f"{file} could not be read: {error.strerror}") from None
    except ValueError:
        raise ArgumentTypeError(f"{file} is not a text in UTF-8") from None
    return _names(" ".join(line.partition("#")[0] for line in lines), file)


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
    if path.is_dir() or not path.parent.is_dir():  # better before the sweep than after it
        raise ArgumentTypeError(f"the directory of {text!a} does not exist, or it is a directory itself")
    return path


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
