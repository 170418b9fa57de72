"""What a person does with the app: deploy, invoke, look at the logs, edit, deploy again, delete."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox
from bytecode import beside
from chalicelib.checks import CHECKS, posture
from tests.e2e.conftest import ACQUIRED, HUB, LEGACY, PRODUCTION, STAGING, Project, client
from tests.templates import ROOT

FUNCTION = "cross-account-sandbox-switch_account"

STACK = "the-articles-stack"
# As the article's role is: the whole hub account, everything that can be read, and nothing else asked.
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "external-role",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": HUB}}],
        },
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
}


@pytest.fixture(scope="module")
def project(project: Project) -> Project:
    """As in a fresh clone: Chalice builds the layer itself."""
    shutil.rmtree(project.folder / ".chalice" / "deployments")
    return project


@pytest.fixture(scope="module")
def aws(box: sandbox.Box, hub: boto3.Session, deployed: Project) -> Any:
    """A client of the hub's by service, once the app is deployed."""
    return lambda service: client(box, hub, service)


def test_each_function_has_a_role_of_its_own_name(aws: Any) -> None:
    functions = {one["FunctionName"]: one["Role"] for one in aws("lambda").list_functions()["Functions"]}
    assert functions.keys() >= {
        "cross-account-sandbox",
        FUNCTION,
        "cross-account-sandbox-sweep",
        "cross-account-sandbox-list_accounts",
    }
    routes = {"cross-account-sandbox": f"arn:aws:iam::{HUB}:role/cross-account-sandbox-api_handler"}
    assert functions == {name: f"arn:aws:iam::{HUB}:role/{name}" for name in functions} | routes


def test_the_target_says_that_it_is_the_account_that_was_asked_for(deployed: Project) -> None:
    done = deployed.chalice("invoke", "-n", "switch_account", event={"account_id": PRODUCTION})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200
    assert body["message"] == "Successfully processed request"
    assert body["result"]["arn"].startswith(f"arn:aws:sts::{PRODUCTION}:assumed-role/external-role/cross-account-")


def test_each_target_shows_its_own_buckets(deployed: Project) -> None:
    names = {}
    for account_id in (PRODUCTION, STAGING):
        _, body = deployed.invoke_switch_account(account_id=account_id, check="s3_buckets")
        names[account_id] = [bucket["name"] for bucket in body["result"]["buckets"]]
    assert names == {PRODUCTION: ["production-invoices", "production-website"], STAGING: ["staging-website"]}


def test_a_bucket_has_its_date_and_its_region(deployed: Project) -> None:
    _, body = deployed.invoke_switch_account(account_id=STAGING, check="s3_buckets")
    (bucket,) = body["result"]["buckets"]
    assert bucket["region"] == "us-east-1"
    assert datetime.fromisoformat(bucket["created"]).tzinfo is not None


@pytest.mark.parametrize("check", ["account_summary", "bedrock_models", "preflight"])
def test_the_other_checks_answer(deployed: Project, check: str) -> None:
    status, body = deployed.invoke_switch_account(account_id=PRODUCTION, check=check)
    assert (status, body["check"]) == (200, check)


def test_the_account_summary_names_the_targets_alias(deployed: Project) -> None:
    _, body = deployed.invoke_switch_account(account_id=PRODUCTION, check="account_summary")
    assert body["result"]["alias"] == "production"


def test_an_operation_is_asked_in_the_region_of_the_event(deployed: Project) -> None:
    status, body = deployed.invoke_switch_account(
        account_id=PRODUCTION,
        check="api_call",
        region="eu-central-1",
        params={"operation": "ec2:DescribeInstances", "query": "Reservations[].Instances[].InstanceType"},
    )
    assert (status, body["result"]) == (200, ["m7i.large"])


def test_an_operation_that_changes_something_is_refused_before_anything_is_sent(
    deployed: Project, box: sandbox.Box
) -> None:
    before = len(box.calls("sts", "AssumeRole"))
    status, body = deployed.invoke_switch_account(
        account_id=ACQUIRED, check="api_call", params={"operation": "ec2:TerminateInstances"}
    )
    assert (status, body["error"]["type"]) == (400, "InvalidInput")
    assert len(box.calls("sts", "AssumeRole")) == before


def test_the_model_is_denied_until_the_target_allows_its_arn(deployed: Project) -> None:
    status, body = deployed.invoke_switch_account(
        account_id=PRODUCTION, check="bedrock_converse", params={"model_id": "amazon.nova-lite-v1:0", "prompt": "Hello"}
    )
    assert (status, body["error"]["type"], body["error"]["stage"]) == (500, "CheckDenied", "check")


@pytest.mark.parametrize("account_id", [LEGACY, ACQUIRED])
def test_a_target_that_does_not_trust_us_is_a_denial_with_a_hint(deployed: Project, account_id: str) -> None:
    status, body = deployed.invoke_switch_account(account_id=account_id)
    assert (status, body["message"]) == (500, "AWS API error occurred")
    assert (body["error"]["type"], body["error"]["code"]) == ("AssumeRoleDenied", "AccessDenied")
    assert f"arn:aws:iam::{account_id}:role/external-role" in body["error"]["hint"]
    assert FUNCTION in body["error"]["hint"]


def test_a_failure_that_is_to_be_raised_ends_chalice_invoke_with_its_class_name(deployed: Project) -> None:
    done = deployed.chalice("invoke", "-n", "switch_account", event={"account_id": LEGACY, "raise_on_error": True})
    assert done.returncode == 1
    assert "AssumeRoleDenied: " in done.stderr
    assert done.stdout == ""


def test_the_same_question_again_asks_sts_nothing(deployed: Project, box: sandbox.Box) -> None:
    deployed.invoke_switch_account(account_id=PRODUCTION, check="s3_buckets")
    assumed = len(box.calls("sts", "AssumeRole"))
    status, _ = deployed.invoke_switch_account(account_id=PRODUCTION, check="s3_buckets")
    assert (status, len(box.calls("sts", "AssumeRole"))) == (200, assumed)


def test_the_role_is_assumed_by_the_functions_own_execution_role(deployed: Project, box: sandbox.Box) -> None:
    deployed.invoke_switch_account(account_id=STAGING)
    callers = {
        call["caller"].rsplit("/", 1)[0]
        for call in box.calls("sts", "AssumeRole")
        if call["resource"] == f"arn:aws:iam::{STAGING}:role/external-role"
    }
    assert callers == {f"arn:aws:sts::{HUB}:assumed-role/{FUNCTION}"}


@pytest.fixture(scope="module")
def uploaded(deployed: Project, aws: Any) -> dict[str, zipfile.ZipFile]:
    """The function's zip and the one of its only layer, of those that Chalice left in the project."""
    configuration = aws("lambda").get_function(FunctionName=FUNCTION)["Configuration"]
    (layer,) = configuration["Layers"]
    hashes = {
        "function": configuration["CodeSha256"],
        "layer": aws("lambda").get_layer_version_by_arn(Arn=layer["Arn"])["Content"]["CodeSha256"],
    }
    zips = {sha256(path.read_bytes()): path for path in (deployed.folder / ".chalice" / "deployments").glob("*.zip")}
    return {name: zipfile.ZipFile(zips[code]) for name, code in hashes.items()}


def test_what_was_uploaded_is_the_zip_that_chalice_made_of_this_code_with_its_dependencies_apart(
    uploaded: dict[str, zipfile.ZipFile], deployed: Project
) -> None:
    assert uploaded["function"].read("app.py") == (deployed.folder / "app.py").read_bytes()
    site_packages = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/"
    modules = [name.removeprefix(site_packages) for one in uploaded.values() for name in one.namelist()]
    assert [name for name, times in Counter(modules).items() if times > 1] == [], "a second copy"
    assert "boto3/__init__.py" in modules


@pytest.mark.parametrize("part", ["function", "layer"])
def test_every_module_was_uploaded_with_bytecode_for_the_functions_runtime(
    uploaded: dict[str, zipfile.ZipFile], part: str
) -> None:
    names = uploaded[part].namelist()
    modules = [name for name in names if name.endswith(".py")]
    assert len(modules) > 50
    compiled = {str(beside(Path(name))) for name in modules}
    assert compiled == {name for name in names if name.endswith(".pyc")}
    unchecked = 0b01  # PEP 552: whatever the source's time, which a zip does not keep
    assert {uploaded[part].read(name)[:8] for name in compiled} == {MAGIC_NUMBER + unchecked.to_bytes(4, "little")}


def sha256(content: bytes) -> str:
    """As Lambda writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_the_logs_can_be_read_and_hold_one_json_object_per_check(deployed: Project) -> None:
    deployed.invoke_switch_account(account_id=PRODUCTION)
    done = deployed.chalice("logs", "-n", "switch_account")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line[line.index("{") :]) for line in done.stdout.splitlines() if '"message":"checked"' in line]
    assert {"account_id", "check", "stage", "ms", "cached", "request_id"} <= lines[-1].keys()


def test_an_invocation_leaves_a_line_of_metrics_in_the_log(deployed: Project) -> None:
    deployed.invoke("switch_account", {"account_id": PRODUCTION})
    done = deployed.chalice("logs", "-n", "switch_account")
    last = [json.loads(line[line.index("{") :]) for line in done.stdout.splitlines() if '"_aws"' in line][-1]
    assert (last["check"], last["stage"], last["checked"]) == ("identity", "sandbox", [1.0])


def test_a_sweep_tells_the_good_targets_from_the_others(deployed: Project) -> None:
    answer = deployed.invoke("sweep", {"check": "s3_buckets"})
    results = {item["account_id"]: item for item in answer["results"]}
    assert [results[account_id]["result"]["count"] for account_id in (PRODUCTION, STAGING)] == [2, 1]
    for account_id in (LEGACY, ACQUIRED):
        assert results[account_id]["error"]["type"] == "AssumeRoleDenied"
        assert f"arn:aws:iam::{account_id}:role/external-role" in results[account_id]["error"]["hint"]
    assert answer["not_started"] == []


def test_accounts_are_listed_by_the_organization(deployed: Project) -> None:
    answer = deployed.invoke("list_accounts", {"exclude": [HUB]})
    assert {"id": PRODUCTION, "name": "production", "unit": "Workloads/Prod"} in answer["accounts"]
    assert (answer["count"], answer["left_out"]) == (5, [])


def test_accounts_are_selected_by_their_tags(deployed: Project) -> None:
    answer = deployed.invoke("list_accounts", {"account_tags": {"env": "test"}, "tags": True})
    assert [(one["name"], one["tags"]) for one in answer["accounts"]] == [("staging", {"env": "test", "owner": "shop"})]


ANALYTICS, REGION = "345678901234", "us-east-1"
CASES = [
    "root_user",
    "iam_user_mfa",
    "old_access_keys",
    "admin_principals",
    "external_trust",
    "access_analyzer",
    "s3_account_block",
    "s3_public_buckets",
    "ebs_encryption",
    "public_snapshots_amis",
    "rds_exposure",
    "kms_rotation",
    "open_security_groups",
    "default_vpcs",
    "imds",
    "flow_logs",
    "lambda_runtimes",
    "cloudtrail",
    "config_recorder",
    "guardduty",
    "security_hub",
]
"""The checks that the sandbox has cases for: production is as it should be, and staging is not."""
GOOD = {"lambda_runtimes": "eu-central-1"}
"""Where production is as it should be, if that is not in REGION."""
Item = dict[str, Any]
Items = dict[tuple[str, str, str | None], Item]


def judged(deployed: Project, *accounts: str) -> Items:
    """Results of all checks that judge, by account, check, and region (None for a global check)."""
    event = {"checks": "posture", "accounts": accounts, "regions": [REGION, *GOOD.values()]}
    items = deployed.invoke("sweep", event)["results"]
    return {(one["account_id"], one["check"], one.get("region")): one for one in items}


@pytest.fixture(scope="module")
def found(box: sandbox.Box, deployed: Project, administrator: Callable[[str], boto3.Session]) -> Items:
    """Where the role has the statements of the template alone: a managed policy may allow more."""
    place = {"RoleName": "external-role", "PolicyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}
    roles = [client(box, administrator(account), "iam") for account in (PRODUCTION, STAGING)]
    for iam in roles:
        iam.detach_role_policy(**place)
    items = judged(deployed, PRODUCTION, STAGING, ANALYTICS)
    for iam in roles:
        iam.attach_role_policy(**place)
    return items


@pytest.fixture(scope="module")
def denied(
    box: sandbox.Box, found: Items, deployed: Project, administrator: Callable[[str], boto3.Session]
) -> Iterator[Items]:
    """The same where staging's role may do nothing."""
    iam = client(box, administrator(STAGING), "iam")
    place = {"RoleName": "external-role", "PolicyName": "nothing"}
    nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    iam.put_role_policy(**place, PolicyDocument=json.dumps(nothing))
    yield judged(deployed, PRODUCTION, STAGING)
    iam.delete_role_policy(**place)


def place_of(check: str, region: str) -> str | None:
    return None if CHECKS[check].scope == "global" else region


def verdicts(item: Item) -> set[str]:
    return {finding["verdict"] for finding in item["result"]}


@pytest.mark.parametrize("check", CASES)
def test_a_check_alarms_where_things_are_bad_and_not_where_they_are_good(found: Items, check: str) -> None:
    bad = found[STAGING, check, place_of(check, REGION)]
    assert "alarm" in verdicts(bad)
    good = found[PRODUCTION, check, place_of(check, GOOD.get(check, REGION))]
    assert "ok" in verdicts(good)
    assert verdicts(good).isdisjoint({"alarm", "unknown"})


def test_a_group_of_checks_that_a_target_switched_off_is_unknown(found: Items) -> None:
    unknown = {check for check in posture() if "unknown" in verdicts(found[ANALYTICS, check, place_of(check, REGION)])}
    assert unknown == {check for check in posture() if CHECKS[check].group == "network"}


@pytest.mark.parametrize("check", posture())
def test_a_check_that_is_denied_is_unknown_and_no_other_account_is(found: Items, denied: Items, check: str) -> None:
    refused = denied[STAGING, check, place_of(check, REGION)]
    assert (refused["error"]["type"], verdicts(refused)) == ("CheckDenied", {"unknown"})
    other = (PRODUCTION, check, place_of(check, REGION))
    assert verdicts(denied[other]) == verdicts(found[other])


@pytest.mark.usefixtures("denied")
def test_a_single_check_that_is_denied_is_unknown_too(deployed: Project) -> None:
    status, body = deployed.invoke_switch_account(account_id=STAGING, check="open_security_groups")
    assert (status, body["error"]["type"]) == (500, "CheckDenied")
    assert [finding["verdict"] for finding in body["result"]] == ["unknown"]


def test_a_public_bucket_by_its_acl_is_found(found: Items) -> None:
    alarms = [one for one in found[ANALYTICS, "s3_public_buckets", None]["result"] if one["verdict"] == "alarm"]
    assert [(one["resource"], "ACL" in one["reason"]) for one in alarms] == [("analytics-reports", True)]


# ---- the way of docs/from-the-article.md: the last, because it lets the app into another account


def test_the_function_gets_in_by_the_articles_role_and_by_the_one_that_takes_its_place(
    deployed: Project, box: sandbox.Box, administrator: Callable[[str], boto3.Session]
) -> None:
    target = administrator(LEGACY)
    cloudformation, iam = client(box, target, "cloudformation"), client(box, target, "iam")
    assert deployed.invoke_switch_account(account_id=LEGACY)[0] == 500

    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Role": ROLE}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    assert deployed.invoke_switch_account(account_id=LEGACY, check="s3_buckets")[0] == 200
    before = iam.get_role(RoleName="external-role")["Role"]

    cloudformation.update_stack(
        StackName=STACK,
        TemplateBody=(ROOT / "role-template.yaml").read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "HubAccountId", "ParameterValue": HUB}],
    )
    after = iam.get_role(RoleName="external-role")["Role"]
    assert after["Arn"] == before["Arn"]
    assert "ArnLike" in after["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert iam.list_attached_role_policies(RoleName="external-role")["AttachedPolicies"] == []
    assert deployed.invoke_switch_account(account_id=LEGACY, check="account_summary")[0] == 200
