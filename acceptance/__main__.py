"""`python -m acceptance --hub PROFILE --target PROFILE`."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports: no traceback

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.promises import PROMISES, deploys
from acceptance.remains import remains
from acceptance.trial import Account, NotKept, Trial, enter


class NotUsable(Exception):
    """The accounts cannot be used; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 if every promise is kept and nothing is left, 1 if not, 2 for accounts that cannot be
    used, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        hub, target = _accounts(options.hub, options.target)
    except NotUsable as error:
        print(f"acceptance: {error}", file=sys.stderr)
        return 2
    _on_ending(signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="acceptance-") as folder:
        return _run(Trial(hub, target, Path(folder)))


def _run(trial: Trial) -> int:
    started, kept, stopped = time.monotonic(), 0, False
    try:
        where = "in a sandbox" if trial.is_local else "on AWS"
        print(f"Hub {trial.hub.id}, target {trial.target.id}, {where}, {trial.hub.session.region_name}.")
        print(f"Everything made here is called {trial.name}, and is deleted at the end.\n", flush=True)
        kept = _try_all(trial)
    except KeyboardInterrupt:
        stopped = True
    finally:
        _on_ending(signal.SIG_IGN)  # also a second Ctrl-C: what is being deleted is deleted
        left = _clean_up(trial)
    print(f"\n{kept} of {len(PROMISES)} promises kept, in {time.monotonic() - started:.0f} s.")
    for name in left:
        print(f"Not deleted: {name}")
    if stopped:
        print("acceptance: stopped.", file=sys.stderr)
        return 130
    return 1 if left or kept < len(PROMISES) else 0


def _accounts(hub_profile: str, target_profile: str) -> list[Account]:
    accounts: list[Account] = []
    for profile in (hub_profile, target_profile):
        try:
            accounts.append(enter(profile))
        except (BotoCoreError, ClientError) as error:
            raise NotUsable(f"The profile {profile} cannot be used: {error}") from error
        if accounts[-1].session.region_name is None:
            raise NotUsable(f"The profile {profile} names no region. Add one to it, or set AWS_DEFAULT_REGION.")
    hub, target = accounts
    if hub.id == target.id:
        raise NotUsable(f"Both profiles are of {hub.id}. The target is another account than the hub.")
    return accounts


def _try_all(trial: Trial) -> int:
    """How many promises are kept; each is a line, and what came instead another."""
    kept = 0
    for promise in PROMISES:
        started = time.monotonic()
        problem = _problem(promise, trial)
        verdict = "FAILED" if problem else "kept"
        print(f"{verdict:<6} {time.monotonic() - started:5.1f} s  {promise.__doc__}", flush=True)
        if problem:
            print(f"{'':16}{problem}", flush=True)
            if promise is deploys:
                print(f"{'':16}So nothing else was tried.", flush=True)
                break
        kept += not problem
    return kept


def _problem(promise: Callable[[Trial], None], trial: Trial) -> str:
    """Why a promise is not kept, or nothing."""
    try:
        promise(trial)
    except NotKept as error:
        return str(error)
    except Exception as error:  # whatever it is, such as an answer of another form: the promise is not kept
        return f"{type(error).__name__}: {error}"
    return ""


def _clean_up(trial: Trial) -> list[str]:
    """Delete everything of the trial's name; returns what could not be deleted, and why."""
    left = []
    try:
        for thing in remains(trial):
            try:
                thing.delete()
            except (BotoCoreError, ClientError) as error:
                left.append(f"{thing.name}: {error}")
    except (BotoCoreError, ClientError) as error:
        left.append(f"whatever else is called {trial.name}: {error}")
    return left


def _on_ending(handler: "signal._HANDLER") -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m acceptance",
        description="Try what cross-account promises in two accounts, tell what is kept, and delete everything again: "
        "deploy, denials without the role, by its trust and by its external ID, invoke, session policy, sweep, delete.",
        epilog="In the sandbox's shell: python -m acceptance --hub hub --target staging. On AWS: profiles of an "
        "administrator in each of two accounts. It makes only things of a new name, and costs less than a cent.",
    )
    parser.add_argument(
        "--hub", required=True, metavar="PROFILE", help="an administrator of the account to deploy into"
    )
    parser.add_argument(
        "--target", required=True, metavar="PROFILE", help="an administrator of the account to look into"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
