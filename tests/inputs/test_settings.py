from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidSettings
from chalicelib.settings import Settings

WRONG = [
    ("ROLE_NAME", ""),
    ("ROLE_NAME", "a role"),
    ("ROLE_NAME", "path/role"),
    ("ROLE_NAME", "arn:aws:iam::123456789012:role/external-role"),
    ("ROLE_NAME", "r" * 65),
    ("ROLE_NAME", "external-role\n"),
    ("ROLE_NAME", "rôle"),
    ("ROLE_PATH", ""),
    ("ROLE_PATH", "team"),
    ("ROLE_PATH", "/team"),
    ("ROLE_PATH", "team/"),
    ("ROLE_PATH", "/a team/"),
    ("ROLE_PATH", "/team/\n"),
    ("EXTERNAL_ID", "x"),
    ("EXTERNAL_ID", "has a space"),
    ("EXTERNAL_ID", "x" * 1225),
    ("EXTERNAL_ID", "newline\n"),
    ("ALLOWED_ACCOUNTS", ""),
    ("ALLOWED_ACCOUNTS", "12345678901"),
    ("ALLOWED_ACCOUNTS", "123456789012,"),
    ("ALLOWED_ACCOUNTS", "123456789012;210987654321"),
    ("ALLOWED_ACCOUNTS", "123456789012,*"),
    ("ALLOWED_ACCOUNTS", "１２３４５６７８９０１２"),
    ("SESSION_SECONDS", ""),
    ("SESSION_SECONDS", "899"),
    ("SESSION_SECONDS", "3601"),
    ("SESSION_SECONDS", "-900"),
    ("SESSION_SECONDS", "900.0"),
    ("SESSION_SECONDS", " 900"),
    ("SESSION_SECONDS", "1h"),
    ("SESSION_SECONDS", "٩٠٠"),
    ("SESSION_SECONDS", "9" * 5000),
    ("CACHE_CREDENTIALS", ""),
    ("CACHE_CREDENTIALS", "True"),
    ("CACHE_CREDENTIALS", "yes"),
    ("CACHE_CREDENTIALS", "0"),
    ("ORGANIZATION_ACCOUNT_ID", "12345678901"),
    ("ORGANIZATION_ACCOUNT_ID", "123456789012\n"),
    ("ORGANIZATION_ACCOUNT_ID", "o-abc1234567"),
    ("RESULTS_BUCKET", "ab"),
    ("RESULTS_BUCKET", "Results"),
    ("RESULTS_BUCKET", "s3://results"),
    ("RESULTS_BUCKET", "results/"),
    ("RESULTS_BUCKET", "-results"),
    ("METRICS", ""),
    ("METRICS", "on"),
    ("LOG_LEVEL", ""),
    ("LOG_LEVEL", "info"),
    ("LOG_LEVEL", "TRACE"),
    ("LOG_LEVEL", "20"),
]
RULES = {
    "ROLE_NAME": "1 to 64 of",
    "ROLE_PATH": "begins and ends with a slash",
    "EXTERNAL_ID": "empty, or 2 to 1224 of",
    "ALLOWED_ACCOUNTS": "* for every account, or ids of 12 digits",
    "SESSION_SECONDS": "900 to 3600 seconds",
    "CACHE_CREDENTIALS": "true or false",
    "ORGANIZATION_ACCOUNT_ID": "empty, or 12 digits",
    "RESULTS_BUCKET": "empty, or a bucket's name",
    "METRICS": "true or false",
    "LOG_LEVEL": "one of DEBUG, INFO, WARNING, ERROR",
}


def test_an_empty_environment_gives_the_defaults_of_the_design() -> None:
    assert Settings.from_environment({}) == Settings(
        role_name="external-role",
        role_path="/",
        external_id="",
        allowed_accounts=None,
        session_seconds=3600,
        cache_credentials=True,
        organization_account_id="",
        results_bucket="",
        metrics=False,
        log_level="INFO",
    )


def test_every_setting_is_taken_from_its_variable() -> None:
    assert Settings.from_environment(
        {
            "ROLE_NAME": "reader",
            "ROLE_PATH": "/team/audit/",
            "EXTERNAL_ID": "a:b/c",
            "ALLOWED_ACCOUNTS": "123456789012, 012345678901",
            "SESSION_SECONDS": "900",
            "CACHE_CREDENTIALS": "false",
            "ORGANIZATION_ACCOUNT_ID": "111122223333",
            "RESULTS_BUCKET": "results.example",
            "METRICS": "true",
            "LOG_LEVEL": "DEBUG",
        }
    ) == Settings(
        role_name="reader",
        role_path="/team/audit/",
        external_id="a:b/c",
        allowed_accounts=frozenset({"123456789012", "012345678901"}),
        session_seconds=900,
        cache_credentials=False,
        organization_account_id="111122223333",
        results_bucket="results.example",
        metrics=True,
        log_level="DEBUG",
    )


def test_they_are_read_when_called_and_not_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE_NAME", "set-late")
    assert Settings.from_environment().role_name == "set-late"


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_one_sentence_that_names_variable_and_rule(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment({name: value})
    message = caught.value.message
    assert message.startswith(f"The setting {name} has ")
    assert RULES[name] in message
    assert "\n" not in message


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value in WRONG if name != "EXTERNAL_ID"])
def test_a_wrong_value_is_shown_so_that_a_newline_or_a_space_is_seen(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment({name: value})
    shown = repr(value.split(",")[-1][:80]) if name == "ALLOWED_ACCOUNTS" else repr(value[:80])
    assert f" {shown}; the rule is" in caught.value.message


@pytest.mark.parametrize("value", ["not a valid secret", "s3cr3t!" * 3, "geheim\n"])
def test_a_wrong_external_id_is_not_shown(value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment({"EXTERNAL_ID": value})
    assert value.strip() not in str(caught.value)
    assert "its value (not shown)" in caught.value.message


def test_the_hint_says_where_to_set_it() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment({"LOG_LEVEL": "loud"})
    assert caught.value.hint.startswith(
        "Set LOG_LEVEL under environment_variables of this stage in .chalice/config.json"
    )


def test_an_external_id_is_not_in_the_repr() -> None:
    assert "hidden-id" not in repr(Settings.from_environment({"EXTERNAL_ID": "hidden-id"}))


@pytest.mark.parametrize("seconds", [900, 901, 3599, 3600])
def test_a_session_lasts_from_900_to_3600_seconds(seconds: int) -> None:
    assert Settings.from_environment({"SESSION_SECONDS": str(seconds)}).session_seconds == seconds


def test_a_star_allows_every_account() -> None:
    assert Settings.from_environment({"ALLOWED_ACCOUNTS": "*"}).allows("123456789012")


def test_a_list_allows_only_its_accounts() -> None:
    settings = Settings.from_environment({"ALLOWED_ACCOUNTS": "123456789012"})
    assert settings.allows("123456789012")
    assert not settings.allows("210987654321")


NAMES = st.sampled_from(sorted(RULES))


@given(st.dictionaries(NAMES, st.text(max_size=100), min_size=1))
def test_any_environment_gives_settings_or_one_sentence(environment: dict[str, str]) -> None:
    sentence = ""
    try:
        settings = Settings.from_environment(environment)
    except InvalidSettings as error:
        sentence = error.message
    if sentence:
        assert len(sentence.splitlines()) == 1
        assert any(sentence.startswith(f"The setting {name} has ") for name in environment)
    else:
        assert 900 <= settings.session_seconds <= 3600
        assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,64}", settings.role_name)


@given(st.lists(st.text(string.digits, min_size=12, max_size=12), min_size=1, max_size=5), st.data())
def test_ids_with_commas_and_spaces_between_are_those_ids(ids: list[str], data: Any) -> None:
    separators = data.draw(st.sampled_from([",", ", ", " ,", " , "]))
    settings = Settings.from_environment({"ALLOWED_ACCOUNTS": separators.join(ids)})
    assert settings.allowed_accounts == frozenset(ids)
