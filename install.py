"""Install packages, all by hash, into a virtual environment.

    python install.py build/audit audit/requirements.txt

By uv, which takes seconds where pip takes a minute; by pip where there is no uv or it fails, and a line says why. It
needs the index that pip is set up with: uv comes from there, and gets what it installs from there.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from terminal.command import Parser, run

UV = Path(__file__).with_name(".venv") / "bin" / "uv"
LOCK = Path(__file__).with_name("requirements-lock.txt")
INSTALL = ["install", "-qq", "--disable-pip-version-check", "--no-input", "--require-hashes"]
OF_PIP = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "no-index": "UV_OFFLINE"}
"""Settings of pip that uv does not read, and its variables for them."""
PATIENCE = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
"""An index that accepts and never answers has failed after 21 s, by uv's own values after two minutes."""
CAUSES = (
    r"connection broken by .*: (.+?)['\")]*: /",
    r"cause: (.+)",
    r"╰─▶ (.+)",
    r"(?i)error: (?!ResolutionImpossible)(.+)",
)
"""Where pip or uv says why, the most exact one first."""


class NotInstalled(Exception):
    """The message is the reason that the program gave."""

    def __init__(self, command: list[str], reason: str) -> None:
        super().__init__(reason)
        self.command = command


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python install.py", __doc__)
    parser.add_argument("environment", type=Path, help="its folder, such as .venv")
    parser.add_argument("requirements", help="the file with the packages and their hashes")
    options = parser.parse_args(arguments)
    python = str(options.environment / "bin" / "python")
    try:
        pip, settings = pip_for(python)
        try:
            install_by_uv(pip, settings, python, options.requirements)
        except NotInstalled as reason:
            print(f"pip installs the packages, which takes a minute. uv cannot: {reason}", file=sys.stderr)
            # Also as constraints: pip takes boto3[crt] and boto3 for two things, of which one is not pinned.
            output_of([*pip, *INSTALL, "-r", options.requirements, "-c", options.requirements], os.environ)
    except NotInstalled as reason:
        print(f"The packages are not installed. pip cannot: {reason}", file=sys.stderr)
        print(f"To see more: {' '.join(word for word in reason.command if word != '-qq')}", file=sys.stderr)
        return 1
    return 0


def pip_for(python: str) -> tuple[list[str], str]:
    """A pip for that environment, and what it is set up with.

    That of the Python that runs this: to give .venv one of its own first takes three seconds, and uv brings the pinned
    one. But there may be none, or one that is too old to install elsewhere.
    """
    pip = [sys.executable, "-m", "pip", "--python", python]
    try:
        return pip, output_of([*pip, "config", "list"], os.environ)
    except NotInstalled:
        output_of([python, "-m", "ensurepip"], os.environ)
        return [python, "-m", "pip"], output_of([python, "-m", "pip", "config", "list"], os.environ)


def install_by_uv(pip: list[str], settings: str, python: str, requirements: str) -> None:
    """Raises NotInstalled."""
    uv = UV
    if not uv.exists():
        output_of([*pip, *INSTALL, "-r", str(LOCK)], os.environ)
        uv = Path(python).with_name("uv")
    # By its own certificates it does not know the proxy or the mirror of a company.
    command = [str(uv), "pip", "install", "--quiet", "--system-certs", "--no-config", "--no-python-downloads"]
    output_of([*command, "--python", python, "--require-hashes", "-r", requirements], environment_of_uv(settings))


def environment_of_uv(listed: str) -> dict[str, str]:
    """What pip knows, `listed` by its `config`, and nothing that the shell says of uv but where its cache is."""
    given = dict(re.findall(r"^([\w:]+\.[\w-]+)=(.+)$", listed, re.MULTILINE))
    own = {name: value for name, value in os.environ.items() if name == "UV_CACHE_DIR" or not name.startswith("UV_")}
    of_pip = {
        variable: ast.literal_eval(given[f"{where}.{name}"])
        for name, variable in OF_PIP.items()
        for where in ("global", "install", ":env:")  # the last one counts
        if f"{where}.{name}" in given
    }
    return {**own, **PATIENCE, **of_pip}


def output_of(command: list[str], environment: Mapping[str, str]) -> str:
    """Run a command, and return what it printed.

    Raises:
        NotInstalled: it failed. The reason is one line of what it said, without addresses: they may contain a password.
    """
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:  # of another platform, for one
        raise NotInstalled(command, error.strerror or str(error)) from None
    if done.returncode:
        causes = (found[-1] for pattern in CAUSES if (found := re.findall(pattern, done.stderr)))
        raise NotInstalled(command, re.sub(r"\S*://\S*", "[...]", next(causes, f"it exited {done.returncode}")))
    return done.stdout


if __name__ == "__main__":
    run(main)
