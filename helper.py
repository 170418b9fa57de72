"""Build chalicelib/cross_account alone, as a wheel and as a Lambda layer, into dist/, for other functions.

    python helper.py     or: make helper

The same code gives the same bytes, from whatever folder and at whatever date, so that a layer's hash tells whether it
changed. (Another zlib under Python may compress differently.)
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from terminal.command import Parser, run

PROJECT = Path(__file__).resolve().parent
LAYER = "cross-account-layer.zip"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    Parser("python helper.py", __doc__).parse_args(arguments)
    for earlier in (PROJECT / "dist").glob("*.whl"):
        earlier.unlink()  # of another version: dist/*.whl is one file
    wheel = build_wheel(PROJECT / "dist")
    for path in (wheel, build_layer(wheel)):
        print(f"{path.relative_to(PROJECT)}  {path.stat().st_size / 1000:.0f} KB")
    return 0


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder, and return its path."""
    code = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    # Without the environment: SOURCE_DATE_EPOCH would change the bytes.
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=PROJECT, env={}, stdout=subprocess.PIPE, text=True, check=True
    )
    return folder / done.stdout.strip()


def build_layer(wheel: Path) -> Path:
    """Put the files of a wheel where Lambda's Pythons look for them, into a zip beside it, and return its path."""
    layer = wheel.with_name(LAYER)
    with zipfile.ZipFile(wheel) as built, zipfile.ZipFile(layer, "w") as zipped:
        for name in sorted(built.namelist()):
            entry = zipfile.ZipInfo(f"python/{name}")  # of 1980: the same wheel makes the same layer
            entry.external_attr = 0o644 << 16  # Lambda runs as another user
            zipped.writestr(entry, built.read(name), zipfile.ZIP_DEFLATED)
    return layer


if __name__ == "__main__":
    run(main)
