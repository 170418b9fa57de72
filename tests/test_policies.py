""".chalice/policy-*.json against .chalice/config.json: Chalice takes both as they are and checks neither."""

from __future__ import annotations

import json
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from chalice.config import Config

from chalicelib.settings import Settings
from tests.templates import ROOT, listed, load_template

CHALICE = ROOT / ".chalice"
CONFIG = json.loads((CHALICE / "config.json").read_text())
STAGES = sorted(CONFIG["stages"])
LISTS_THE_ORGANIZATION = {"sweep", "list_accounts", "api_handler"}
FUNCTIONS = sorted({"switch_account"} | LISTS_THE_ORGANIZATION)

for_each_function = pytest.mark.parametrize(
    ("stage", "function"), [(stage, function) for stage in STAGES for function in FUNCTIONS]
)
for_each_stage = pytest.mark.parametrize("stage", STAGES)


@cache
def config(stage: str, function: str = "switch_account") -> Config:
    """The configuration as Chalice looks it up."""
    return Config(chalice_stage=stage, function_name=function, config_from_disk=CONFIG)


@cache
def statements(stage: str, function: str) -> list[dict[str, Any]]:
    return json.loads((CHALICE / config(stage, function).iam_policy_file).read_text())["Statement"]


def resources_of(stage: str, function: str, action: str) -> list[str]:
    return [
        resource
        for statement in statements(stage, function)
        if action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def actions(stage: str, function: str) -> set[str]:
    return {action for statement in statements(stage, function) for action in listed(statement["Action"])}


def name_in_aws(stage: str, function: str) -> str:
    """Chalice names the function of the routes after the stage alone."""
    return f"cross-account-{stage}" if function == "api_handler" else f"cross-account-{stage}-{function}"


def log_stream(stage: str, function: str) -> str:
    return f"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/{name_in_aws(stage, function)}:log-stream:x"


@for_each_function
def test_every_function_has_a_policy_file(stage, function):
    assert (CHALICE / config(stage, function).iam_policy_file).is_file()


@for_each_function
def test_the_policy_file_is_what_chalice_uses(stage, function):
    """Chalice ignores iam_policy_file without a word where autogen_policy is not false."""
    assert config(stage, function).autogen_policy is False


def test_no_policy_file_is_left_over():
    used = {config(stage, function).iam_policy_file for stage in STAGES for function in FUNCTIONS}
    assert {path.name for path in CHALICE.glob("policy*.json")} == used


@for_each_function
def test_a_function_can_assume_the_role_of_its_settings_and_no_other(stage, function):
    variables = config(stage, function).environment_variables
    assert resources_of(stage, function, "sts:AssumeRole") == [
        f"arn:aws:iam::*:role{variables['ROLE_PATH']}{variables['ROLE_NAME']}"
    ]


@for_each_function
def test_only_the_harmless_action_of_sts_is_allowed_on_everything(stage, function):
    on_everything = {
        action
        for statement in statements(stage, function)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if action.startswith("sts:")
    }
    assert on_everything == {"sts:GetCallerIdentity"}


@for_each_function
def test_a_function_has_no_rights_of_its_own_in_s3_bedrock_or_any_other_service(stage, function):
    services = {action.split(":")[0] for action in actions(stage, function)}
    assert services <= {"sts", "logs", "organizations", "xray"}


@for_each_function
def test_every_action_is_named_in_full(stage, function):
    assert [action for action in actions(stage, function) if "*" in action] == []


@for_each_function
def test_a_policy_only_allows(stage, function):
    assert {statement["Effect"] for statement in statements(stage, function)} == {"Allow"}


@for_each_function
def test_only_a_function_that_sweeps_can_list_the_organization(stage, function):
    listing = {action for action in actions(stage, function) if action.startswith("organizations:")}
    assert listing == (
        {
            "organizations:ListAccounts",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
        }
        if function in LISTS_THE_ORGANIZATION
        else set()
    )


@for_each_function
@pytest.mark.parametrize("action", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_function_can_write_its_log(stage, function, action):
    patterns = resources_of(stage, function, action)
    assert any(fnmatchcase(log_stream(stage, function), pattern) for pattern in patterns)


@for_each_function
def test_a_function_can_write_no_other_stages_log(stage, function):
    patterns = resources_of(stage, function, "logs:PutLogEvents")
    foreign = [log_stream(other, any_) for other in STAGES if other != stage for any_ in FUNCTIONS]
    assert not any(fnmatchcase(stream, pattern) for stream in foreign for pattern in patterns)


@for_each_function
def test_a_function_can_send_traces_exactly_where_tracing_is_on(stage, function):
    traces = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert actions(stage, function) & traces == (traces if config(stage, function).xray_enabled else set())


@for_each_function
def test_the_targets_trust_the_role_by_its_name(stage, function):
    role = f"cross-account-{stage}-{function}"
    assert fnmatchcase(role, load_template("role-template.yaml")["Parameters"]["HubRoleName"]["Default"])


@for_each_function
def test_the_names_fit_what_iam_and_lambda_allow(stage, function):
    assert len(f"cross-account-{stage}-{function}") <= 64


@for_each_stage
def test_the_settings_of_a_stage_are_valid(stage):
    Settings.from_environment(config(stage).environment_variables)


@for_each_stage
def test_a_stage_gives_every_setting_a_value(stage):
    assert {field.name.upper() for field in fields(Settings)} <= set(config(stage).environment_variables)


def test_only_the_sandbox_carries_credentials():
    stages = {stage for stage in STAGES if "AWS_ACCESS_KEY_ID" in config(stage).environment_variables}
    assert stages == {"sandbox"}


def test_production_asks_aws_itself_whatever_endpoint_is_configured():
    assert config("prod").environment_variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"


@for_each_stage
def test_the_api_answers_before_api_gateway_gives_up(stage):
    assert config(stage, "api_handler").lambda_timeout <= 29


@for_each_stage
def test_a_sweep_may_take_as_long_as_lambda_allows(stage):
    assert config(stage, "sweep").lambda_timeout == 900


def test_config_json_has_no_key_that_chalice_would_overlook():
    """Chalice says nothing about a misspelt key."""
    groups = {"version", "stages", "lambda_functions"}
    functions = [*CONFIG["lambda_functions"].values()]
    for stage in CONFIG["stages"].values():
        functions.extend(stage["lambda_functions"].values())
    keys = {key for table in (CONFIG, *CONFIG["stages"].values(), *functions) for key in table}
    known = {name for name in vars(Config) if not name.startswith("_")} - {"xray_enabled"} | {"xray"}
    assert keys - groups - known == set()


def test_config_json_configures_no_function_that_is_not_there():
    configured = set(CONFIG["lambda_functions"]).union(
        *(stage["lambda_functions"] for stage in CONFIG["stages"].values())
    )
    assert configured <= set(FUNCTIONS)
