from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError, UnknownServiceError, WaiterError
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp

from chalicelib.cross_account import Hub, InvalidInput
from chalicelib.cross_account.clients import SharedClients, SigningIdentity
from tests.fake_aws import HUB, SESSION_SECRET, SESSION_TOKEN, FakeAws, Reply, error, session_key, session_token

ONE, TWO = "111111111111", "222222222222"


def identity(account: str, number: int = 1) -> SigningIdentity:
    return SigningIdentity(Credentials(session_key(account, number), SESSION_SECRET, session_token(account)))


@pytest.fixture
def clients(aws: FakeAws) -> SharedClients:
    return SharedClients()


@pytest.fixture
def one(clients: SharedClients) -> Any:
    return clients.client(identity(ONE), "s3")


@pytest.fixture
def two(clients: SharedClients) -> Any:
    return clients.client(identity(TWO), "s3")


def names(page: dict[str, Any]) -> list[str]:
    return [bucket["Name"] for bucket in page["Buckets"]]


def test_two_accounts_share_one_client(one: Any, two: Any) -> None:
    assert one._shared is two._shared


@pytest.mark.parametrize(("service", "region"), [("s3", "us-east-1"), ("iam", None)])
def test_another_service_or_region_is_another_client(
    clients: SharedClients, one: Any, service: str, region: str | None
) -> None:
    assert clients.client(identity(ONE), service, region)._shared is not one._shared


def test_fifty_threads_that_ask_at_once_make_one_client(aws: FakeAws) -> None:
    clients, ready = SharedClients(), threading.Barrier(50)

    def ask() -> int:
        ready.wait(10)
        return id(clients.shared("sts", "eu-west-1"))

    with ThreadPoolExecutor(50) as pool:
        assert len({future.result() for future in [pool.submit(ask) for _ in range(50)]}) == 1


def test_outside_a_call_there_are_no_credentials(aws: FakeAws, one: Any) -> None:
    one.list_buckets()
    with pytest.raises(NoCredentialsError):
        one._shared.list_buckets()
    assert len(aws.seen) == 1


def test_outside_a_call_a_failed_call_leaves_none_behind(aws: FakeAws, one: Any) -> None:
    aws.tell("ListBuckets", error("AccessDenied", 403))
    with pytest.raises(ClientError):
        one.list_buckets()
    with pytest.raises(NoCredentialsError):
        one._shared.list_buckets()


def test_outside_a_call_nothing_is_presigned(one: Any) -> None:
    with pytest.raises(NoCredentialsError):
        one._shared.generate_presigned_url("list_buckets")


def test_another_thread_has_no_credentials_while_a_call_is_under_way(aws: FakeAws, one: Any) -> None:
    raised: list[BaseException | None] = []

    def meanwhile(_request: Any) -> Reply:
        with ThreadPoolExecutor(1) as pool:
            raised.append(pool.submit(one._shared.list_buckets).exception())
        return Reply("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")

    aws.tell("ListBuckets", meanwhile)
    one.list_buckets()
    assert [type(error) for error in raised] == [NoCredentialsError]


def test_a_new_context_has_no_credentials(one: Any) -> None:
    with pytest.raises(NoCredentialsError):
        Context().run(one._shared.list_buckets)


@pytest.mark.parametrize("attribute", ["access_key", "secret_key", "token"])
def test_the_shared_credentials_object_holds_nothing(one: Any, attribute: str) -> None:
    with pytest.raises(NoCredentialsError):
        getattr(one._shared._request_signer._credentials, attribute)


def test_a_shared_client_has_none_of_the_hubs_credentials(aws: FakeAws, clients: SharedClients) -> None:
    with pytest.raises(NoCredentialsError):
        clients.shared("sts", "eu-west-1").get_caller_identity()  # type: ignore[attr-defined]
    assert aws.seen == []


def test_cloudtrail_in_the_target_shows_who_calls(aws: FakeAws, one: Any) -> None:
    one.list_buckets()
    assert aws.seen[0].headers["user-agent"].startswith("cross-account Botocore/")


def test_a_call_is_signed_with_key_and_token_of_its_account(aws: FakeAws, one: Any, two: Any) -> None:
    one.list_buckets()
    two.list_buckets()
    assert [(request.signer, request.token) for request in aws.seen] == [
        (ONE, session_token(ONE)),
        (TWO, session_token(TWO)),
    ]


def test_two_accounts_pages_read_in_turn_are_each_their_own(aws: FakeAws, one: Any, two: Any) -> None:
    aws.buckets = {ONE: [f"one-{number}" for number in range(6)], TWO: [f"two-{number}" for number in range(6)]}
    pages: list[Iterator[Any]] = [iter(view.get_paginator("list_buckets").paginate()) for view in (one, two)]
    read = [[names(next(reader)) for reader in pages] for _ in range(3)]
    assert read == [[[f"{name}-{at}", f"{name}-{at + 1}"] for name in ("one", "two")] for at in (0, 2, 4)]
    assert [request.signer for request in aws.seen] == [ONE, TWO] * 3


def test_fifty_threads_see_only_their_own_accounts_pages(aws: FakeAws, clients: SharedClients) -> None:
    accounts = [f"{number:012}" for number in range(50)]
    aws.buckets = {account: [f"{account}-{number}" for number in range(8)] for account in accounts}
    ready = threading.Barrier(50)

    def read(account: str) -> list[str]:
        ready.wait(10)
        pages = clients.client(identity(account), "s3").get_paginator("list_buckets").paginate()
        return [name for page in pages for name in names(page)]

    with ThreadPoolExecutor(50) as pool:
        assert dict(zip(accounts, pool.map(read, accounts), strict=True)) == aws.buckets
    assert len(aws.seen) == 50 * 4
    assert all(request.token == session_token(request.signer) for request in aws.seen)


def test_a_call_within_a_call_is_signed_by_its_own_account(aws: FakeAws, one: Any, two: Any) -> None:
    """As when a session is renewed, by the hub, in the middle of a target's call."""

    class Nested:
        def get_frozen_credentials(self) -> Any:
            two.list_buckets()
            return identity(ONE).credentials.get_frozen_credentials()

    nested = type(one)(one._shared, SigningIdentity(Nested()))
    nested.list_buckets()
    assert {request.signer for request in aws.seen} == {ONE, TWO}
    assert aws.seen[-1].signer == ONE


def test_a_waiter_asks_as_its_account(aws: FakeAws, one: Any) -> None:
    aws.tell("HEAD /mine", Reply(status=404), Reply())
    one.get_waiter("bucket_exists").wait(Bucket="mine", WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    assert [request.signer for request in aws.operations("HEAD /mine")] == [ONE, ONE]


def test_a_waiter_that_gives_up_leaves_no_credentials_behind(aws: FakeAws, one: Any) -> None:
    aws.tell("HEAD /mine", Reply(status=404), always=True)
    with pytest.raises(WaiterError):
        one.get_waiter("bucket_exists").wait(Bucket="mine", WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    with pytest.raises(NoCredentialsError):
        one._shared.list_buckets()


def test_uploads_of_two_accounts_at_once_are_each_signed_by_their_own(
    aws: FakeAws, one: Any, two: Any, tmp_path: Path
) -> None:
    """The parts go out from threads of s3transfer's own."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            pool.submit(one.upload_file, str(file), "of-one", str(number))
            pool.submit(two.upload_file, str(file), "of-two", str(number))
    assert len(aws.seen) == 40
    assert all(request.signer == (ONE if request.path.startswith("/of-one/") else TWO) for request in aws.seen)


def test_each_transfer_is_signed_by_its_account(aws: FakeAws, one: Any, tmp_path: Path) -> None:
    aws.tell("HEAD /bucket/key", Reply(content_length=4), always=True)
    aws.tell("GET /bucket/key", Reply("text"), always=True)
    aws.tell("PUT /bucket/copy", Reply("<CopyObjectResult/>"), always=True)
    file = tmp_path / "file"
    one.download_file("bucket", "key", str(file))
    one.download_fileobj("bucket", "key", BytesIO())
    one.upload_file(str(file), "bucket", "of-file")
    one.upload_fileobj(BytesIO(b"text"), "bucket", "of-object")
    one.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy")
    assert file.read_text() == "text"
    assert {f"{request.method} {request.path}" for request in aws.seen} >= {
        "GET /bucket/key",
        "PUT /bucket/of-file",
        "PUT /bucket/of-object",
        "PUT /bucket/copy",
    }
    assert {request.signer for request in aws.seen} == {ONE}


def test_a_presigned_url_is_its_accounts(one: Any, two: Any) -> None:
    for view, account in ((one, ONE), (two, TWO)):
        query = parse_qs(urlsplit(view.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})).query)
        assert account in str(query)


def test_a_view_shows_what_a_client_shows(one: Any) -> None:
    assert one.meta.region_name == "eu-west-1"
    assert one.can_paginate("list_buckets")
    assert issubclass(one.exceptions.NoSuchBucket, ClientError)
    assert "bucket_exists" in one.waiter_names


def test_a_view_has_the_attributes_of_a_client_of_boto3(one: Any) -> None:
    of_boto3 = boto3.Session().client("s3")
    assert dir(one) == dir(of_boto3)
    with pytest.raises(AttributeError) as ours:
        one.no_such_operation  # noqa: B018
    with pytest.raises(AttributeError) as theirs:
        of_boto3.no_such_operation  # noqa: B018
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27T05:06:07Z",
        "2026-11-27T05:06:07.089Z",
        "2026-11-27T05:06:07.123456789Z",
        "2026-11-27T05:06:07+02:00",
        "2026-11-27T05:06:07",
        "20261127T050607Z",
        "Fri, 27 Nov 2026 05:06:07 GMT",
        "1795755967",
    ],
)
def test_a_time_in_a_response_is_as_botocore_reads_it(aws: FakeAws, one: Any, text: str) -> None:
    bucket = f"<Bucket><Name>a</Name><CreationDate>{text}</CreationDate></Bucket>"
    aws.tell("ListBuckets", Reply(f"<ListAllMyBucketsResult><Buckets>{bucket}</Buckets></ListAllMyBucketsResult>"))
    read = one.list_buckets()["Buckets"][0]["CreationDate"]
    assert read.isoformat() == parse_timestamp(text).isoformat()


def test_to_close_a_view_does_not_close_the_client(one: Any, two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(one._shared._endpoint, "close", lambda: closed.append("closed"))
    one.close()
    assert closed == []
    one._shared.close()
    assert closed == ["closed"], "this is where a client closes"


def test_the_repr_of_a_view_and_of_an_identity_shows_no_credentials(one: Any) -> None:
    shown = repr(one) + repr(identity(ONE)) + repr(one._shared) + repr(one._shared._request_signer._credentials)
    assert SESSION_SECRET not in shown
    assert SESSION_TOKEN not in shown
    assert session_key(ONE, 1) not in shown


def test_s3_express_sessions_which_are_kept_by_bucket_alone_are_off(aws: FakeAws, one: Any, two: Any) -> None:
    bucket = "shared--euw1-az1--x-s3"
    one.head_bucket(Bucket=bucket)
    two.head_bucket(Bucket=bucket)
    assert [(request.method, request.signer) for request in aws.seen] == [("HEAD", ONE), ("HEAD", TWO)]
    assert not any("x-amz-s3session-token" in request.headers for request in aws.seen)


def test_an_account_id_is_in_no_shared_clients_host_name(clients: SharedClients) -> None:
    assert clients.shared("dynamodb", "eu-west-1").meta.config.account_id_endpoint_mode == "disabled"


@pytest.mark.usefixtures("no_backoff")
def test_one_that_throttles_for_ever_leaves_the_others_their_retries(aws: FakeAws, clients: SharedClients) -> None:
    """A shared quota of 500 would be gone after 50 calls of two retries at 5 each."""
    throttled = error("SlowDown", 503)
    aws.tell("ListBuckets", throttled, account=ONE, always=True)
    aws.tell("ListBuckets", throttled, throttled, account=TWO)
    stuck = clients.client(identity(ONE), "s3")
    for _ in range(60):
        with pytest.raises(ClientError, match="SlowDown"):
            stuck.list_buckets()
    assert len(aws.seen) < 60 * 3, "its own retries are used up"
    assert names(clients.client(identity(TWO), "s3").list_buckets()) == [f"bucket-of-{TWO}"]


@pytest.mark.usefixtures("no_backoff")
def test_a_throttled_call_is_tried_three_times(aws: FakeAws, one: Any) -> None:
    aws.tell("ListBuckets", error("SlowDown", 503), always=True)
    with pytest.raises(ClientError):
        one.list_buckets()
    assert len(aws.seen) == 3


def test_retries_that_succeed_are_given_back(aws: FakeAws, clients: SharedClients, no_backoff: None) -> None:
    own = identity(ONE)
    aws.tell("ListBuckets", error("SlowDown", 503))
    clients.client(own, "s3").list_buckets()
    assert own.retry_quota.available_capacity == 500


def test_a_model_is_asked_once_and_patiently(clients: SharedClients) -> None:
    config = clients.shared("bedrock-runtime", "eu-west-1").meta.config
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (50, 1)


@pytest.mark.parametrize(("service", "connect", "read"), [("sts", 2, 5), ("s3", 3, 10)])
def test_timeouts_are_far_below_the_functions_own(
    clients: SharedClients, service: str, connect: int, read: int
) -> None:
    config = clients.shared(service, "eu-west-1").meta.config
    assert (config.connect_timeout, config.read_timeout) == (connect, read)


def test_retries_and_timeouts_do_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    config = SharedClients().shared("sts", "eu-west-1").meta.config
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)


@pytest.mark.parametrize("endpoints", [None, "legacy", "regional"])
def test_sts_is_asked_in_the_functions_own_region(monkeypatch: pytest.MonkeyPatch, endpoints: str | None) -> None:
    if endpoints:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", endpoints)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients = SharedClients()
    assert clients.client(identity(ONE), "sts").meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"


def test_the_default_session_of_boto3_is_left_alone(aws: FakeAws, one: Any) -> None:
    before = boto3.DEFAULT_SESSION
    one.list_buckets()
    assert boto3.DEFAULT_SESSION is before
    boto3.Session().client("sts").get_caller_identity()
    assert aws.seen[-1].signer == HUB


# ---- how many there are


def test_of_a_thousand_the_256_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, str | None]] = []
    clients = SharedClients()
    monkeypatch.setattr(clients, "_make", lambda *key: made.append(key) or key)
    pairs = [(f"service-{number}", f"region-{number}") for number in range(1000)]
    for pair in pairs:
        clients.shared(*pairs[0])  # used all the time
        clients.shared(*pair)
    assert made == pairs, "each once"
    assert set(clients._clients) == {pairs[0], *pairs[-255:]}


def test_a_view_on_a_client_that_was_dropped_still_works(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.cross_account.clients.MAX_CLIENTS", 1)
    clients = SharedClients()
    view = clients.client(identity(ONE), "s3")
    clients.client(identity(ONE), "sts")
    assert clients.client(identity(TWO), "s3")._shared is not view._shared
    assert names(view.list_buckets()) == [f"bucket-of-{ONE}"]


@pytest.mark.parametrize("region", ["xx-nowhere-9", "us-esat-1"])
def test_a_region_that_does_not_exist_makes_no_client_and_is_named(hub: Hub, region: str) -> None:
    before = set(hub._clients._clients)
    for maker in (hub, hub._clients, hub.account(ONE)):
        make = partial(maker.client, identity(ONE)) if maker is hub._clients else maker.client
        with pytest.raises(InvalidInput, match=f"There is no AWS region {region}"):
            make("s3", region)
    assert {key[0] for key in set(hub._clients._clients) - before} == {"sts"}, "of the AssumeRole"


def test_the_hubs_own_region_may_be_newer_than_botocore(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-new-1")
    assert Hub().client("s3").meta.region_name == "eu-new-1"


@pytest.mark.parametrize("service", ["s3", "timestream-query"], ids=["shared", "endpoints to discover"])
def test_a_client_is_of_the_region_that_was_asked_for(hub: Hub, aws: FakeAws, service: str) -> None:
    assert hub.account(ONE).client(service, "eu-west-2").meta.region_name == "eu-west-2"


# ---- how a service is found


@pytest.fixture
def new_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of botocore's data, which the tests otherwise read once."""
    monkeypatch.setattr("botocore.session.create_loader", create_loader)


@pytest.mark.usefixtures("new_loader")
def test_a_service_is_found_without_a_look_at_all_others(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Loader, "list_available_services")
    assert SharedClients().client(identity(ONE), "s3").list_buckets()["Buckets"]


@pytest.mark.parametrize("service", ["no-such-service", "s3/../sts", ""])
def test_a_service_that_does_not_exist_is_told_with_those_that_do(hub: Hub, service: str) -> None:
    with pytest.raises(UnknownServiceError, match=r"Valid service names are: .*\bsts\b"):
        hub.client(service)


@pytest.mark.usefixtures("new_loader")
def test_a_service_may_be_in_a_folder_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own-service"
    shutil.copytree(Path(Loader.BUILTIN_DATA_PATH) / "sts", own)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert SharedClients().client(identity(ONE), "own-service").can_paginate("get_caller_identity") is False


# ---- the clients of an account's own session


@pytest.mark.parametrize("service", ["s3", "sts", "bedrock", "bedrock-runtime", "iam", "dynamodb", "timestream-write"])
def test_a_client_of_a_session_has_the_limits_of_the_shared_one(hub: Hub, service: str) -> None:
    shared, own = hub._clients.shared(service, hub.region).meta.config, _own(hub, service).meta.config
    for limit in ("connect_timeout", "read_timeout", "retries", "max_pool_connections", "user_agent"):
        assert getattr(own, limit) == getattr(shared, limit), limit


def test_a_callers_own_config_wins_for_what_it_sets(hub: Hub) -> None:
    config = _own(hub, "bedrock-runtime", config=Config(read_timeout=7, user_agent_extra="mine")).meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, 3)
    assert config.retries["total_max_attempts"] == 1
    assert config.user_agent.startswith("cross-account Botocore/")


def test_a_callers_own_config_is_left_as_it_was(hub: Hub) -> None:
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    before = vars(config).copy()
    _own(hub, "s3", config=config)
    assert vars(config) == before


def test_a_resource_of_a_session_signs_as_its_account(hub: Hub, aws: FakeAws) -> None:
    assert [bucket.name for bucket in hub.account(ONE).session().resource("s3").buckets.all()] == [f"bucket-of-{ONE}"]


def _own(hub: Hub, service: str, **more: Any) -> Any:
    return hub.account(ONE).session().client(service, **more)
