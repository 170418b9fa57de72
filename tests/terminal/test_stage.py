"""The settings of the command are those of a stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from terminal import stage
from tests.fake_hub import ids

# ---- the stage


@pytest.fixture
def config(monkeypatch, tmp_path) -> Callable[..., None]:
    def write(**more: Any) -> None:
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"version": "2.0", "app_name": "x", "stages": {"dev": {}, "prod": {}}} | more))
        monkeypatch.setattr(stage, "CONFIG", file)

    return write


def test_settings_are_those_of_the_stage_as_chalice_reads_them(config):
    config(
        environment_variables={"ROLE_NAME": "for-all", "ROLE_PATH": "/", "LOG_LEVEL": "INFO"},
        stages={
            "dev": {},
            "prod": {
                "environment_variables": {"ROLE_NAME": "in-prod", "EXTERNAL_ID": "in-prod"},
                "lambda_functions": {
                    "sweep": {"environment_variables": {"EXTERNAL_ID": "of-the-sweep"}},
                    "switch_account": {"environment_variables": {"EXTERNAL_ID": "of-another"}},
                },
            },
        },
    )
    assert stage.variables("dev") == {"ROLE_NAME": "for-all", "ROLE_PATH": "/", "LOG_LEVEL": "INFO"}
    assert stage.variables("prod") == {
        "ROLE_NAME": "in-prod",
        "ROLE_PATH": "/",
        "LOG_LEVEL": "INFO",
        "EXTERNAL_ID": "of-the-sweep",
    }


def test_the_stages_settings_are_laid_over_the_shells(aws, run, config, monkeypatch):
    config(environment_variables={"ROLE_NAME": "of-the-stage"})
    monkeypatch.setenv("ROLE_NAME", "of-the-shell")
    monkeypatch.setenv("EXTERNAL_ID", "of-the-shell")
    assert run("identity", "--accounts", ids(1)[0], "--stage", "prod")[0] == 0
    (assumed,) = aws.operations("AssumeRole")
    assert assumed.form["RoleArn"].endswith("role/of-the-stage")
    assert assumed.form["ExternalId"] == "of-the-shell"


def test_the_default_stage_is_dev(aws, run, config):
    config(stages={"dev": {"environment_variables": {"ROLE_NAME": "in-dev"}}})
    assert run("identity", "--accounts", ids(1)[0])[0] == 0
    assert aws.operations("AssumeRole")[0].form["RoleArn"].endswith("role/in-dev")


def test_a_wrong_setting_of_the_stage_is_named(run, config):
    config(environment_variables={"SESSION_SECONDS": "7"})
    status, out, err = run("identity", "--accounts", ids(1)[0])
    assert (status, out) == (2, "")
    assert "SESSION_SECONDS" in err


@pytest.mark.parametrize("name", json.loads(stage.CONFIG.read_text())["stages"])
def test_every_stage_of_the_project_can_be_used(name):
    assert stage.variables(name)["ROLE_NAME"] == "external-role"
