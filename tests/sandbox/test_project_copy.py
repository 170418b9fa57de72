"""The copy of the project that a demo or a test deploys from."""

import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chalice.deploy.packager import NoSuchPackageError

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
        with zipfile.ZipFile(path, "w") as layer:
            layer.writestr("whole", "")

    project = tmp_path / "project"
    (project / ".chalice").mkdir(parents=True)
    (project / "requirements.txt").write_text("boto3==1.0")
    monkeypatch.setattr(project_copy, "PROJECT", project)
    monkeypatch.setattr(project_copy, "_DEPLOYABLE", ("requirements.txt",))
    monkeypatch.setattr(project_copy.LayerDeploymentPackager, "create_deployment_package", build)
    return folders


def test_a_layer_that_lacks_a_package_is_not_shared(
    built: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Chalice makes a zip of the others, says so and goes on."""

    def incomplete(packager: Any, folder: str, python: str) -> None:
        Path(packager.deployment_package_filename(folder, python)).touch()
        packager._ui.write("Could not install dependencies:\nboto3==1.0\n")

    monkeypatch.setattr(project_copy.LayerDeploymentPackager, "create_deployment_package", incomplete)
    with pytest.raises(project_copy.LayerNotMade, match=r"boto3==1\.0"):
        project_copy.copy_project(tmp_path / "copy")
    assert not list((project_copy.PROJECT / ".chalice" / "deployments").glob("*.zip"))


def test_copies_made_at_the_same_time_share_one_finished_layer(built: list[str], tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    with ThreadPoolExecutor() as threads:
        list(threads.map(project_copy.copy_project, folders))
    layers = [path for folder in folders for path in (folder / ".chalice" / "deployments").iterdir()]
    assert [zipfile.ZipFile(layer).namelist() for layer in layers] == [["whole"]] * 3
    assert len(built) == 1


def test_a_layer_without_a_network_is_told_in_one_line(
    built: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unreachable(packager: Any, folder: str, python: str) -> None:
        raise NoSuchPackageError("boto3==1.0")

    monkeypatch.setattr(project_copy.LayerDeploymentPackager, "create_deployment_package", unreachable)
    with pytest.raises(project_copy.LayerNotMade, match=r"^[^\n]+ index that pip is set up with[^\n]+ boto3==1\.0$"):
        project_copy.copy_project(tmp_path / "copy")
