"""What docs/, CONTRIBUTING.md and CHANGELOG.md say: templates that are sound, names that exist, links that lead on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import yaml
from chalice.config import Config
from moto import mock_aws

import app as entry_points
from chalicelib.outputs.metrics import NAMESPACE
from sandbox.decide import decide
from tests.environment import SETTINGS
from tests.fake_aws import FakeAws
from tests.fake_aws import denied as sts_denies
from tests.fake_hub import ids
from tests.outputs.test_metrics import COUNTS
from tests.policies import assume, caller
from tests.templates import ROOT, blocks, load_template

PAGES = ["CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text())
    if "://" not in link
]


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


# ---- operating it

OPERATING = "docs/operating-it.md"


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
    hub = "arn:aws:iam::111122223333:role/cross-account-prod-sweep"
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
            if decide(assume(trust, caller(hub, external_id))) == "Allowed"
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
