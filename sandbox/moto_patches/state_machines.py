"""Step Functions: state machines that run as their role."""

import functools
import json
import uuid
from collections.abc import Mapping
from typing import Any

from moto.s3.models import s3_backends

from sandbox import aws_errors
from sandbox.callers import PARTITION
from sandbox.moto_patches.stacks.reading import read_yaml
from sandbox.sts.assume_role import assume_as_service


def run_state_machines() -> None:
    # In moto executions end only if the engine is on, but a stack's state machine uses the backend without it, and its
    # Definition (as an object), DefinitionS3Location and DefinitionSubstitutions are ignored. Delete this when stacks
    # use the same engine.
    from moto.core.config import default_user_config
    from moto.stepfunctions import models

    class Engine:
        """The engine's backends, imported at the first use, because its parser takes seconds to import."""

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
            account = kwargs.get("account_id") or args[2]
            text = _definition(properties, account)
            for name, value in properties.get("DefinitionSubstitutions", {}).items():
                text = text.replace("${" + name + "}", str(value))
            properties["DefinitionString"] = text
            return change(cls, *args, **kwargs)

        return classmethod(changed)

    machine: Any = models.StateMachine
    machine.create_from_cloudformation_json = with_definition_string(machine.create_from_cloudformation_json.__func__)
    machine.update_from_cloudformation_json = with_definition_string(machine.update_from_cloudformation_json.__func__)


def _definition(properties: Mapping[str, Any], account: str) -> str:
    if place := properties.get("DefinitionS3Location"):
        found = s3_backends[account][PARTITION].get_object(place["Bucket"], place["Key"])
        if found is None:
            raise aws_errors.AwsError("ValidationError", f"There is no s3://{place['Bucket']}/{place['Key']}")
        written = read_yaml(found.value.decode())
    else:
        written = properties.get("Definition") or properties.get("DefinitionString", "")
    return written if isinstance(written, str) else json.dumps(written)


def sign_step_functions(endpoint_url: str) -> None:
    # moto's tasks call localhost:5000 with invented credentials. Here they call the sandbox as the machine's role, or
    # as the role of the task's Credentials, which the machine's role assumes:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
    # This must run before moto imports the tasks. Delete this when moto signs with the role.
    import boto3
    from botocore.config import Config
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
    from moto.stepfunctions.parser.asl.eval.evaluation_details import EvaluationDetails
    from moto.stepfunctions.parser.asl.utils import boto_client

    original, credentials_of = EvaluationDetails.__init__, StateTask._eval_state_credentials

    def with_the_machine(self: Any, **details: Any) -> None:
        original(self, **details)
        self.aws_execution_details.role_arn = _MachineRole(self.aws_execution_details.role_arn)
        self.aws_execution_details.role_arn.machine = self.state_machine_details.arn

    def with_the_machine_s_role(self: Any, env: Any) -> Any:
        credentials = credentials_of(self, env)
        credentials.machine_role = env.aws_execution_details.role_arn
        return credentials

    def client(region: str, service: str, session: Mapping[str, Any]) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=905),
        )

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        role = state_credentials.role_arn
        machine_role = getattr(state_credentials, "machine_role", role)  # ItemReader and ResultWriter have no other
        session = _session_of(machine_role)
        if role != machine_role:
            answer = client(region, "sts", session).assume_role(RoleArn=role, RoleSessionName="StepFunctions")
            session = answer["Credentials"]
        return client(region, service, session)

    EvaluationDetails.__init__ = with_the_machine  # type: ignore[method-assign, assignment]
    StateTask._eval_state_credentials = with_the_machine_s_role  # type: ignore[method-assign]
    boto_client.boto_client_for = boto_client_for


class _MachineRole(str):
    """The ARN of the role, as moto hands it on, and that of the state machine that has it."""

    machine: str


def _session_of(role: _MachineRole) -> Mapping[str, Any]:
    account = role.machine.split(":")[4]
    source = {"aws:SourceAccount": account, "aws:SourceArn": role.machine}
    session = assume_as_service(role, "states.amazonaws.com", "StepFunctions", account, keys=source)
    if session is None:
        raise aws_errors.denied("The state machine's role cannot be assumed by states.amazonaws.com")
    return session.credentials()


def evaluate_jsonata() -> None:
    # In moto state machines with JSONata fail: it does not have LocalStack's evaluator, which needs a JVM. This uses
    # jsonata-python, a port of the Java implementation that LocalStack uses. Delete this when moto evaluates JSONata.
    from moto.stepfunctions.parser.asl.jsonata import jsonata

    def evaluate(expression: str) -> Any:
        from jsonata import Jsonata  # type: ignore[import-untyped]

        try:
            parsed = Jsonata(expression)
            parsed.register_lambda("partition", partition)
            return parsed.evaluate(None)
        except Exception as error:
            raise jsonata.JSONataException("States.QueryEvaluationError", str(error)) from error

    jsonata._eval_jsonata = evaluate


def partition(items: list[Any], size: int) -> list[list[Any]]:
    """Step Functions' $partition, which JSONata itself does not have."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def count_batches_right() -> None:
    # moto's own $partition makes 22 batches of 120 items by 50, 19 of them empty, and no list of a single item. Delete
    # this, and partition() above, when moto's makes three.
    from moto.stepfunctions.parser.asl.component.intrinsic import jsonata

    del jsonata._DECLARATION_BY_VARIABLE_REFERENCE["$partition"]


def quote_variables() -> None:
    # moto writes a variable's text as it is between quotation marks, so that one in the text ends it. Delete this when
    # it escapes them.
    from moto.stepfunctions.parser.asl.eval import variable_store

    def declarations(bindings: Mapping[str, Any]) -> str:
        return "".join(f"{name}:={variable_store.to_json_str(value)};" for name, value in bindings.items())

    variable_store.encode_jsonata_variable_declarations = declarations  # type: ignore[assignment]


def name_executions() -> None:
    # In moto an execution that starts without a name is called None; in AWS it gets a UUID. Delete this when moto does.
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def start_execution(self: Any) -> ActionResult:
        name = self._get_param("name") or str(uuid.uuid4())
        event = self._get_param("input", if_none="{}")
        execution = self.stepfunction_backend.start_execution(self._get_param("stateMachineArn"), name, event)
        return ActionResult({"executionArn": execution.execution_arn, "startDate": execution.start_date})

    StepFunctionResponse.start_execution = start_execution  # type: ignore[method-assign]
