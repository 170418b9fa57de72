"""AWS on this machine, until Ctrl-C or a closed terminal: a hub, an organization and its accounts.

    python -m sandbox                    or: make sandbox
    python -m sandbox --accounts 200     or: make sandbox ACCOUNTS=200

In another shell, which then works in it with chalice, aws and boto3:

    eval "$(python -m sandbox env)"      or: eval "$(make -s sandbox-env)"

It needs no AWS, and nothing leaves the machine.
"""

import argparse
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sandbox import leftovers
from sandbox.accounts import MAX_GENERATED, ROLE_TEMPLATE
from sandbox.shell import drop_aws, exports
from sandbox.state_file import PROJECT, STATE_FILE, State, read_state, remove_state, write_state
from terminal.command import Parser, Stopped, end_at_signals, ignore_signals, run, stop_at_signals


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.child:
        with suppress(Stopped):  # by who stopped its parent, who tells it
            return _serve(options)
        return 0
    running = read_state(options.state_file)
    if options.command == "env":
        if running is None:
            return _complain("No sandbox is running. Start one with: make sandbox")
        print(exports(running.environment))
        return 0
    if not options.template.is_file():
        parser.error(f"argument --template: there is no file {options.template}")
    if running is not None:
        return _complain(
            f'A sandbox is already running (process {running.pid}). Its environment: eval "$(make -s sandbox-env)"'
        )
    if reason := _why_it_cannot_listen(options.port):
        parser.error(f"argument --port: {options.port}: {reason}; without it, any free port is taken")
    return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    drop_aws()  # moto makes sessions of boto3, which the shell's profile may not even let start
    end_at_signals()
    from sandbox.quick_start import quick_start  # here, because boto3 and moto take a second and `env` needs neither

    with quick_start():
        from sandbox.server import Server

    stop_at_signals()
    leftovers.remove()
    try:
        server = Server(options.port, options.template, options.accounts)
    except Exception as error:
        if options.child:
            raise
        return _complain(f"The sandbox did not start. Is {options.template} right? {type(error).__name__}: {error}")
    # A pipe that the signal itself writes to: an Event set in a handler deadlocks if a second signal arrives meanwhile.
    stopped, stop = os.pipe()
    os.set_blocking(stop, False)
    signal.set_wakeup_fd(stop, warn_on_full_buffer=False)
    ignore_signals()
    try:
        if options.child:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
            with open(os.dup(1), "w") as parent:
                os.dup2(2, 1)  # it reads one line; once its pipe is full, whoever prints, such as moto, hangs
                print(json.dumps(server.environment), file=parent)
        else:
            try:
                write_state(State(os.getpid(), server.environment), options.state_file)
            except OSError as error:
                return _complain(f"{options.state_file} cannot be written: {error.strerror}")
            print(exports(server.environment), flush=True)
            _hint(server.endpoint_url)
        _wait(stopped)
    finally:
        server.close()
        if not options.child:
            remove_state(os.getpid(), options.state_file)
    return 0


def _wait(stopped: int) -> None:
    """Until a signal, or until the terminal is closed: a shell passes its signal on, but make does not."""
    terminals = [number for number in (1, 2) if os.isatty(number)]
    while not select.select([stopped], [], [], 1)[0] and all(map(os.isatty, terminals)):
        pass


def _stop_at_end_of_input(stop: int) -> None:
    sys.stdin.read()
    os.write(stop, b"\n")


def _hint(endpoint_url: str) -> None:
    print(
        f"\nThe sandbox is ready at {endpoint_url}. In another shell:\n"
        '    eval "$(make -s sandbox-env)"\n'
        "    . .venv/bin/activate\n"
        "    chalice deploy --stage sandbox\n"
        '    echo \'{"account_id": "123456789012"}\' | chalice invoke --stage sandbox -n switch_account\n'
        "Ctrl-C ends it and deletes everything in it.",
        file=sys.stderr,
    )


def _why_it_cannot_listen(port: int) -> str:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror.lower()
    return ""


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!a} is not a number from {least} to {most}")
        return int(text)

    return number


def _parser() -> Parser:
    parser = Parser("python -m sandbox", __doc__)
    parser.add_argument("command", nargs="?", choices=["env"], help="print the environment of the running sandbox")
    parser.add_argument(
        "--port", type=_number(0, 65535), default=0, help="where it listens, on 127.0.0.1 only; default: any free one"
    )
    parser.add_argument(
        "--accounts",
        type=_number(0, MAX_GENERATED),
        default=0,
        metavar="N",
        help="add N generated accounts, account-00001 and so on",
    )
    parser.add_argument(
        "--template",
        type=Path,
        default=PROJECT / ROLE_TEMPLATE,
        help="of the role in the accounts; default: role-template.yaml",
    )
    parser.add_argument("--state-file", type=Path, default=STATE_FILE, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    run(main)
