"""What `chalice package` makes of each stage: the files that go to Lambda and the template that would deploy them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.templates import ROOT
from tests.test_policies import FUNCTIONS, POLICY_OF, STAGES, config, statements

LOGICAL_ID = {
    "switch_account": "SwitchAccount",
    "sweep": "Sweep",
    "list_accounts": "ListAccounts",
    "api_handler": "APIHandler",
}
# Files of these names are made by whoever ran something here before, and git ignores them.
NOT_THE_PROJECT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "deployments", "deployed", ".*_cache", ".hypothesis"
)


@dataclass(frozen=True)
class Package:
    stage: str
    folder: Path

    @property
    def resources(self) -> dict[str, Any]:
        return json.loads((self.folder / "sam.json").read_text())["Resources"]

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """By the name that the configuration knows them by."""
        return {
            name: self.resources[logical_id]["Properties"]
            for name, logical_id in LOGICAL_ID.items()
            if logical_id in self.resources
        }

    @property
    def api(self) -> dict[str, Any]:
        return self.resources["RestAPI"]["Properties"]

    def role_of(self, function: dict[str, Any]) -> dict[str, Any]:
        logical_id, attribute = function["Role"]["Fn::GetAtt"]
        assert attribute == "Arn"
        return self.resources[logical_id]["Properties"]


def chalice(project: Path, *arguments: str) -> str:
    """Runs it as somebody does who has a region and no credentials."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_DEFAULT_REGION": "eu-west-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "from chalice.cli import main; main()", *arguments]
    done = subprocess.run(
        command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "Could not install dependencies" not in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the whole project, so that Chalice leaves nothing behind in it."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("project") / "copy", ignore=NOT_THE_PROJECT)


@pytest.fixture(scope="module", params=STAGES)
def package(request, project) -> Package:
    folder = project.parent / f"package-{request.param}"
    chalice(project, "package", "--stage", request.param, str(folder))
    return Package(request.param, folder)


@pytest.fixture(scope="module")
def layer(project) -> ZipFile:
    folder = project.parent / "package-for-its-layer"
    chalice(project, "package", str(folder))
    return ZipFile(folder / "layer-deployment.zip")


def test_a_function_is_app_py_chalicelib_and_chalices_runtime_and_nothing_else(package, project):
    with ZipFile(package.folder / "deployment.zip") as archive:
        packed = set(archive.namelist())
    chalicelib = {str(path.relative_to(project)) for path in (project / "chalicelib").rglob("*") if path.is_file()}
    assert packed == {"app.py", "chalice/__init__.py", "chalice/app.py"} | chalicelib


def test_chalicelib_holds_nothing_but_python_and_what_the_report_is_made_of(project):
    """Whatever lies in it is deployed."""
    others = {path.name for path in (project / "chalicelib").rglob("*") if path.is_file() and path.suffix != ".py"}
    assert others == {"report.css", "report.js"}


def test_the_layer_holds_the_pinned_distributions_and_nothing_of_development(layer):
    pinned = set(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    packed = {
        (match[1].replace("_", "-").lower(), match[2])
        for match in (re.search(r"/([^/]+?)-([^/-]+)\.dist-info/", name) for name in layer.namelist())
        if match
    }
    assert packed == pinned


@pytest.mark.parametrize("module", ["boto3", "botocore", "aws_lambda_powertools", "jmespath", "s3transfer", "urllib3"])
def test_the_layer_has_a_module_where_lambda_looks_for_it(layer, module):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"python/lib/{version}/site-packages/{module}/__init__.py" in layer.namelist()


def test_the_layer_fits_what_lambda_takes(layer):
    assert sum(entry.file_size for entry in layer.infolist()) < 100_000_000  # of 250 MB for function and layers


def test_every_distribution_in_the_layer_brings_its_licence_along(layer):
    """They ask for no more, and for no less."""
    folders = {name.split("/")[-2] for name in layer.namelist() if name.endswith(".dist-info/METADATA")}
    licensed = {
        match[1]
        for match in (re.search(r"/([^/]+\.dist-info)/(?:licenses/)?LICEN[SC]E", n) for n in layer.namelist())
        if match
    }
    assert licensed == folders


def test_a_log_group_is_that_of_a_function_of_the_package(package):
    """Where Chalice gets it wrong, CloudFormation refuses the template: https://github.com/aws/chalice/issues/2079"""
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]: resource["Properties"]["RetentionInDays"]
        for resource in package.resources.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    pure = [
        logical_id for name, logical_id in LOGICAL_ID.items() if name in package.functions and name != "api_handler"
    ]
    assert groups == {f"/aws/lambda/${{{logical_id}}}": 90 for logical_id in pure}


def test_no_function_reserves_concurrency_that_a_new_account_does_not_have(package):
    assert [name for name, one in package.functions.items() if "ReservedConcurrentExecutions" in one] == []


def test_the_app_has_no_function_without_a_known_policy(package):
    deployed = {
        logical_id
        for logical_id, resource in package.resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert deployed <= {LOGICAL_ID[name] for name in FUNCTIONS}


def test_each_function_has_a_role_of_its_own(package):
    roles = [function["Role"]["Fn::GetAtt"][0] for function in package.functions.values()]
    assert len(set(roles)) == len(roles)


def test_a_role_holds_its_policy_file_to_the_letter(package):
    for name, function in package.functions.items():
        (policy,) = package.role_of(function)["Policies"]
        assert policy["PolicyDocument"]["Statement"] == statements(POLICY_OF[name]), name


def test_only_lambda_can_use_a_functions_role(package):
    for function in package.functions.values():
        (statement,) = package.role_of(function)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_function_gets_its_stages_settings(package):
    for name, function in package.functions.items():
        assert function["Environment"]["Variables"] == config(package.stage, name).environment_variables


def test_a_function_gets_its_timeout_and_memory(package):
    for name, function in package.functions.items():
        configured = config(package.stage, name)
        assert (function["Timeout"], function["MemorySize"]) == (
            configured.lambda_timeout,
            configured.lambda_memory_size,
        )


def test_a_function_is_traced_exactly_where_tracing_is_on(package):
    for name, function in package.functions.items():
        assert (function.get("Tracing") == "Active") is bool(config(package.stage, name).xray_enabled)


def test_a_function_finds_the_tested_sdk_in_its_layer(package):
    for function in package.functions.values():
        assert function["Layers"] == [{"Ref": "ManagedLayer"}]


def test_a_function_runs_on_the_python_that_packaged_it(package):
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert {function["Runtime"] for function in package.functions.values()} == {runtime}


def test_the_api_stays_in_its_region(package):
    assert package.api["EndpointConfiguration"] == "REGIONAL"


def test_every_route_wants_a_signed_request(package):
    """Chalice's default is a route that the whole internet may call."""
    unsigned = [
        f"{method.upper()} {path}"
        for path, methods in package.api["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") != [{"sigv4": []}]
    ]
    assert unsigned == []


def test_chalice_alone_would_grant_nothing_of_what_the_app_needs(project):
    """Its generator reads only app.py. Should it say something one day, compare it: it writes Resource "*"."""
    assert json.loads(chalice(project, "gen-policy"))["Statement"] == []
