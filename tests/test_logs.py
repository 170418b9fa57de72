"""Nothing that opens a door gets out, at any level, whatever botocore logs: looked for in all there is to see."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
import s3transfer
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import app as entry_points
from chalicelib import app_log
from chalicelib.app_log import logger, silence_botocore_debug
from chalicelib.checks.check import Check, check
from chalicelib.cross_account import CrossAccountError, Hub, TargetRole
from chalicelib.errors import EveryAccountFailed
from chalicelib.outputs.responses import http_response, lambda_envelope
from tests.failures import FAILURES, Failure
from tests.fake_aws import EXTERNAL_ID, KNOWN_CHECKS, SECRETS, SESSION_SECRET, SESSION_TOKEN, FakeAws, denied, leaks
from tests.loggers import every_logger_at_debug

ACCOUNT = "123456789012"
TELLING = app_log._SENSITIVE_LOGGERS
FILTERED = {*TELLING, app_log._RETRIES, *app_log._CREDENTIALS}
HARMLESS = {
    "botocore.args",  # a maximum
    "botocore.client",  # services, regions and endpoints of the configuration
    "botocore.docs.bcdoc.restdoc",  # which runs in no program
    "botocore.endpoint_provider",  # sentences of botocore's models
    "botocore.httpchecksum",  # algorithms
    "botocore.loaders",  # files of botocore
    "botocore.plugin",  # modules of the configuration
    "botocore.retries.adaptive",  # numbers
    "botocore.retries.special",  # numbers
    "boto3.resources.factory",  # names of boto3's models
    "boto3.resources.model",
    "boto3.s3.transfer",  # which transfer manager
    "s3transfer.manager",  # a bandwidth
    "urllib3",  # itself
}
"""Those that quote something, but nothing that a peer or a caller wrote."""
PARAMS: dict[str, dict[str, Any]] = {"bedrock_converse": {"model_id": "m", "prompt": "p"}}


class Everything(logging.Handler):
    """Keeps the whole of every record: message, arguments, extras and traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = io.StringIO()

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        self.text.write(f"{record.getMessage()} {record.__dict__!r}\n")


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, log: Any, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Every logger at DEBUG, down to the root; gives all that was logged or printed."""
    handler, root = Everything(), logging.getLogger()
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("EXTERNAL_ID", EXTERNAL_ID)
    before = list(root.handlers)
    root.addHandler(handler)
    with every_logger_at_debug():
        yield lambda: handler.text.getvalue() + json.dumps(log()) + "".join(capfd.readouterr())
    for added in [added for added in root.handlers if added not in before]:
        root.removeHandler(added)


def assert_nothing_in(text: str) -> None:
    assert leaks(text) == []


def test_without_the_filters_the_canaries_would_be_seen(aws: FakeAws, talk: Any, invoke: Any) -> None:
    """The proof that the other tests look where botocore writes."""
    for name in TELLING:
        for known in list(logging.getLogger(name).filters):
            logging.getLogger(name).removeFilter(known)
    aws.tell("AssumeRole", denied())
    try:
        statuses = [invoke({"account_id": ACCOUNT})[0] for _ in range(2)]
    finally:
        silence_botocore_debug()
    assert statuses == [500, 200]
    assert set(leaks(talk())) == set(SECRETS)


@pytest.mark.parametrize("name", KNOWN_CHECKS)
def test_a_success_gives_nothing_away(aws: FakeAws, talk: Any, invoke: Any, name: str) -> None:
    status, body = invoke({"account_id": ACCOUNT, "check": name, "params": PARAMS.get(name, {})})
    assert status == 200
    assert_nothing_in(json.dumps(body) + talk())


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failure_gives_nothing_away(prepared: Any, talk: Any, invoke: Any, failure: Failure) -> None:
    status, body = invoke({"account_id": ACCOUNT, "check": prepared(failure)})
    assert status == 500
    assert_nothing_in(json.dumps(body) + talk())


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_raised_failure_gives_nothing_away(prepared: Any, talk: Any, context: Any, failure: Failure) -> None:
    event = {"account_id": ACCOUNT, "check": prepared(failure), "raise_on_error": True}
    with pytest.raises(CrossAccountError) as caught:
        entry_points.switch_account(event, context)
    told = "".join(traceback.format_exception(caught.value))
    assert_nothing_in(told + repr(caught.value) + str(vars(caught.value)) + talk())


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_failed_route_gives_nothing_away(prepared: Any, talk: Any, http: Any, failure: Failure) -> None:
    status, body = http("POST", f"/accounts/{ACCOUNT}/checks/{prepared(failure)}")
    assert status >= 400
    assert_nothing_in(json.dumps(body) + talk())


@pytest.mark.parametrize("seconds_left", [250, 30])
def test_a_renewal_that_fails_gives_nothing_away(aws: FakeAws, talk: Any, seconds_left: int) -> None:
    """botocore itself logs it, as a warning with the traceback."""
    account = Hub(TargetRole(external_id=EXTERNAL_ID)).account(ACCOUNT, ["s3:ListAllMyBuckets"])
    session: Any = account._identity.credentials
    now = session._expiry_time - timedelta(seconds=seconds_left)
    session._time_fetcher = lambda: now
    aws.tell("AssumeRole", denied(), always=True)
    told = ""
    try:
        account.client("s3").list_buckets()
    except Exception as error:
        told = "".join(traceback.format_exception(error))
    logged = talk()
    assert "Refreshing temporary credentials failed" in logged
    assert_nothing_in(told + logged)


@pytest.mark.parametrize("name", ["", "botocore", "boto3", "s3transfer"])
def test_the_stream_logger_of_boto3_gives_nothing_away(
    aws: FakeAws, talk: Any, invoke: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What everybody pastes when something does not work."""
    chosen = logging.getLogger(name)
    monkeypatch.setattr(chosen, "handlers", list(chosen.handlers))
    boto3.set_stream_logger(name, logging.DEBUG)
    assert invoke({"account_id": ACCOUNT, "check": "s3_buckets"})[0] == 200
    logged = talk()
    assert "Not retrying request." in logged, "botocore talks"
    assert_nothing_in(logged)


def test_uploads_and_presigned_urls_of_an_account_give_nothing_away(aws: FakeAws, talk: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    account = Hub(TargetRole(external_id=EXTERNAL_ID)).account(ACCOUNT, ["s3:PutObject"])
    for client in (account.client("s3"), account.session().client("s3")):
        client.upload_file(str(file), "bucket", "key")
        url = client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "key"})
        with urllib3.PoolManager() as pool:
            assert pool.request("GET", url).status == 200
    assert_nothing_in(talk() + repr(account) + repr(account.client("s3")) + repr(vars(account)))


def test_a_setting_level_of_debug_keeps_the_secrets_in(aws: FakeAws, talk: Any, invoke: Any) -> None:
    invoke({"account_id": ACCOUNT})
    assert logger.log_level == logging.DEBUG
    assert_nothing_in(talk())


def test_the_filters_are_put_once_however_often_they_are_put() -> None:
    before = [len(logging.getLogger(name).filters) for name in TELLING]
    silence_botocore_debug()
    assert [len(logging.getLogger(name).filters) for name in TELLING] == before == [2] * len(TELLING)


@pytest.mark.parametrize("name", TELLING)
def test_a_logger_that_could_tell_a_secret_warns_and_says_no_more(name: str, talk: Any) -> None:
    logging.getLogger(name).debug("debugging with %s", SESSION_SECRET)
    logging.getLogger(name).warning("%d warnings of %s and %r", 2, SESSION_SECRET, {"token": SESSION_TOKEN})
    logging.getLogger(name).warning("with a dict: %s", {"token": SESSION_TOKEN})
    logging.getLogger(name).warning("by name: %(token)s", {"token": SESSION_TOKEN})
    said = talk()
    assert "by name: ..." in said
    assert "2 warnings of ... and '...'" in said
    assert "with a dict: ..." in said
    assert_nothing_in(said)


@pytest.mark.parametrize("name", sorted(FILTERED))
def test_a_warning_names_the_class_of_an_exception_and_not_its_text(name: str, talk: Any) -> None:
    try:
        raise LookupError(SESSION_SECRET)
    except LookupError as error:
        logging.getLogger(name).warning("It failed: %s", error, exc_info=True)
    said = talk()
    assert "(LookupError)" in said
    assert_nothing_in(said)


def test_where_credentials_come_from_is_told(talk: Any) -> None:
    logging.getLogger("botocore.credentials").debug("Looking for credentials via: %s", "env")
    assert "Looking for credentials via: env" in talk()


def quoting(package: Any) -> set[str]:
    """The modules of a package that log more than a constant sentence."""
    root, found = Path(package.__file__).parent, set()
    for path in root.rglob("*.py"):
        name = ".".join((root.name, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        for call in calls:
            logs = re.fullmatch(r"log(ger)?\.(debug|info|warn(ing)?|error|exception)", ast.unparse(call.func).lower())
            if logs and (call.args[1:] or call.keywords or not isinstance(call.args[0], ast.Constant)):
                found.add(name)
    return found


@pytest.mark.parametrize("package", [botocore, boto3, s3transfer, urllib3], ids=lambda package: package.__name__)
def test_every_logger_that_quotes_something_is_filtered_or_harmless(package: Any) -> None:
    """In the pinned versions: a new one has to be read."""
    assert quoting(package) - FILTERED - HARMLESS == set()


def test_what_a_peer_sends_as_a_header_is_not_in_urllib3_s_warning(talk: Any) -> None:
    """The one warning that needs no setting of anybody's."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nA: b\r\ncanary-of-the-peer\r\nContent-Length: 0\r\n\r\n")

        peer = threading.Thread(target=answer)
        peer.start()
        with urllib3.PoolManager(retries=False) as pool:
            pool.request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/?token={SESSION_TOKEN}")
        peer.join()
    said = talk()
    assert "Failed to parse headers (url=...): ... (HeaderParsingError)" in said
    assert "canary-of-the-peer" not in said
    assert_nothing_in(said)


def test_no_root_logger_is_touched() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), list(root.filters))
    silence_botocore_debug()
    assert (root.level, list(root.handlers), list(root.filters)) == before


def test_a_done_check_is_one_line_that_says_all_of_it(aws: FakeAws, log: Any, invoke: Any, context: Any) -> None:
    invoke({"account_id": ACCOUNT})
    invoke({"account_id": ACCOUNT})
    first, second = log()
    assert first["ms"] >= 0
    assert (first["cached"], second["cached"]) == (False, True)
    assert {
        "service": "cross-account",
        "level": "INFO",
        "account_id": ACCOUNT,
        "check": "identity",
        "stage": "done",
        "request_id": context.aws_request_id,
    }.items() <= first.items()


def test_a_failed_check_is_one_line_that_says_why(aws: FakeAws, log: Any, invoke: Any) -> None:
    aws.tell("AssumeRole", denied())
    invoke({"account_id": ACCOUNT})
    (line,) = log()
    assert {
        "level": "WARNING",
        "account_id": ACCOUNT,
        "stage": "assume",
        "error": "AssumeRoleDenied",
        "code": "AccessDenied",
    }.items() <= line.items()


def test_a_check_that_raises_is_logged_by_its_place_and_not_its_words(
    aws: FakeAws, added: Callable[[Check], Check], log: Any, invoke: Any
) -> None:
    @check(actions=["s3:GetBucketPolicy"])
    def clumsy(account: Any) -> None:
        """Raise."""
        raise LookupError("".join(["se", "cret"]))

    added(clumsy)
    invoke({"account_id": ACCOUNT, "check": "clumsy"})
    line = log()[0]
    assert (line["level"], line["raised"]) == ("ERROR", "LookupError")
    assert "in clumsy" in line["where"][-1]
    assert "secret" not in json.dumps(line)


@given(st.text())
def test_an_event_that_is_refused_writes_no_line_of_its_own(text: str) -> None:
    stream = io.StringIO()
    handler: Any = logger.registered_handler
    before = handler.setStream(stream)
    try:
        for event in ({"account_id": f"x{text}"}, {text: 1}, {"account_id": ACCOUNT, "check": f"{text}?"}):
            entry_points.switch_account(event, None)
    finally:
        handler.setStream(before)
    assert stream.getvalue() == ""


def test_an_unexpected_error_gives_nothing_away(talk: Any) -> None:
    def work(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError(SESSION_SECRET + SESSION_TOKEN + EXTERNAL_ID)

    assert_nothing_in(json.dumps(lambda_envelope(work)({}, None)) + str(http_response(work)()) + talk())


def test_a_sweep_writes_a_bounded_number_of_warnings_and_says_how_many_more_there_were(
    aws: FakeAws, log: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_log, "MAX_WARNINGS", 3)
    for _ in range(2):  # each invocation counts for itself
        with pytest.raises(EveryAccountFailed):
            entry_points.sweep({"check": "identity", "accounts": ["1", "2", "3", "4", "5"]}, context)
    told = [(line["message"], line.get("left_out")) for line in log()]
    assert told == [*[("not checked", None)] * 3, ("not all warnings were written", 2)] * 2
