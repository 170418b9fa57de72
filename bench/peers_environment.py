"""A separate environment for the other libraries, so that the project's environment does not contain them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.stub_process import PROJECT

BUILD = PROJECT / "build" / "bench"
REQUIREMENTS = PROJECT / "bench" / "requirements.txt"


def peers_python() -> Path:
    """The environment's Python; creates the environment if it is missing or its requirements have changed."""
    environment = BUILD / "venv"
    python = environment / "bin" / "python"
    installed = environment / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != REQUIREMENTS.read_bytes():
        print("Installing the other libraries, once.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        # --no-deps: the file has all of them, and pip does not find the hash of one that botocove requires with extras.
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        subprocess.run([python, *install, "--require-hashes", "--no-deps", "-r", REQUIREMENTS], check=True)
        installed.write_bytes(REQUIREMENTS.read_bytes())
    return python


def lock() -> None:
    """Make bench/requirements.txt from requirements.in, like `make lock`."""
    options = ["--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "python -m bench --lock"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, "bench/requirements.in"]
    subprocess.run([*command, "-o", "bench/requirements.txt"], cwd=PROJECT, check=True)
