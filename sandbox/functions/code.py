"""Uploaded zips on disk: a function's code (/var/task in Lambda) and its layers (/opt in Lambda)."""

import hashlib
import importlib.metadata
import os
import re
import shutil
import stat
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path

# Of this Python's installed packages a function sees only these and their requirements, as in Lambda.
_RUNTIME_DISTRIBUTIONS = ("awslambdaric", "boto3")


class CodeStore:
    """Unpacks each distinct upload once; safe to use from many threads, and by many processes with the same root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def unpacked(self, zips: Sequence[Callable[[], bytes]], key: str) -> Path:
        """A directory with the content of all zips, later ones over earlier ones; `key` identifies the content."""
        name = hashlib.sha256(key.encode()).hexdigest()[:20]
        with self._guard:
            lock = self._locks[name]
        with lock:
            final = self._root / name
            if not final.exists():
                self._root.mkdir(parents=True, exist_ok=True)
                partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self._root))
                for fetch in zips:
                    _extract(fetch(), partial)
                try:
                    partial.rename(final)
                except OSError:  # another process was faster
                    shutil.rmtree(partial)
            return final

    def runtime(self) -> Path:
        """A directory with links to AWS's runtime client and boto3 in the installed packages."""
        with self._guard:
            directory = self._root / "runtime"
            if not directory.exists():
                directory.mkdir(parents=True)
                for distribution in _with_requirements(_RUNTIME_DISTRIBUTIONS):
                    _link_distribution(distribution, directory)
            return directory


def _extract(content: bytes, directory: Path) -> None:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = archive.extract(entry, directory)  # drops "..", drive letters and leading slashes
            mode = entry.external_attr >> 16
            if mode and not entry.is_dir():
                os.chmod(path, mode & 0o777 | stat.S_IRUSR | stat.S_IWUSR)  # without setuid, setgid and sticky


def _with_requirements(names: Iterable[str]) -> Iterable[importlib.metadata.Distribution]:
    """The named distributions and all their requirements, without extras."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        distribution = importlib.metadata.distribution(waiting.pop())
        if distribution.name not in found:
            found[distribution.name] = distribution
            required = [text for text in distribution.requires or () if "extra ==" not in text]
            waiting += [name for text in required for name in re.findall(r"^[\w.-]+", text)]
    return found.values()


def _link_distribution(distribution: importlib.metadata.Distribution, directory: Path) -> None:
    for top in {path.parts[0] for path in distribution.files or () if path.parts[0] != ".."}:
        source = Path(str(distribution.locate_file(top)))
        if source.exists() and not top.endswith((".dist-info", "__pycache__")):
            (directory / top).symlink_to(source.resolve())
