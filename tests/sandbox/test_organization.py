"""Organizations: the policies above an account, who may ask for what, and what AWS refuses to change."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.organizations.models import organizations_backends

from sandbox import organization
from sandbox.accounts import HUB
from sandbox.organization import RCP, SCP

from .conftest import Client, document

EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
NO_QUEUES = document({"Effect": "Deny", "Action": "sqs:*", "Resource": "*"})
NOT_FROM_OUTSIDE = document({"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"})
FULL, RCP_FULL = "p-FullAWSAccess", "p-RCPFullAWSAccess"


def error_of(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    response: dict[str, Any] = raised.value.response
    return response


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    return str(error_of(call, **parameters)["Error"]["Code"])


class Organization:
    """moto's own, in this process, with both types of policies: root, unit, unit below it, account."""

    def __init__(self) -> None:
        self.management = str(uuid.uuid4().int)[:12]
        self.moto = organizations_backends[self.management]["aws"]
        self.moto.create_organization("us-east-1", FeatureSet="ALL")
        self.root = self.moto.list_roots()["Roots"][0]["Id"]
        for kind in (SCP, RCP):
            self.moto.enable_policy_type(RootId=self.root, PolicyType=kind)
        self.upper = self.unit("upper", self.root)
        self.lower = self.unit("lower", self.upper)
        self.account = self.moto.create_account(AccountName="a", Email="a@b.co")["CreateAccountStatus"]["AccountId"]
        self.move(self.root, self.lower)

    def unit(self, name: str, parent: str) -> str:
        return str(self.moto.create_organizational_unit(Name=name, ParentId=parent)["OrganizationalUnit"]["Id"])

    def move(self, source: str, destination: str) -> None:
        self.moto.move_account(AccountId=self.account, SourceParentId=source, DestinationParentId=destination)

    def policy(self, kind: str, content: str) -> str:
        made = self.moto.create_policy(Name=str(uuid.uuid4()), Description="", Type=kind, Content=content)
        return str(made["Policy"]["PolicySummary"]["Id"])

    def attach(self, kind: str, content: str, target: str) -> str:
        policy = self.policy(kind, content)
        self.moto.attach_policy(PolicyId=policy, TargetId=target)
        return policy


@pytest.fixture
def own() -> Organization:
    return Organization()


def test_every_level_above_an_account_has_its_policies_root_first(own: Organization) -> None:
    own.attach(SCP, NO_QUEUES, own.upper)
    own.attach(RCP, NOT_FROM_OUTSIDE, own.account)
    scps, rcps = organization.controls(own.account)
    levels = [own.root, own.upper, own.lower, own.account]
    assert [level["orgIdentifier"] for level in scps] == [level["orgIdentifier"] for level in rcps] == levels
    assert [level["policies"][1:] for level in scps] == [[], [NO_QUEUES], [], []]
    assert [level["policies"][1:] for level in rcps] == [[], [], [], [NOT_FROM_OUTSIDE]]
    assert json.loads(scps[0]["policies"][0]) == json.loads(EVERYTHING)


def test_a_change_of_a_policy_holds_at_once(own: Organization) -> None:
    policy = own.attach(SCP, NO_QUEUES, own.lower)
    assert organization.controls(own.account)[0][2]["policies"][1:] == [NO_QUEUES]
    own.moto.update_policy(PolicyId=policy, Content=EVERYTHING)
    assert organization.controls(own.account)[0][2]["policies"][1:] == [EVERYTHING]
    own.moto.detach_policy(PolicyId=policy, TargetId=own.lower)
    assert organization.controls(own.account)[0][2]["policies"][1:] == []
    own.moto.disable_policy_type(RootId=own.root, PolicyType=SCP)
    scps, rcps = organization.controls(own.account)
    assert not scps
    assert len(rcps) == 4


def test_an_account_that_moves_leaves_the_policies_of_its_unit_behind(own: Organization) -> None:
    own.attach(SCP, NO_QUEUES, own.lower)
    own.move(own.lower, own.upper)
    scps, _ = organization.controls(own.account)
    assert [level["orgIdentifier"] for level in scps] == [own.root, own.upper, own.account]
    assert not any(NO_QUEUES in level["policies"] for level in scps)
    assert organization.path_of(own.account) == f"{own.moto.org.id}/{own.root}/{own.upper}/"


def test_no_policy_rules_the_management_account(own: Organization) -> None:
    own.attach(SCP, NO_QUEUES, own.root)
    assert organization.controls(own.management) == ([], [])
    assert organization.path_of(own.management) == f"{own.moto.org.id}/{own.root}/"


def test_an_account_outside_has_neither_policies_nor_a_path(own: Organization) -> None:
    own.moto.remove_account_from_organization(AccountId=own.account)
    for account in (own.account, "999999999999"):
        assert organization.controls(account) == ([], [])
        assert organization.id_of(account) is None
        assert organization.path_of(account) is None
    assert "999999999999" not in organizations_backends


def test_the_path_of_an_account_names_every_unit(own: Organization) -> None:
    assert organization.id_of(own.account) == own.moto.org.id
    assert organization.path_of(own.account) == f"{own.moto.org.id}/{own.root}/{own.upper}/{own.lower}/"


@pytest.fixture(scope="module")
def manager(client: Client) -> Any:
    return client("organizations")


@pytest.fixture(scope="module")
def root(manager: Any) -> str:
    return str(manager.list_roots()["Roots"][0]["Id"])


@pytest.fixture(scope="module")
def unit(manager: Any, root: str) -> Iterator[str]:
    made = manager.create_organizational_unit(ParentId=root, Name="test_organization")["OrganizationalUnit"]["Id"]
    yield made
    manager.delete_organizational_unit(OrganizationalUnitId=made)


@pytest.fixture(scope="module")
def account(manager: Any, root: str, unit: str) -> Iterator[str]:
    """A new account in the unit."""
    made = manager.create_account(AccountName="new", Email="new@sandbox.invalid")["CreateAccountStatus"]["AccountId"]
    manager.move_account(AccountId=made, SourceParentId=root, DestinationParentId=unit)
    yield made
    manager.remove_account_from_organization(AccountId=made)


@pytest.fixture(scope="module")
def member(client: Client, administrator: Any, account: str) -> Any:
    return client("organizations", administrator(account))


@pytest.fixture
def rcps(manager: Any, root: str) -> Iterator[None]:
    manager.enable_policy_type(RootId=root, PolicyType=RCP)
    yield
    manager.disable_policy_type(RootId=root, PolicyType=RCP)


def attached(manager: Any, target: str, kind: str = SCP) -> list[str]:
    return [policy["Id"] for policy in manager.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]]


@pytest.fixture
def policy(manager: Any) -> Iterator[str]:
    made = manager.create_policy(Name=str(uuid.uuid4()), Description="", Type=SCP, Content=NO_QUEUES)
    identifier = made["Policy"]["PolicySummary"]["Id"]
    yield identifier
    for target in manager.list_targets_for_policy(PolicyId=identifier)["Targets"]:
        manager.detach_policy(PolicyId=identifier, TargetId=target["TargetId"])
    manager.delete_policy(PolicyId=identifier)


def test_service_control_policies_are_enabled_from_the_start(manager: Any, root: str, unit: str, account: str) -> None:
    assert manager.list_roots()["Roots"][0]["PolicyTypes"] == [{"Type": SCP, "Status": "ENABLED"}]
    assert [attached(manager, target) for target in (root, unit, account, HUB)] == [[FULL]] * 4
    assert code_of(manager.enable_policy_type, RootId=root, PolicyType=SCP) == "PolicyTypeAlreadyEnabledException"


def test_the_last_service_control_policy_stays(manager: Any, account: str, policy: str) -> None:
    error = error_of(manager.detach_policy, PolicyId=FULL, TargetId=account)
    assert error["Error"]["Code"] == "ConstraintViolationException"
    assert error["Reason"] == "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    manager.attach_policy(PolicyId=policy, TargetId=account)
    manager.detach_policy(PolicyId=FULL, TargetId=account)
    assert attached(manager, account) == [policy]
    manager.attach_policy(PolicyId=FULL, TargetId=account)


def test_a_policy_is_attached_once_and_detached_once(manager: Any, account: str, policy: str) -> None:
    manager.attach_policy(PolicyId=policy, TargetId=account)
    again = code_of(manager.attach_policy, PolicyId=policy, TargetId=account)
    manager.detach_policy(PolicyId=policy, TargetId=account)
    assert again == "DuplicatePolicyAttachmentException"
    assert code_of(manager.detach_policy, PolicyId=policy, TargetId=account) == "PolicyNotAttachedException"


def test_a_policy_needs_a_target_that_exists(manager: Any, policy: str) -> None:
    for target in ("ou-0000-00000000", "999999999999"):
        for call in (manager.attach_policy, manager.detach_policy):
            assert code_of(call, PolicyId=policy, TargetId=target) == "TargetNotFoundException"


def test_resource_control_policies_attach_when_they_are_enabled(manager: Any, account: str, rcps: None) -> None:
    assert attached(manager, account, RCP) == [RCP_FULL]
    assert code_of(manager.detach_policy, PolicyId=RCP_FULL, TargetId=account) == "ConstraintViolationException"


def test_resource_control_policies_detach_when_they_are_disabled(manager: Any, root: str, account: str) -> None:
    manager.enable_policy_type(RootId=root, PolicyType=RCP)
    manager.disable_policy_type(RootId=root, PolicyType=RCP)
    assert attached(manager, account, RCP) == []
    assert code_of(manager.attach_policy, PolicyId=RCP_FULL, TargetId=account) == "PolicyTypeNotEnabledException"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (SCP, "no JSON"),
        (SCP, "[]"),
        (SCP, '{"Statement": []}'),
        (SCP, '{"Statement": ["Deny"]}'),
        (SCP, document({"Effect": "Never", "Action": "*", "Resource": "*"})),
        (SCP, document({"Effect": "Deny", "Resource": "*"})),
        (SCP, document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})),
        (RCP, document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})),
        (RCP, document({"Effect": "Deny", "Principal": {"AWS": HUB}, "Action": "*", "Resource": "*"})),
        (RCP, document({"Effect": "Deny", "Principal": "*", "NotAction": "sts:*", "Resource": "*"})),
    ],
)
def test_what_is_not_such_a_policy_is_refused(manager: Any, policy: str, kind: str, content: str) -> None:
    made = {"Name": "malformed", "Description": "", "Type": kind, "Content": content}
    assert code_of(manager.create_policy, **made) == "MalformedPolicyDocumentException"
    if kind == SCP:
        assert code_of(manager.update_policy, PolicyId=policy, Content=content) == "MalformedPolicyDocumentException"


def test_the_policies_of_aws_stay_as_they_are(manager: Any) -> None:
    assert error_of(manager.update_policy, PolicyId=FULL, Content=NO_QUEUES)["Reason"] == "IMMUTABLE_POLICY"
    assert code_of(manager.delete_policy, PolicyId=RCP_FULL) == "InvalidInputException"


def test_units_are_made_below_a_parent_and_deleted_when_they_are_empty(manager: Any, unit: str, account: str) -> None:
    make, delete = manager.create_organizational_unit, manager.delete_organizational_unit
    below = make(ParentId=unit, Name="below")["OrganizationalUnit"]["Id"]
    assert attached(manager, below) == [FULL]
    assert code_of(make, ParentId=unit, Name="below") == "DuplicateOrganizationalUnitException"
    assert code_of(make, ParentId="ou-0000-00000000", Name="nowhere") == "ParentNotFoundException"
    assert code_of(delete, OrganizationalUnitId=unit) == "OrganizationalUnitNotEmptyException"
    delete(OrganizationalUnitId=below)
    assert below not in [target["TargetId"] for target in manager.list_targets_for_policy(PolicyId=FULL)["Targets"]]


def test_an_account_moves_from_where_it_is(manager: Any, root: str, unit: str, account: str) -> None:
    move = {"AccountId": account, "SourceParentId": root, "DestinationParentId": unit}
    assert code_of(manager.move_account, **move) == "SourceParentNotFoundException"


def test_the_role_of_a_new_account_administers_it(client: Client, administrator: Any, account: str) -> None:
    assert client("iam", administrator(account)).list_roles()["Roles"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("list_accounts", {}),
        ("list_roots", {}),
        ("list_policies", {"Filter": SCP}),
        ("describe_account", {"AccountId": HUB}),
        ("create_policy", {"Name": "mine", "Description": "", "Type": SCP, "Content": NO_QUEUES}),
        ("detach_policy", {"PolicyId": FULL, "TargetId": HUB}),
        ("close_account", {"AccountId": HUB}),
    ],
)
def test_a_member_is_denied(member: Any, operation: str, parameters: dict[str, str]) -> None:
    error = error_of(getattr(member, operation), **parameters)["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"] == "You don't have permissions to access this resource."


def test_a_member_can_describe_its_organization(manager: Any, member: Any) -> None:
    described = [caller.describe_organization()["Organization"] for caller in (manager, member)]
    assert described[0] == described[1]


def test_a_delegated_administrator_reads_and_does_not_write(
    manager: Any, member: Any, account: str, root: str, unit: str
) -> None:
    delegation = {"AccountId": account, "ServicePrincipal": "securityhub.amazonaws.com"}
    manager.register_delegated_administrator(**delegation)
    read = {entry["Id"] for entry in member.list_accounts()["Accounts"]}
    assert read == {entry["Id"] for entry in manager.list_accounts()["Accounts"]}
    assert member.list_roots()["Roots"][0]["Id"] == root
    units = member.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    assert unit in [entry["Id"] for entry in units]
    assert member.list_parents(ChildId=account)["Parents"] == [{"Id": unit, "Type": "ORGANIZATIONAL_UNIT"}]
    assert code_of(member.close_account, AccountId=HUB) == "AccessDeniedException"
    manager.deregister_delegated_administrator(**delegation)
    assert code_of(member.list_accounts) == "AccessDeniedException"


def test_an_account_outside_has_no_organization(client: Client, administrator: Any, manager: Any) -> None:
    made = manager.create_account(AccountName="leaver", Email="l@sandbox.invalid")["CreateAccountStatus"]["AccountId"]
    stranger = client("organizations", administrator(made))
    manager.remove_account_from_organization(AccountId=made)
    assert code_of(stranger.describe_organization) == "AWSOrganizationsNotInUseException"
    assert code_of(stranger.list_accounts) == "AWSOrganizationsNotInUseException"


def test_the_management_account_cannot_be_closed(manager: Any) -> None:
    assert error_of(manager.close_account, AccountId=HUB)["Reason"] == "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"


def test_a_closed_account_can_do_nothing_any_more(client: Client, administrator: Any, manager: Any) -> None:
    made = manager.create_account(AccountName="closed", Email="c@sandbox.invalid")["CreateAccountStatus"]["AccountId"]
    credentials = administrator(made)
    user = client("iam", credentials)
    user.create_user(UserName="user")
    key = user.create_access_key(UserName="user")["AccessKey"]
    keys = {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"], "SessionToken": None}
    assert client("sts", keys).get_caller_identity()["Account"] == made
    manager.close_account(AccountId=made)
    assert manager.describe_account(AccountId=made)["Account"]["Status"] == "SUSPENDED"
    assert code_of(administrator, account=made) == "AccessDenied"
    for signed in (credentials, keys):
        assert code_of(client("sts", signed).get_caller_identity) == "InvalidClientTokenId"
        assert code_of(client("s3", signed).list_buckets) == "InvalidAccessKeyId"
        assert code_of(client("lambda", signed).list_functions) == "UnrecognizedClientException"
    assert code_of(manager.close_account, AccountId=made) == "AccountAlreadyClosedException"
    manager.remove_account_from_organization(AccountId=made)
    assert code_of(client("sts", keys).get_caller_identity) == "InvalidClientTokenId"
