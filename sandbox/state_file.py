"""build/sandbox.json: with it another shell of this user finds the sandbox that runs in the foreground."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STATE_FILE = PROJECT / "build" / "sandbox.json"


@dataclass(frozen=True)
class State:
    """A running sandbox."""

    pid: int
    environment: dict[str, str]


def write_state(state: State, path: Path = STATE_FILE) -> None:
    """Replace the file in one step, so that a reader never sees a part of it."""
    path.parent.mkdir(exist_ok=True)
    number, partial = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # of mode 0600, and never somebody's link
    with open(number, "w") as file:
        json.dump(asdict(state), file)
    os.replace(partial, path)


def read_state(path: Path = STATE_FILE) -> State | None:
    """The running sandbox, or None, also if the process in the file has ended or the file is another user's."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            state = State(**json.load(file))
        os.kill(state.pid, 0)  # signal 0 only checks that the process exists
    except (OSError, ValueError, TypeError):
        return None
    return state


def remove_state(pid: int, path: Path = STATE_FILE) -> None:
    """Remove the file if it belongs to this process."""
    state = read_state(path)
    if state is not None and state.pid == pid:
        path.unlink(missing_ok=True)
