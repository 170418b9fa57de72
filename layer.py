"""Add bytecode to the layer that `chalice deploy` uploads next, so that cold starts do not compile boto3.

    python layer.py     or: make layer, which builds that layer first

Chalice builds its layer from wheels, which contain no bytecode, and Lambda's /opt is read-only, so every cold start
compiles what it imports. Chalice reuses the built layer while requirements.txt stays the same; this changes that zip.
Bytecode works in one minor version of Python: the running one, for which Chalice deploys.
"""

from __future__ import annotations

import compileall
import py_compile
import sys
import tempfile
import zipfile
from pathlib import Path

from terminal.command import Parser, run

BUILT = Path(__file__).parent / ".chalice" / "deployments"
_SAME_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same wheels make the same layer


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    Parser("python layer.py", __doc__).parse_args(arguments)
    layers = sorted(BUILT.glob(f"managed-layer-*-python{sys.version_info.major}.{sys.version_info.minor}.zip"))
    if not layers:
        print(f"{BUILT} contains no layer; `chalice package` builds it.", file=sys.stderr)
        return 1
    for layer in layers:
        added = add_bytecode(layer)
        print(f"{layer.name}: {added} modules compiled, {layer.stat().st_size / 2**20:.1f} MiB")
    return 0


def add_bytecode(layer: Path) -> int:
    """Compile every module of a layer's zip into the zip; returns how many. A zip with bytecode stays unchanged.

    Raises:
        OSError: the zip cannot be read or replaced. It is never replaced in part.
    """
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(layer) as built:
        if any(name.endswith(".pyc") for name in built.namelist()):
            return 0
        built.extractall(folder)
        # Unchecked hashes: a zip keeps times only to two seconds, and /opt never changes.
        compileall.compile_dir(
            folder,
            quiet=2,
            stripdir=folder,
            prependdir="/opt",
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        compiled = sorted(Path(folder).rglob("*.pyc"))
        together = layer.with_suffix(".new")
        with zipfile.ZipFile(together, "w", zipfile.ZIP_DEFLATED) as zipped:
            for entry in built.infolist():
                zipped.writestr(entry, built.read(entry), zipfile.ZIP_DEFLATED)
            for path in compiled:
                write_reproducibly(zipped, path.relative_to(folder).as_posix(), path.read_bytes())
    together.replace(layer)
    return len(compiled)


def write_reproducibly(zipped: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file whose entry is always the same, and readable: Lambda runs as another user."""
    entry = zipfile.ZipInfo(name, _SAME_TIME)
    entry.external_attr = 0o644 << 16
    zipped.writestr(entry, content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    run(main)
