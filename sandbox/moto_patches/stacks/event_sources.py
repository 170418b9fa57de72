"""CloudFormation: what calls a function is as a template says: APIs, subscriptions, schedules, buckets' notifications.

Everything here can go when moto follows the template.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.aws_errors import AwsError
from sandbox.callers import PARTITION
from sandbox.moto_patches.stacks.functions import tags_of
from sandbox.moto_patches.stacks.policies import follow
from sandbox.moto_patches.stacks.resource import Properties, Resource


def follow_templates_of_events() -> None:
    # moto's REST APIs of a stack have nothing of their Body, and remain when it is deleted. Its topics have no tags,
    # take over another one of the same name, and lose their subscriptions with every change. It knows no stages, HTTP
    # APIs, subscriptions and schedules.
    from moto.cloudformation.parsing import get_model_map, get_name_type_map

    get_model_map().update(_KINDS)
    for kind in _KINDS:  # moto has no name of a REST API or a deployment in their properties
        get_name_type_map().pop(kind, None)


def _paths(body: Any) -> dict[str, Any]:
    """An OpenAPI document whose paths have nothing but methods, as moto names them."""
    names = {"x-amazon-apigateway-any-method": "any"}
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "any"}
    paths = {
        path: {names.get(name, name): method for name, method in operations.items() if names.get(name, name) in methods}
        for path, operations in body.get("paths", {}).items()
    }
    return {**body, "paths": paths}


def _refuse_a_body_in_s3(properties: Properties) -> None:
    if "BodyS3Location" in properties:
        message = "The sandbox's CloudFormation takes the definition of an API from Body, not from BodyS3Location."
        raise AwsError("ValidationError", message)


class _RestApi(Resource):
    service = "apigateway"
    attributes: ClassVar = {
        "RestApiId": lambda self: self.physical_resource_id,
        "RootResourceId": lambda self: (
            self.backend.get_rest_api(self.physical_resource_id).get_resource_for_path("/").id
        ),
    }

    def make(self, name: str) -> str:
        _refuse_a_body_in_s3(self.properties)
        body = self._value("Body") or {}
        named = self._value("Name") or body.get("info", {}).get("title")
        if not named:
            raise AwsError("ValidationError", "A RestApi needs a Name or a Body with a title")
        api = self.backend.create_rest_api(
            name=named,
            description=self._value("Description") or "",
            endpoint_configuration=self._value("EndpointConfiguration"),
            policy=self._value("Policy"),
        )
        self._put(api.id)
        return str(api.id)

    def change(self, old: Properties) -> None:
        api = self.backend.get_rest_api(self.physical_resource_id)
        api.name, api.description = self._value("Name") or api.name, self._value("Description") or ""
        api.policy = self._value("Policy")
        if old.get("Body") != self._value("Body"):
            self._put(api.id)

    def remove(self) -> None:
        self.backend.delete_rest_api(self.physical_resource_id)

    def _put(self, api_id: str) -> None:
        if body := self._value("Body"):
            self.backend.put_rest_api(api_id, _paths(body), fail_on_warnings=False, mode="overwrite")


class _Deployment(Resource):
    service = "apigateway"
    required = ("RestApiId",)
    create_only = ("RestApiId", "StageName")
    attributes: ClassVar = {"DeploymentId": lambda self: self.physical_resource_id}

    def make(self, name: str) -> str:
        api, stage = self._value("RestApiId"), self._value("StageName")
        return str(self.backend.create_deployment(api, stage or "", self._value("Description") or "").id)

    def remove(self) -> None:
        if api := self.backend.apis.get(self._value("RestApiId")):
            api.deployments.pop(self.physical_resource_id, None)


class _Stage(Resource):
    service = "apigateway"
    required = ("RestApiId",)
    create_only = ("RestApiId", "StageName")

    def make(self, name: str) -> str:
        self.name = self._value("StageName") or "default"
        self.backend.create_stage(self._value("RestApiId"), self.name, self._value("DeploymentId"))
        self.change({})
        return str(self.name)

    def change(self, old: Properties) -> None:
        stage = self.backend.get_stage(self._value("RestApiId"), self.name)
        stage.deployment_id, stage.variables = self._value("DeploymentId"), self._value("Variables") or {}
        stage.description = self._value("Description") or ""
        stage.tracing_enabled = self._value("TracingEnabled")

    def remove(self) -> None:
        self.backend.delete_stage(self._value("RestApiId"), self.name)


class _HttpApi(Resource):
    service = "apigatewayv2"
    create_only = ("ProtocolType",)
    attributes: ClassVar = {
        "ApiId": lambda self: self.physical_resource_id,
        "ApiEndpoint": lambda self: self.backend.get_api(self.physical_resource_id).api_endpoint,
    }

    def make(self, name: str) -> str:
        _refuse_a_body_in_s3(self.properties)
        api = self.backend.create_api(
            api_key_selection_expression=self._value("ApiKeySelectionExpression"),
            disable_schema_validation=self._value("DisableSchemaValidation"),
            protocol_type=self._value("ProtocolType") or "HTTP",
            tags=self._value("Tags") or {},
            **self._changeable(),
        )
        self._put(api.api_id)
        return str(api.api_id)

    def change(self, old: Properties) -> None:
        given = {"api_key_selection_expression": None, "disable_schema_validation": None}
        self.backend.update_api(self.physical_resource_id, **given, **self._changeable())
        if old.get("Body") != self._value("Body"):
            self._put(self.physical_resource_id)

    def remove(self) -> None:
        self.backend.delete_api(self.physical_resource_id)

    def _changeable(self) -> dict[str, Any]:
        body = self._value("Body") or {}
        return {
            "cors_configuration": self._value("CorsConfiguration"),
            "description": self._value("Description"),
            "disable_execute_api_endpoint": self._value("DisableExecuteApiEndpoint"),
            "name": self._value("Name") or body.get("info", {}).get("title"),
            "route_selection_expression": self._value("RouteSelectionExpression"),
            "version": self._value("Version"),
        }

    def _put(self, api_id: str) -> None:
        if body := self._value("Body"):
            self.backend.reimport_api(api_id, json.dumps(_paths(body)), fail_on_warnings=False)
            for route in self.backend.get_routes(api_id):
                if route.route_key.endswith("$default"):
                    route.route_key = "$default"


class _HttpStage(Resource):
    service = "apigatewayv2"
    required = ("ApiId", "StageName")
    create_only = ("ApiId", "StageName")

    def make(self, name: str) -> str:
        self.change({})
        return str(self._value("StageName"))

    def change(self, old: Properties) -> None:
        config = {name[0].lower() + name[1:]: value for name, value in self.properties.items()}
        self.backend.create_stage(self._value("ApiId"), config)  # in moto that replaces one of the same name

    def remove(self) -> None:
        self.backend.delete_stage(self._value("ApiId"), self._value("StageName"))


class _Topic(Resource):
    service = "sns"
    create_only = ("TopicName", "FifoTopic")
    attributes: ClassVar = {
        "TopicArn": lambda self: self.topic.arn,
        "TopicName": lambda self: self.topic.name,
    }

    def make(self, name: str) -> str:
        name = self._value("TopicName") or name
        if name in [topic.name for topic in self.backend.topics.values()]:
            raise AwsError("AlreadyExists", f"The topic {name} already exists")
        fifo = {"FifoTopic": True} if str(self._value("FifoTopic")).lower() == "true" else {}
        self.topic = self.backend.create_topic(name, fifo)
        self.subscribed: list[str] = []
        self.change({})
        return str(self.topic.arn)

    def change(self, old: Properties) -> None:
        self.topic.display_name = self._value("DisplayName") or ""
        self.topic.kms_master_key_id = self._value("KmsMasterKeyId") or ""
        self.topic.content_based_deduplication = self._value("ContentBasedDeduplication") or False
        of_stack = {key: value for key, value in self.topic._tags.items() if key not in tags_of(old)}
        self.topic._tags = {**of_stack, **tags_of(self.properties)}
        if old.get("Subscription") != self._value("Subscription"):
            for arn in self.subscribed:
                self.backend.unsubscribe(arn)
            wanted = [(one["Endpoint"], one["Protocol"]) for one in self._value("Subscription") or []]
            self.subscribed = [self.backend.subscribe(self.topic.arn, *one).arn for one in wanted]

    def remove(self) -> None:
        self.backend.delete_topic(self.topic.arn)


class _Subscription(Resource):
    service = "sns"
    required = ("TopicArn", "Protocol")
    create_only = ("TopicArn", "Protocol", "Endpoint")
    attributes: ClassVar = {"Arn": lambda self: self.physical_resource_id}

    def make(self, name: str) -> str:
        endpoint = self._value("Endpoint")
        arn = self.backend.subscribe(self._value("TopicArn"), endpoint, self._value("Protocol")).arn
        self._configure(arn)
        return str(arn)

    def change(self, old: Properties) -> None:
        self._configure(self.physical_resource_id)

    def remove(self) -> None:
        self.backend.unsubscribe(self.physical_resource_id)

    def _configure(self, arn: str) -> None:
        names = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
        for name in names:
            value = self._value(name)
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                self.backend.set_subscription_attributes(arn, name, text)


class _Schedule(Resource):
    service = "scheduler"
    required = ("FlexibleTimeWindow", "ScheduleExpression", "Target")
    create_only = ("Name", "GroupName")
    attributes: ClassVar = {"Arn": lambda self: self.schedule.arn}

    def make(self, name: str) -> str:
        self.name = self._value("Name") or name[:64]
        self.schedule = self.backend.create_schedule(action_after_completion=None, **self._asked())
        return str(self.name)

    def change(self, old: Properties) -> None:
        self.backend.update_schedule(**self._asked())

    def remove(self) -> None:
        self.backend.delete_schedule(self._value("GroupName"), self.name)

    def _asked(self) -> dict[str, Any]:
        return {
            "description": self._value("Description"),
            "end_date": self._value("EndDate"),
            "flexible_time_window": self._value("FlexibleTimeWindow"),
            "group_name": self._value("GroupName"),
            "kms_key_arn": self._value("KmsKeyArn"),
            "name": self.name,
            "schedule_expression": self._value("ScheduleExpression"),
            "schedule_expression_timezone": self._value("ScheduleExpressionTimezone"),
            "start_date": self._value("StartDate"),
            "state": self._value("State") or "ENABLED",
            "target": self._value("Target"),
        }


_KINDS: Mapping[str, type[Resource]] = {
    "AWS::ApiGateway::RestApi": _RestApi,
    "AWS::ApiGateway::Deployment": _Deployment,
    "AWS::ApiGateway::Stage": _Stage,
    "AWS::ApiGatewayV2::Api": _HttpApi,
    "AWS::ApiGatewayV2::Stage": _HttpStage,
    "AWS::SNS::Subscription": _Subscription,
    "AWS::SNS::Topic": _Topic,
    "AWS::Scheduler::Schedule": _Schedule,
}


def configure_buckets() -> None:
    # moto's buckets of a stack notify no function, are not versioned and block no public access, and with objects in
    # them they remain when the stack is deleted, which says nothing of it.
    from moto.s3.models import FakeBucket, PublicAccessBlock, s3_backends

    def apply(bucket: Any, properties: Properties) -> None:
        if versioning := properties.get("VersioningConfiguration"):
            bucket.versioning_status = versioning["Status"]
        if block := properties.get("PublicAccessBlockConfiguration"):
            names = {
                "block_public_acls": "BlockPublicAcls",
                "ignore_public_acls": "IgnorePublicAcls",
                "block_public_policy": "BlockPublicPolicy",
                "restrict_public_buckets": "RestrictPublicBuckets",
            }
            values = {ours: block.get(theirs, False) for ours, theirs in names.items()}
            bucket.public_access_block = PublicAccessBlock(**values)
        bucket.set_notification_configuration(_notifications(properties.get("NotificationConfiguration") or {}))

    def delete(self: Any, account_id: str, _region: str) -> None:
        if self.keys:
            raise AwsError("BucketNotEmpty", f"The bucket you tried to delete is not empty: {self.name}")
        s3_backends[account_id][PARTITION].delete_bucket(self.name)

    follow(FakeBucket, apply)
    FakeBucket.delete = delete  # type: ignore[attr-defined]


def follow_templates_of_log_groups() -> None:
    # moto's log groups of a stack keep what they were created with.
    from moto.logs.models import LogGroup

    def apply(group: Any, properties: Properties) -> None:
        group.set_retention_policy(properties.get("RetentionInDays"))

    follow(LogGroup, apply, "RetentionInDays")


def _notifications(properties: Properties) -> dict[str, Any]:
    """The request of S3, whose names differ from those of the template."""
    found: dict[str, Any] = {}
    for kind, target, name in (
        ("LambdaConfigurations", "Function", "CloudFunction"),
        ("QueueConfigurations", "Queue", "Queue"),
        ("TopicConfigurations", "Topic", "Topic"),
    ):
        for one in properties.get(kind, []):
            rules = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
            configuration = {name: one[target], "Event": [one["Event"]]}
            if rules:
                configuration["Filter"] = {"S3Key": {"FilterRule": rules}}
            found.setdefault(f"{name}Configuration", []).append(configuration)
    if properties.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
        found["EventBridgeConfiguration"] = {}
    return found
