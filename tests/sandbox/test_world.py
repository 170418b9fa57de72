"""The accounts and permissions of a new sandbox."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import Box, regions
from sandbox.accounts import CREDENTIALS, HUB, TARGETS, generated_targets
from sandbox.functions.environment import runtime_name
from sandbox.inventory.compute import INVENTORY, Function, Instance, Volume

from .conftest import Client, document, zipped

GOOD = [target for target in TARGETS if target.external_id == "sandbox-external-id"]
TRUST_LAMBDA = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


@pytest.fixture(scope="module")
def inside(client: Client) -> Any:
    """Credentials of external-role in an account, for these actions or for all that the role may do."""

    def assume(account: str, *actions: str) -> Any:
        policy = document({"Effect": "Allow", "Action": actions, "Resource": "*"})
        return client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/external-role",
            RoleSessionName="tests",
            ExternalId="sandbox-external-id",
            **({"Policy": policy} if actions else {}),
        )["Credentials"]

    return assume


def code_of(raised: Any) -> str:
    return raised.value.response["Error"]["Code"]


def test_the_organization_lists_the_hub_and_every_target(client: Client) -> None:
    pages = client("organizations").get_paginator("list_accounts").paginate()
    listed = {(account["Id"], account["Name"]) for page in pages for account in page["Accounts"]}
    assert {(HUB, "hub"), *((target.id, target.name) for target in TARGETS)} <= listed  # other tests have their own


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_each_target_is_in_its_unit_and_has_its_tags(target: Any, client: Client) -> None:
    organizations = client("organizations")
    node = organizations.list_roots()["Roots"][0]["Id"]
    for name in target.unit.split("/"):
        units = organizations.list_organizational_units_for_parent(ParentId=node)["OrganizationalUnits"]
        (node,) = (unit["Id"] for unit in units if unit["Name"] == name)
    assert target.id in [account["Id"] for account in organizations.list_accounts_for_parent(ParentId=node)["Accounts"]]
    tags = organizations.list_tags_for_resource(ResourceId=target.id)["Tags"]
    assert tuple((tag["Key"], tag["Value"]) for tag in tags) == target.tags


@pytest.mark.parametrize("target", GOOD, ids=lambda target: target.name)
def test_each_target_shows_its_own_buckets_and_alias(target: Any, client: Client, inside: Any) -> None:
    credentials = inside(target.id)
    names = [bucket["Name"] for bucket in client("s3", credentials).list_buckets()["Buckets"]]
    assert names == list(target.buckets)
    assert client("iam", credentials).list_account_aliases()["AccountAliases"] == [target.name]


def test_the_target_role_allows_exactly_what_its_template_says(client: Client, inside: Any) -> None:
    credentials = inside("345678901234")
    assert client("bedrock", credentials).list_foundation_models()["modelSummaries"]
    with pytest.raises(ClientError) as raised:
        client("s3", credentials).list_objects_v2(Bucket="analytics-events")
    assert code_of(raised) == "AccessDenied"
    with pytest.raises(ClientError) as raised:
        client("lambda", credentials).list_functions()
    assert code_of(raised) == "AccessDeniedException"
    assert "is not authorized to perform: lambda:ListFunctions" in str(raised.value)
    with pytest.raises(ClientError) as raised:
        client("bedrock-runtime", credentials).converse(modelId="amazon.nova-lite-v1:0", messages=[])
    assert code_of(raised) == "AccessDeniedException"


@pytest.mark.parametrize("place", INVENTORY, ids="-".join)
def test_each_target_holds_its_instances_volumes_and_functions(place: Any, client: Client, administrator: Any) -> None:
    account, region = place
    ec2, functions = (client(name, administrator(account), region_name=region) for name in ("ec2", "lambda"))
    reservations = ec2.describe_instances()["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    roots = {one["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]: one for one in instances}
    volumes = {volume["VolumeId"]: volume for volume in ec2.describe_volumes()["Volumes"]}
    found = [
        Instance(name_of(one), one["InstanceType"], one["State"]["Name"] == "running", volumes[root]["Encrypted"])
        for root, one in roots.items()
    ]
    found += [Volume(name_of(v), v["Size"], v["Encrypted"]) for id, v in volumes.items() if id not in roots]
    found += [Function(one["FunctionName"], one["Runtime"]) for one in functions.list_functions()["Functions"]]
    assert set(found) == set(INVENTORY[place])


def name_of(thing: Any) -> str:
    (tag,) = thing["Tags"]
    return str(tag["Value"])


@pytest.mark.parametrize("target", GOOD, ids=lambda target: target.name)
def test_only_a_target_with_view_only_access_lists_them(target: Any, client: Client, inside: Any) -> None:
    ec2 = client("ec2", inside(target.id))
    if target.managed_policies:
        assert ec2.describe_instances()["Reservations"]
    else:
        with pytest.raises(ClientError) as raised:
            ec2.describe_instances()
        assert code_of(raised) == "UnauthorizedOperation"


@pytest.mark.parametrize("target", GOOD[:2], ids=lambda target: target.name)
def test_a_session_for_the_list_of_regions_gets_it_and_nothing_else(target: Any, client: Client, inside: Any) -> None:
    ec2 = client("ec2", inside(target.id, "ec2:DescribeRegions"))
    enabled = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    assert enabled == {*regions.BY_DEFAULT, *target.regions}
    everything = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert everything.keys() == {*regions.ALL}
    assert {name for name, status in everything.items() if status == "opted-in"} == {*target.regions}
    with pytest.raises(ClientError) as raised:
        ec2.describe_instances()
    assert code_of(raised) == "UnauthorizedOperation"
    assert str(raised.value).endswith("because no session policy allows the ec2:DescribeInstances action")


def test_the_response_of_bedrock_names_the_account(client: Client, administrator: Any) -> None:
    bedrock = client("bedrock-runtime", administrator("345678901234"))
    message = {"role": "user", "content": [{"text": "Hello there"}]}
    response = bedrock.converse(modelId="amazon.nova-lite-v1:0", messages=[message])
    text = response["output"]["message"]["content"][0]["text"]
    assert "account 345678901234" in text
    assert "Hello there" in text
    with pytest.raises(ClientError) as raised:
        bedrock.converse(modelId="no.such-model", messages=[message])
    assert code_of(raised) == "ValidationException"


@pytest.fixture(scope="module")
def report_role(client: Client) -> str:
    role = client("iam").create_role(RoleName="billing-report", AssumeRolePolicyDocument=TRUST_LAMBDA)
    return str(role["Role"]["Arn"])


def create_function(client: Client, role: str, name: str, tags: dict[str, str] | None = None) -> Any:
    return client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Runtime=runtime_name(),
        Handler="app.handler",
        Code={"ZipFile": zipped(app="def handler(event, context): return 'reported'")},
        Tags=tags or {},
    )


def test_the_developer_deploys_and_invokes_a_function_of_any_name(client: Client, report_role: str) -> None:
    create_function(client, report_role, "billing-report")
    response = client("lambda").invoke(FunctionName="billing-report", Payload="{}")
    assert json.load(response["Payload"]) == "reported"
    layer = client("lambda").publish_layer_version(LayerName="billing", Content={"ZipFile": zipped(python__x="")})
    assert layer["Version"] == 1


@pytest.mark.parametrize("name", ["cross-account-dev", "cross-account-dev-sweep", "cross-account-prod-sweep"])
def test_the_names_of_this_apps_other_stages_cannot_be_deployed(client: Client, report_role: str, name: str) -> None:
    with pytest.raises(ClientError) as raised:
        client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
    assert code_of(raised) == "AccessDenied"
    assert str(raised.value).endswith("with an explicit deny in an identity-based policy")
    with pytest.raises(ClientError) as raised:
        create_function(client, report_role, name)
    assert code_of(raised) == "AccessDeniedException"
    with pytest.raises(ClientError) as raised:
        client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": b"x"})
    assert code_of(raised) == "AccessDeniedException"


@pytest.mark.parametrize("name", ["cross-account-sandbox-stage", "cross-account-devices"])
def test_names_that_only_resemble_another_stage_are_allowed(client: Client, name: str) -> None:
    assert client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)


def test_another_chalice_app_is_deployed_in_the_sandbox_stage_only(client: Client, report_role: str) -> None:
    with pytest.raises(ClientError) as raised:
        create_function(client, report_role, "billing-dev", {"aws-chalice": "version=1.34.0:stage=dev:app=billing"})
    assert code_of(raised) == "AccessDeniedException"
    assert "with an explicit deny" in str(raised.value)
    sandbox_stage = {"aws-chalice": "version=1.34.0:stage=sandbox:app=billing"}
    assert create_function(client, report_role, "billing-sandbox", sandbox_stage)


def test_a_function_with_tags_of_other_tools_is_deployed(client: Client, report_role: str) -> None:
    assert create_function(client, report_role, "billing-tagged", {"team": "billing", "stage": "dev"})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"AccessKeyId": "ASIAXXXXXXXXXXXXXXXX"}, "UnrecognizedClientException"),
        ({"SessionToken": "another"}, "UnrecognizedClientException"),
        ({"SecretAccessKey": "another"}, "InvalidSignatureException"),
    ],
)
def test_credentials_must_be_right(box: Box, client: Client, changed: dict[str, str], code: str) -> None:
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    credentials = {ours: box.environment[theirs] for ours, theirs in zip(names, CREDENTIALS, strict=True)}
    with pytest.raises(ClientError) as raised:
        client("lambda", {**credentials, **changed}).list_functions()
    assert code_of(raised) == code


def test_generated_accounts_are_distinct_and_numbered() -> None:
    targets = generated_targets(1000)
    assert len({target.id for target in targets}) == len({target.buckets for target in targets}) == 1000
    assert all(len(target.id) == 12 for target in targets)
