"""Regions that an account has to opt into, those that do not exist, and EC2's way to refuse."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.accounts import HUB, TARGETS

from .conftest import Client

OPT_IN = "af-south-1"
TARGET = TARGETS[0].id
ACCOUNT_MANAGEMENT = "account.amazonaws.com"


def error_of(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    response: dict[str, Any] = raised.value.response["Error"]
    return response


def code_of(call: Any, **parameters: Any) -> str:
    return str(error_of(call, **parameters)["Code"])


@pytest.fixture(scope="module")
def target(administrator: Any) -> Any:
    """Credentials of a target's administrator."""
    return administrator(TARGET)


@pytest.fixture
def opted_in(client: Client, target: Any) -> Iterator[None]:
    management = client("account", target)
    management.enable_region(RegionName=OPT_IN)
    yield
    management.disable_region(RegionName=OPT_IN)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ec2", "describe_instances", "AuthFailure"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("sns", "list_topics", "InvalidClientTokenId"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
        ("sts", "get_caller_identity", "RegionDisabledException"),
    ],
)
def test_a_region_refuses_an_account_that_has_not_opted_into_it(
    client: Client, target: Any, service: str, operation: str, code: str
) -> None:
    assert code_of(getattr(client(service, target, region_name=OPT_IN), operation)) == code
    assert getattr(client(service, target, region_name="eu-west-1"), operation)()


def test_a_region_serves_an_account_that_has_opted_into_it(client: Client, target: Any, opted_in: None) -> None:
    assert client("sns", target, region_name=OPT_IN).list_topics()["Topics"] == []
    assert client("sts", target, region_name=OPT_IN).get_caller_identity()["Account"] == TARGET
    assert code_of(client("sns", region_name=OPT_IN).list_topics) == "InvalidClientTokenId"


def test_global_services_serve_clients_of_every_region(client: Client, target: Any) -> None:
    assert client("iam", target, region_name=OPT_IN).list_roles()["Roles"]
    assert client("organizations", target, region_name=OPT_IN).describe_organization()["Organization"]


@pytest.mark.parametrize("service", ["ec2", "iam", "lambda", "s3", "sts"])
def test_a_region_that_does_not_exist_is_refused(client: Client, service: str) -> None:
    operation = {
        "ec2": "describe_instances",
        "iam": "list_roles",
        "lambda": "list_functions",
        "s3": "list_buckets",
        "sts": "get_caller_identity",
    }[service]
    error = error_of(getattr(client(service, region_name="us-nowhere-1"), operation))
    assert error["Message"] == "Credential should be scoped to a valid region."


def test_another_partition_does_not_know_the_account(client: Client) -> None:
    for service, operation in (("iam", "list_roles"), ("sts", "get_caller_identity")):
        assert code_of(getattr(client(service, region_name="cn-north-1"), operation)) == "InvalidClientTokenId"


def test_a_role_gets_no_session_where_its_account_has_not_opted_in(client: Client) -> None:
    hub = client("account")
    hub.enable_region(RegionName=OPT_IN)
    role = f"arn:aws:iam::{TARGET}:role/OrganizationAccountAccessRole"
    assume = client("sts", region_name=OPT_IN).assume_role
    assert code_of(assume, RoleArn=role, RoleSessionName="tests") == "RegionDisabledException"
    hub.disable_region(RegionName=OPT_IN)


def test_the_list_of_regions_has_the_enabled_ones(client: Client, target: Any, opted_in: None) -> None:
    def listed(credentials: Any, **parameters: Any) -> dict[str, str]:
        regions = client("ec2", credentials).describe_regions(**parameters)["Regions"]
        return {region["RegionName"]: region["OptInStatus"] for region in regions}

    own = listed(target)
    assert own.pop(OPT_IN) == "opted-in"
    assert listed(None) == own
    assert {"us-east-1", "eu-north-1"} <= own.keys()
    assert set(own.values()) == {"opt-in-not-required"}
    every = listed(None, AllRegions=True)
    assert every["eu-south-1"] == every[OPT_IN] == "not-opted-in"
    assert listed(None, RegionNames=[OPT_IN]) == {OPT_IN: "not-opted-in"}
    opted = {"Name": "opt-in-status", "Values": ["opted-in"]}
    assert listed(target, AllRegions=True, Filters=[opted]) == {OPT_IN: "opted-in"}
    assert code_of(client("ec2").describe_regions, RegionNames=["us-nowhere-1"]) == "InvalidParameterValue"


def test_account_management_tells_which_regions_are_enabled(client: Client, target: Any, opted_in: None) -> None:
    management = client("account", target)
    listed = {region["RegionName"]: region["RegionOptStatus"] for region in management.list_regions()["Regions"]}
    assert (listed["us-east-1"], listed[OPT_IN], listed["me-south-1"]) == ("ENABLED_BY_DEFAULT", "ENABLED", "DISABLED")
    assert management.get_region_opt_status(RegionName=OPT_IN)["RegionOptStatus"] == "ENABLED"
    enabled = management.list_regions(RegionOptStatusContains=["ENABLED"])["Regions"]
    assert enabled == [{"RegionName": OPT_IN, "RegionOptStatus": "ENABLED"}]


@pytest.mark.parametrize("region", ["us-east-1", "us-nowhere-1"])
def test_only_an_opt_in_region_can_be_enabled_and_disabled(client: Client, target: Any, region: str) -> None:
    management = client("account", target)
    assert code_of(management.enable_region, RegionName=region) == "ValidationException"
    assert code_of(management.disable_region, RegionName=region) == "ValidationException"


def test_the_management_account_enables_regions_of_members(client: Client, target: Any) -> None:
    organizations, management = client("organizations"), client("account")
    ask = {"AccountId": TARGET, "RegionName": "ca-west-1"}
    assert code_of(management.enable_region, **ask) == "AccessDeniedException"
    organizations.enable_aws_service_access(ServicePrincipal=ACCOUNT_MANAGEMENT)
    management.enable_region(**ask)
    assert client("account", target).get_region_opt_status(RegionName="ca-west-1")["RegionOptStatus"] == "ENABLED"
    management.disable_region(**ask)
    assert code_of(management.enable_region, **{**ask, "AccountId": HUB}) == "AccessDeniedException"
    other = client("account", target)
    assert code_of(other.enable_region, **{**ask, "AccountId": TARGETS[1].id}) == "AccessDeniedException"
    organizations.disable_aws_service_access(ServicePrincipal=ACCOUNT_MANAGEMENT)


def test_a_member_does_not_reach_the_contacts_of_another_account(client: Client, target: Any) -> None:
    contact = {"EmailAddress": "a@sandbox.invalid", "Name": "name", "PhoneNumber": "1", "Title": "title"}
    asked = {"AlternateContactType": "SECURITY", **contact}
    management = client("account", target)
    assert code_of(management.put_alternate_contact, AccountId=TARGETS[1].id, **asked) == "AccessDeniedException"
    management.put_alternate_contact(**asked)
    found = management.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    assert found["EmailAddress"] == contact["EmailAddress"]


@pytest.mark.parametrize("region", [OPT_IN, "us-nowhere-1"])
def test_a_bucket_is_not_made_in_a_region_that_is_not_enabled(client: Client, target: Any, region: str) -> None:
    asked = {"Bucket": "not-made-anywhere", "CreateBucketConfiguration": {"LocationConstraint": region}}
    assert code_of(client("s3", target).create_bucket, **asked) == "InvalidLocationConstraint"


def test_an_account_has_no_images_or_snapshots_of_others(client: Client, target: Any) -> None:
    ec2 = client("ec2", target)
    found = [*ec2.describe_images()["Images"], *ec2.describe_snapshots()["Snapshots"]]
    assert {one["OwnerId"] for one in found} <= {TARGETS[0].id}


def test_ec2_refuses_in_its_own_words(client: Client, hub_session: Any) -> None:
    session = hub_session()
    denied = error_of(client("ec2", session).describe_instances)
    assert denied["Code"] == "UnauthorizedOperation"
    assert denied["Message"].startswith("You are not authorized to perform this operation. User: arn:aws:sts::")
    assert "is not authorized to perform: ec2:DescribeInstances on resource: " in denied["Message"]
    unknown = {**session, "AccessKeyId": "ASIAAAAAAAAAAAAAAAAA"}
    wrong = {**session, "SecretAccessKey": "wrong"}
    for credentials in (unknown, wrong):
        assert code_of(client("ec2", credentials).describe_instances) == "AuthFailure"
