"""Everything the sandbox changes in moto. Seen in moto 5.2.5 unless a patch says otherwise.

Each patch says what is wrong and when it can go. They change moto's modules in place: apply() runs in the
sandbox's own process only, before anything is served, and never in a test's.
"""

import copy
import functools
import json
import re
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from botocore.awsrequest import AWSRequest

from sandbox import authorization, aws_errors, bedrock, callers, trust
from sandbox.aws_errors import AwsError
from sandbox.functions.service import FunctionService


def apply(functions: FunctionService, endpoint_url: str) -> None:
    """Apply all patches once."""
    _find_accounts_by_index()
    _decide_with_our_evaluator()
    _refuse_in_the_client_s_protocol()
    _name_s3_actions_as_iam_does()
    _tell_the_regions_of_buckets()
    _assume_role()
    _run_functions(functions)
    _import_swagger()
    _keep_role_policies_of_stacks()
    _know_aws_managed_policies()
    _check_stack_parameters()
    _parse_templates_once()
    _sign_step_functions(endpoint_url)
    _evaluate_jsonata()
    _name_executions()
    _run_state_machines()
    _answer_bedrock()


def _find_accounts_by_index() -> None:
    # moto walks all accounts and partitions for every key, and knows no key with a given id. Can go when the
    # developer's credentials need not be fixed and accounts are few.
    from moto.iam import models
    from moto.sts.models import STSBackend

    models.get_account_id_from = callers.account_of
    STSBackend.get_assumed_role_from_access_key = lambda self, key: callers.session_of(key)  # type: ignore[method-assign, assignment]


def _decide_with_our_evaluator() -> None:
    # IAM mode ignores Condition, NotResource, permission boundaries and nearly all resources, looks a role up in
    # the caller's account, and fails with KeyError on unsigned requests. Can go when moto evaluates these.
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.iam import access_control
    from moto.s3.exceptions import S3AccessDeniedError

    def create_access_key(account_id: str, partition: str, access_key_id: str, headers: Any) -> callers.Caller:
        caller = callers.find_caller(access_key_id)
        if caller is None:
            raise access_control.CreateAccessKeyFailure(reason="InvalidId")
        if caller.credentials.token != headers.get("X-Amz-Security-Token"):
            raise access_control.CreateAccessKeyFailure(reason="InvalidToken")
        return caller

    def unknown(self: Any, _: str) -> None:
        raise aws_errors.unknown_credentials()

    def mismatch(self: Any) -> None:
        raise aws_errors.bad_signature()

    original = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authenticate(self: Any, iam_request_cls: type, resource: str = "*") -> None:
        if "Authorization" not in self.headers:  # unsigned, or a presigned URL
            if iam_request_cls is access_control.S3IAMRequest:
                raise S3AccessDeniedError()
            raise aws_errors.no_credentials()
        original(self, iam_request_cls, resource)

    def create_aws_request(self: Any) -> Any:
        """moto signs a request without a body as if its headers were the body; only a form is rebuilt from data."""
        signed_headers = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
        headers = self._create_headers_for_aws_request(signed_headers, self._headers)
        form = "x-www-form-urlencoded" in self._headers.get("Content-Type", "")
        data = self._body or (self._data if form else b"")
        request = AWSRequest(method=self._method, url=self._path, data=data, headers=headers)
        request.context["timestamp"] = headers["X-Amz-Date"]
        return request

    access_control.IAMRequestBase._create_aws_request = create_aws_request  # type: ignore[method-assign]
    access_control.create_access_key = create_access_key  # type: ignore[assignment]
    access_control.IAMRequest.check_action_permitted = lambda self, resource: authorization.check(self)  # type: ignore[method-assign]
    access_control.S3IAMRequest.check_action_permitted = authorization.check  # type: ignore[method-assign, assignment]
    access_control.IAMRequest._raise_invalid_access_key = unknown  # type: ignore[method-assign]
    access_control.IAMRequest._raise_signature_does_not_match = mismatch  # type: ignore[method-assign]
    ActionAuthenticatorMixin._authenticate_and_authorize_action = authenticate  # type: ignore[method-assign]


def _refuse_in_the_client_s_protocol() -> None:
    # A refusal is always XML, which clients of JSON services (Lambda, Logs, Organizations) cannot read: they see
    # code "403" and no message. Can go when moto serialises refusals.
    from moto.core.responses import ActionResult, BaseResponse
    from moto.core.utils import get_service_model

    original = BaseResponse.call_action

    def call_action(self: Any) -> Any:
        try:
            return original(self)
        except aws_errors.Refused as refusal:
            protocol = self.determine_response_protocol(get_service_model(self.boto3_service_name))
            if "json" in protocol:
                refusal.code = refusal.json_code
            _, headers, body = self.serialized(ActionResult(refusal))
            headers["status"] = str(refusal.status)
            headers, body = self._enrich_response(headers, body)
            return refusal.status, headers, body

    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def _name_s3_actions_as_iam_does() -> None:
    # Sub-resources missing from moto's table count as ListBucket or CreateBucket. Can go when they are there.
    from moto.s3.responses import ACTION_MAP

    reads = {
        "publicAccessBlock": "GetBucketPublicAccessBlock",
        "encryption": "GetEncryptionConfiguration",
        "ownershipControls": "GetBucketOwnershipControls",
        "object-lock": "GetBucketObjectLockConfiguration",
        "replication": "GetReplicationConfiguration",
        "requestPayment": "GetBucketRequestPayment",
        "inventory": "GetInventoryConfiguration",
    }
    ACTION_MAP["BUCKET"]["GET"].update(reads)
    ACTION_MAP["BUCKET"]["PUT"].update({name: action.replace("Get", "Put") for name, action in reads.items()})
    ACTION_MAP["BUCKET"]["DELETE"].update(
        {
            "publicAccessBlock": "PutBucketPublicAccessBlock",
            "encryption": "PutEncryptionConfiguration",
            "ownershipControls": "PutBucketOwnershipControls",
            "replication": "PutReplicationConfiguration",
        }
    )


def _tell_the_regions_of_buckets() -> None:
    # S3 names each bucket's region in a paginated ListBuckets; moto 5.2.5 does not. Can go when it does.
    from moto.s3.responses import S3Response

    serialized = S3Response.serialized

    def with_regions(self: Any, action_result: Any) -> Any:
        if self.data.get("Action") == "ListBuckets" and self._get_param("max-buckets"):
            for bucket in action_result.result["Buckets"]:
                bucket["BucketRegion"] = self.backend.get_bucket(bucket["Name"]).region_name
        return serialized(self, action_result)

    S3Response.serialized = with_regions  # type: ignore[method-assign]


def _assume_role() -> None:
    # Anything is accepted: a role that does not exist, any trust policy, any duration. Can go when moto
    # evaluates trust across accounts.
    from moto.core.responses import ActionResult
    from moto.sts.responses import TokenResponse

    def assume_role(self: Any) -> ActionResult:
        caller = callers.find_caller(self.get_access_key())
        if caller is None:
            raise aws_errors.unknown_credentials()
        session = trust.assume_role(
            caller,
            self._get_param("RoleArn"),
            self._get_param("RoleSessionName"),
            self._get_int_param("DurationSeconds", 3600),
            self._get_param("ExternalId"),
            self._get_param("Policy"),
            self.region,
        )
        user = {"AssumedRoleId": session.user_id, "Arn": session.arn}
        return ActionResult({"Credentials": session, "AssumedRoleUser": user})

    TokenResponse.assume_role = assume_role  # type: ignore[method-assign]


def _run_functions(functions: FunctionService) -> None:
    # Invoke needs Docker, and its simple mode only echoes. Can go never: this is what the sandbox is for.
    from moto.awslambda.models import LambdaBackend, LambdaFunction
    from moto.awslambda.responses import LambdaResponse

    def invoke(self: Any) -> tuple[int, dict[str, str], bytes]:
        function_name = _function_name(self.path)
        function = self.backend.get_function(function_name, self._get_param("Qualifier"))
        answer = functions.invoke(function, self.raw_body or b"", self.headers)
        return (
            answer.status,
            {**answer.headers, "content-type": "application/json", "status": str(answer.status)},
            answer.body,
        )

    def invoke_internally(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        """For moto's own events: S3 notifications, EventBridge, rotation of secrets."""
        payload = body if isinstance(body, bytes) else str(body or "{}").encode()
        return functions.invoke(self, payload, {"X-Amz-Invocation-Type": "Event", **dict(request_headers or {})}).body

    def get_layer_version_by_arn(self: Any) -> str:
        """Missing in moto; `chalice deploy` asks for its layer with it before it deploys again."""
        arn = self.querystring["Arn"][0]
        layer = self.backend.layers_versions_by_arn(arn)
        if layer is None:
            raise AwsError("ResourceNotFoundException", f"Layer version {arn} does not exist.")
        return json.dumps(layer.get_layer_version())

    original_delete = LambdaBackend.delete_function

    def delete_function(self: Any, function_name: str, qualifier: Any = None) -> None:
        function = self.get_function(function_name, qualifier)
        original_delete(self, function_name, qualifier)
        functions.forget(function)

    LambdaResponse.invoke = invoke  # type: ignore[method-assign]
    LambdaResponse.get_layer_version_by_arn = get_layer_version_by_arn  # type: ignore[attr-defined]
    LambdaFunction.invoke = invoke_internally  # type: ignore[method-assign]
    LambdaBackend.delete_function = delete_function  # type: ignore[method-assign]


def _function_name(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path.rsplit("/", 2)[-2])


def _import_swagger() -> None:
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


def _as_json(document: Any) -> str:
    def plain(value: Any) -> str:
        if isinstance(value, date):  # YAML reads Version: 2012-10-17 as a date
            return value.isoformat()
        raise TypeError(f"not JSON: {value!r}")

    return document if isinstance(document, str) else json.dumps(document, default=plain)


def _keep_role_policies_of_stacks() -> None:
    # A stack's role keeps its inline policies as Python objects, loses its ManagedPolicyArns, and an update
    # changes neither policies nor trust. Can go when moto does as the template says.
    from moto.iam.models import Role, iam_backends

    original_put, original_create = Role.put_policy, Role.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]

    def put_policy(self: Any, policy_name: str, policy_json: Any) -> None:
        original_put(self, policy_name, _as_json(policy_json))

    def attach(role: Any, properties: dict[str, Any]) -> None:
        backend = iam_backends[role.account_id][role.partition]
        for arn in list(role.managed_policies):
            backend.detach_role_policy(arn, role.name)
        for arn in properties.get("ManagedPolicyArns", []):
            backend.attach_role_policy(arn, role.name)

    def create(cls: Any, resource_name: str, cloudformation_json: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        role = original_create(cls, resource_name, cloudformation_json, *args, **kwargs)
        attach(role, cloudformation_json["Properties"])
        return role

    def update(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, **_: Any) -> Any:
        properties = cloudformation_json["Properties"]
        role = original_resource
        role.assume_role_policy_document = _as_json(properties["AssumeRolePolicyDocument"])
        role.description = properties.get("Description", "")
        role.max_session_duration = properties.get("MaxSessionDuration", 3600)
        role.permissions_boundary_arn = properties.get("PermissionsBoundary", "")
        role.policies = {}
        for policy in properties.get("Policies", []):
            role.put_policy(policy["PolicyName"], policy["PolicyDocument"])
        attach(role, properties)
        return role

    Role.put_policy = put_policy  # type: ignore[method-assign]
    Role.create_from_cloudformation_json = classmethod(create)  # type: ignore[assignment, method-assign]
    Role.update_from_cloudformation_json = classmethod(update)  # type: ignore[arg-type, assignment, method-assign]


def _know_aws_managed_policies() -> None:
    # AWS's own policies are unknown unless all of them are loaded into every account, at a second each. Here one
    # is loaded when it is attached. Can go when moto loads them lazily.
    from moto.iam import models
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    @functools.cache
    def documents() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(aws_managed_policies_data)
        return found

    original = models.IAMBackend.attach_role_policy

    def attach_role_policy(self: Any, policy_arn: str, role_name: str) -> None:
        name = policy_arn.rpartition("/")[2]
        if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies and name in documents():
            policy = models.AWSManagedPolicy.from_data(name, self.account_id, self.region_name, documents()[name])
            self.managed_policies[policy.arn] = policy
        original(self, policy_arn, role_name)

    models.IAMBackend.attach_role_policy = attach_role_policy  # type: ignore[method-assign]


def _check_stack_parameters() -> None:
    # AllowedPattern, MinLength and their like are ignored. Can go when moto enforces them.
    from moto.cloudformation.parsing import ResourceMap

    original = ResourceMap.load_parameters

    def load_parameters(self: Any) -> None:
        original(self)
        for name, rules in self._template.get("Parameters", {}).items():
            if broken := _broken_rule(str(self.resolved_parameters.get(name, "")), rules):
                raise AwsError("ValidationError", f"Parameter '{name}' must {broken}")

    ResourceMap.load_parameters = load_parameters  # type: ignore[method-assign]


def _parse_templates_once() -> None:
    # Every stack parses its template anew with YAML in plain Python, 40 ms each: too slow for hundreds of accounts
    # with the same template. Can go when moto parses with libyaml or remembers.
    from moto.cloudformation.models import Stack

    parsed = functools.lru_cache(maxsize=32)(Stack.parse_template)
    Stack.parse_template = staticmethod(lambda template: copy.deepcopy(parsed(template)))  # type: ignore[method-assign]


def _broken_rule(value: str, rules: dict[str, Any]) -> str:
    checks: dict[str, tuple[Callable[[Any], bool], str]] = {
        "AllowedPattern": (lambda pattern: bool(re.fullmatch(pattern, value)), "match pattern {}"),
        "AllowedValues": (lambda values: value in map(str, values), "be one of AllowedValues"),
        "MinLength": (lambda least: len(value) >= int(least), "contain at least {} characters"),
        "MaxLength": (lambda most: len(value) <= int(most), "contain at most {} characters"),
    }
    if rules.get("Type", "String") != "String":
        return ""
    return next(
        (said.format(rules[rule]) for rule, (ok, said) in checks.items() if rule in rules and not ok(rules[rule])),
        "",
    )


def _run_state_machines() -> None:
    # Executions end only with the engine switched on, and a stack's state machine goes to the backend without it;
    # its Definition (as an object) and DefinitionSubstitutions are ignored. Can go when stacks use the same engine.
    from moto.core.config import default_user_config
    from moto.stepfunctions import models

    class Engine:
        """The engine's backends, imported at first use: its parser takes seconds to import."""

        def __getitem__(self, account: str) -> Any:
            from moto.stepfunctions.parser.models import stepfunctions_parser_backends

            return stepfunctions_parser_backends[account]

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    models.stepfunctions_backends = Engine()  # type: ignore[assignment]

    def with_definition_string(change: Any) -> Any:
        @functools.wraps(change)
        def changed(cls: Any, *args: Any, **kwargs: Any) -> Any:
            resource = kwargs.get("cloudformation_json") or next(arg for arg in args if isinstance(arg, dict))
            properties = resource["Properties"]
            text = _as_json(properties.get("Definition") or properties.get("DefinitionString", ""))
            for name, value in properties.get("DefinitionSubstitutions", {}).items():
                text = text.replace("${" + name + "}", str(value))
            properties["DefinitionString"] = text
            return change(cls, *args, **kwargs)

        return classmethod(changed)

    machine: Any = models.StateMachine
    machine.create_from_cloudformation_json = with_definition_string(machine.create_from_cloudformation_json.__func__)
    machine.update_from_cloudformation_json = with_definition_string(machine.update_from_cloudformation_json.__func__)


def _sign_step_functions(endpoint_url: str) -> None:
    # A state machine's tasks call localhost:5000 with made-up credentials. Here they call the sandbox as the state
    # machine's role. Must be patched before moto imports the tasks. Can go when moto signs with the role.
    import boto3
    from botocore.config import Config
    from moto.stepfunctions.parser.asl.utils import boto_client

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        role = state_credentials.role_arn
        source = {"aws:SourceAccount": role.split(":")[4]}
        session = trust.assume_as_service(role, "states.amazonaws.com", "StepFunctions", keys=source)
        if session is None:
            raise aws_errors.denied("The state machine's role cannot be assumed by states.amazonaws.com")
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=905),
        )

    boto_client.boto_client_for = boto_client_for


def _evaluate_jsonata() -> None:
    # State machines in JSONata fail: moto left out LocalStack's evaluator, which needs a JVM. This is jsonata-python,
    # a port of the Java implementation that is behind LocalStack's. Can go when moto evaluates JSONata.
    from moto.stepfunctions.parser.asl.jsonata import jsonata

    def evaluate(expression: str) -> Any:
        from jsonata import Jsonata  # type: ignore[import-untyped]

        try:
            return Jsonata(expression).evaluate(None)
        except Exception as error:
            raise jsonata.JSONataException("States.QueryEvaluationError", str(error)) from error

    jsonata._eval_jsonata = evaluate


def _name_executions() -> None:
    # An execution that was started without a name is called None instead of by a UUID. Can go when moto makes one up.
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def start_execution(self: Any) -> ActionResult:
        name = self._get_param("name") or str(uuid.uuid4())
        event = self._get_param("input", if_none="{}")
        execution = self.stepfunction_backend.start_execution(self._get_param("stateMachineArn"), name, event)
        return ActionResult({"executionArn": execution.execution_arn, "startDate": execution.start_date})

    StepFunctionResponse.start_execution = start_execution  # type: ignore[method-assign]


def _answer_bedrock() -> None:
    # Neither operation exists. Can go when moto has them.
    from moto.bedrock.responses import BedrockResponse
    from moto.bedrockruntime.responses import BedrockRuntimeResponse

    BedrockResponse.list_foundation_models = bedrock.list_foundation_models  # type: ignore[attr-defined]
    BedrockRuntimeResponse.converse = bedrock.converse  # type: ignore[attr-defined]
