"""The settings of a stage, and the hub that is made from them and kept for the life of the process."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.app_log import logger
from chalicelib.cross_account import Hub, InvalidSettings, TargetRole
from chalicelib.inputs.settings import Settings, hub_of, open_hub
from tests.cross_account.test_role import WRONG as WRONG_ROLES
from tests.environment import SETTINGS
from tests.fake_aws import EXTERNAL_ID, FakeAws

ONE, TWO = "123456789012", "210987654321"
NAMES = sorted(name for name in SETTINGS if not name.startswith("AWS_"))
WRONG = {
    "ALLOWED_ACCOUNTS": [
        "",
        "12345678901",
        "123456789012,",
        "123456789012;210987654321",
        "123456789012,*",
        "１２３４５６７８９０１２",
    ],
    "CACHE_CREDENTIALS": ["", "True", "yes", "0"],
    "ORGANIZATION_ACCOUNT_ID": ["12345678901", "123456789012\n", "o-abc1234567"],
    "RESULTS_BUCKET": ["ab", "Results", "s3://results", "results/", "-results"],
    "API_CALLS": ["", "List", "all", "list,read"],
    "METRICS": ["", "on"],
    "LOG_LEVEL": ["", "info", "TRACE", "20"],
}
RULES = {
    "ALLOWED_ACCOUNTS": "* for every account, or ids of 12 digits separated by commas",
    "CACHE_CREDENTIALS": "true or false",
    "ORGANIZATION_ACCOUNT_ID": "empty, or 12 digits",
    "RESULTS_BUCKET": "empty, or a bucket's name",
    "API_CALLS": "one of none, list, read",
    "METRICS": "true or false",
    "LOG_LEVEL": "one of DEBUG, INFO, WARNING, ERROR",
}


class Recorder(dict[str, str]):
    """An empty environment that keeps the names for which it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def refusal(make: Callable[[dict[str, str]], object], name: str, value: str) -> InvalidSettings:
    with pytest.raises(InvalidSettings) as caught:
        make({name: value})
    return caught.value


# ---- from the environment


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert Settings.from_environment({}) == Settings(
        role=TargetRole(),
        allowed_accounts=None,
        cache_credentials=True,
        organization_account_id="",
        results_bucket="",
        metrics=False,
        log_level="INFO",
    )


def test_settings_without_arguments_are_those_of_an_empty_environment() -> None:
    assert Settings() == Settings.from_environment({})


def test_every_setting_is_read_from_its_variable() -> None:
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
            "API_CALLS": "read",
            "METRICS": "true",
            "LOG_LEVEL": "DEBUG",
        }
    ) == Settings(
        role=TargetRole("reader", "/team/audit/", "a:b/c", 900),
        allowed_accounts=frozenset({"123456789012", "012345678901"}),
        cache_credentials=False,
        organization_account_id="111122223333",
        results_bucket="results.example",
        api_calls="read",
        metrics=True,
        log_level="DEBUG",
    )


def test_the_variables_that_are_read_are_those_of_the_configuration() -> None:
    environment = Recorder()
    Settings.from_environment(environment)
    assert sorted(environment.names) == NAMES


def test_the_processs_own_environment_is_read_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESULTS_BUCKET", "set-late")
    assert Settings.from_environment().results_bucket == "set-late"


def test_every_variable_has_wrong_values_here_or_in_the_tests_of_the_role() -> None:
    assert sorted([*WRONG, *WRONG_ROLES]) == NAMES


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_one_sentence_with_name_value_and_rule(name: str) -> None:
    for value in WRONG[name]:
        shown = value.split(",")[-1] if name == "ALLOWED_ACCOUNTS" else value
        message = refusal(Settings.from_environment, name, value).message
        assert message == f"The setting {name} has {shown!r}; the rule is: {RULES[name]}."


def test_a_wrong_value_is_truncated() -> None:
    for name in WRONG:
        assert len(refusal(Settings.from_environment, name, "-" * 100_000).message) < 300


def test_a_wrong_role_is_refused_in_the_sentence_of_the_role() -> None:
    for name, values in WRONG_ROLES.items():
        for value in values:
            expected = refusal(TargetRole.from_environment, name, value)
            assert refusal(Settings.from_environment, name, value).message == expected.message


def test_the_helper_alone_refuses_the_same_values_in_the_same_sentence() -> None:
    for name in ("ALLOWED_ACCOUNTS", "CACHE_CREDENTIALS"):
        for value in WRONG[name]:
            expected = refusal(Settings.from_environment, name, value)
            assert refusal(Hub.from_environment, name, value).message == expected.message


def test_the_hint_says_where_to_set_it() -> None:
    assert refusal(Settings.from_environment, "LOG_LEVEL", "loud").hint == (
        "Set LOG_LEVEL in the function's environment (in this project: environment_variables of the stage in "
        ".chalice/config.json) and deploy again."
    )


def test_an_external_id_is_not_in_the_repr() -> None:
    assert "hidden-id" not in repr(Settings.from_environment({"EXTERNAL_ID": "hidden-id"}))


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=100), min_size=1))
def test_any_environment_gives_settings_or_one_sentence(environment: dict[str, str]) -> None:
    message = ""
    try:
        Settings.from_environment(environment)
    except InvalidSettings as error:
        message = error.message
    if message:
        assert len(message.splitlines()) == 1
        assert any(message.startswith(f"The setting {name} has ") for name in environment)


@given(st.lists(st.text(string.digits, min_size=12, max_size=12), min_size=1, max_size=5), st.data())
def test_ids_separated_by_commas_and_spaces_are_those_ids(ids: list[str], data: Any) -> None:
    separator = data.draw(st.sampled_from([",", ", ", " ,", " , "]))
    settings = Settings.from_environment({"ALLOWED_ACCOUNTS": separator.join(ids)})
    assert settings.allowed_accounts == frozenset(ids)


# ---- the hub of the settings


def test_a_star_allows_every_account() -> None:
    for value in ("*", " * "):
        assert hub_of(Settings.from_environment({"ALLOWED_ACCOUNTS": value})).allows(ONE)


def test_a_list_allows_only_its_accounts() -> None:
    hub = hub_of(Settings.from_environment({"ALLOWED_ACCOUNTS": ONE}))
    assert (hub.allows(ONE), hub.allows(TWO)) == (True, False)


def test_the_hub_assumes_the_role_of_the_settings() -> None:
    role = TargetRole("reader", "/team/", EXTERNAL_ID, 900)
    assert hub_of(Settings(role=role)).role == role


def test_equal_settings_have_one_hub() -> None:
    assert hub_of(Settings()) is hub_of(Settings.from_environment({}))


def test_other_settings_have_another_hub() -> None:
    first = Settings()
    for other in (Settings(role=TargetRole("reader")), Settings(cache_credentials=False)):
        assert hub_of(first) is not hub_of(other)


def test_every_invocation_with_the_same_environment_has_the_same_hub() -> None:
    with open_hub() as first:
        pass
    with open_hub() as second:
        assert second is first


def test_without_settings_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE_NAME", "reader")
    with open_hub() as hub:
        assert hub.role.name == "reader"


@pytest.mark.usefixtures("log")
def test_without_settings_the_environment_decides_the_level_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    with open_hub():
        assert logger.log_level == 40


@pytest.mark.usefixtures("aws")
def test_sessions_are_kept_for_the_next_invocation() -> None:
    for cached in (False, True):
        with open_hub(Settings()) as hub:
            assert hub.account(ONE).cached is cached


def test_without_caching_the_sessions_end_with_the_invocation(aws: FakeAws) -> None:
    for _ in range(2):
        with open_hub(Settings(cache_credentials=False)) as hub:
            hub.account(ONE)
            assert hub.account(ONE).cached, "within the invocation it is kept"
    assert len(aws.operations("AssumeRole")) == 2


@pytest.mark.usefixtures("aws")
def test_without_caching_they_end_also_if_the_invocation_fails() -> None:
    settings = Settings(cache_credentials=False)

    def fail() -> None:
        with open_hub(settings) as hub:
            hub.account(ONE)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not hub_of(settings).account(ONE).cached
