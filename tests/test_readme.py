"""The README tells what the code does: its tables, its check and its commands are held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib import cross_account, errors
from chalicelib.checks import CHECKS
from chalicelib.checks.check import Check
from chalicelib.checks.finding import VERDICTS
from chalicelib.cross_account import CrossAccountError
from tests.environment import CONFIG, SETTINGS

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()


def section(title: str) -> str:
    """The text below a heading of the second level."""
    (text,) = re.findall(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    return text


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0].startswith("`")]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def code_of_the_check() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", section("A check of your own"), re.DOTALL)
    return code


def test_the_table_of_checks_is_the_checks_there_are() -> None:
    written = {
        names(name)[0]: (text, names(parameters), names(actions))
        for name, text, parameters, actions in rows(section("Checks"))
    }
    assert written == {
        check.name: (check.description, list(check.parameters), list(check.actions))
        for check in CHECKS.values()
        if not check.judges
    }


def test_the_table_of_checks_that_judge_is_the_checks_there_are() -> None:
    written = {
        names(name)[0]: (text, controls, names(actions)) for name, text, controls, actions in rows(section("Verdicts"))
    }
    assert written == {
        check.name: (
            check.description,
            "; ".join(f"{framework}: {', '.join(controls)}" for framework, controls in check.controls.items()),
            list(check.actions),
        )
        for check in CHECKS.values()
        if check.judges
    }


def test_the_table_of_verdicts_is_the_verdicts_there_are() -> None:
    assert re.findall(r"^\| \*\*(\w+)\*\* \|", section("Verdicts"), re.MULTILINE) == list(VERDICTS)


def test_the_table_of_settings_is_the_settings_there_are() -> None:
    """Their defaults are those of config.json."""
    defaults = {"EXTERNAL_ID": "", "ALLOWED_ACCOUNTS": "*", **CONFIG["environment_variables"]}
    written = {names(name)[0]: default for name, default, _ in rows(section("Settings"))}
    assert written == {name: f"`{value}`" if value else "empty" for name, value in defaults.items()}
    assert set(written) == {name for name in SETTINGS if not name.startswith("AWS_")}


def test_the_table_of_errors_has_every_error_with_its_status_and_stage() -> None:
    written = {}
    for types, statuses, stage, _ in rows(section("Errors")):
        status = statuses.split()
        for number, name in enumerate(names(types)):
            written[name] = (int(status[number % len(status)]), stage)
    concrete = {
        name: (error.http_status, "varies" if name in VARYING else error.stage)
        for module in (cross_account, errors)
        for name, error in vars(module).items()
        if isinstance(error, type) and issubclass(error, CrossAccountError) and name not in ABSTRACT
    }
    assert written == concrete


ABSTRACT = {"CrossAccountError", "AwsError"}
VARYING = {"EveryAccountFailed", "InternalError"}
"""They happen at any stage, and each error says at which."""


def test_the_check_of_the_readme_is_a_check() -> None:
    module: dict[str, object] = {}
    exec(compile(code_of_the_check(), "README.md", "exec"), module)
    check = module["bucket_names"]
    assert isinstance(check, Check)
    assert (check.actions, list(check.parameters)) == (("s3:ListAllMyBuckets",), ["containing"])


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:[$`(] ?)make (?:-s )?([a-z-]+)", README))))
def test_every_make_target_it_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_file_it_links_to_is_there(link: str) -> None:
    assert (PROJECT / link).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(#([^)]+)\)", README))))
def test_every_section_it_links_to_is_there(link: str) -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    assert link in {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_no_placeholder_is_left() -> None:
    assert re.findall(r"^(?:[A-Z]+_[A-Z]+|COST)$", README, re.MULTILINE) == []
