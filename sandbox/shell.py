"""The shell's own AWS gives way: its keys, its profile, and whatever else sends a call elsewhere.

By every AWS_* and not by a list: each service has a variable for its endpoint.
"""

import os
import shlex
from collections.abc import Mapping

_EVERY_AWS = "$(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p')"

_MORE = {  # the shell's own stay
    "PYTHONPATH": '"${PYTHONPATH:+:$PYTHONPATH}"',
    "no_proxy": '"${no_proxy:+,$no_proxy}${NO_PROXY:+,$NO_PROXY}"',  # where both are set, Python reads this one
}


def exports(environment: Mapping[str, str]) -> str:
    """Lines for `eval` in a POSIX shell, bash or zsh."""
    lines = [f"export {name}={shlex.quote(value)}{_MORE.get(name, '')}" for name, value in environment.items()]
    return "\n".join([f"unset AWS_PROFILE {_EVERY_AWS}", *lines])  # zsh's unset complains if it gets no name


def drop_aws() -> None:
    """From the environment of this process."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
