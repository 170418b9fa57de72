"""Organizations: who may ask, which policies are attached where, and what AWS refuses to change."""

import json
from typing import Any

from sandbox import authorization, organization
from sandbox.accounts import ADMINISTRATOR_ROLE
from sandbox.aws_errors import AwsError
from sandbox.organization import RCP, SCP

_READS = ("Describe", "List")


class Violation(AwsError):
    """An error with the reason that some of Organizations' errors have."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(code, message)
        self.Reason = reason


def answer_for_the_organization() -> None:
    # moto answers each account from the account's own state, which in a member is empty: no accounts, or a page with
    # status 500. AWS answers from that of the management account, to it, and reads also to a delegated administrator.
    # Delete this when moto does.
    from moto.organizations.models import organizations_backends
    from moto.organizations.responses import OrganizationsResponse

    def backend(self: Any) -> Any:
        caller = authorization.caller_of(self).account  # current_account may be the owner of what it asks for
        own = organizations_backends[caller][self.partition]
        action = self._get_action()
        managing = organization.managing(caller)
        if action == "CreateOrganization" or (managing is None and action == "DescribeOrganization"):
            return own
        if managing is None:
            raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        delegated = any(admin.account.id == caller for admin in managing.admins)
        if managing is own or action == "DescribeOrganization" or (delegated and action.startswith(_READS)):
            return managing
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")

    OrganizationsResponse.organizations_backend = property(backend)  # type: ignore[assignment, method-assign]


def make_administrators() -> None:
    # The role that moto makes in each new account, for the management account, may do nothing; in AWS it administers
    # that account. Delete this when moto gives it the policy.
    from moto.iam.models import iam_backends
    from moto.organizations.models import OrganizationsBackend

    original_create = OrganizationsBackend.create_account
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

    def create(self: Any, **kwargs: Any) -> Any:
        answer = original_create(self, **kwargs)
        iam = iam_backends[answer["CreateAccountStatus"]["AccountId"]][self.partition]
        iam.put_role_policy(kwargs.get("RoleName", ADMINISTRATOR_ROLE), "AdministratorAccess", json.dumps(policy))
        return answer

    OrganizationsBackend.create_account = create  # type: ignore[method-assign]


def delegate_every_service() -> None:
    # moto lets six services have a delegated administrator; in AWS nearly every trusted service can have one. Delete
    # this when moto's list has account.amazonaws.com and the others.
    from moto.organizations.models import FakeDelegatedAdministrator, FakeServiceAccess

    known = [*FakeDelegatedAdministrator.SUPPORTED_SERVICES, *FakeServiceAccess.TRUSTED_SERVICES]
    FakeDelegatedAdministrator.SUPPORTED_SERVICES = known


def attach_default_policies() -> None:
    # AWS enables SCPs in a new organization with all features. When a type is enabled, it attaches the default policy
    # to the root and to everything below; when it is disabled, it detaches every policy of the type. In moto the types
    # only stand in a list. Delete this when moto attaches and detaches.
    from moto.organizations.models import FakeRoot, OrganizationsBackend
    from moto.organizations.utils import DEFAULT_RCP_POLICY_ID, DEFAULT_SCP_POLICY_ID

    defaults = {SCP: DEFAULT_SCP_POLICY_ID, RCP: DEFAULT_RCP_POLICY_ID}
    original_root, original_attach = FakeRoot.__init__, OrganizationsBackend.attach_policy
    original_enable, original_disable = (
        OrganizationsBackend.enable_policy_type,
        OrganizationsBackend.disable_policy_type,
    )

    def make_root(self: Any, of: Any, **kwargs: Any) -> None:
        original_root(self, of, **kwargs)
        if of.feature_set == "ALL":
            self.add_policy_type(SCP)

    def attach(self: Any, **kwargs: Any) -> None:
        """moto attaches both default policies to each new unit and account with this, enabled or not."""
        if _is_enabled(self, self.get_policy_by_id(kwargs["PolicyId"]).type):
            original_attach(self, **kwargs)

    def enable(self: Any, **kwargs: Any) -> Any:
        answer = original_enable(self, **kwargs)
        if default := defaults.get(kwargs["PolicyType"]):
            for node in (*self.ou, *self.accounts):
                self.attach_policy(PolicyId=default, TargetId=node.id)
        return answer

    def disable(self: Any, **kwargs: Any) -> Any:
        answer = original_disable(self, **kwargs)
        for policy in self.policies:
            if policy.type == kwargs["PolicyType"]:
                _detach_everywhere(policy)
        return answer

    FakeRoot.__init__ = make_root  # type: ignore[method-assign, assignment]
    OrganizationsBackend.attach_policy = attach  # type: ignore[method-assign]
    OrganizationsBackend.enable_policy_type = enable  # type: ignore[method-assign]
    OrganizationsBackend.disable_policy_type = disable  # type: ignore[method-assign]


def refuse_policies_as_aws_does() -> None:
    # moto stores any text as a policy, changes AWS's own ones, and attaches and detaches whatever it is asked to.
    # Delete this when moto checks these.
    from moto.organizations.models import OrganizationsBackend
    from moto.organizations.responses import OrganizationsResponse

    original_create, original_update = OrganizationsBackend.create_policy, OrganizationsBackend.update_policy
    original_delete, original_detach = OrganizationsBackend.delete_policy, OrganizationsBackend.detach_policy

    def create(self: Any, **kwargs: Any) -> Any:
        _check_document(kwargs["Type"], kwargs["Content"])
        return original_create(self, **kwargs)

    def update(self: Any, **kwargs: Any) -> Any:
        policy = _changeable(self, kwargs["PolicyId"])
        if "Content" in kwargs:
            _check_document(policy.type, kwargs["Content"])
        return original_update(self, **kwargs)

    def delete(self: Any, **kwargs: Any) -> None:
        _changeable(self, kwargs["PolicyId"])
        original_delete(self, **kwargs)

    def attach(self: Any) -> str:
        backend, asked = self.organizations_backend, self.request_params
        policy = backend.get_policy_by_id(asked["PolicyId"])
        if not _is_enabled(backend, policy.type):
            message = "This operation can be performed only for enabled policy types."
            raise AwsError("PolicyTypeNotEnabledException", message)
        _check_target(backend, asked["TargetId"])
        if any(node.id == asked["TargetId"] for node in policy.attachments):
            message = "The selected policy is already attached to the specified target."
            raise AwsError("DuplicatePolicyAttachmentException", message)
        backend.attach_policy(**asked)
        return "{}"

    def detach(self: Any, **kwargs: Any) -> None:
        policy = self.get_policy_by_id(kwargs["PolicyId"])
        _check_target(self, kwargs["TargetId"])
        node = next((node for node in policy.attachments if node.id == kwargs["TargetId"]), None)
        if node is None:
            raise AwsError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
        same = [attached for attached in node.attached_policies if attached.type == policy.type]
        if (policy.type == SCP and len(same) == 1) or (policy.type == RCP and policy.aws_managed):
            raise Violation(
                "ConstraintViolationException",
                "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "You cannot remove the last policy attached to the specified target. "
                "You must have at least one attached at all times.",
            )
        original_detach(self, **kwargs)

    OrganizationsBackend.create_policy = create  # type: ignore[method-assign]
    OrganizationsBackend.update_policy = update  # type: ignore[method-assign]
    OrganizationsBackend.delete_policy = delete  # type: ignore[method-assign]
    OrganizationsBackend.detach_policy = detach  # type: ignore[method-assign]
    OrganizationsResponse.attach_policy = attach  # type: ignore[method-assign]


def keep_the_tree_whole() -> None:
    # moto makes a unit below any id, deletes one that is not empty, moves an account from a parent that it lacks, and
    # closes the management account. Delete this when moto refuses.
    from moto.organizations.models import OrganizationsBackend

    original_create = OrganizationsBackend.create_organizational_unit
    original_delete = OrganizationsBackend.delete_organizational_unit
    original_move, original_close = OrganizationsBackend.move_account, OrganizationsBackend.close_account

    def create(self: Any, **kwargs: Any) -> Any:
        self.validate_parent_id(kwargs["ParentId"])
        if any((unit.parent_id, unit.name) == (kwargs["ParentId"], kwargs["Name"]) for unit in self.ou):
            raise AwsError("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
        return original_create(self, **kwargs)

    def delete(self: Any, **kwargs: Any) -> None:
        unit = self.get_organizational_unit_by_id(kwargs["OrganizationalUnitId"])
        if any(node.parent_id == unit.id for node in (*self.ou, *self.accounts)):
            message = "The specified OU is not empty. Move all accounts to another root or to other OUs."
            raise AwsError("OrganizationalUnitNotEmptyException", message)
        original_delete(self, **kwargs)
        for policy in unit.attached_policies:
            policy.attachments.remove(unit)

    def move(self: Any, **kwargs: Any) -> None:
        if self.get_account_by_id(kwargs["AccountId"]).parent_id != kwargs["SourceParentId"]:
            message = "You specified a source root or OU that the account isn't in."
            raise AwsError("SourceParentNotFoundException", message)
        original_move(self, **kwargs)

    def close(self: Any, **kwargs: Any) -> None:
        if kwargs["AccountId"] == self.account_id:
            message = "You can't close the management account."
            raise Violation("ConstraintViolationException", "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", message)
        original_close(self, **kwargs)
        organization.close(kwargs["AccountId"])

    OrganizationsBackend.create_organizational_unit = create  # type: ignore[method-assign]
    OrganizationsBackend.delete_organizational_unit = delete  # type: ignore[method-assign]
    OrganizationsBackend.move_account = move  # type: ignore[method-assign]
    OrganizationsBackend.close_account = close  # type: ignore[method-assign]


def _is_enabled(backend: Any, policy_type: str) -> bool:
    return any(enabled["Type"] == policy_type for enabled in backend.ou[0].policy_types)


def _check_target(backend: Any, target: str) -> None:
    if not any(node.id == target for node in (*backend.ou, *backend.accounts)):
        raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")


def _detach_everywhere(policy: Any) -> None:
    for node in policy.attachments:
        node.attached_policies.remove(policy)
    policy.attachments = []


def _changeable(backend: Any, policy_id: str) -> Any:
    policy = backend.get_policy_by_id(policy_id)
    if policy.aws_managed:
        message = "You specified a policy that is managed by AWS and can't be modified."
        raise Violation("InvalidInputException", "IMMUTABLE_POLICY", message)
    return policy


def _check_document(policy_type: str, content: str) -> None:
    """The elements that each type has, so that every attached document can be judged.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    """
    if policy_type not in (SCP, RCP):
        return
    try:
        statements = json.loads(content)["Statement"]
    except (ValueError, TypeError, KeyError):
        statements = None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements or not all(_is_sound(policy_type, s) for s in statements):
        message = "The provided policy document does not meet the requirements of the specified policy type."
        raise AwsError("MalformedPolicyDocumentException", message)


def _is_sound(policy_type: str, statement: Any) -> bool:
    if not isinstance(statement, dict):
        return False
    if policy_type == SCP:
        principal = "Principal" not in statement and "NotPrincipal" not in statement
        return principal and statement.get("Effect") in ("Allow", "Deny") and _one(statement, "Action")
    denies = statement.get("Effect") == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"})
    return denies and "Action" in statement and _one(statement, "Resource")


def _one(statement: dict[str, Any], element: str) -> bool:
    return (element in statement) != (f"Not{element}" in statement)


def show_trails_to_members() -> None:
    # moto shows an organization's trail to its own account alone, AWS to every member, in each region that it covers.
    # Delete this when moto does.
    from moto.cloudtrail.models import CloudTrailBackend, cloudtrail_backends

    original = CloudTrailBackend.describe_trails

    def describe_trails(self: Any, include_shadow_trails: bool) -> list[Any]:
        own = [*original(self, include_shadow_trails)]
        managing = organization.managing(self.account_id)
        if not include_shadow_trails or managing is None or managing.account_id == self.account_id:
            return own
        of_all = [
            one for backend in cloudtrail_backends[managing.account_id].values() for one in backend.trails.values()
        ]
        shared = [
            one for one in of_all if one.is_org_trail and (one.is_multi_region or one.region_name == self.region_name)
        ]
        return [*own, *shared]

    CloudTrailBackend.describe_trails = describe_trails  # type: ignore[method-assign]
