"""Sweep a sandbox and make a picture of the report. Those of the README:

    python -m tests.browser.screenshot docs/report.png
    python -m tests.browser.screenshot docs/posture.png posture --regions us-east-1,eu-west-1

It starts a sandbox of its own, and needs a Chromium: apt install chromium, or CHROMIUM=/path/to/one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import REMAINDER
from pathlib import Path

import sandbox
from terminal.command import Parser, cleaning_up_undisturbed, run
from tests.browser.chromium import Chromium, installed
from tests.templates import ROOT


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = Parser("python -m tests.browser.screenshot", __doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the picture, a .png")
    parser.add_argument(
        "asked", nargs=REMAINDER, metavar="CHECK ...", help="the check and options of sweep.py; default: s3_buckets"
    )
    options = parser.parse_args(arguments)
    program = installed()
    if program is None:
        print("Chromium was not found: apt install chromium, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox.running() as box,
        Chromium(program) as chromium,
        cleaning_up_undisturbed(),
    ):
        page = Path(folder) / "report.html"
        command = [sys.executable, "sweep.py", *(options.asked or ["s3_buckets"]), "--stage", "sandbox"]
        environment = {**os.environ, **box.environment}
        subprocess.run([*command, "--html", str(page)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        chromium.open(page.as_uri(), width=1000).screenshot(options.file)
    return 0


if __name__ == "__main__":
    run(main)
