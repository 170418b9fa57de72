"""CloudFormation: the policies in a template reach what they are for, and change and go with their stack.

moto ignores nearly all of them, so that a Deny would be missed. Everything here can go when moto follows the template.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel

from sandbox.moto_patches.stacks.reading import as_json
from sandbox.moto_patches.stacks.resource import Properties, unless_gone


def apply_resources_that_are_policies() -> None:
    # moto does not know these types, or not how to delete them.
    from moto.cloudformation.parsing import get_model_map

    for name, (service, targets, put) in _KINDS.items():
        of_kind = {"service": service, "targets": targets, "put": staticmethod(put)}
        get_model_map()[name] = type(name, (_PolicyResource,), of_kind)


class _Place(NamedTuple):
    """Where a policy is put: of which property, on what, and under which name if there can be several."""

    property: str
    target: str
    name: str


_Put = Callable[[Any, _Place, str | None], None]


class _PolicyResource(CloudFormationModel):
    """A resource of a stack that is nothing but the policy of one or several others."""

    service: str
    targets: str
    put: _Put

    def __init__(self, name: str, places: set[_Place]) -> None:
        self.physical_resource_id, self.places = name, places

    @classmethod
    def create_from_cloudformation_json(  # type: ignore[override]
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> "_PolicyResource":
        properties = cloudformation_json["Properties"]
        name = next((properties[key] for key in _NAMES if key in properties), resource_name)
        document = next(
            (properties[key] for key in _DOCUMENTS if key in properties), {**properties, "StatementId": name}
        )
        places = {
            _Place(key, target, name)
            for key in cls.targets.split()
            for target in _listed(properties.get(key, _DEFAULTS.get(key, [])))
        }
        for place in places:
            cls.put(cls._backend(account_id, region_name), place, as_json(document))
        return cls(resource_name, places)

    @classmethod
    def update_from_cloudformation_json(  # type: ignore[override]
        cls, original_resource: Any, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> "_PolicyResource":
        name = original_resource.physical_resource_id
        made = cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)
        original_resource.places -= made.places
        original_resource.delete(account_id, region_name)
        return made

    def delete(self, account_id: str, region_name: str) -> None:
        for place in self.places:
            with unless_gone():
                self.put(self._backend(account_id, region_name), place, None)

    @classmethod
    def _backend(cls, account: str, region: str) -> Any:
        backends: Any = get_backend(cls.service)  # type: ignore[call-overload]
        return backends[account]["aws" if cls.service in ("iam", "s3") else region]


_NAMES = ("PolicyName", "StatementId", "GroupName")
_DEFAULTS = {"EventBusName": "default"}
_DOCUMENTS = ("PolicyDocument", "ResourcePolicy", "Statement")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _put_bucket_policy(s3: Any, place: _Place, text: str | None) -> None:
    if text:
        s3.put_bucket_policy(place.target, text.encode())
    else:
        s3.delete_bucket_policy(place.target)


def _put_queue_policy(sqs: Any, place: _Place, text: str | None) -> None:
    sqs.get_queue(place.target.rpartition("/")[2]).policy = text


def _put_topic_policy(sns: Any, place: _Place, text: str | None) -> None:
    topic = sns.get_topic(place.target)
    topic.policy = text or json.dumps(topic._create_default_topic_policy(sns.region_name, sns.account_id, topic.name))


def _put_secret_policy(secretsmanager: Any, place: _Place, text: str | None) -> None:
    secretsmanager.put_resource_policy(place.target, text)


def _put_stream_policy(kinesis: Any, place: _Place, text: str | None) -> None:
    kinesis.resource_policies[place.target] = text


def _put_bus_statement(events: Any, place: _Place, text: str | None) -> None:
    from moto.events.models import EventBusPolicyStatement

    statements = events.describe_event_bus(place.target)._statements
    statements.pop(place.name, None)
    if text:
        statements[place.name] = EventBusPolicyStatement.from_dict({**json.loads(text), "Sid": place.name})


def _put_function_permission(awslambda: Any, place: _Place, text: str | None) -> None:
    _put_permission(awslambda.get_function(place.target).policy, place.name, text)


def _put_layer_permission(awslambda: Any, place: _Place, text: str | None) -> None:
    _put_permission(awslambda.get_layer_version(*place.target.rsplit(":", 2)[1:]).policy, place.name, text)


def _put_permission(policy: Any, statement_id: str, text: str | None) -> None:
    policy.statements = [statement for statement in policy.statements if statement["Sid"] != statement_id]
    if text:
        policy.add_statement(text)


def _put_inline_policy(iam: Any, place: _Place, text: str | None) -> None:
    kind = place.property.removesuffix("Name").removesuffix("s").lower()
    if text:
        getattr(iam, f"put_{kind}_policy")(place.target, place.name, text)
    else:
        getattr(iam, f"delete_{kind}_policy")(place.target, place.name)


def _put_into_group(iam: Any, place: _Place, text: str | None) -> None:
    if text:
        iam.add_user_to_group(place.name, place.target)
    else:
        iam.remove_user_from_group(place.name, place.target)


_KINDS: Mapping[str, tuple[str, str, _Put]] = {
    # the service, the properties that name what the policy is for, and what puts it there, or with None removes it
    "AWS::S3::BucketPolicy": ("s3", "Bucket", _put_bucket_policy),
    "AWS::SQS::QueuePolicy": ("sqs", "Queues", _put_queue_policy),
    "AWS::SQS::QueueInlinePolicy": ("sqs", "Queue", _put_queue_policy),
    "AWS::SNS::TopicPolicy": ("sns", "Topics", _put_topic_policy),
    "AWS::SNS::TopicInlinePolicy": ("sns", "TopicArn", _put_topic_policy),
    "AWS::SecretsManager::ResourcePolicy": ("secretsmanager", "SecretId", _put_secret_policy),
    "AWS::Kinesis::ResourcePolicy": ("kinesis", "ResourceArn", _put_stream_policy),
    "AWS::Events::EventBusPolicy": ("events", "EventBusName", _put_bus_statement),
    "AWS::Lambda::Permission": ("lambda", "FunctionName", _put_function_permission),
    "AWS::Lambda::LayerVersionPermission": ("lambda", "LayerVersionArn", _put_layer_permission),
    "AWS::IAM::Policy": ("iam", "Roles Users Groups", _put_inline_policy),
    "AWS::IAM::RolePolicy": ("iam", "RoleName", _put_inline_policy),
    "AWS::IAM::UserPolicy": ("iam", "UserName", _put_inline_policy),
    "AWS::IAM::GroupPolicy": ("iam", "GroupName", _put_inline_policy),
    "AWS::IAM::UserToGroupAddition": ("iam", "Users", _put_into_group),
}


def apply_policies_among_properties() -> None:
    # moto ignores the policies of tables and repositories, and changes of a key's.
    from moto.dynamodb.models import ResourcePolicy, dynamodb_backends
    from moto.dynamodb.models.table import Table
    from moto.ecr.models import Repository
    from moto.kms.models import Key

    def of_key(key: Any, properties: Properties) -> None:
        key.policy = properties.get("KeyPolicy") or key.generate_default_policy()

    def of_repository(repository: Any, properties: Properties) -> None:
        text = properties.get("RepositoryPolicyText")
        repository.policy = as_json(text) if text else None

    def of_table(table: Any, properties: Properties) -> None:
        policies = dynamodb_backends[table.account_id][table.region_name].resource_policies
        if policy := properties.get("ResourcePolicy"):
            policies[table.table_arn] = ResourcePolicy(table.table_arn, as_json(policy["PolicyDocument"]))
        else:
            policies.pop(table.table_arn, None)

    follow(Key, of_key, "KeyPolicy")
    follow(Repository, of_repository)
    follow(Table, of_table, "ResourcePolicy")


def follow(model: Any, apply: Callable[[Any, Properties], None], *followed: str) -> None:
    """Apply a template's properties also, whenever one of moto's resources is created or updated.

    `followed` are those that `apply` changes, of a resource of which moto has no update.
    """
    original_create, original_update = model.create_from_cloudformation_json, model.update_from_cloudformation_json
    if followed:
        model.followed = followed

    def create(_cls: Any, resource_name: str, cloudformation_json: Any, *args: Any, **kwargs: Any) -> Any:
        properties = _with_text(cloudformation_json["Properties"])
        made = original_create(resource_name, {**cloudformation_json, "Properties": properties}, *args, **kwargs)
        apply(made, properties)
        return made

    def update(_cls: Any, original_resource: Any, cloudformation_json: Any, **kwargs: Any) -> Any:
        arguments = {"original_resource": original_resource, "cloudformation_json": cloudformation_json, **kwargs}
        found = original_update(**arguments) or original_resource  # moto may have no update
        apply(found, _with_text(cloudformation_json["Properties"]))
        return found

    model.create_from_cloudformation_json = classmethod(create)
    model.update_from_cloudformation_json = classmethod(update)


def _with_text(properties: Properties) -> Properties:
    """A key's policy as text, as moto's calls have it."""
    return {**properties, "KeyPolicy": as_json(properties["KeyPolicy"])} if "KeyPolicy" in properties else properties


def look_at_policies_in_every_update() -> None:
    # moto changes what has another text, or a Ref to another parameter: not what another condition excludes, or what is
    # the policy of a resource that was replaced. It removes what DeletionPolicy retains, and does not make again what
    # an update before had removed.
    from moto.cloudformation import parsing

    original_update, original_delete = parsing.ResourceMap.update, parsing.ResourceMap._delete_resource

    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        gone = {*self._resource_json_map} - {*template["Resources"]}
        original_update(self, template, parameters)
        for name in gone:
            self._parsed_resources.pop(name, None)
        place = {"account_id": self._account_id, "region_name": self._region_name}
        for name, resource in template["Resources"].items():
            if resource["Type"] in LOOKED_AT:
                self._parsed_resources[name] = parsing.parse_and_update_resource(name, resource, self, **place)

    def delete(self: Any, resource: Any, template: dict[str, Any]) -> None:
        if not template.get("DeletionPolicy", "").startswith("Retain"):
            original_delete(self, resource, template)

    parsing.ResourceMap.update = update  # type: ignore[method-assign]
    parsing.ResourceMap._delete_resource = delete  # type: ignore[method-assign]


LOOKED_AT = [f"AWS::IAM::{kind}" for kind in ("ManagedPolicy", "Group", "User", "Role")] + ["AWS::KMS::Key", *_KINDS]
