"""`python -m tests.browser.screenshot FILE`: sweep the sandbox and make the README's picture of the report."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sandbox
from tests.browser.chromium import Chromium, installed
from tests.templates import ROOT


def main(file: Path) -> int:
    """Returns the exit status."""
    program = installed()
    if program is None:
        print("Chromium was not found: apt install chromium, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sandbox.running() as box, Chromium(program) as chromium:
        page = Path(folder) / "report.html"
        command = [sys.executable, "sweep.py", "s3_buckets", "--stage", "sandbox"]
        environment = {**os.environ, **box.environment}
        subprocess.run([*command, "--html", str(page)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        chromium.open(page.as_uri(), width=1000).screenshot(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
