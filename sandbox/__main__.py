"""`python -m sandbox`: run the sandbox in the foreground, or print the environment of the running one."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from sandbox.accounts import ROLE_TEMPLATE
from sandbox.shell import drop_aws, exports
from sandbox.state_file import PROJECT, STATE_FILE, State, read_state, remove_state, write_state


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(arguments)
    running = None if options.child else read_state(options.state_file)
    if options.command == "env":
        if running is None:
            return _complain("No sandbox is running. Start one with: python -m sandbox")
        print(exports(running.environment))
        return 0
    if running is not None:
        return _complain(
            f"A sandbox is already running (process {running.pid}). Its environment: python -m sandbox env"
        )
    if not options.template.is_file():
        return _complain(f"The role template {options.template} does not exist.")
    return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    drop_aws()  # moto makes sessions of boto3, which the shell's profile may not even let start
    from sandbox.quick_start import quick_start  # here, because boto3 and moto take a second and `env` needs neither

    with quick_start():
        from sandbox.server import Server

    # A pipe that the signal itself writes to: an Event set in a handler deadlocks if a second signal arrives meanwhile.
    stopped, stop = os.pipe()
    os.set_blocking(stop, False)
    signal.set_wakeup_fd(stop, warn_on_full_buffer=False)
    for number in _ending():
        signal.signal(number, lambda *_: None)
    server = Server(options.port, options.template, options.accounts)
    try:
        if options.child:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
            with open(os.dup(1), "w") as parent:
                os.dup2(2, 1)  # it reads one line; once its pipe is full, whoever prints, such as moto, hangs
                print(json.dumps(server.environment), file=parent)
        else:
            write_state(State(os.getpid(), server.environment), options.state_file)
            print(exports(server.environment), flush=True)
            _hint(server.endpoint_url)
        os.read(stopped, 1)
    finally:
        server.close()
        if not options.child:
            remove_state(os.getpid(), options.state_file)
    return 0


def _ending() -> list[int]:
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # of a closed terminal; Windows has none, and nohup ignores it
    return numbers if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN else [*numbers, hangup]


def _stop_at_end_of_input(stop: int) -> None:
    sys.stdin.read()
    os.write(stop, b"\n")


def _hint(endpoint_url: str) -> None:
    print(
        f"\nThe sandbox is ready at {endpoint_url}. In another shell:\n"
        '    eval "$(python -m sandbox env)"\n'
        "    chalice deploy --stage sandbox\n"
        '    echo \'{"account_id": "123456789012"}\' | chalice invoke --stage sandbox -n switch_account\n'
        "Ctrl-C ends it and deletes everything in it.",
        file=sys.stderr,
    )


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="AWS on a laptop, for cross-account.")
    parser.add_argument("command", nargs="?", choices=["env"], help="print the environment of the running sandbox")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    parser.add_argument("--accounts", type=int, default=0, metavar="N", help="add N generated target accounts")
    parser.add_argument(
        "--template", type=Path, default=PROJECT / ROLE_TEMPLATE, help="the role template of the targets"
    )
    parser.add_argument("--state-file", type=Path, default=STATE_FILE, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
