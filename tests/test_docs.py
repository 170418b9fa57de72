"""What docs/, CONTRIBUTING.md and CHANGELOG.md tell: code that runs, templates that are sound, links that lead on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from chalice.config import Config
from moto import mock_aws

import app as entry_points
from chalicelib.outputs.metrics import NAMESPACE
from sandbox.trust import TrustRequest, evaluate_trust
from tests.environment import SETTINGS
from tests.fake_aws import FakeAws
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids
from tests.templates import ROOT, load_template
from tests.outputs.test_metrics import COUNTS

PAGES = ["CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text())
    if "://" not in link
]
NOT_NEEDED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "deploy*", ".*_cache", ".hypothesis", "build", "bench"
)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def headings(text: str) -> set[str]:
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_leads_somewhere(page: str, link: str) -> None:
    path, _, section = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not section or section in headings(target.read_text())


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_it_names_is_there(page: str) -> None:
    targets = set(re.findall(r"(?:[$`(] ?)make (?:-s )?([a-z][a-z-]+)", (ROOT / page).read_text()))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


# ---- a check of your own


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which somebody has followed the tutorial."""
    project = shutil.copytree(ROOT, tmp_path_factory.mktemp("tutorial") / "project", ignore=NOT_NEEDED)
    tutorial = "docs/a-check-of-your-own.md"
    check, test = blocks(tutorial, "python")
    (line,) = blocks(tutorial, "text")
    (statement,) = blocks(tutorial, "yaml")
    (row,) = blocks(tutorial, "markdown")
    (project / "chalicelib/checks/old_access_keys.py").write_text(check)
    (project / "tests/test_old_access_keys.py").write_text(test)
    for file, before, added in [
        ("chalicelib/checks/__init__.py", '    "account_summary",\n', line),
        ("role-template.yaml", "              - Sid: BedrockModels\n", statement),
        ("README.md", "| `account_summary` |", row),
    ]:
        path = project / file
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, added + before))
    return project


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_the_tutorial_ends_with_a_test_that_passes_and_every_other_knows_the_check(followed: Path) -> None:
    tests = ["tests/test_old_access_keys.py", "tests/test_role_template.py", "tests/test_checks.py"]
    readme = "tests/test_readme.py::test_the_table_of_checks_is_the_checks_there_are"
    done = run(followed, "pytest", "-q", "-p", "no:cacheprovider", *tests, readme)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "test"),
    [
        ("role-template.yaml", "tests/test_role_template.py"),
        ("README.md", "tests/test_readme.py::test_the_table_of_checks_is_the_checks_there_are"),
    ],
)
def test_who_forgets_a_place_is_told(followed: Path, tmp_path: Path, file: str, test: str) -> None:
    project = shutil.copytree(followed, tmp_path / "project")
    shutil.copy(ROOT / file, project / file)
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider", test)
    assert done.returncode == 1
    assert "old_access_keys" in done.stdout


@pytest.mark.parametrize("tool", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_tutorials_code_is_written_as_the_rest(followed: Path, tool: list[str]) -> None:
    files = ["chalicelib/checks/old_access_keys.py", *(["tests/test_old_access_keys.py"] if tool[0] == "ruff" else [])]
    done = run(followed, *tool, *files)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- operating it

OPERATING = "docs/operating-it.md"


def test_the_alarms_are_a_template_that_cfn_lint_passes(tmp_path: Path) -> None:
    (alarms,) = blocks(OPERATING, "yaml")
    found = []
    for template in (alarms, alarms.replace("MetricName", "Metric")):
        (tmp_path / "alarms.yaml").write_text(template)
        command = [str(Path(sys.executable).with_name("cfn-lint")), str(tmp_path / "alarms.yaml")]
        found.append(subprocess.run(command, capture_output=True, text=True).stdout)
    assert (found[0], "Metric" in found[1]) == ("", True)


def test_the_alarms_watch_metrics_that_there_are() -> None:
    (alarms,) = blocks(OPERATING, "yaml")
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda _loader, _tag, node: node.value)  # type: ignore[attr-defined]
    for resource in yaml.load(alarms, loader)["Resources"].values():
        alarm = resource["Properties"]
        assert alarm["Namespace"] == NAMESPACE
        assert alarm["MetricName"] in COUNTS
        assert [dimension["Name"] for dimension in alarm["Dimensions"]] == ["check", "stage"]


def test_the_queries_ask_for_fields_that_our_lines_have(
    aws: FakeAws, log: Callable[[], list[dict[str, Any]]], context: Any
) -> None:
    context.get_remaining_time_in_millis = lambda: 900_000
    aws.tell("AssumeRole", sts_denies(), account=ids(1)[0], always=True)
    entry_points.switch_account({"account_id": ids(2)[1]}, context)
    entry_points.switch_account({"account_id": ids(1)[0]}, context)
    entry_points.sweep({"check": "identity", "accounts": ids(2), "regions": ["eu-west-1"]}, context)
    lines = log()
    known = {"where", "raised"}.union(*lines)  # of lines of unexpected errors
    messages = {line["message"] for line in lines} | {"unexpected error", "check raised"}
    words = {"filter", "stats", "sort", "fields", "count", "count_distinct", "pct", "as", "by", "in", "desc"}
    queries = blocks(OPERATING, "text")
    assert len(queries) == 4
    for query in queries:
        quoted = set(re.findall(r'"([^"]+)"', query)) - {"123456789012"}
        assert quoted <= messages
        named = set(re.findall(r"\b(?<!@)[a-z_]+\b", re.sub(r'"[^"]*"', "", query))) - words
        named -= set(re.findall(r"\bas (\w+)", query))
        assert named <= known, named - known


@mock_aws
def test_an_external_id_changes_without_a_denial_in_between() -> None:
    """The three steps, each with a hub that is a step behind or a step ahead."""
    caller = "arn:aws:iam::111122223333:role/cross-account-prod-sweep"
    steps = [
        ({"ExternalId": "the-old-one"}, {"the-old-one"}),
        ({"ExternalId": "the-new-one", "PreviousExternalId": "the-old-one"}, {"the-old-one", "the-new-one"}),
        ({"ExternalId": "the-new-one", "PreviousExternalId": ""}, {"the-new-one"}),
    ]
    for number, (parameters, good) in enumerate(steps):
        name = f"role-{number}"
        given = {"HubAccountId": "111122223333", "RoleName": name, **parameters}
        boto3.client("cloudformation", "us-east-1").create_stack(
            StackName=name,
            TemplateBody=(ROOT / "role-template.yaml").read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )
        trust = boto3.client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        let_in = {
            external_id
            for external_id in ("the-old-one", "the-new-one")
            if evaluate_trust(trust, TrustRequest.of_role(caller, external_id=external_id)).allowed
        }
        assert let_in == good


def test_the_parameters_and_settings_it_names_are_there() -> None:
    text = "".join((ROOT / page).read_text() for page in PAGES)
    parameters = set(load_template("role-template.yaml")["Parameters"])
    parameters |= set(load_template("sweep-template.yaml")["Parameters"])
    assert set(re.findall(r"\b([A-Z][A-Za-z]+(?:Id|Arns|Arn))=", text)) <= parameters
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=\w*)?`", text))
    assert named <= SETTINGS | {"SESSION_NAME"}  # the latter is the article's


def test_the_metrics_are_on_in_production() -> None:
    config = json.loads((ROOT / ".chalice/config.json").read_text())
    on = {
        stage: Config(chalice_stage=stage, config_from_disk=config).environment_variables["METRICS"]
        for stage in config["stages"]
    }
    assert on == {"dev": "false", "prod": "true", "sandbox": "true"}
