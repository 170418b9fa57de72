"""docs/the-helper.md, followed: functions of other projects, on the published layer or with the wheel."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

import helper
import sandbox
from sandbox.accounts import EXTERNAL_ID, ROLE_STACK
from tests.e2e.article import FUNCTION, WRITTEN_LIKE_IT, word_for_word
from tests.e2e.conftest import HUB, LEGACY, PRODUCTION, STAGING, Project, client
from tests.e2e.test_deployed_app import ROLE, STACK
from tests.templates import ROOT

DOC = (ROOT / "docs" / "the-helper.md").read_text()
PLAIN, CHALICE_APP = re.findall(r"^```python\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
(SAM,) = re.findall(r"^```yaml\n(AWSTemplateFormatVersion.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
(POLICY,) = re.findall(r"^```json\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
ANALYTICS = "345678901234"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}
Administrator = Callable[[str], boto3.Session]
Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="module")
def aws(box: sandbox.Box, hub: boto3.Session) -> Callable[[str], Any]:
    """A client of the hub's by service, as the developer."""
    return lambda service: client(box, hub, service)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return helper.build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def layer(aws: Callable[[str], Any], wheel: Path) -> str:
    """The ARN of the published layer, where other stacks find it."""
    content = helper.build_layer(wheel).read_bytes()
    published = aws("lambda").publish_layer_version(LayerName="cross-account", Content={"ZipFile": content})
    aws("ssm").put_parameter(Name="/cross-account/layer-arn", Type="String", Value=published["LayerVersionArn"])
    return aws("ssm").get_parameter(Name="/cross-account/layer-arn")["Parameter"]["Value"]


@pytest.fixture(scope="module")
def invoke(aws: Callable[[str], Any]) -> Invoke:
    def call(function: str, event: dict[str, Any]) -> Any:
        answer = aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    return call


def create_function(
    aws: Callable[[str], Any], name: str, code: str, handler: str, layer: str, environment: dict[str, str]
) -> None:
    """A function without Chalice: its code in a zip, the layer, and a role of its own with the document's policy."""
    policy = json.loads(POLICY)
    policy["Statement"].append(LOGS)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    aws("iam").put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
    aws("lambda").create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Handler=handler,
        Role=role,
        Code={"ZipFile": zipped(code)},
        Layers=[layer],
        Timeout=60,
        Environment={"Variables": environment},
    )


def zipped(code: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", code)
    return content.getvalue()


def let_in(box: sandbox.Box, target: boto3.Session, hub_role_name: str, external_id: str = EXTERNAL_ID) -> None:
    """Deploy role-template.yaml again, as the target's administrator does."""
    parameters = {"HubAccountId": HUB, "HubRoleName": hub_role_name, "ExternalId": external_id}
    client(box, target, "cloudformation").update_stack(
        StackName=ROLE_STACK,
        TemplateBody=(ROOT / "role-template.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )


# ---- a plain function


@pytest.fixture(scope="module")
def billing_report(aws: Callable[[str], Any], layer: str) -> str:
    create_function(aws, "billing-report", PLAIN, "app.handler", layer, {"EXTERNAL_ID": EXTERNAL_ID})
    return "billing-report"


def test_a_plain_function_is_let_in_by_the_hub_role_name_of_the_target(
    billing_report: str, aws: Callable[[str], Any], invoke: Invoke, box: sandbox.Box, administrator: Administrator
) -> None:
    event = json.dumps({"account_id": STAGING})
    denied = json.load(aws("lambda").invoke(FunctionName=billing_report, Payload=event)["Payload"])
    assert denied["errorType"] == "AssumeRoleDenied"
    assert "HubRoleName=billing-report" in denied["errorMessage"]

    (pattern,) = re.findall(r"'HubRoleName=(\S+)'", DOC)
    let_in(box, administrator(STAGING), pattern)
    assert invoke(billing_report, {"account_id": STAGING}) == ["staging-website"]


def test_it_assumes_the_role_as_its_own_execution_role(
    billing_report: str, invoke: Invoke, box: sandbox.Box, administrator: Administrator
) -> None:
    let_in(box, administrator(ANALYTICS), "billing-*")
    invoke(billing_report, {"account_id": ANALYTICS})
    asked = [
        call["caller"]
        for call in box.calls("sts", "AssumeRole")
        if call["resource"] == f"arn:aws:iam::{ANALYTICS}:role/external-role"
    ]
    assert asked == [f"arn:aws:sts::{HUB}:assumed-role/billing-report/billing-report"]


# ---- a SAM function


@pytest.mark.usefixtures("layer")
def test_a_sam_function_takes_the_layer_from_where_it_was_published(
    aws: Callable[[str], Any], invoke: Invoke, box: sandbox.Box, administrator: Administrator
) -> None:
    """The page's template, after what `sam deploy` does with CodeUri."""
    aws("s3").create_bucket(Bucket="sam-packages")
    aws("s3").put_object(Bucket="sam-packages", Key="billing_report.zip", Body=zipped(PLAIN))
    template = SAM.replace("CodeUri: billing_report/", "CodeUri: s3://sam-packages/billing_report.zip")
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    aws("cloudformation").create_stack(StackName="billing-report", TemplateBody=template, Capabilities=capabilities)
    (pattern,) = re.findall(r"so a stack `billing-report` fits `HubRoleName=(\S+)`", DOC)
    let_in(box, administrator(ANALYTICS), pattern, external_id="")
    (resource,) = aws("cloudformation").describe_stack_resources(
        StackName="billing-report", LogicalResourceId="BillingReport"
    )["StackResources"]
    assert "analytics-events" in invoke(resource["PhysicalResourceId"], {"account_id": ANALYTICS})


# ---- the article's function


@pytest.fixture(scope="module")
def articles_role(box: sandbox.Box, administrator: Administrator) -> None:
    """The article's own role is in the target in place of ours."""
    cloudformation = client(box, administrator(PRODUCTION), "cloudformation")
    cloudformation.delete_stack(StackName=ROLE_STACK)
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Role": ROLE}}
    cloudformation.create_stack(
        StackName=STACK, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )


@pytest.mark.parametrize("files", [lambda: WRITTEN_LIKE_IT, word_for_word], ids=["written like it", "word for word"])
@pytest.mark.usefixtures("articles_role")
def test_the_articles_function_runs_unchanged_on_this_layer(
    aws: Callable[[str], Any], layer: str, invoke: Invoke, files: Callable[[], dict[str, str] | None]
) -> None:
    if (found := files()) is None:
        pytest.skip("ARTICLE does not name the text of the article")
    name = f"Switch{uuid4().hex[:8]}"
    create_function(aws, name, found[FUNCTION], "app.lambda_handler", layer, {})
    event = json.loads((ROOT / "events" / "account.json").read_text())
    assert event == {"account_id": PRODUCTION}
    assert [invoke(name, each) for each in (event, {}, {"account_id": LEGACY}, {"account_id": "12345"})] == [
        {"statusCode": 200, "body": '{"message": "Successfully processed request"}'},
        {"statusCode": 400, "body": '{"message": "Missing account_id"}'},
        {"statusCode": 500, "body": '{"message": "AWS API error occurred"}'},
        {"statusCode": 500, "body": "Internal server error"},
    ]


# ---- another Chalice app


@pytest.fixture(scope="module")
def inventory(project: Project, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The document's Chalice app, with a chalicelib of its own and the wheel, deployed by the real `chalice`."""
    folder = tmp_path_factory.mktemp("inventory")
    policy = json.loads(POLICY)
    policy["Statement"].append(LOGS)
    config = {
        "version": "2.0",
        "app_name": "inventory",
        "autogen_policy": False,
        "iam_policy_file": "policy.json",
        "stages": {"sandbox": {"environment_variables": {"EXTERNAL_ID": EXTERNAL_ID}}},
    }
    for name, text in {
        "app.py": CHALICE_APP,
        "chalicelib/__init__.py": "",
        "chalicelib/names.py": "def starting_with(prefix, names):\n"
        "    return [name for name in names if name.startswith(prefix)]\n",
        ".chalice/config.json": json.dumps(config),
        ".chalice/policy.json": json.dumps(policy),
        "requirements.txt": f"./vendor/{wheel.name}\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "vendor").mkdir()
    shutil.copy(wheel, folder / "vendor")
    # On the laptop it is installed; here the tests' packages are shared, so it is only put on the path.
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder.parent / "installed")
    path = {"PYTHONPATH": str(folder.parent / "installed")}
    app = Project(folder, {**project.environment, **path})
    done = app.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Could not install dependencies" not in done.stdout
    return app


def test_another_chalice_app_uses_the_wheel_beside_its_own_chalicelib(
    inventory: Project, box: sandbox.Box, administrator: Administrator
) -> None:
    let_in(box, administrator(STAGING), "inventory-*")
    assert inventory.invoke("buckets", {"account_id": STAGING, "prefix": "staging-"}) == ["staging-website"]
    assert inventory.invoke("buckets", {"account_id": STAGING, "prefix": "production-"}) == []


def test_its_zip_holds_its_own_chalicelib_and_the_helper_once(inventory: Project) -> None:
    (code,) = (inventory.folder / ".chalice" / "deployments").glob("*.zip")
    with zipfile.ZipFile(code) as uploaded:
        names = uploaded.namelist()
    assert sorted(name for name in names if name.startswith("chalicelib/") and name.endswith(".py")) == [
        "chalicelib/__init__.py",
        "chalicelib/names.py",
    ]
    assert names.count("cross_account/hub.py") == 1


def test_chalice_builds_anew_when_a_wheel_of_the_same_version_has_changed(inventory: Project, tmp_path: Path) -> None:
    again = Project(shutil.copytree(inventory.folder, tmp_path / "inventory"), inventory.environment)
    (vendored,) = (again.folder / "vendor").glob("*.whl")
    with zipfile.ZipFile(vendored, "a") as opened:
        opened.writestr("cross_account/new.py", "")
    done = again.chalice("package", str(tmp_path / "package"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "package" / "deployment.zip") as package:
        assert "cross_account/new.py" in package.namelist()
