""".chalice/policy*.json against .chalice/config.json: Chalice uses both unchecked.

Two policies serve every stage, so their resources are `cross-account-*` and not the names of one stage, and both allow
traces, although only `prod` has `xray` on. JSON has no comments to say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from chalice.config import Config

from app import app
from chalicelib.checks.role_actions import LIST_ANALYZERS, LIST_ORGANIZATION
from chalicelib.inputs.settings import Settings
from tests.environment import SETTINGS
from tests.templates import ROOT, listed, load_template

CHALICE = ROOT / ".chalice"
CONFIG = json.loads((CHALICE / "config.json").read_text())
STAGES = sorted(CONFIG["stages"])
POLICY_OF = {
    "api_handler": "policy-organization.json",
    "list_accounts": "policy-organization.json",
    "sweep": "policy-organization.json",
    "switch_account": "policy.json",
}
FUNCTIONS = sorted(POLICY_OF)
"""The functions that this project ships."""
ALL_FUNCTIONS = sorted(
    {"api_handler", *(function.name for function in (*app.pure_lambda_functions, *app.event_sources))}
)
"""The functions that Chalice deploys, those that a user added included."""
POLICIES = sorted(set(POLICY_OF.values()))

for_each_policy = pytest.mark.parametrize("policy", POLICIES)
for_each_stage = pytest.mark.parametrize("stage", STAGES)


@cache
def config(stage: str, function: str = "switch_account") -> Config:
    """The configuration as Chalice looks it up."""
    return Config(chalice_stage=stage, function_name=function, config_from_disk=CONFIG)


def every_function(stages: list[str] = STAGES, functions: list[str] = FUNCTIONS) -> Iterator[tuple[str, str]]:
    """Pairs of stage and function."""
    return ((stage, function) for stage in stages for function in functions)


@cache
def statements(policy: str) -> list[dict[str, Any]]:
    return json.loads((CHALICE / policy).read_text())["Statement"]


def resources_of(policy: str, action: str) -> list[str]:
    return [
        resource
        for statement in statements(policy)
        if action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def actions(policy: str) -> set[str]:
    return {action for statement in statements(policy) for action in listed(statement["Action"])}


def name_in_aws(stage: str, function: str) -> str:
    """Chalice names the function of the routes after the stage alone."""
    return f"cross-account-{stage}" if function == "api_handler" else f"cross-account-{stage}-{function}"


def may_write(policy: str, action: str, function_name: str) -> bool:
    stream = f"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/{function_name}:log-stream:x"
    return any(fnmatchcase(stream, pattern) for pattern in resources_of(policy, action))


# ---- which policy a function gets


def test_each_shipped_function_has_its_policy_in_every_stage() -> None:
    """Also in a stage that is added to config.json later."""
    found = {
        (stage, function): config(stage, function).iam_policy_file
        for stage, function in every_function([*STAGES, "a-new-one"])
    }
    assert found == {(stage, function): POLICY_OF[function] for stage, function in found}


def test_every_function_has_a_policy_file_and_chalice_uses_it() -> None:
    """Where autogen_policy is not false, Chalice ignores iam_policy_file silently."""
    for stage, function in every_function([*STAGES, "a-new-one"], ALL_FUNCTIONS):
        assert config(stage, function).autogen_policy is False, (stage, function)
        assert (CHALICE / config(stage, function).iam_policy_file).is_file(), (stage, function)


def test_every_policy_file_belongs_to_a_function() -> None:
    configured = {config(stage, function).iam_policy_file for stage, function in every_function(STAGES, ALL_FUNCTIONS)}
    assert {path.name for path in CHALICE.glob("policy*.json")} <= configured


# ---- what a policy allows


@for_each_policy
def test_a_function_can_assume_only_the_role_of_its_settings(policy: str) -> None:
    roles = set()
    for stage, function in every_function():
        variables = config(stage, function).environment_variables
        roles.add(f"arn:aws:iam::*:role{variables['ROLE_PATH']}{variables['ROLE_NAME']}")
    assert resources_of(policy, "sts:AssumeRole") == sorted(roles)


@for_each_policy
def test_get_caller_identity_is_the_only_action_of_sts_on_all_resources(policy: str) -> None:
    on_everything = {
        action
        for statement in statements(policy)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if action.startswith("sts:")
    }
    assert on_everything == {"sts:GetCallerIdentity"}


@for_each_policy
def test_the_execution_role_has_no_permissions_in_s3_bedrock_or_other_services(policy: str) -> None:
    others = {
        action for action in actions(policy) if action.split(":")[0] not in ("sts", "logs", "organizations", "xray")
    }
    assert others <= {LIST_ANALYZERS}


@for_each_policy
def test_every_action_is_named_in_full(policy: str) -> None:
    assert [action for action in actions(policy) if "*" in action] == []


@for_each_policy
def test_every_statement_of_a_policy_is_an_allow(policy: str) -> None:
    assert {statement["Effect"] for statement in statements(policy)} == {"Allow"}


def test_only_a_function_that_sweeps_can_list_the_organization() -> None:
    of_it = ("organizations:", "access-analyzer:")
    listing = {policy: {action for action in actions(policy) if action.startswith(of_it)} for policy in POLICIES}
    assert listing == {"policy.json": set(), "policy-organization.json": {*LIST_ORGANIZATION, LIST_ANALYZERS}}


@for_each_policy
@pytest.mark.parametrize("action", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])
def test_a_function_can_write_its_log(policy: str, action: str) -> None:
    names = [name_in_aws(stage, function) for stage, function in every_function()]
    assert [name for name in names if not may_write(policy, action, name)] == []


@for_each_policy
def test_a_function_cannot_write_the_log_of_another_app(policy: str) -> None:
    names = ["payroll", "cross-account", "cross-accounting", "my-cross-account-prod", "Cross-Account-prod"]
    assert [name for name in names if may_write(policy, "logs:PutLogEvents", name)] == []


@for_each_policy
def test_a_function_can_send_traces_wherever_tracing_is_on(policy: str) -> None:
    """And where it is off, which does no harm: the right to send traces reads nothing and changes nothing else."""
    assert {one for one in actions(policy) if one.startswith("xray:")} == {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }


def test_tracing_is_on_only_in_production() -> None:
    """The policies allow it in every stage."""
    traced = [one for one in every_function() if config(*one).xray_enabled]
    assert traced == list(every_function(["prod"]))


# ---- names


def test_the_default_trust_matches_the_names_of_the_execution_roles() -> None:
    pattern = load_template("role-template.yaml")["Parameters"]["HubRoleName"]["Default"]
    roles = [f"cross-account-{stage}-{function}" for stage, function in every_function()]
    assert [role for role in roles if not fnmatchcase(role, pattern)] == []


def test_no_stage_is_called_like_another_one_and_more() -> None:
    """HubRoleName=cross-account-prod-* would let a stage prod-test in, and `prod*` of SECURITY.md also a prod2."""
    assert [(one, other) for one in STAGES for other in STAGES if one != other and other.startswith(one)] == []


def test_the_names_are_not_too_long_for_iam_and_lambda() -> None:
    names = [f"cross-account-{stage}-{function}" for stage, function in every_function(STAGES, ALL_FUNCTIONS)]
    assert [name for name in names if len(name) > 64] == []


# ---- the rest of config.json


@for_each_stage
def test_the_settings_of_a_stage_are_valid(stage: str) -> None:
    Settings.from_environment(config(stage).environment_variables)


@for_each_stage
def test_a_stage_gives_every_setting_a_value(stage: str) -> None:
    assert {name for name in SETTINGS if not name.startswith("AWS_")} <= set(config(stage).environment_variables)


def test_only_the_sandbox_carries_credentials() -> None:
    stages = {stage for stage in STAGES if "AWS_ACCESS_KEY_ID" in config(stage).environment_variables}
    assert stages == {"sandbox"}


def test_production_ignores_configured_endpoints() -> None:
    assert config("prod").environment_variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"


@for_each_stage
def test_the_function_of_the_routes_times_out_before_api_gateway(stage: str) -> None:
    assert config(stage, "api_handler").lambda_timeout <= 29


@for_each_stage
def test_a_sweep_has_the_maximum_timeout_of_lambda(stage: str) -> None:
    assert config(stage, "sweep").lambda_timeout == 900


def test_chalice_knows_every_key_of_config_json() -> None:
    """Chalice ignores a misspelt key silently."""
    groups = {"version", "stages", "lambda_functions"}
    functions = [*CONFIG["lambda_functions"].values()]
    for stage in CONFIG["stages"].values():
        functions.extend(stage.get("lambda_functions", {}).values())
    keys = {key for table in (CONFIG, *CONFIG["stages"].values(), *functions) for key in table}
    known = {name for name in vars(Config) if not name.startswith("_")} - {"xray_enabled"} | {"xray"}
    assert keys - groups - known == set()


def test_every_function_in_config_json_exists() -> None:
    configured = set(CONFIG["lambda_functions"]).union(
        *(stage.get("lambda_functions", {}) for stage in CONFIG["stages"].values())
    )
    assert configured <= set(ALL_FUNCTIONS)
