"""Try what cross-account promises in two accounts, tell what is kept, and delete everything again.

    python -m acceptance --hub hub --target staging

in the sandbox's shell (make sandbox). On AWS it takes the profiles of an administrator in each of two accounts. It
deploys a copy of the app into the hub and role-template.yaml into the target, under a name that is new each time, and
touches nothing else; that costs less than a cent.

Exit status: 0 all is kept and nothing is left, 1 not so, 2 accounts that cannot be used, 130 Ctrl-C, after which
everything is deleted, too.
"""

if __name__ == "__main__":
    from terminal.command import end_at_signals

    end_at_signals()

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import ProfileNotFound

from acceptance.promises import PROMISES, deploys
from acceptance.remains import delete_remains
from acceptance.trial import Account, NotKept, Trial, enter
from terminal.command import Parser, ignore_signals, run


class NotUsable(Exception):
    """The accounts cannot be used; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m acceptance", __doc__)
    parser.add_argument("--hub", required=True, metavar="PROFILE", help="of the account to deploy into")
    parser.add_argument("--target", required=True, metavar="PROFILE", help="of the account to look into")
    options = parser.parse_args(arguments)
    try:
        hub, target = _accounts(options.hub, options.target)
    except NotUsable as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="acceptance-") as folder:
        return _run(Trial(hub, target, Path(folder)))


def _run(trial: Trial) -> int:
    where = "in a sandbox" if trial.is_local else "on AWS"
    print(f"Hub {trial.hub.id}, target {trial.target.id}, {where}, {trial.hub.session.region_name}.")
    print(f"Everything made here is called {trial.name}, and is deleted at the end.\n", flush=True)
    started, kept = time.monotonic(), 0
    try:
        for promise in PROMISES:
            is_kept = _is_kept(promise, trial)
            kept += is_kept
            if promise is deploys and not is_kept:
                print(f"{'':16}So nothing else was tried.", flush=True)
                break
    finally:
        ignore_signals()  # also after Ctrl-C, and whatever else happens: what was made is deleted
        with suppress(OSError):  # a closed terminal
            print("\nDeleting what is left.", flush=True)
        left = _clean_up(trial)
        with suppress(OSError):
            summary = f"{kept} of {len(PROMISES)} promises kept, in {time.monotonic() - started:.0f} s."
            print(summary, *(f"Not deleted: {name}" for name in left), sep="\n", flush=True)
    return 1 if left or kept < len(PROMISES) else 0


def _accounts(hub_profile: str, target_profile: str) -> list[Account]:
    accounts: list[Account] = []
    for profile in (hub_profile, target_profile):
        try:
            accounts.append(enter(profile))
        except ProfileNotFound as error:
            shell = 'Those of the sandbox are in its shell: eval "$(make -s sandbox-env)"'
            raise NotUsable(f"There is no profile {profile}. {shell}") from error
        except Exception as error:  # also of a profile's own process, or of an endpoint that is not AWS
            raise NotUsable(f"The profile {profile} cannot be used: {error}") from error
        if accounts[-1].session.region_name is None:
            raise NotUsable(f"The profile {profile} names no region. Add one to it, or set AWS_DEFAULT_REGION.")
    if accounts[0].id == accounts[1].id:
        raise NotUsable(f"Both profiles are of {accounts[0].id}. The target is another account than the hub.")
    return accounts


def _is_kept(promise: Callable[[Trial], None], trial: Trial) -> bool:
    """Try one and print its line; if it is not kept, also what came instead."""
    started, problem = time.monotonic(), ""
    try:
        promise(trial)
    except NotKept as error:
        problem = str(error)
    except Exception as error:  # whatever it is, such as an answer of another form: the promise is not kept
        problem = f"{type(error).__name__}: {error}"
    print(f"{'FAILED' if problem else 'kept':<6} {time.monotonic() - started:5.1f} s  {promise.__doc__}", flush=True)
    if problem:
        print(f"{'':16}{problem}", flush=True)
    return not problem


def _clean_up(trial: Trial) -> list[str]:
    """Delete everything of the trial's name; returns what could not be deleted, and why."""
    left: list[str] = []

    def all_is_deleted() -> None:
        left[:] = delete_remains(trial)
        if left:
            raise NotKept

    with suppress(NotKept):
        trial.settle(all_is_deleted)
    return left


if __name__ == "__main__":
    run(main)
