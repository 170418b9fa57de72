"""What single services leave out: a bucket's region, Swagger of REST APIs, Bedrock."""

import functools
from typing import Any

from sandbox import bedrock


def tell_the_regions_of_buckets() -> None:
    # S3 names each bucket's region in a paginated ListBuckets; moto 5.2.5 does not. Can go when it does.
    from moto.s3.responses import S3Response

    serialized = S3Response.serialized

    def with_regions(self: Any, action_result: Any) -> Any:
        if self.data.get("Action") == "ListBuckets" and self._get_param("max-buckets"):
            for bucket in action_result.result["Buckets"]:
                bucket["BucketRegion"] = self.backend.get_bucket(bucket["Name"]).region_name
        return serialized(self, action_result)

    S3Response.serialized = with_regions  # type: ignore[method-assign]


def import_swagger() -> None:
    # ImportRestApi demands info.description and refuses Swagger 2.0, which is what Chalice sends; a proxy
    # integration's "responses" and a PutRestApi over existing paths are fine once it is let through.
    # Can go when moto imports Swagger 2.0.
    from moto.apigateway.models import APIGatewayBackend

    original_import, original_put = APIGatewayBackend.import_rest_api, APIGatewayBackend.put_rest_api

    @functools.wraps(original_import)
    def import_rest_api(self: Any, api_doc: dict[str, Any], fail_on_warnings: bool) -> Any:
        described = {**api_doc, "info": {"description": "", **api_doc.get("info", {})}}
        return original_import(self, described, fail_on_warnings)

    @functools.wraps(original_put)
    def put_rest_api(self: Any, function_id: str, api_doc: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # moto reads the same fields of both formats; only the version's name stands in the way.
        translated = {name: part for name, part in api_doc.items() if name != "swagger"}
        return original_put(self, function_id, {**translated, "openapi": "3.0.1"}, *args, **kwargs)

    APIGatewayBackend.import_rest_api = import_rest_api  # type: ignore[method-assign]
    APIGatewayBackend.put_rest_api = put_rest_api  # type: ignore[method-assign]


def answer_bedrock() -> None:
    # Neither operation exists. Can go when moto has them.
    from moto.bedrock.responses import BedrockResponse
    from moto.bedrockruntime.responses import BedrockRuntimeResponse

    BedrockResponse.list_foundation_models = bedrock.list_foundation_models  # type: ignore[attr-defined]
    BedrockRuntimeResponse.converse = bedrock.converse  # type: ignore[attr-defined]
