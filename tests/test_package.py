"""The files and the template that `chalice package` makes for each stage."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from chalice.utils import to_cfn_resource_name

from bytecode import beside
from sandbox.credentials_file import PROFILE, VARIABLE
from sandbox.project_copy import add_layer
from tests.templates import ROOT
from tests.test_policies import ALL_FUNCTIONS, FUNCTIONS, POLICY_OF, STAGES, config, statements

LOGICAL_ID = {name: to_cfn_resource_name(name) for name in ALL_FUNCTIONS} | {
    "switch_account": "SwitchAccount",
    "sweep": "Sweep",
    "list_accounts": "ListAccounts",
    "api_handler": "APIHandler",
}
# Left by earlier runs, and ignored by git.
NOT_THE_PROJECT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "build", "dist", "deployments", "deployed", ".*_cache", ".hypothesis"
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
        """Properties by the function's name in config.json."""
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


def chalice(project: Path, *arguments: str, statuses: tuple[int, ...] = (0,)) -> str:
    """Run Chalice with a region and without credentials; the stage `sandbox` wants a profile even so."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    profile = project.parent / "credentials"
    profile.write_text(f"[{PROFILE}]\n")
    environment |= {"AWS_DEFAULT_REGION": "eu-west-1", VARIABLE: str(profile)}
    command = [sys.executable, str(ROOT / "bytecode.py"), *arguments]
    done = subprocess.run(
        command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode in statuses, done.stderr
    assert "Could not install dependencies" not in done.stdout
    return done.stdout


def files_of(folder: Path) -> Iterator[Path]:
    """Without what Python leaves there when it imports them."""
    return (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project: Chalice writes into it."""
    copy = shutil.copytree(ROOT, tmp_path_factory.mktemp("project") / "copy", ignore=NOT_THE_PROJECT)
    add_layer(copy)
    return copy


@pytest.fixture(scope="module")
def packaged(project) -> Callable[[str], Package]:
    """The package of a stage, which is made once."""

    @cache
    def of_stage(stage: str) -> Package:
        folder = project.parent / f"package-{stage}"
        chalice(project, "package", "--stage", stage, str(folder))
        return Package(stage, folder)

    return of_stage


@pytest.fixture(scope="module", params=STAGES)
def package(request, packaged) -> Package:
    return packaged(request.param)


@pytest.fixture(scope="module")
def layer(packaged) -> ZipFile:
    return ZipFile(packaged("dev").folder / "layer-deployment.zip")


def test_the_zip_holds_only_app_py_chalicelib_and_chalices_runtime(package, project):
    with ZipFile(package.folder / "deployment.zip") as archive:
        packed = set(archive.namelist())
    chalicelib = {str(path.relative_to(project)) for path in files_of(project / "chalicelib")}
    expected = {"app.py", "chalice/__init__.py", "chalice/app.py"} | chalicelib
    assert packed == expected | {str(beside(Path(name))) for name in expected if name.endswith(".py")}


def test_chalicelib_holds_only_python_the_files_of_the_report_and_the_checks_data(project):
    """Everything in it is deployed."""
    others = {path.name for path in files_of(project / "chalicelib") if path.suffix != ".py"}
    of_checks = {"exceptions.toml", "lambda_runtimes.toml", "operations.txt"}
    assert others == {"py.typed", "report.css", "report.js"} | of_checks


def test_the_layer_holds_only_the_pinned_distributions(layer):
    pinned = set(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    packed = {
        (match[1].replace("_", "-").lower(), match[2])
        for match in (re.search(r"/([^/]+?)-([^/-]+)\.dist-info/", name) for name in layer.namelist())
        if match
    }
    assert packed == pinned


@pytest.mark.parametrize("module", ["boto3", "botocore", "aws_lambda_powertools", "jmespath", "s3transfer", "urllib3"])
def test_the_layer_has_its_modules_on_lambdas_path(layer, module):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"python/lib/{version}/site-packages/{module}/__init__.py" in layer.namelist()


def test_the_layer_is_far_below_lambdas_maximum_size(layer):
    assert sum(entry.file_size for entry in layer.infolist()) < 100_000_000  # of 250 MB for function and layers


def test_every_distribution_in_the_layer_contains_its_licence(layer):
    """To keep the notice is all that these licences require."""
    folders = {name.split("/")[-2] for name in layer.namelist() if name.endswith(".dist-info/METADATA")}
    licensed = {
        match[1]
        for match in (re.search(r"/([^/]+\.dist-info)/(?:licenses/)?LICEN[SC]E", n) for n in layer.namelist())
        if match
    }
    assert licensed == folders


def test_log_groups_with_a_retention_belong_to_functions_of_the_package(package):
    """Otherwise CloudFormation refuses the template: https://github.com/aws/chalice/issues/2079"""
    groups = {
        resource["Properties"]["LogGroupName"]["Fn::Sub"]: resource["Properties"]["RetentionInDays"]
        for resource in package.resources.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    retention = {name: config(package.stage, name).log_retention_in_days for name in package.functions}
    assert groups == {f"/aws/lambda/${{{LOGICAL_ID[name]}}}": days for name, days in retention.items() if days}
    shipped = {name: retention[name] for name in FUNCTIONS if name in retention and name != "api_handler"}
    assert set(shipped.values()) == {90}


def test_a_shipped_function_reserves_no_concurrency(package):
    """A new account may not have enough of it."""
    reserved = [name for name, one in package.functions.items() if "ReservedConcurrentExecutions" in one]
    assert set(reserved) & set(FUNCTIONS) == set()


def test_every_function_of_the_package_is_one_of_the_app(package):
    deployed = {
        logical_id
        for logical_id, resource in package.resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert deployed <= {LOGICAL_ID[name] for name in ALL_FUNCTIONS}


def test_each_function_has_a_role_of_its_own(package):
    roles = [function["Role"]["Fn::GetAtt"][0] for function in package.functions.values()]
    assert len(set(roles)) == len(roles)


def test_a_role_holds_exactly_its_policy_file(package):
    for name, function in package.functions.items():
        (policy,) = package.role_of(function)["Policies"]
        file = POLICY_OF.get(name) or config(package.stage, name).iam_policy_file
        assert policy["PolicyDocument"]["Statement"] == statements(file), name


def test_only_lambda_can_assume_an_execution_role(package):
    for function in package.functions.values():
        (statement,) = package.role_of(function)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_function_has_the_settings_of_its_stage(package):
    for name, function in package.functions.items():
        assert function["Environment"]["Variables"] == config(package.stage, name).environment_variables


def test_a_function_has_its_timeout_and_memory(package):
    for name, function in package.functions.items():
        configured = config(package.stage, name)
        assert (function["Timeout"], function["MemorySize"]) == (
            configured.lambda_timeout,
            configured.lambda_memory_size,
        )


def test_a_function_is_traced_only_where_tracing_is_on(package):
    for name, function in package.functions.items():
        assert (function.get("Tracing") == "Active") is bool(config(package.stage, name).xray_enabled)


def test_a_function_has_the_layer_with_the_tested_sdk(package):
    for function in package.functions.values():
        assert function["Layers"] == [{"Ref": "ManagedLayer"}]


def test_a_function_has_the_python_version_that_packaged_it(package):
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert {function["Runtime"] for function in package.functions.values()} == {runtime}


def test_the_api_has_a_regional_endpoint(package):
    assert package.api["EndpointConfiguration"] == "REGIONAL"


def test_every_route_requires_a_signed_request(package):
    """Chalice's default is a route that the whole internet may call."""
    unsigned = [
        f"{method.upper()} {path}"
        for path, methods in package.api["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") != [{"sigv4": []}]
    ]
    assert unsigned == []


def test_chalices_own_policy_generator_finds_no_actions(project):
    """It reads only app.py. If it finds actions one day, compare them: it writes Resource "*"."""
    generated = chalice(project, "gen-policy", statuses=(0, 2))
    if not generated.startswith("{"):
        pytest.skip("Chalice's generator cannot read every valid app.py, such as one with a generator expression")
    assert json.loads(generated)["Statement"] == []
