from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSHTTPSConnection
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from urllib3.util import connection, parse_url

from chalicelib.cross_account import Account, AssumeRoleTimedOut, Hub
from chalicelib.cross_account.calls import Calls, CallsEnded
from tests.fake_aws import Answer, Ending, FakeAws, Reply, buckets, dripping, error, silent

ONE, TWO = "111111111111", "222222222222"
DRIP = dripping(5, pieces=100)
"""Longer than any test; each piece comes well before the timeout for reading."""
DRIP_OF_THE_LAST = Reply(b"x" * 500, pieces=100, pause=5, ending=Ending.CLOSED)
"""With `Connection: close`, after which http.client knows no socket any more."""
CLIENTS: dict[str, Callable[[Account], Any]] = {
    "shared": lambda account: account.client("s3"),
    "own": lambda account: account.session().client("s3"),
}
each_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
Client = Callable[[Account], Any]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def names(client: Any) -> list[str]:
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def account_in(calls: Calls, hub: Hub, account_id: str = ONE) -> Account:
    with calls.made_here():
        return hub.account(account_id)


def asked(aws: FakeAws, operation: str, times: int = 1) -> None:
    """Wait until so many requests have come."""
    while aws.counts[operation] < times:
        threading.Event().wait(0.005)


def under_way(pool: ThreadPoolExecutor, aws: FakeAws, client: Any) -> Future[list[str]]:
    future = pool.submit(names, client)
    asked(aws, "ListBuckets")
    return future


@each_client
@pytest.mark.parametrize("answer", [DRIP, DRIP_OF_THE_LAST, silent], ids=["drips", "drips-and-closes", "is-silent"])
def test_a_call_that_is_under_way_ends_in_its_thread(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor, client: Client, answer: Answer
) -> None:
    aws.tell("ListBuckets", answer)
    calls = Calls()
    future = under_way(pool, aws, client(account_in(calls, hub)))
    calls.end()
    assert future.exception(10)
    assert aws.counts["ListBuckets"] == 1


@each_client
def test_nothing_is_sent_any_more(hub: Hub, aws: FakeAws, client: Client) -> None:
    calls = Calls()
    s3 = client(account_in(calls, hub))
    calls.end()
    with pytest.raises(CallsEnded):
        s3.list_buckets()
    assert aws.counts["ListBuckets"] == 0


@each_client
def test_an_attempt_that_failed_is_not_tried_again(hub: Hub, aws: FakeAws, client: Client) -> None:
    calls = Calls()

    def too_late(_: Any) -> Reply:
        calls.end()
        return error("InternalError", 500)

    aws.tell("ListBuckets", too_late, always=True)
    with pytest.raises(CallsEnded):
        client(account_in(calls, hub)).list_buckets()
    assert aws.counts["ListBuckets"] == 1


@each_client
def test_a_name_that_is_resolved_too_late_is_not_connected_to_any_more(
    hub: Hub, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, no_backoff: None, client: Client
) -> None:
    calls = Calls()
    s3 = client(account_in(calls, hub))
    resolve = socket.getaddrinfo

    def slowly(*args: Any) -> Any:
        calls.end()
        return resolve(*args)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with pytest.raises(CallsEnded):
        s3.list_buckets()
    assert aws.counts["ListBuckets"] == 0


def test_the_calls_of_other_work_go_on(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    aws.tell("ListBuckets", dripping(0.01, pieces=20), account=TWO)
    ended, other = Calls(), Calls()
    future = under_way(pool, aws, account_in(other, hub, TWO).client("s3"))
    ended.end()
    assert future.result(10) == aws.buckets.get(TWO, [f"bucket-of-{TWO}"])


def test_a_connection_that_other_work_uses_by_now_stays_open(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    ended, other = Calls(), Calls()
    names(account_in(ended, hub).client("s3"))  # the connection is kept, and the next call has it
    aws.tell("ListBuckets", dripping(0.01, pieces=20))
    future = pool.submit(names, account_in(other, hub, TWO).client("s3"))
    asked(aws, "ListBuckets", 2)
    ended.end()
    assert future.result(10)


def test_an_account_that_was_entered_belongs_to_its_work_in_every_thread(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor
) -> None:
    calls = Calls()
    account = account_in(calls, hub)
    calls.end()
    assert isinstance(pool.submit(names, account.client("s3")).exception(10), CallsEnded)


def test_a_session_that_is_still_being_assumed_is_not_kept(hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor) -> None:
    aws.tell("AssumeRole", DRIP)
    calls = Calls()
    future = pool.submit(account_in, calls, hub)
    asked(aws, "AssumeRole")
    calls.end()
    assert future.exception(10)
    assert not hub.account(ONE).cached


def test_who_asks_for_an_account_does_not_wait_for_work_that_has_been_given_up(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor
) -> None:
    aws.tell("AssumeRole", silent)
    pool.submit(hub.account, ONE)
    asked(aws, "AssumeRole")
    hub.end_invocation()
    assert names(hub.account(ONE).client("s3"))
    aws.let_go.set()


def test_who_waits_for_a_session_that_is_given_up_is_told_that_it_took_too_long(
    hub: Hub, aws: FakeAws, pool: ThreadPoolExecutor
) -> None:
    """As two requests of `chalice local` may."""
    aws.tell("AssumeRole", DRIP)
    calls = Calls()
    pool.submit(account_in, calls, hub)
    asked(aws, "AssumeRole")
    waiting = pool.submit(hub.account, ONE)
    while not waiting.running():
        threading.Event().wait(0.005)
    threading.Event().wait(0.2)
    calls.end()
    assert isinstance(waiting.exception(10), AssumeRoleTimedOut)


def test_without_any_work_nothing_ends(hub: Hub, aws: FakeAws) -> None:
    aws.tell("ListBuckets", buckets(["a"]))
    assert names(hub.account(ONE).client("s3")) == ["a"]


def signed_by_itself(file: Path) -> Path:
    """Write a new key, and its certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM)
    file.write_bytes(pem)
    return file


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLSocket]:
    """S3 with TLS, which is everywhere on AWS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed_by_itself(tmp_path / "pem"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = context.wrap_socket(listening, server_side=True)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"https://localhost:{server.getsockname()[1]}")
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "pem"))
        yield server
        server.close()


@each_client
def test_a_call_within_tls_ends_as_well(
    aws: FakeAws, tls: ssl.SSLSocket, pool: ThreadPoolExecutor, client: Client
) -> None:
    calls = Calls()
    future = pool.submit(names, client(account_in(calls, Hub())))
    with tls.accept()[0] as connection:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<")
        threading.Event().wait(0.1)  # it reads the body by now
        calls.end()
        assert future.exception(10)


EMPTY = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 25\r\n\r\n<ListAllMyBucketsResult/>"


def respond(server: ssl.SSLSocket, call: Future[Any]) -> Any:
    with server.accept()[0] as connection:
        connection.recv(10_000)
        connection.sendall(EMPTY)
        return call.result(10)


def test_the_certificates_are_read_once_for_all_connections(
    aws: FakeAws, tls: ssl.SSLSocket, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    load = ssl.SSLContext.load_verify_locations

    def count(self: ssl.SSLContext, *files: Any) -> None:
        read.append(files)
        load(self, *files)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)
    hub = Hub()
    for account, region in ((ONE, None), (ONE, None), (TWO, None), (TWO, "eu-west-2")):
        respond(tls, pool.submit(hub.account(account).client("s3", region).list_buckets))
    assert len(read) == 1


@pytest.mark.usefixtures("no_backoff")
def test_the_certificates_are_read_though_the_first_connection_was_refused(
    aws: FakeAws, tls: ssl.SSLSocket, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Hub().account(ONE).client("s3")
    connect, refusals = connection.create_connection, [ConnectionRefusedError()]

    def refused_once(*args: Any, **kwargs: Any) -> socket.socket:
        if refusals:
            raise refusals.pop()
        return connect(*args, **kwargs)

    monkeypatch.setattr(connection, "create_connection", refused_once)
    respond(tls, pool.submit(client.list_buckets))


@pytest.mark.usefixtures("no_backoff")
def test_a_certificate_is_checked_at_each_connection(
    aws: FakeAws, tls: ssl.SSLSocket, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    hub = Hub()
    respond(tls, pool.submit(hub.account(ONE).client("s3").list_buckets))
    tls.settimeout(10)
    tls.context.load_cert_chain(signed_by_itself(tmp_path / "of-another"))
    for region in (None, "eu-west-2"):
        call = pool.submit(hub.account(ONE).client("s3", region).list_buckets)
        refuse(tls, call)


def refuse(server: ssl.SSLSocket, call: Future[Any]) -> None:
    for _attempt in range(3):
        with suppress(ssl.SSLError, ConnectionError):  # the client hangs up at the handshake
            server.accept()
    assert isinstance(call.exception(10), SSLError)


@pytest.mark.usefixtures("no_backoff")
def test_a_client_with_other_certificates_does_not_trust_those_of_the_first(
    aws: FakeAws, tls: ssl.SSLSocket, pool: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    respond(tls, pool.submit(hub.account(ONE).client("s3").list_buckets))
    tls.settimeout(10)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(signed_by_itself(tmp_path / "others")))
    refuse(tls, pool.submit(hub.account(ONE).client("s3", "eu-west-2").list_buckets))


@pytest.mark.parametrize(("proxy", "second"), [("https://proxy", "a file"), ("http://proxy", None)])
def test_a_proxy_with_tls_is_verified_by_the_certificates_each_time(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, proxy: str, second: str | None
) -> None:
    given: list[str | None] = []
    monkeypatch.setattr(AWSHTTPSConnection, "connect", lambda connection: given.append(connection.ca_certs))
    pool = hub.account(ONE).client("s3")._shared._endpoint.http_session._manager.pool_classes_by_scheme["https"]
    context = ssl.create_default_context()
    for _ in range(2):
        connection = pool("s3.amazonaws.com", 443)._new_conn()
        connection.ssl_context, connection.ca_certs, connection.proxy = context, "a file", parse_url(proxy)
        connection.connect()
    assert given == ["a file", second]


def test_a_socket_that_is_wrapped_once_more_for_a_proxy_is_shut_down(hub: Hub) -> None:
    """urllib3's SSLTransport, which is no socket."""
    pool = hub.account(ONE).client("s3")._shared._endpoint.http_session._manager.pool_classes_by_scheme["https"]
    connection, calls = pool("127.0.0.1", 443)._new_conn(), Calls()
    near, far = socket.socketpair()
    connection._calls, connection._opened = calls, SimpleNamespace(socket=near)
    calls.add(connection)
    calls.end()
    with near, far:
        assert far.recv(1) == b""
