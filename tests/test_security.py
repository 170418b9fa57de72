"""SECURITY.md: each test, file and make target that it names exists, and its commands and defaults are right."""

from __future__ import annotations

import ast
import json
import re
from functools import cache

import pytest

from tests.templates import ROOT
from tests.test_policies import CONFIG, FUNCTIONS, STAGES, config, name_in_aws

TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", TEXT)))
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_exists(file: str, name: str) -> None:
    assert name in names_in(file)


def test_every_threat_has_a_test_or_is_out_of_reach() -> None:
    threats = [row for row in ROWS[1:] if re.match(r"\| (T\d+)? *\|", row)]
    assert [row for row in threats if "::test_" not in row and "**out of reach**" not in row] == []


def test_every_threat_has_its_row() -> None:
    numbers = [int(number) for number in re.findall(r"^\| T(\d+) \|", TEXT, re.MULTILINE)]
    assert numbers == list(range(1, 20))


def test_every_finding_of_the_attack_has_its_row_and_its_test() -> None:
    rows = re.findall(r"^\| (S[\d.]+) \| .* \| (.*) \|$", TEXT, re.MULTILINE)
    assert [name for name, _ in rows] == [*(f"S{n}" for n in range(1, 14)), *(f"S14.{n}" for n in range(1, 16))]
    assert [name for name, held in rows if not re.search(r"::test_|^T\d|out of reach", held)] == []


def test_each_named_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", TEXT)) <= targets


@pytest.mark.parametrize("path", re.findall(r"`(\.chalice/[\w.-]+)`|\]\((\w[\w/.]+)\)", TEXT))
def test_each_named_file_exists(path: tuple[str, str]) -> None:
    assert (ROOT / "".join(path)).is_file()


def test_the_revocation_denies_everything_to_older_sessions() -> None:
    """The same policy as the console's "revoke active sessions"."""
    (document,) = re.findall(r"--policy-document '(.+)'", TEXT)
    (statement,) = json.loads(document)["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    (operator,) = statement["Condition"]
    (moment,) = statement["Condition"][operator].values()
    assert operator == "DateLessThan"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)


def test_the_emergency_stop_names_every_shipped_function() -> None:
    (names,) = re.findall(r"for function in (.+); do", TEXT)
    assert {f"cross-account-prod{name.strip(chr(34))}" for name in names.split()} == {
        name_in_aws("prod", function) for function in FUNCTIONS
    }


# ---- the defaults


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_reserves_concurrency(stage: str, function: str) -> None:
    assert config(stage, function).reserved_concurrency is None


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("stage", STAGES)
def test_logs_are_kept_for_90_days_except_those_of_the_api(stage: str, function: str) -> None:
    """On the function of the routes, Chalice makes an invalid template: https://github.com/aws/chalice/issues/2079"""
    expected = None if function == "api_handler" else 90
    assert config(stage, function).log_retention_in_days == expected


def test_no_retention_is_set_for_all_functions_at_once() -> None:
    assert [place for place in (CONFIG, *CONFIG["stages"].values()) if "log_retention_in_days" in place] == []
