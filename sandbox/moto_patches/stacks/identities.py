"""CloudFormation: a template's roles, users, groups and managed policies are as it says, and go with their stack.

Everything here can go when moto follows the template.
"""

import json
from typing import Any

from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import Group, ManagedPolicy, Role, User, iam_backends

from sandbox.callers import PARTITION
from sandbox.moto_patches.stacks.reading import as_json
from sandbox.moto_patches.stacks.resource import Properties


def follow_templates_of_principals() -> None:
    # moto does not know groups. Its users of a stack lose all that allows or restricts them, its roles lose their
    # ManagedPolicyArns, and an update changes nothing that decides.
    def create_group(
        _cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, _region: str, **_: Any
    ) -> Any:
        path = cloudformation_json["Properties"].get("Path", "/")
        return iam_backends[account_id][PARTITION].create_group(resource_name, path)

    def delete_group(_cls: Any, resource_name: str, _json: Any, account_id: str, _region: str) -> None:
        iam_backends[account_id][PARTITION].delete_group(resource_name)

    group: Any = Group
    group.create_from_cloudformation_json = classmethod(create_group)
    group.delete_from_cloudformation_json = classmethod(delete_group)
    group.get_cfn_attribute = lambda self, name: getattr(self, name.lower())
    group.physical_resource_id = property(lambda self: self.name)
    group.is_created = lambda self: True
    get_model_map()["AWS::IAM::Group"] = group
    get_name_type_map()["AWS::IAM::Group"] = "GroupName"
    for model, replaced_by in ((Role, "RoleName Path"), (User, "UserName"), (Group, "GroupName")):
        _follow_principal(model, replaced_by.split())


def _follow_principal(model: Any, replaced_by: list[str]) -> None:
    original_create, original_delete = model.create_from_cloudformation_json, model.delete_from_cloudformation_json

    def create(_cls: Any, name: str, template: Any, account_id: str, region_name: str, **kwargs: Any) -> Any:
        properties = template["Properties"]
        without_policies = {**template, "Properties": {**properties, "Policies": []}}
        principal = original_create(name, without_policies, account_id, region_name, **kwargs)
        try:
            _apply(principal, properties)
        except Exception:  # of a policy that is not there: the stack does not know the principal yet
            principal.delete(account_id, region_name)
            raise
        return principal

    def update(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, **place: str) -> Any:
        old, properties = original_resource.template, cloudformation_json["Properties"]
        if any(_differs(key, old, properties) for key in replaced_by):
            replacement = cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, *place.values())
            original_resource.delete(*place.values())
            return replacement
        if old != properties:
            original_resource.path = properties.get("Path", "/")
            _apply(original_resource, properties)
        return original_resource

    def delete(self: Any, account_id: str, region_name: str) -> None:
        self.policies.clear()
        for policy in list(self.managed_policies.values()):
            policy.detach_from(self)
        for group in iam_backends[account_id][PARTITION].groups.values():
            group.users = [user for user in group.users if user is not self]
        original_delete(self.name, {}, account_id, region_name)

    model.create_from_cloudformation_json = classmethod(create)
    model.update_from_cloudformation_json = classmethod(update)
    model.delete = delete


def _apply(principal: Any, properties: Properties) -> None:
    """What decides; what came to the principal otherwise remains."""
    iam = iam_backends[principal.account_id][PARTITION]
    old = vars(principal).get("template", {})
    attached = [iam.get_policy(arn) for arn in properties.get("ManagedPolicyArns", [])]
    inline = {one["PolicyName"]: as_json(one["PolicyDocument"]) for one in properties.get("Policies", [])}
    for one in old.get("Policies", []):
        principal.policies.pop(one["PolicyName"], None)
    principal.policies.update(inline)
    for arn in {*old.get("ManagedPolicyArns", [])} & {*principal.managed_policies} - {one.arn for one in attached}:
        principal.managed_policies[arn].detach_from(principal)
    for policy in attached:
        if policy.arn not in principal.managed_policies:
            policy.attach_to(principal)
    if old.get("PermissionsBoundary") != properties.get("PermissionsBoundary"):
        principal.permissions_boundary_arn = properties.get("PermissionsBoundary")
    gone, tags = {tag["Key"] for tag in old.get("Tags", [])}, properties.get("Tags", [])
    if isinstance(principal, User):
        iam.tagger.untag_resource_using_names(principal.arn, list(gone))
        iam.tagger.tag_resource(principal.arn, tags)
        for name in {*old.get("Groups", [])} & {group.name for group in iam.get_groups_for_user(principal.name)}:
            iam.remove_user_from_group(name, principal.name)
        for name in properties.get("Groups", []):
            iam.add_user_to_group(name, principal.name)
    if isinstance(principal, Role):
        principal.assume_role_policy_document = as_json(properties["AssumeRolePolicyDocument"])
        principal.description = properties.get("Description", "")
        principal.max_session_duration = properties.get("MaxSessionDuration", 3600)
        gone |= {tag["Key"] for tag in tags}
        principal.tags = [tag for tag in principal.tags if tag["Key"] not in gone] + tags
    principal.template = properties


def follow_templates_of_managed_policies() -> None:
    # moto's managed policies of a stack never change, and remain when it is deleted.
    policies: Any = ManagedPolicy
    original_create = policies.create_from_cloudformation_json

    def create(_cls: Any, name: str, template: Any, *place: str, **kwargs: Any) -> Any:
        properties = template["Properties"]
        document = json.loads(as_json(properties["PolicyDocument"]))
        unattached = {**properties, "PolicyDocument": document, "Roles": [], "Users": [], "Groups": []}
        policy = original_create(name, {**template, "Properties": unattached}, *place, **kwargs)
        _attach(policy, properties)
        return policy

    def update(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, **place: str) -> Any:
        old, properties = original_resource.template, cloudformation_json["Properties"]
        if any(_differs(key, old, properties) for key in ("ManagedPolicyName", "Path", "Description")):
            replacement = cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, *place.values())
            original_resource.delete(*place.values())
            return replacement
        default = next(version for version in original_resource.versions if version.is_default)
        default.document = as_json(properties["PolicyDocument"])
        _attach(original_resource, properties)
        return original_resource

    def delete(self: Any, account_id: str, region_name: str) -> None:
        _attach(self, {})
        for principal in _principals(account_id):
            of_template = vars(principal).get("template", {}).get("ManagedPolicyArns", [])
            if self.arn in of_template and self.arn in principal.managed_policies:
                self.detach_from(principal)
        if self.attachment_count:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        iam_backends[account_id][PARTITION].delete_policy(self.arn)

    policies.create_from_cloudformation_json = classmethod(create)
    policies.update_from_cloudformation_json = classmethod(update)
    policies.delete = delete


def _attach(policy: Any, properties: Properties) -> None:
    old, policy.template = vars(policy).get("template", {}), properties
    for principal in _principals(policy.account_id):
        key = f"{type(principal).__name__}s"
        is_attached, is_wanted = policy.arn in principal.managed_policies, principal.name in properties.get(key, [])
        if is_wanted and not is_attached:
            policy.attach_to(principal)
        if is_attached and not is_wanted and principal.name in old.get(key, []):
            policy.detach_from(principal)


def _differs(key: str, old: Properties, new: Properties) -> bool:
    default = "/" if key == "Path" else ""
    return bool(old.get(key, default) != new.get(key, default))


def _principals(account: str) -> list[Any]:
    iam = iam_backends[account][PARTITION]
    return [*iam.roles.values(), *iam.users.values(), *iam.groups.values()]
