"""`make layer`: put bytecode into the layer that `chalice deploy` uploads next, so that no cold start compiles boto3.

Chalice fills its layer from wheels, which hold no bytecode, and Lambda's /opt cannot be written to, so every cold start
compiles what it imports. Chalice keeps the layer it has built and uses it again while requirements.txt stays the same;
that zip is what is changed here. Bytecode fits one minor version of Python: the running one, for which Chalice deploys.
"""

from __future__ import annotations

import compileall
import py_compile
import sys
import tempfile
import zipfile
from pathlib import Path

BUILT = Path(__file__).parent / ".chalice" / "deployments"
_SAME_TIME = (1980, 1, 1, 0, 0, 0)  # the same layer from the same wheels, whenever it is made


def main() -> int:
    """The exit status."""
    layers = sorted(BUILT.glob(f"managed-layer-*-python{sys.version_info.major}.{sys.version_info.minor}.zip"))
    if not layers:
        print(f"There is no layer in {BUILT}; `chalice package` builds it.", file=sys.stderr)
        return 1
    for layer in layers:
        added = add_bytecode(layer)
        print(f"{layer.name}: {added} modules compiled, {layer.stat().st_size / 2**20:.1f} MiB")
    return 0


def add_bytecode(layer: Path) -> int:
    """Compile every module of a layer's zip into the zip; gives how many. What has its bytecode already stays as it is.

    Raises:
        OSError: the zip cannot be read or replaced. It is replaced as a whole, or not at all.
    """
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(layer) as built:
        if any(name.endswith(".pyc") for name in built.namelist()):
            return 0
        built.extractall(folder)
        # By the source's hash and unchecked: a zip keeps times to two seconds, and nobody changes /opt.
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
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _SAME_TIME)
                entry.external_attr = 0o644 << 16  # Lambda runs as a user of its own
                zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    together.replace(layer)
    return len(compiled)


if __name__ == "__main__":
    sys.exit(main())
