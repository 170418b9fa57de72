"""The role in the targets: which names, paths, external IDs and durations are valid, given directly or as variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cross_account import Hub, InvalidSettings, TargetRole

VARIABLES = {
    "ROLE_NAME": "name",
    "ROLE_PATH": "path",
    "EXTERNAL_ID": "external_id",
    "SESSION_SECONDS": "session_seconds",
}
RULES = {
    "ROLE_NAME": "1 to 64 of A-Z a-z 0-9 _+=,.@-",
    "ROLE_PATH": "begins and ends with a slash",
    "EXTERNAL_ID": "empty, or 2 to 1224 of A-Z a-z 0-9 _+=,.@:/-",
    "SESSION_SECONDS": "900 to 3600 seconds (a Lambda role that assumes a role is role chaining, limited to one hour)",
}
WRONG_TEXTS = {
    "ROLE_NAME": [
        "",
        "a role",
        "path/role",
        "arn:aws:iam::123456789012:role/external-role",
        "r" * 65,
        "external-role\n",
        "rôle",
    ],
    "ROLE_PATH": ["", "team", "/team", "team/", "/a team/", "/team/\n"],
    "EXTERNAL_ID": ["x", "has a space", "x" * 1225, "newline\n", "not a valid secret", "s3cr3t!" * 3],
}
WRONG_SECONDS = ["", "899", "3601", "-900", "900.0", " 900", "1h", "٩٠٠", "9" * 5000]
WRONG = {**WRONG_TEXTS, "SESSION_SECONDS": WRONG_SECONDS}
"""Values of the environment, by variable."""

Make = Callable[[str, Any], object]


def from_environment(variable: str, value: str) -> TargetRole:
    return TargetRole.from_environment({variable: value})


def directly(variable: str, value: Any) -> TargetRole:
    return TargetRole(**{VARIABLES[variable]: value})


def refusal(make: Make, variable: str, value: Any) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as caught:
        make(variable, value)
    return caught.value


def sentence(variable: str, value: str) -> str:
    shown = "a value (not shown)" if variable == "EXTERNAL_ID" else repr(value[:80])
    return f"The setting {variable} has {shown}; the rule is: {RULES[variable]}."


def test_every_field_of_the_role_has_its_variable() -> None:
    assert list(VARIABLES.values()) == [field.name for field in fields(TargetRole)]


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert TargetRole.from_environment({}) == TargetRole("external-role", "/", "", 3600)


def test_a_role_without_arguments_is_that_of_an_empty_environment() -> None:
    assert TargetRole() == TargetRole.from_environment({})


def test_every_field_is_read_from_its_variable() -> None:
    variables = {
        "ROLE_NAME": "reader",
        "ROLE_PATH": "/team/audit/",
        "EXTERNAL_ID": "a:b/c",
        "SESSION_SECONDS": "900",
    }
    assert TargetRole.from_environment(variables) == TargetRole("reader", "/team/audit/", "a:b/c", 900)


def test_the_processs_own_environment_is_read_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE_NAME", "set-late")
    assert TargetRole.from_environment().name == "set-late"


@pytest.mark.parametrize("variable", WRONG)
def test_a_wrong_variable_is_one_sentence_with_name_value_and_rule(variable: str) -> None:
    for value in WRONG[variable]:
        assert refusal(from_environment, variable, value).message == sentence(variable, value)


@pytest.mark.parametrize("variable", WRONG_TEXTS)
def test_a_wrong_argument_is_refused_in_the_same_sentence(variable: str) -> None:
    for value in WRONG_TEXTS[variable]:
        assert refusal(directly, variable, value).message == sentence(variable, value)


def test_seconds_out_of_range_are_refused_as_an_argument_too() -> None:
    for seconds in (899, 3601, 0, -900, 10**9):
        assert refusal(directly, "SESSION_SECONDS", seconds).message == sentence("SESSION_SECONDS", str(seconds))


def test_a_hub_cannot_be_made_with_a_wrong_role() -> None:
    for variable, values in WRONG_TEXTS.items():
        assert refusal(lambda name, value: Hub(directly(name, value)), variable, values[0]).stage == "settings"


def test_a_wrong_external_id_appears_in_no_part_of_the_error() -> None:
    for value in WRONG["EXTERNAL_ID"][1:]:
        for make in (from_environment, directly):
            error = refusal(make, "EXTERNAL_ID", value)
            assert value.strip() not in f"{error} {error.args} {error.as_dict()} {vars(error)}"


def test_an_external_id_is_not_in_the_repr() -> None:
    assert "hidden-id" not in repr(TargetRole(external_id="hidden-id"))


def test_the_hint_says_where_to_set_it() -> None:
    assert refusal(from_environment, "ROLE_NAME", "").hint == (
        "Set ROLE_NAME in the function's environment (in this project: environment_variables of the stage in "
        ".chalice/config.json) and deploy again."
    )


def test_a_session_lasts_from_900_to_3600_seconds() -> None:
    for seconds in (900, 901, 3599, 3600):
        assert TargetRole(session_seconds=seconds) == from_environment("SESSION_SECONDS", str(seconds))


def test_what_iam_accepts_is_accepted() -> None:
    for variable, values in {
        "ROLE_NAME": ["r", "r" * 64, "A-z_0+=,.@9"],
        "ROLE_PATH": ["/", "/team/", "/a/b/", "/!~/", "/" + "p" * 510 + "/"],
        "EXTERNAL_ID": ["", "xx", "x" * 1224, "A-z_0+=,.@:/9"],
    }.items():
        for value in values:
            assert directly(variable, value) == from_environment(variable, value)


def test_an_external_id_is_sent_only_if_there_is_one() -> None:
    arn = TargetRole().arn("123456789012")
    assert "ExternalId" not in TargetRole().assume_role_request(arn, None, "request-1")
    assert TargetRole(external_id="xx").assume_role_request(arn, None, "request-1")["ExternalId"] == "xx"


@given(st.dictionaries(st.sampled_from(list(VARIABLES)), st.text(max_size=100), min_size=1))
def test_any_environment_gives_a_role_or_one_sentence(environment: dict[str, str]) -> None:
    message = ""
    try:
        role = TargetRole.from_environment(environment)
    except InvalidSettings as error:
        message = error.message
    if message:
        assert len(message.splitlines()) == 1
        assert any(message.startswith(f"The setting {name} has ") for name in environment)
    else:
        assert 900 <= role.session_seconds <= 3600
        assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,64}", role.name)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", None), ("path", 7), ("external_id", b"x"), ("session_seconds", 900.5), ("session_seconds", "900")],
)
def test_a_value_of_another_type_is_a_wrong_setting(field: str, value: Any) -> None:
    with pytest.raises(InvalidSettings, match="; the rule is: "):
        TargetRole(**{field: value})
