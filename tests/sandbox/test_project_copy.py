"""The copy of the project that a demo or a test deploys from."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox import project_copy


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Which folders a layer was built in, by a Chalice that takes its time in the middle of the zip."""
    folders: list[str] = []

    def build(packager: Any, folder: str, python: str) -> None:
        folders.append(folder)
        path = Path(packager.deployment_package_filename(folder, python))
        path.write_text("half of")
        time.sleep(0.05)
        path.write_text("half of a zip, and the rest")

    project = tmp_path / "project"
    (project / ".chalice").mkdir(parents=True)
    (project / "requirements.txt").write_text("boto3==1.0")
    monkeypatch.setattr(project_copy, "PROJECT", project)
    monkeypatch.setattr(project_copy, "_DEPLOYABLE", ("requirements.txt",))
    monkeypatch.setattr(project_copy.LayerDeploymentPackager, "create_deployment_package", build)
    return folders


def test_copies_made_at_the_same_time_share_one_finished_layer(built: list[str], tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    with ThreadPoolExecutor() as threads:
        list(threads.map(project_copy.copy_project, folders))
    layers = [path.read_text() for folder in folders for path in (folder / ".chalice" / "deployments").iterdir()]
    assert layers == ["half of a zip, and the rest"] * 3
    assert len(built) == 1
