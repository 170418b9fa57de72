"""A check's own code goes wrong: it raises, or answers with what cannot be an answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.check import Check, check
from chalicelib.checks import CHECKS
from tests.faults import canaries, drive
from tests.faults.canaries import TARGET
from tests.faults.faulty_aws import Exchange, FaultyAws, buckets

SECRET_TEXT = f"{canaries.SESSION_TOKEN} {canaries.SESSION_SECRET_KEY} {canaries.EXTERNAL_ID} {canaries.HUB_ARN}"

Ask = Callable[..., drive.Outcome]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, aws: FaultyAws, log: drive.LogOfEverything) -> Ask:
    """Put a function into the table of checks, ask it through a door, and hold that nothing leaked."""

    def ask(function: Callable[..., Any], door: str) -> drive.Outcome:
        function.__doc__ = "Go wrong."
        made: Check = check(actions=["s3:ListAllMyBuckets"])(function)
        monkeypatch.setitem(CHECKS, made.name, made)
        outcome = drive.ask(door, {"account_id": TARGET, "check": made.name})
        drive.assert_nothing_leaked(outcome.text, log.text)
        return outcome

    return ask


def circular() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


def bottomless() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


class Secretive:
    def __repr__(self) -> str:
        return SECRET_TEXT


NOT_JSON: dict[str, tuple[Callable[[], Any], str]] = {
    "datetime": (lambda: {"at": datetime.now(UTC)}, "datetime"),
    "bytes": (lambda: [canaries.SESSION_TOKEN.encode()], "bytes"),
    "set": (lambda: {canaries.SESSION_TOKEN}, "set"),
    "nan": (lambda: {"ratio": math.nan}, "NaN"),
    "infinity": (lambda: math.inf, "infinity"),
    "decimal": (lambda: Decimal("1.5"), "Decimal"),
    "circular": (circular, "contains itself"),
    "bottomless": (bottomless, "list"),
    "object-with-a-telling-repr": (lambda: {"a": Secretive()}, "Secretive"),
    "tuple-for-a-key": (lambda: {(canaries.SESSION_TOKEN,): 1}, "tuple"),
    "generator": (lambda: (n for n in range(3)), "generator"),
}


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", NOT_JSON)
def test_a_result_that_is_not_json(name: str, door: str, ask: Ask) -> None:
    make, named = NOT_JSON[name]

    def odd(account: Any) -> Any:
        return make()

    outcome = ask(odd, door)

    assert (outcome.fault["type"], outcome.fault["stage"]) == ("ResultNotJson", "check")
    assert named in outcome.fault["hint"]
    assert "Convert it in the check" in outcome.fault["hint"]
    assert outcome.status == {"direct": 500, "raised": None, "http": 500}[door]
    assert outcome.body["message"] == "Internal server error"


class CheckBroke(Exception):
    def __str__(self) -> str:
        return SECRET_TEXT


RAISED: dict[str, Callable[[], BaseException]] = {
    "exception-of-its-own": CheckBroke,
    "key-error": lambda: KeyError(SECRET_TEXT),
    "value-error-with-a-secret-in-it": lambda: ValueError(SECRET_TEXT),
    "group": lambda: ExceptionGroup(SECRET_TEXT, [ValueError(SECRET_TEXT)]),
    "recursion": RecursionError,
    "memory": MemoryError,
    "timeout": TimeoutError,
    "stop-iteration": StopIteration,
}


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", RAISED)
def test_a_check_that_raises(name: str, door: str, ask: Ask) -> None:
    def broken(account: Any) -> Any:
        raise RAISED[name]()

    outcome = ask(broken, door)

    assert (outcome.fault["type"], outcome.fault["stage"]) == ("CheckFailed", "check")
    assert f"raised {type(RAISED[name]()).__name__} in account {TARGET}" in outcome.fault["hint"]
    assert outcome.status == {"direct": 500, "raised": None, "http": 500}[door]
    assert outcome.body["message"] == "Internal server error"


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_check_that_raises_while_it_handles_a_failure_of_aws(door: str, ask: Ask, aws: FaultyAws) -> None:
    aws.on(
        "ListBuckets",
        lambda exchange: exchange.send(f"<Error><Code>X</Code><Message>{SECRET_TEXT}</Message></Error>", 400),
    )

    def clumsy(account: Any) -> Any:
        try:
            return account.client("s3").list_buckets()
        except Exception as error:
            raise CheckBroke(str(error)) from error

    assert ask(clumsy, door).fault["type"] == "CheckFailed"


@pytest.mark.parametrize("door", drive.DOORS)
def test_a_check_that_calls_its_client_the_wrong_way(door: str, ask: Ask, aws: FaultyAws) -> None:
    def mistaken(account: Any) -> Any:
        return account.client("s3").list_buckets(Colour="red", Secret=canaries.SESSION_TOKEN)

    outcome = ask(mistaken, door)

    assert outcome.fault["stage"] == "check"
    assert "ParamValidationError" in outcome.fault["hint"]
    assert aws.counts() == {"AssumeRole": 1}


# Too much of it


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: "x" * 7_000_000, id="one-long-text"),
        pytest.param(lambda: ["x" * 100] * 70_000, id="many-short-texts"),
        pytest.param(lambda: "日" * 1_200_000, id="each-character-escaped-to-six"),
        pytest.param(lambda: '"' * 2_000_000, id="each-quote-escaped-twice"),
    ],
)
def test_a_result_over_six_megabytes(make: Callable[[], Any], door: str, ask: Ask) -> None:
    def much(account: Any) -> Any:
        return make()

    outcome = ask(much, door)

    assert (outcome.fault["type"], outcome.fault["stage"]) == ("ResultTooLarge", "check")
    assert "6 MB at most. Ask for less" in outcome.fault["hint"]
    assert outcome.status == {"direct": 500, "raised": None, "http": 500}[door]
    assert len(outcome.text) < 10_000


@pytest.mark.parametrize("door", ["direct", "http"])
def test_a_result_just_under_six_megabytes(door: str, ask: Ask) -> None:
    def just_fits(account: Any) -> Any:
        return "x" * 6_200_000

    outcome = ask(just_fits, door)

    assert outcome.status == 200
    assert len(outcome.body["result"]) == 6_200_000


def test_a_hundred_thousand_buckets_are_told_as_too_many(aws: FaultyAws, log: drive.LogOfEverything) -> None:
    def page(exchange: Exchange) -> None:
        names = [f"bucket-{exchange.nth:03}-{n:05}" for n in range(10_000)]
        buckets(names, token=f"t{exchange.nth}" if exchange.nth < 10 else None)(exchange)

    aws.on("ListBuckets", page)

    outcome = drive.direct({"account_id": TARGET, "check": "s3_buckets"})

    assert outcome.fault["type"] == "ResultTooLarge"
    assert aws.count("ListBuckets") == 10
    assert outcome.seconds < 30
    drive.assert_nothing_leaked(outcome.text, log.text)


# A body that is read as it comes


def downloaded(account: Any) -> Any:
    return len(account.client("s3").get_object(Bucket="b", Key="k")["Body"].read())


BREAKS: dict[str, Callable[[Exchange], None]] = {
    "breaks-off-early": lambda exchange: exchange.send(b"x" * 500, promised=10_000),
    "is-reset": lambda exchange: (exchange.head(200, "x/y", 10_000), exchange.write(b"x" * 500), exchange.reset())[0],
}


@pytest.mark.parametrize("door", drive.DOORS)
@pytest.mark.parametrize("name", BREAKS)
def test_a_stream_that_breaks_midway(name: str, door: str, ask: Ask, aws: FaultyAws) -> None:
    aws.on("GetObject", BREAKS[name])

    outcome = ask(downloaded, door)

    assert (outcome.fault["type"], outcome.fault["stage"]) == ("CheckCallFailed", "check")
    assert "or it broke off" in outcome.fault["hint"]
    assert outcome.status == {"direct": 500, "raised": None, "http": 502}[door]


def test_a_whole_stream(ask: Ask) -> None:
    assert json.dumps(ask(downloaded, "direct").body["result"]) == "10"
