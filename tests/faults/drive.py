"""The app driven from outside, through each of its doors, and a look at everything that comes out."""

from __future__ import annotations

import json
import logging
import os
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from chalice.test import Client

import app
from chalicelib.inputs.settings import hub_of
from tests.environment import set_environment
from tests.fake_aws import EXTERNAL_ID, FakeAws, leaks
from tests.loggers import every_logger_at_debug

DOORS = ("direct", "raised", "http")


@dataclass
class Outcome:
    """What one door gave back. `status` is the envelope's or the route's; a raised failure has none."""

    door: str
    status: int | None
    body: dict[str, Any]
    text: str
    error: BaseException | None = None

    @property
    def fault(self) -> dict[str, Any]:
        fault = self.body["error"]
        assert isinstance(fault, dict)
        return fault


class Context:
    """As much of Lambda's context as the app may rely on."""

    aws_request_id = "00000000-aaaa-bbbb-cccc-000000000000"
    function_name = "cross-account-test-switch_account"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


SETTINGS = {"EXTERNAL_ID": EXTERNAL_ID, "LOG_LEVEL": "DEBUG"}
"""Of every hub here, so that there is something to leak, and every occasion."""


@contextmanager
def warm_hub(aws: FakeAws, **settings: str) -> Iterator[LogOfEverything]:
    """An app that lasts for more than one test, and its log; the fixtures `aws` and `log` are for one."""
    with pytest.MonkeyPatch.context() as patch, everything_logged() as log:
        set_environment(patch)
        for name, value in {**SETTINGS, **settings, "AWS_ENDPOINT_URL": aws.url}.items():
            patch.setenv(name, value)
        hub_of.cache_clear()
        yield log
        hub_of.cache_clear()


def direct(event: Any) -> Outcome:
    answer = app.switch_account(event, Context())
    assert set(answer) == {"statusCode", "body"}
    assert isinstance(answer["body"], str)
    return Outcome("direct", answer["statusCode"], json.loads(answer["body"]), json.dumps(answer))


def raised(event: dict[str, Any]) -> Outcome:
    """With raise_on_error, seen as Lambda sees it: class, text and traceback."""
    try:
        answer = app.switch_account({**event, "raise_on_error": True}, Context())
    except Exception as error:
        text = "".join([*traceback.format_exception(error), str(error), repr(error), repr(vars(error))])
        fault = error.as_dict() if hasattr(error, "as_dict") else {}
        message = error.public_message() if hasattr(error, "public_message") else ""
        return Outcome("raised", None, {"message": message, "error": fault}, text, error)
    body = json.loads(answer["body"])
    return Outcome("raised", answer["statusCode"], body, json.dumps(answer))


def http(event: dict[str, Any]) -> Outcome:
    """The same question through the route."""
    account_id, check = event["account_id"], event.get("check", "identity")
    body = {name: event[name] for name in ("region", "params") if name in event}
    path = f"/accounts/{quote(account_id, safe='')}/checks/{quote(check, safe='')}"
    return post(path, json.dumps(body).encode() if body else b"")


def post(path: str, body: bytes = b"", content_type: str = "application/json") -> Outcome:
    """POST to a route; no .chalice/config.json is read, so the environment is the test's own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IAMAuthorizer is not a supported in local mode")
        with Client(app.app, project_dir=os.path.dirname(__file__)) as client:
            answer = client.http.post(path, body=body, headers={"Content-Type": content_type})
    text = answer.body.decode() + json.dumps(answer.headers)
    return Outcome("http", answer.status_code, json.loads(answer.body), text)


def ask(door: str, event: dict[str, Any]) -> Outcome:
    return {"direct": direct, "raised": raised, "http": http}[door](event)


class LogOfEverything(logging.Handler):
    """Every record of every logger, with whatever is attached to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        attached = {name: value for name, value in vars(record).items() if name not in ("exc_info", "args", "msg")}
        raised = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.name} {record.levelname} {record.getMessage()} {attached!r} {raised}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def everything_logged() -> Iterator[LogOfEverything]:
    """Set every logger there is to DEBUG, and listen. What is logged by `chalicelib` may not reach the root."""
    log = LogOfEverything()
    with every_logger_at_debug() as loggers:
        listening = [logger for logger in loggers if logger is logging.root or not logger.propagate]
        for logger in listening:
            logger.addHandler(log)
        try:
            yield log
        finally:
            for logger in listening:
                logger.removeHandler(log)


def assert_nothing_leaked(*texts: str) -> None:
    for text in texts:
        assert not leaks(text)
