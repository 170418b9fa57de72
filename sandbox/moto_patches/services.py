"""A bucket's region, Swagger of REST APIs, AWS's own keys, and Bedrock."""

import functools
from typing import Any

from sandbox import bedrock


def add_regions_of_buckets() -> None:
    # S3 returns each bucket's region in a paginated ListBuckets; moto does not. Delete this when it does.
    from moto.s3.responses import S3Response

    serialized = S3Response.serialized

    def with_regions(self: Any, action_result: Any) -> Any:
        if self.data.get("Action") == "ListBuckets" and self._get_param("max-buckets"):
            for bucket in action_result.result["Buckets"]:
                bucket["BucketRegion"] = self.backend.get_bucket(bucket["Name"]).region_name
        return serialized(self, action_result)

    S3Response.serialized = with_regions  # type: ignore[method-assign]


def import_swagger() -> None:
    # moto's ImportRestApi requires info.description and a URI of mock integrations, and refuses Swagger 2.0, which
    # Chalice sends; it handles a proxy integration's "responses" and a PutRestApi over existing paths. Delete this when
    # moto imports Swagger 2.0.
    from moto.apigateway.models import APIGatewayBackend

    original_import, original_put = APIGatewayBackend.import_rest_api, APIGatewayBackend.put_rest_api
    original_arguments = APIGatewayBackend._build_integration_args

    def arguments(self: Any, integration: dict[str, Any]) -> dict[str, Any]:
        return original_arguments(self, {"uri": "", "httpMethod": "", **integration})

    @functools.wraps(original_import)
    def import_rest_api(self: Any, api_doc: dict[str, Any], fail_on_warnings: bool) -> Any:
        described = {**api_doc, "info": {"description": "", **api_doc.get("info", {})}}
        return original_import(self, described, fail_on_warnings)

    @functools.wraps(original_put)
    def put_rest_api(self: Any, function_id: str, api_doc: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # moto reads the same fields from both formats; only the name of the version differs.
        translated = {name: part for name, part in api_doc.items() if name != "swagger"}
        return original_put(self, function_id, {**translated, "openapi": "3.0.1"}, *args, **kwargs)

    APIGatewayBackend._build_integration_args = arguments  # type: ignore[method-assign]
    APIGatewayBackend.import_rest_api = import_rest_api  # type: ignore[method-assign]
    APIGatewayBackend.put_rest_api = put_rest_api  # type: ignore[method-assign]


def mark_keys_of_aws() -> None:
    # moto 5.2.5 calls the keys that it makes for services, such as alias/aws/ebs, the customer's, and they do not
    # rotate. Delete this when their KeyManager is AWS.
    from moto.kms.models import KmsBackend

    original = KmsBackend.create_alias

    def create_alias(self: Any, target_key_id: str, alias_name: str) -> Any:
        if alias_name.startswith("alias/aws/"):
            key = self.keys[self.get_key_id(target_key_id)]
            key.key_manager, key.key_rotation_status = "AWS", True
        return original(self, target_key_id, alias_name)

    KmsBackend.create_alias = create_alias  # type: ignore[method-assign]


def add_bedrock() -> None:
    # moto lacks both operations. Delete this when it has them.
    from moto.bedrock.responses import BedrockResponse
    from moto.bedrockruntime.responses import BedrockRuntimeResponse

    BedrockResponse.list_foundation_models = bedrock.list_foundation_models  # type: ignore[attr-defined]
    BedrockRuntimeResponse.converse = bedrock.converse  # type: ignore[attr-defined]
