"""`python -m tests.browser.screenshot FILE [CHECK [OPTION ...]]`: sweep the sandbox and make a picture of the report.

Those of the README:

    python -m tests.browser.screenshot docs/report.png
    python -m tests.browser.screenshot docs/posture.png posture --regions us-east-1,eu-west-1
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sandbox
from tests.browser.chromium import Chromium, installed
from tests.templates import ROOT


def main(file: Path, *asked: str) -> int:
    """Returns the exit status.

    Args:
        asked: the check and options of sweep.py.
    """
    program = installed()
    if program is None:
        print("Chromium was not found: apt install chromium, or set CHROMIUM to its path.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sandbox.running() as box, Chromium(program) as chromium:
        page = Path(folder) / "report.html"
        command = [sys.executable, "sweep.py", *(asked or ["s3_buckets"]), "--stage", "sandbox"]
        environment = {**os.environ, **box.environment}
        subprocess.run([*command, "--html", str(page)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        chromium.open(page.as_uri(), width=1000).screenshot(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
